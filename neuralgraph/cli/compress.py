"""``ngr compress``: one film and its report to one file."""

from __future__ import annotations

import math
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from neuralgraph.catalogue.summary import file_summary
from neuralgraph.cli.conversion_choices import MAX_SIDE_HELP, SECTIONS_HELP, Sections
from neuralgraph.cli.film_words import film_words
from neuralgraph.cli.model_notice import tell_model
from neuralgraph.cli.option_groups import grouped
from neuralgraph.cli.output import note, write_json, write_line
from neuralgraph.cli.overwriting import Force, check_output
from neuralgraph.cli.pruning_options import PruningOptions, policy_of_options
from neuralgraph.errors import StudyError
from neuralgraph.graph.origin import GENERATED
from neuralgraph.storage.lossy import embedding_forms, form_named
from neuralgraph.storage.save import save

__all__ = ["EmbeddingForm", "Extractor", "compress", "embedding_form"]


def embedding_form(name: str) -> str:
    """The value of ``--embedding``, when it is one."""
    try:
        form_named(name)
    except StudyError as error:
        raise typer.BadParameter(error.message) from error
    return name


EmbeddingForm = Annotated[
    str,
    typer.Option(
        metavar="FORM",
        callback=embedding_form,
        help=f"How embeddings are stored: {', '.join(embedding_forms())}, or svd:LOSS with another loss.",
    ),
]
"""The option ``--embedding``."""


class Extractor(StrEnum):
    """How a report is read; ``neuralgraph.compressor.report_graph`` says what each does."""

    rules = "rules"
    none = "none"
    radgraph = "radgraph"
    radgraph_json = "radgraph-json"


class Score(StrEnum):
    """How attention becomes a score; ``neuralgraph.compressor.score_rules`` says what each does."""

    sum = "sum"
    contrast = "contrast"
    findings = "findings"
    gradient = "gradient"


@grouped
def compress(
    image: Annotated[Path, typer.Argument(help="A chest film: DICOM, PNG (8 or 16 bit) or JPEG.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The .ngr file to write.")],
    report: Annotated[Path | None, typer.Option(help="The report, a UTF-8 text file.")] = None,
    report_text: Annotated[str | None, typer.Option(help="The report itself.")] = None,
    label: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="A label; repeatable.")] = None,
    *,
    pruning: PruningOptions,
    model: Annotated[str, typer.Option(help="'demo', or the folder or hub id of a model.")] = "demo",
    max_side: Annotated[int | None, typer.Option(help=MAX_SIDE_HELP, min=1)] = None,
    score: Annotated[Score, typer.Option(help="How attention becomes a score.")] = Score.sum,
    embedding: EmbeddingForm = "bfloat16",
    extractor: Annotated[
        Extractor,
        typer.Option(help="How the report is read; radgraph is the package, radgraph-json takes its annotations."),
    ] = Extractor.rules,
    annotations: Annotated[
        Path | None, typer.Option(help="For 'radgraph-json': the annotations, JSON or JSON lines.")
    ] = None,
    report_key: Annotated[
        str | None,
        typer.Option(help="For 'radgraph-json': the key of this report there [default: found by its words]."),
    ] = None,
    sections: Annotated[Sections, typer.Option(help=SECTIONS_HELP)] = Sections.both,
    pixels: Annotated[bool, typer.Option("--pixels", help="Store the kept patches as images too.")] = False,
    store_report: Annotated[bool, typer.Option("--store-report", help="Store the text of the report.")] = False,
    generated_graph: Annotated[
        bool,
        typer.Option(
            "--generated-graph", help="Without a report: keep the concepts of the model's own text, marked as such."
        ),
    ] = False,
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
    if report is not None and report_text is not None:
        raise typer.BadParameter("give --report or --report-text, not both")
    if extractor is Extractor.radgraph_json and annotations is None:
        raise typer.BadParameter("needs --annotations FILE", param_hint="--extractor radgraph-json")
    labels = dict(_label(text) for text in label or [])
    policy = policy_of_options(pruning)
    check_output(output, force=force)
    film, text = _read(image, report, report_text)
    from neuralgraph.compressor import Compressor
    from neuralgraph.compressor.report_graph import extractor as extractor_named
    from neuralgraph.compressor.report_graph.unread import unread_reason

    options: dict[str, Any] = {} if annotations is None else {"annotations": annotations}
    if extractor in (Extractor.rules, Extractor.radgraph):
        options["sections"] = sections.value
    reader = extractor_named(extractor.value, **options)
    compressor = Compressor.from_pretrained(
        model,
        policy=policy,
        report_graph=reader,
        score=score.value,
        generated_graph=generated_graph,
        max_side=max_side,
    )
    study = compressor(
        film,
        text,
        labels=labels,
        study_id=study_id,
        store_report=store_report,
        store_pixels=pixels,
        store_words=words,
        report_key=report_key,
    )
    save(study, output, embedding=embedding)
    silent = text is not None and not study.concepts and extractor is not Extractor.none
    unread = unread_reason(text, sections.value) if silent and text is not None else ""
    _tell(output, image, score=score.value, trained=compressor.scorer.trained, unread=unread, json=json)


def _read(image: Path, report: Path | None, report_text: str | None) -> tuple[Any, str | None]:
    """Film and report; bad input is refused here, before the model is loaded."""
    from neuralgraph.errors import SourceError
    from neuralgraph.sources import normalise_report, read_film, read_report

    place = image
    try:
        film = read_film(image)
        if report is not None:
            place = report
            return film, read_report(report)
    except SourceError as error:
        error.where = f"{place}: {error.where}" if error.where else str(place)
        raise
    return film, None if report_text is None else normalise_report(report_text)


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
