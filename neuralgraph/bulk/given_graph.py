"""The report graph that comes with the source (RadGraph annotations) in the place of one that is extracted."""

from __future__ import annotations

from collections.abc import Sequence

from neuralgraph.adapters import radgraph
from neuralgraph.compressor.report_graph import ReportGraph
from neuralgraph.compressor.report_graph.none import NoneExtractor
from neuralgraph.errors import SourceError, StudyError
from neuralgraph.graph.concepts import Concept
from neuralgraph.sources.layouts.radgraph_annotations import squeezed
from neuralgraph.wire.json_reading import parsed_json

__all__ = ["GIVEN", "GivenGraphs", "given_graph"]

GIVEN = "radgraph-json"
"""Name of the extractor, in settings and in provenance, for graphs that come with the source."""


class GivenGraphs(NoneExtractor):
    """What stands in provenance where no report is read, because its graph comes with the source."""

    name = GIVEN
    version = "given"


def given_graph(text: str, graphs: Sequence[str]) -> ReportGraph:
    """The source's own graph of a report.

    Parameters
    ----------
    text : what of the report was read; spans will count its code points.
    graphs : RadGraph entries as JSON; those of other parts of the report are passed over.

    Raises
    ------
    SourceError (E_SOURCE_READ) : a part of the text has no graph.
    SourceError (E_SOURCE_DAMAGED) : a graph is not one of RadGraph.
    """
    places = [place for place, letter in enumerate(text) if letter.isalnum()]
    whole = squeezed(text)
    if len(places) != len(whole):
        raise SourceError("the report cannot be aligned with its RadGraph annotation", code="E_SOURCE_TEXT")
    covered = 0
    concepts: list[Concept] = []
    triples: list[tuple[int, int, int]] = []
    for graph in graphs:
        part = _graph(graph)
        letters = squeezed(part.text)
        start = whole.find(letters)
        if not letters or start < 0:
            continue
        covered += len(letters)
        triples += [(head + len(concepts), kind, tail + len(concepts)) for head, kind, tail in part.triples.tolist()]
        concepts += [_placed(concept, part.text, places[start:]) for concept in part.concepts]
    if covered != len(whole):
        raise SourceError(
            "a part of the report has no RadGraph annotation; use --extractor rules, or none", code="E_SOURCE_READ"
        )
    return ReportGraph.ordered(concepts, triples)


def _graph(graph: str) -> radgraph.RadGraphReport:
    try:
        return radgraph.from_radgraph({"0": parsed_json(graph)})["0"]
    except (StudyError, ValueError, RecursionError) as error:
        # What is wrong there may quote the report.
        raise SourceError("the report's annotation is not a graph of RadGraph", code="E_SOURCE_DAMAGED") from error


def _placed(concept: Concept, tokens: str, places: list[int]) -> Concept:
    """The concept with its span in the report instead of in the annotation's tokens."""
    before = sum(letter.isalnum() for letter in tokens[: concept.start])
    inside = sum(letter.isalnum() for letter in tokens[concept.start : concept.end])
    # A concept of signs alone, which no annotator makes, gets the letter before it.
    first = places[min(before, len(places) - 1)]
    last = places[min(before + max(inside, 1) - 1, len(places) - 1)]
    return concept._replace(start=first, end=last + 1)
