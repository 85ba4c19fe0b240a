"""``ngr info``: what is in a file."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from neuralgraph.access.files import is_folder, located
from neuralgraph.access.places import is_url, place_name
from neuralgraph.catalogue.overview import archive_overview, study_by_prefix
from neuralgraph.catalogue.summary import file_summary, record_summary
from neuralgraph.cli.completion import study_ids
from neuralgraph.cli.film_words import film_words
from neuralgraph.cli.model_notice import model_notice
from neuralgraph.cli.model_state import is_model, model_state, model_words
from neuralgraph.cli.output import note, write_json, write_line
from neuralgraph.cli.overview_lines import write_overview
from neuralgraph.cli.progress import meter
from neuralgraph.cli.remote_choices import Timeout
from neuralgraph.errors import ModelError
from neuralgraph.graph.origin import GENERATED
from neuralgraph.graph.sentences import SIGNS, polarity, sentence_around
from neuralgraph.graph.study import Study
from neuralgraph.storage.manifest import is_collection
from neuralgraph.storage.opening import open_archive
from neuralgraph.wire.vocabulary import RELATIONS

__all__ = ["info"]


def info(
    path: Annotated[
        str,
        typer.Argument(
            help="An .ngr file, an archive, a folder, a collection, a URL of one, or the folder of a model."
        ),
    ],
    study: Annotated[
        str | None,
        typer.Option(
            metavar="ID", autocompletion=study_ids, help="This study only; the beginning of its id is enough."
        ),
    ] = None,
    sentences: Annotated[
        bool, typer.Option("--sentences", help="Show the sentence of each concept, where the report is stored.")
    ] = False,
    brief: Annotated[bool, typer.Option("--brief", help="Of several studies the sizes only; reads no study.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    timeout: Timeout = None,
) -> None:
    """Say what is in PATH: of one study sizes, grid, concepts, labels, provenance; of several what they have in common.

    Of a model it repeats what its training measured, against the model it began with.

    Findings are counted of reports that were given. A collection answers from its catalogue, everything else reads and
    proves every study.

    Concepts have a sign: + is there, - is not there, ? is in doubt.

    Example: ngr info study.ngr
    """
    if is_model(path):
        _tell_model(path, json=json)
        return
    if study is not None:
        _tell_study(path, study, sentences=sentences, json=json, timeout=timeout)
        return
    if is_collection(path) or (not is_url(path) and is_folder(path)):
        summary = _of_many(path, timeout, brief=brief)
    else:
        summary = file_summary(path, timeout=timeout)
        if "study" not in summary and not brief:
            summary["overview"] = _overview(path, timeout)
    if sentences and "study" in summary:
        with open_archive(path, timeout=timeout) as archive:
            _add_sentences(archive[0], summary["study"])
    if json:
        write_json(summary)
        return
    size = summary.get("file_bytes", summary.get("archive_bytes"))
    studies = f"{summary['n_studies']:,} {_plural('study', summary['n_studies'])}"
    archives = f" in {summary['archives']:,} {_plural('archive', summary['archives'])}" if "archives" in summary else ""
    write_line(f"{place_name(path)}: {studies}{archives}, {size:,} bytes")
    if "study" in summary:
        _write_study(summary["study"], summary["storage"])
    for name, total in summary.get("totals", {}).items():
        write_line(f"  {name:12} {total:,}")
    plain = summary.get("plain_graphs", {})
    if plain.get("without_patches_and_concepts"):
        write_line(f"  plain graphs {plain['found']:,} of {plain['looked_at']:,} looked at (see ngr migrate)")
    if "overview" in summary:
        write_overview(summary["overview"])
    for commit in summary.get("commits", ()):
        write_line(
            f"  run          {commit['time']} {commit['operation']} +{commit['added']:,} -{commit['removed']:,} "
            f"(neuralgraph {commit['program']})"
        )


def _tell_model(path: str, *, json: bool) -> None:
    """A model: which it is, what must be said of it, the verdict of its training."""
    state = model_state(path)
    if state.fault is not None:
        raise ModelError(state.fault, code="E_MODEL", where=place_name(path))
    if json:
        write_json(state._asdict())
        return
    write_line(f"{place_name(path)}: model {state.name} {state.digest[:12]}, {model_words(state)}")
    for line in state.lines:
        write_line(f"  {line}")


def _of_many(path: str, timeout: float | None, *, brief: bool) -> dict[str, Any]:
    """Facts of a folder or a collection."""
    if is_collection(path):
        from neuralgraph.collection import Collection
        from neuralgraph.collection.overview import collection_facts, collection_overview

        found = Collection(path)
        summary = collection_facts(found)
        if brief or not summary["n_studies"]:
            return summary
        if summary["catalogue_bytes"]:
            return {**summary, "overview": collection_overview(found)}
        return {**summary, "overview": _overview(path, timeout)}
    with open_archive(path, timeout=timeout) as archive:
        sizes = [source.size for _, source, _ in archive.files]
        summary = {"n_studies": len(archive), "archives": len(sizes), "archive_bytes": sum(sizes)}
    return summary if brief else {**summary, "overview": _overview(path, timeout)}


def _overview(path: str, timeout: float | None) -> dict[str, Any]:
    with open_archive(path, timeout=timeout) as archive, meter("info", len(archive)) as progress:
        return archive_overview(archive, progress.at)


def _tell_study(path: str, prefix: str, *, sentences: bool, json: bool, timeout: float | None) -> None:
    with open_archive(path, timeout=timeout) as archive:
        study_id = study_by_prefix(archive, prefix)
        number, position = archive.locate(study_id)
        name, source, container = archive.files[number]
        with located(name):
            summary = record_summary(container, position, source.size)
        if sentences:
            _add_sentences(archive[study_id], summary["study"])
    if json:
        write_json(summary)
        return
    write_line(f"{place_name(path)}: 1 of {len(archive):,} studies")
    _write_study(summary["study"], summary["storage"])


def _add_sentences(study: Study, facts: dict[str, Any]) -> None:
    if study.report is None:
        note("the report is not stored, so there are no sentences to show: compress with --store-report")
        return
    for place in (*facts["concepts"], *facts["mentions"]):
        place["sentence"] = sentence_around(study.report, place["start"], place["end"])


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
    _write_films(study, storage)
    _write_report(study)
    for name, value in study["labels"].items():
        write_line(f"  label        {name} = {value:g}")
    model = provenance.get("model", {})
    if model:
        name = str(model.get("name", "unnamed"))
        write_line(f"  model        {name} {str(model.get('digest', ''))[:12]}".rstrip())
        if notice := model_notice(name, trained=model.get("trained") is not False):
            write_line(f"               {notice}")
    streams = sum(stream["stored_bytes"] for stream in storage["streams"])
    write_line(
        f"  bytes        {streams:,} in {len(storage['streams'])} streams, {storage['overhead_bytes']:,} around them"
    )


def _write_films(study: dict[str, Any], storage: dict[str, Any]) -> None:
    """Films, patches, and how embeddings are stored."""
    films, losses = (study["provenance"].get(name, ()) for name in ("films", "loss"))
    for number, view in enumerate(study["views"]):
        size = f"{view['width']} x {view['height']} px, grid {view['cols']} x {view['rows']} (width x height)"
        write_line(f"  view {number}       {view['position']}, {size}")
        if number < len(films) and (words := film_words(films[number])):
            write_line(f"  film {number}       {words}")
    kept = study["n_patches"] / study["n_cells"] if study["n_cells"] else 0
    write_line(f"  patches      {study['n_patches']} of {study['n_cells']} ({kept:.1%}), {study['n_edges']} edges")
    write_line(f"  embedding    {study['embedding_dim']} values, stored as {storage['embedding']}")
    for loss in losses:
        measured = ", ".join(f"{name} {loss[name]:g}" for name in ("rmse", "largest", "cosine") if name in loss)
        write_line(
            f"  loss         {loss.get('form', 'unnamed form')}: {measured} (bound {loss.get('bound', 'not stated')})"
        )


def _write_report(study: dict[str, Any]) -> None:
    """The graph of the report, and the edge that joins it to the patches."""
    report = study["provenance"].get("report", "not stated")
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
