"""``ngr compress``: one film and its report to one file."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from neuralgraph.catalogue.summary import file_summary
from neuralgraph.cli.conversion_choices import Extractor, Score
from neuralgraph.cli.film_words import film_words
from neuralgraph.cli.model_notice import tell_model
from neuralgraph.cli.option_groups import grouped
from neuralgraph.cli.output import note, write_json, write_line
from neuralgraph.cli.overwriting import Force, check_output
from neuralgraph.cli.pruning_options import PruningOptions, policy_of_options
from neuralgraph.cli.study_options import MakingOptions
from neuralgraph.graph.origin import GENERATED
from neuralgraph.storage.save import save

if TYPE_CHECKING:
    from neuralgraph.compressor import Compressor
    from neuralgraph.compressor.pruning import PruningPolicy
    from neuralgraph.graph.study import Study

__all__ = ["compress"]


@dataclass(frozen=True)
class ReportOptions:
    """The report of the film, and what is known of it."""

    PANEL: ClassVar[str] = "The report"

    report: Annotated[Path | None, typer.Option(help="The report, a UTF-8 text file.")] = None
    report_text: Annotated[str | None, typer.Option(help="The report itself.")] = None
    annotations: Annotated[
        Path | None, typer.Option(help="For 'radgraph-json': the annotations, JSON or JSON lines.")
    ] = None
    report_key: Annotated[
        str | None,
        typer.Option(help="For 'radgraph-json': the key of this report there [default: found by its words]."),
    ] = None


@grouped
def compress(
    image: Annotated[Path, typer.Argument(help="A chest film: DICOM, PNG (8 or 16 bit) or JPEG.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The .ngr file to write.")],
    label: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="A label; repeatable.")] = None,
    *,
    said: ReportOptions,
    pruning: PruningOptions,
    making: MakingOptions,
    score: Annotated[Score, typer.Option(help="How attention becomes a score.")] = Score.sum,
    words: Annotated[bool, typer.Option("--words", help="Store the attention of every word of the report.")] = False,
    study_id: Annotated[str | None, typer.Option(help="Identifier [default: made from the content].")] = None,
    force: Force = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compress the film IMAGE, with its report, into one .ngr file.

    Without a report a text of the model's own scores the patches, and the file says so; it then holds no report graph,
    unless --generated-graph asks for the model's.

    Example: ngr compress film.dcm --report film.txt --label pneumonia=1 -o film.ngr
    """
    if said.report is not None and said.report_text is not None:
        raise typer.BadParameter("give --report or --report-text, not both")
    if making.extractor is Extractor.radgraph_json and said.annotations is None:
        raise typer.BadParameter("needs --annotations FILE", param_hint="--extractor radgraph-json")
    labels = dict(_label(text) for text in label or [])
    policy = policy_of_options(pruning)
    check_output(output, force=force)
    film, text = _read(image, said)
    compressor = _compressor(making, score, said.annotations, policy)
    study = compressor(
        film,
        text,
        labels=labels,
        study_id=study_id,
        report_key=said.report_key,
        store_report=making.store_report,
        store_pixels=making.pixels,
        store_words=words,
    )
    save(study, output, embedding=making.embedding)
    trained = compressor.scorer.trained
    _tell(output, image, score=score.value, trained=trained, unread=_unread(text, study, making), json=json)


def _read(image: Path, said: ReportOptions) -> tuple[Any, str | None]:
    """Film and report; bad input is refused here, before the model is loaded."""
    from neuralgraph.errors import SourceError
    from neuralgraph.sources import normalise_report, read_film, read_report

    place = image
    try:
        film = read_film(image)
        if said.report is not None:
            place = said.report
            return film, read_report(said.report)
    except SourceError as error:
        error.where = f"{place}: {error.where}" if error.where else str(place)
        raise
    return film, None if said.report_text is None else normalise_report(said.report_text)


def _compressor(making: MakingOptions, score: Score, annotations: Path | None, policy: PruningPolicy) -> Compressor:
    from neuralgraph.compressor import Compressor
    from neuralgraph.compressor.report_graph import extractor

    options: dict[str, Any] = {} if annotations is None else {"annotations": annotations}
    if making.extractor in (Extractor.rules, Extractor.radgraph):
        options["sections"] = making.sections.value
    return Compressor.from_pretrained(
        making.model,
        policy=policy,
        report_graph=extractor(making.extractor.value, **options),
        score=score.value,
        generated_graph=making.generated_graph,
        max_side=making.max_side,
    )


def _unread(text: str | None, study: Study, making: MakingOptions) -> str:
    """Why a report gave no concept, "" where it did or nobody asked."""
    from neuralgraph.compressor.report_graph.unread import unread_reason

    read = bool(study.concepts) or making.extractor is Extractor.none
    return "" if read else unread_reason(text, making.sections.value)


def _label(text: str) -> tuple[str, float]:
    name, separator, value = text.partition("=")
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not separator or not name.strip() or not math.isfinite(number):
        raise typer.BadParameter(f"a label is NAME=VALUE with a number, got {text!r}", param_hint="--label")
    return name.strip(), number


def _tell(output: Path, image: Path, *, score: str, trained: bool, unread: str, json: bool) -> None:
    from neuralgraph.compressor.report_graph.unread import UNREAD
    from neuralgraph.sources.films.quality import is_doubtful

    summary = file_summary(output)
    source_bytes = image.stat().st_size
    study = summary["study"]
    if json:
        facts = {"source_bytes": source_bytes, "model_trained": trained, "report_unread": unread}
        write_json({"output": str(output), **facts, **summary})
    else:
        share = summary["file_bytes"] / source_bytes
        write_line(
            f"{output}: {study['n_patches']} of {study['n_cells']} patches, {len(study['concepts'])} concepts, "
            f"{summary['file_bytes']:,} bytes ({share:.1%} of the source file's {source_bytes:,})"
        )
    for film in study["provenance"].get("films", ()):
        if is_doubtful(film) or "text_marks" in film:
            note(f"look at the film: {film_words(film)}")
    if study["report_graph"] == "generated":
        note(f"the report graph was {GENERATED}")
    elif study["provenance"]["report"] != "given":
        note("no report was given: the model's own text scored the patches, and no report graph is stored")
    if unread:
        note(f"the report gave no concept: {UNREAD[unread]}")
    if study["provenance"]["score"]["rule"] != score:
        note(f"the report names no finding that is there: patches are scored by sum, not by {score}")
    tell_model(study["provenance"]["model"]["name"], trained=trained)
