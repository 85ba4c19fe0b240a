"""``ngr migrate``: lists of graphs that the published code pickled, without unpickling them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from numpy.typing import NDArray

from neuralgraph.cli.output import note, write_json, write_line
from neuralgraph.cli.overwriting import Force, check_output
from neuralgraph.errors import OutputError, SourceError
from neuralgraph.graph.study import Study
from neuralgraph.migration import ReferenceFile, ReferenceGraph, open_reference
from neuralgraph.migration.arrays import numbered_graphs
from neuralgraph.migration.studies import migrated_study
from neuralgraph.storage.atomic import atomic_file
from neuralgraph.storage.save import save
from neuralgraph.wire.npz import write_npz

__all__ = ["migrate"]


def migrate(
    old: Annotated[Path, typer.Argument(help="A file the published code wrote: torch.save of a list of PyG Data.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write: .npz for arrays, else .ngr.")],
    label: Annotated[list[str] | None, typer.Option(help="Name of a value of y; repeatable, in order.")] = None,
    keep: Annotated[list[str] | None, typer.Option(help="A further attribute to take over; repeatable.")] = None,
    force: Force = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Take over graphs that were stored as a pickled list. Nothing in the file is executed or imported.

    Such files lack the grid, the attention and the words of the report: what an .ngr file holds of them are plain
    graphs, which to_data and ArchiveLoader give back as they were; an .npz file holds them as arrays. Node features,
    edges and labels are taken; attributes that might name a patient only with --keep. To get studies with places and
    words, compress the films again.

    Example: ngr migrate fused_graphs.pt -o graphs.ngr --label pneumonia
    """
    if label and len(set(label)) != len(label):
        raise typer.BadParameter("a name is given twice", param_hint="--label")
    if output.exists() and old.exists() and output.samefile(old):
        raise OutputError(
            "the output would replace the input; give it another name", code="E_OUTPUT", where=str(output)
        )
    check_output(output, force=force)
    left_behind: Counter[str] = Counter()
    split = 0

    def graphs(file: ReferenceFile) -> Iterator[tuple[ReferenceGraph, dict[str, NDArray[Any]]]]:
        nonlocal split
        for graph, arrays in numbered_graphs(file):
            left_behind.update(graph.left_behind)
            split += "n_patches" in arrays
            yield graph, arrays

    def studies(file: ReferenceFile) -> Iterator[Study]:
        for number, (graph, arrays) in enumerate(graphs(file)):
            yield migrated_study(number, arrays, labels=label or (), bfloat16=graph.bfloat16)

    def members(file: ReferenceFile) -> Iterator[tuple[str, NDArray[Any]]]:
        for number, (_, arrays) in enumerate(graphs(file)):
            yield from ((f"{number:07d}/{name}", array) for name, array in arrays.items())

    try:
        with open_reference(old, keep=keep or ()) as file:
            count = len(file)
            if output.suffix.lower() == ".npz":
                with atomic_file(output) as stream:
                    write_npz(stream, members(file))
            else:
                save(studies(file), output)
    except SourceError as error:
        error.where = f"{old}: {error.where}" if error.where else str(old)
        raise
    _report(output, count, split, dict(sorted(left_behind.items())), json=json)


def _report(output: Path, count: int, split: int, left_behind: dict[str, int], *, json: bool) -> None:
    size = output.stat().st_size
    if json:
        write_json(
            {
                "output": str(output),
                "file_bytes": size,
                "n_graphs": count,
                "n_with_patches_told_from_concepts": split,
                "not_taken_over": left_behind,
                "not_known": ["grid", "places of patches", "attention", "texts and labels of concepts", "relations"],
            }
        )
        return
    write_line(f"{output}: {count} {'graph' if count == 1 else 'graphs'}, {size:,} bytes")
    write_line(
        f"  patches told from concepts in {split}; grid, attention and words of the report are not in such files"
    )
    for name, number in left_behind.items():
        note(f"not taken over: {name} of {number} {'graph' if number == 1 else 'graphs'}; --keep takes what is no list")
