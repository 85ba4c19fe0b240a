"""``ngr info``: what is in a file."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from neuralgraph.cli.film_words import film_words
from neuralgraph.cli.model_notice import model_notice
from neuralgraph.cli.output import note, write_json, write_line
from neuralgraph.cli.remote_choices import Timeout
from neuralgraph.graph.origin import GENERATED
from neuralgraph.graph.sentences import SIGNS, polarity
from neuralgraph.storage.opening import open_archive
from neuralgraph.storage.places import place_name
from neuralgraph.storage.summary import file_summary
from neuralgraph.wire.vocabulary import RELATIONS

__all__ = ["info"]


def info(
    file: Annotated[str, typer.Argument(help="An .ngr file, or a URL of one.")],
    sentences: Annotated[
        bool, typer.Option("--sentences", help="Show the sentence of each concept, where the report is stored.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    timeout: Timeout = None,
) -> None:
    """Say what is in FILE: sizes, grid, concepts, labels, provenance.

    Concepts have a sign: + is there, - is not there, ? is in doubt.

    Example: ngr info study.ngr
    """
    summary = file_summary(file, timeout=timeout)
    if sentences and "study" in summary:
        _add_sentences(file, summary["study"], timeout)
    if json:
        write_json(summary)
        return
    studies = f"{summary['n_studies']} {_plural('study', summary['n_studies'])}"
    write_line(f"{place_name(file)}: {studies}, {summary['file_bytes']:,} bytes")
    if "study" in summary:
        _write_study(summary["study"], summary["storage"])
    else:
        for name, total in summary["totals"].items():
            write_line(f"  {name:12} {total:,}")
        plain = summary["plain_graphs"]
        if plain["without_patches_and_concepts"]:
            write_line(f"  plain graphs {plain['found']:,} of {plain['looked_at']:,} looked at (see ngr migrate)")


def _add_sentences(file: str, study: dict[str, Any], timeout: float | None) -> None:
    if not study["report_stored"]:
        note("the report is not stored, so there are no sentences to show: compress with --store-report")
        return
    from neuralgraph.graph.sentences import sentence_around

    with open_archive(file, timeout=timeout) as archive:
        report = archive[0].report or ""
    for place in (*study["concepts"], *study["mentions"]):
        place["sentence"] = sentence_around(report, place["start"], place["end"])


def _plural(word: str, count: int) -> str:
    return word if count == 1 else "studies" if word == "study" else f"{word}s"


def _said(place: dict[str, Any]) -> str:
    """A sign for what is said: + there, - not there, ? in doubt; places of the body have none."""
    return " " if place["label"] == "Anatomy::definitely present" else SIGNS[polarity(place["label"])]


def _where(place: dict[str, Any]) -> str:
    section = "" if place["section"] == "unknown" else f" in {place['section']}"
    if "sentence" not in place:
        return section
    return f"{section}: \N{LEFT DOUBLE QUOTATION MARK}{place['sentence']}\N{RIGHT DOUBLE QUOTATION MARK}"


def _write_study(study: dict[str, Any], storage: dict[str, Any]) -> None:
    provenance = study["provenance"]
    write_line(f"  id           {study['id']}")
    write_line(f"  digest       {study['digest']}")
    if study["plain_graph"] is not None:
        facts = ", ".join(f"{name} {value}" for name, value in study["plain_graph"].items())
        write_line(f"  kind         plain graph, no study in the full sense: {facts}")
    for number, view in enumerate(study["views"]):
        size = f"{view['width']} x {view['height']} px, grid {view['cols']} x {view['rows']} (width x height)"
        write_line(f"  view {number}       {view['position']}, {size}")
        films = provenance.get("films", [])
        if number < len(films) and (words := film_words(films[number])):
            write_line(f"  film {number}       {words}")
    kept = study["n_patches"] / study["n_cells"] if study["n_cells"] else 0
    write_line(f"  patches      {study['n_patches']} of {study['n_cells']} ({kept:.1%}), {study['n_edges']} edges")
    write_line(f"  embedding    {study['embedding_dim']} values, stored as {storage['embedding']}")
    for loss in provenance.get("loss", ()):
        measured = ", ".join(f"{name} {loss[name]:g}" for name in ("rmse", "largest", "cosine") if name in loss)
        write_line(
            f"  loss         {loss.get('form', 'unnamed form')}: {measured} (bound {loss.get('bound', 'not stated')})"
        )
    report = provenance.get("report", "not stated")
    write_line(f"  report       {report}; {len(study['concepts'])} concepts, {len(study['triples'])} triples")
    generated = study["report_graph"] == "generated"
    if generated:
        write_line(f"               {GENERATED}")
    for number, concept in enumerate(study["concepts"]):
        marked = f"[{concept['label']}]{' (generated)' if generated else ''}"
        write_line(f"    {number:3} {_said(concept)} {concept['text']} {marked}{_where(concept)}")
        for mention in study["mentions"]:
            if mention["concept"] == number and (mention["label"] != concept["label"] or "sentence" in mention):
                write_line(f"            also {_said(mention)} {polarity(mention['label'])}{_where(mention)}")
    for head, relation, tail in study["triples"]:
        write_line(
            f"    {study['concepts'][head]['text']} --{RELATIONS[relation]}--> {study['concepts'][tail]['text']}"
        )
    if study["fusion"]:
        patch, concept = study["fusion"]
        write_line(f"  fusion       patch {patch} with concept {concept} ({study['concepts'][concept]['text']})")
    else:
        write_line("  fusion       none")
    for name, value in study["labels"].items():
        write_line(f"  label        {name} = {value:g}")
    model = provenance.get("model", {})
    if model:
        name = str(model.get("name", "unnamed"))
        write_line(f"  model        {name} {str(model.get('digest', ''))[:12]}")
        if notice := model_notice(name, trained=model.get("trained") is not False):
            write_line(f"               {notice}")
    streams = sum(stream["stored_bytes"] for stream in storage["streams"])
    write_line(
        f"  bytes        {streams:,} in {len(storage['streams'])} streams, {storage['overhead_bytes']:,} around them"
    )
