"""``ngr evaluate``: train downstream models on studies and score them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neuralgraph.cli.output import note, write_json, write_line
from neuralgraph.cli.overwriting import Force, check_output
from neuralgraph.errors import missing_extra
from neuralgraph.storage.atomic import atomic_file, make_folder
from neuralgraph.wire.escapes import escaped_json

if TYPE_CHECKING:
    from neuralgraph.tasks import System

__all__ = ["evaluate"]

_SPLITS_FILE = "studies.csv"


class Text(StrEnum):
    """What a graph keeps of the report."""

    WITH = "with"
    WITHOUT = "without"
    BOTH = "both"


class Network(StrEnum):
    """The model."""

    MPNN = "mpnn"
    HETERO = "hetero"


def evaluate(
    archives: Annotated[
        list[Path], typer.Argument(metavar="ARCHIVE...", help="Files, archives or folders of studies.")
    ],
    label: Annotated[list[str], typer.Option(help="A label to predict; repeatable.")],
    splits: Annotated[
        Path | None,
        typer.Option(help="Table with the columns study_id and split; studies.csv of a converted folder by default."),
    ] = None,
    retain: Annotated[
        list[float] | None,
        typer.Option(help="Share of the patches to keep; repeatable. All that is stored by default."),
    ] = None,
    text: Annotated[Text, typer.Option(help="Graphs with the report, without it, or both side by side.")] = Text.BOTH,
    network: Annotated[
        Network, typer.Option("--model", help="mpnn is the paper's, hetero has typed edges.")
    ] = Network.MPNN,
    seeds: Annotated[int, typer.Option(min=1, help="Runs of each system.")] = 3,
    epochs: Annotated[int, typer.Option(min=1, help="At most; training ends early.")] = 60,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write everything to this JSON file.")] = None,
    curves: Annotated[
        Path | None, typer.Option(help="A folder for ROC and calibration curves: LABEL.png and LABEL.csv.")
    ] = None,
    force: Force = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Train graph networks on the studies of ARCHIVE and score them on its test part.

    Refused are test studies of patients that the model which made them learnt from, as far as 'ngr convert' could tell.
    Every combination of archive, --retain and --text is one system; all are trained alike and compared by DeLong's
    test on the same studies; several archives, of two models for example, on the studies of one table. What the test
    part cannot measure is said before anything is trained. --curves draws ROC and calibration with their intervals.

    Example: ngr evaluate studies/ --label pneumonia --retain 0.023 --retain 0.01
    """
    try:
        from neuralgraph.tasks import TrainingSettings, read_splits
        from neuralgraph.tasks import evaluate as run
        from neuralgraph.tasks.splits import check_not_learnt
    except ImportError as error:
        raise missing_extra("evaluation", extra="pyg", library=error.name or "torch_geometric") from error

    if out is not None:
        check_output(out, force=force)
    if curves is not None:
        _check_folder(curves, label)
    table = splits if splits is not None else _table_of(archives)
    systems = _systems(archives, label, retain, text, network)
    split = read_splits(table)
    if unknown := check_not_learnt(split, _written_tables(archives, table)):
        note(f"of {unknown:,} test studies nobody here can tell whether the model learnt from their patients")
    results = run(systems, split, settings=TrainingSettings(epochs=epochs), seeds=range(seeds), progress=note)
    results["model"] = network.value
    if out is not None:
        with atomic_file(out) as stream:
            stream.write((escaped_json(results, indent=1) + "\n").encode())
    if curves is not None:
        _write_curves(curves, results)
    if as_json:
        write_json(results)
    else:
        _print(results)


def _check_folder(folder: Path, labels: list[str]) -> None:
    """Make the folder, and refuse names that cannot be files, before hours are spent."""
    for label in labels:
        if "/" in label or label in (".", ".."):
            raise typer.BadParameter(f"the label {label!r} is no name of a file", param_hint="--curves")
    make_folder(folder)
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise missing_extra("drawing curves", extra="plot", library="matplotlib") from error


def _write_curves(folder: Path, results: dict[str, Any]) -> None:
    from io import BytesIO

    from neuralgraph.tasks.curves import curve_rows, draw_curves

    first = next(iter(results["systems"].values()))
    for label in first["labels"]:
        systems = {name: system["labels"][label] for name, system in results["systems"].items()}
        picture = BytesIO()
        draw_curves(label, systems).savefig(picture, format="png", dpi=120, metadata={"Software": None})
        for ending, content in (("png", picture.getvalue()), ("csv", curve_rows(systems).encode())):
            with atomic_file(folder / f"{label}.{ending}") as stream:
                stream.write(content)
        note(f"{folder / label}.png and .csv: curves of {len(systems)} systems")


def _systems(
    archives: list[Path], label: list[str], retain: list[float] | None, text: Text, network: Network
) -> list[System]:
    """Every combination."""
    from neuralgraph.tasks import GraphSettings, System

    shares: list[float | None] = [*retain] if retain else [None]
    return [
        System(
            name=_name(archive if len(archives) > 1 else None, share, report),
            archive=archive,
            graph=GraphSettings(
                labels=tuple(label), retain=share, report=report, heterogeneous=network is Network.HETERO
            ),
        )
        for archive in archives
        for share in shares
        for report in {Text.WITH: [True], Text.WITHOUT: [False], Text.BOTH: [True, False]}[text]
    ]


def _table_of(archives: list[Path]) -> Path:
    for archive in archives:
        if (archive / _SPLITS_FILE).is_file():
            return archive / _SPLITS_FILE
    raise typer.BadParameter(
        "which studies are for training? give a table of study_id and split; "
        "a .ngr does not know its patient, and a patient in two parts spoils every score",
        param_hint="--splits",
    )


def _written_tables(archives: list[Path], table: Path) -> list[Path]:
    """The tables that say of studies whether the model learnt from their patients: beside them, or the one given."""
    folders = dict.fromkeys(archive if archive.is_dir() else archive.parent for archive in archives)
    return list(dict.fromkeys([*(path for folder in folders for path in sorted(folder.glob("studies*.csv"))), table]))


def _name(archive: Path | None, share: float | None, report: bool) -> str:
    parts = [] if archive is None else [archive.name]
    parts.append("stored patches" if share is None else f"{share:.3g} of the patches")
    parts.append("with report" if report else "image alone")
    return ", ".join(parts)


def _print(results: dict[str, Any]) -> None:
    sizes = ", ".join(f"{count} to {name}" for name, count in results["split"].items())
    runs = len(results["seeds"])
    write_line(f"studies: {sizes}; {runs} run{'s' * (runs != 1)} of each system")
    for name, system in results["systems"].items():
        write_line(f"{name} ({system['patches']:.1f} patches)")
        for label, scores in system["labels"].items():
            area, fit = scores["auc"], scores["calibration"]
            write_line(
                f"  {label}: AUC {area['value']:.3f} ({area['low']:.3f} to {area['high']:.3f}), "
                f"single runs {scores['auc_mean']:.3f} +- {scores['auc_spread']:.3f}, "
                f"calibration error {fit['expected_error']:.3f}; {area['positives']} of "
                f"{area['positives'] + area['negatives']} positive"
            )
    for row in results["comparisons"]:
        names = f"{row['first']} against {row['second']}"
        write_line(f"{row['label']}: {names}: {row['difference']:+.3f}, p = {row['p_value']:.2g}")
