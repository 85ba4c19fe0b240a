"""``ngr catalog``: tables about studies."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from neuralgraph.cli.output import write_json, write_line
from neuralgraph.cli.overwriting import Force, check_output
from neuralgraph.cli.progress import meter
from neuralgraph.storage.manifest import is_collection

__all__ = ["catalog"]


def catalog(
    paths: Annotated[list[str], typer.Argument(help="Files, archives, folders, URLs, or one collection.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The table of studies to write, .parquet.")],
    force: Force = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write tables about studies as Parquet: one row a study, and beside it one a concept and one a triple.

    A collection has these tables already; they are put together. Ids of studies are in the tables, and where a
    collection knows them pseudonyms of patients; no report text and no embedding.

    Example: ngr catalog archive.ngr -o catalog.parquet
    """
    from neuralgraph.catalogue import catalogue_paths, write_catalogue

    if output.suffix.lower() != ".parquet":
        raise typer.BadParameter(f"the table ends in .parquet, not {output.suffix!r}", param_hint="--output")
    files = catalogue_paths(output)
    for path in files.values():
        check_output(path, force=force)
    with meter("catalog") as progress:
        if len(paths) == 1 and is_collection(paths[0]):
            count = _of_collection(paths[0], output)
        else:
            count = write_catalogue(paths, output, progress=progress.at)
    sizes = {table: path.stat().st_size for table, path in files.items()}
    if json:
        write_json({"output": str(output), "studies": count, "bytes": sizes})
        return
    write_line(f"{output}: {count:,} {'study' if count == 1 else 'studies'}, {sizes['studies']:,} bytes")
    for table in ("concepts", "triples"):
        write_line(f"{files[table]}: {sizes[table]:,} bytes")


def _of_collection(place: str, output: Path) -> int:
    from neuralgraph.catalogue.tables import merge
    from neuralgraph.collection import Collection
    from neuralgraph.collection.catalogued import table_files

    found = Collection(place)
    head = found.head()
    with table_files(found, head) as files:
        merge(files, output)
    return head.studies
