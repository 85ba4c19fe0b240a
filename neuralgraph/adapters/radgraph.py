"""The report graph in the JSON of RadGraph, and back.

A document maps an id to an entry (Jain et al. 2021, RadGraph; the output of its ``radgraph`` package)::

    {"ID": {"text": "token token ...",
            "entities": {"1": {"tokens": "...", "label": "...", "start_ix": 0, "end_ix": 1,
                               "relations": [["located_at", "2"]]}},
            "data_source": null, "data_split": "inference"}}

``start_ix`` and ``end_ix`` count tokens of ``text``, the end included; an entity holds the relations it is the head of.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuralgraph.errors import StudyError
from neuralgraph.graph.carried import refuse_carried
from neuralgraph.graph.concepts import Concept
from neuralgraph.graph.study import Study
from neuralgraph.wire.escapes import escaped_json
from neuralgraph.wire.vocabulary import CONCEPT_LABELS, RELATIONS

__all__ = ["ReportGraph", "from_radgraph", "radgraph_document", "to_radgraph", "triple_array"]

_TOKEN = re.compile(r"\w+|[^\w\s]")
_SHORT_LABELS = {
    "ANAT-DP": "Anatomy::definitely present",
    "OBS-DP": "Observation::definitely present",
    "OBS-U": "Observation::uncertain",
    "OBS-DA": "Observation::definitely absent",
}
"""Labels of the RadGraph 1.0 data set."""


class ReportGraph(NamedTuple):
    """The graph of one report."""

    text: str
    """The tokens, joined by single spaces; spans of ``concepts`` refer to it."""
    concepts: tuple[Concept, ...]
    """Concepts in order of their spans."""
    triples: NDArray[np.int32]
    """int32 [m, 3]: head, relation, tail; ascending, each once."""


def radgraph_document(study: Study) -> dict[str, Any]:
    """The document of one study, under its id.

    The tokens are the words and the punctuation marks of the report. Where the report is not stored, or a concept's
    span holds no token of it, the text is instead that of the concepts, one after another. ``tokens`` of an entity are
    the concept's own words in both cases.

    Raises
    ------
    StudyError (E_STUDY) : the study carries a plain graph.
    """
    refuse_carried(study, "report graph")
    tokens, spans = _report_tokens(study) or _concept_tokens(study)
    entities = {
        str(number): {
            "tokens": concept.text,
            "label": concept.label,
            "start_ix": first,
            "end_ix": last,
            "relations": [
                [RELATIONS[relation], str(tail + 1)]
                for head, relation, tail in study.triples.tolist()
                if head + 1 == number
            ],
        }
        for number, (concept, (first, last)) in enumerate(zip(study.concepts, spans, strict=True), start=1)
    }
    entry = {"text": " ".join(tokens), "entities": entities, "data_source": None, "data_split": "inference"}
    return {study.study_id: entry}


def to_radgraph(study: Study) -> bytes:
    """The document as UTF-8 JSON; equal studies give equal bytes."""
    text = escaped_json(radgraph_document(study), allow_nan=False, indent=1)
    return text.encode() + b"\n"


def _report_tokens(study: Study) -> tuple[list[str], list[tuple[int, int]]] | None:
    """Tokens of the report and, per concept, its first and last; None when there is no such."""
    if study.report is None:
        return None
    matches = list(_TOKEN.finditer(study.report))
    spans = []
    for concept in study.concepts:
        inside = [i for i, match in enumerate(matches) if match.end() > concept.start and match.start() < concept.end]
        if not inside:
            return None
        spans.append((inside[0], inside[-1]))
    return [match.group() for match in matches], spans


def _concept_tokens(study: Study) -> tuple[list[str], list[tuple[int, int]]]:
    tokens: list[str] = []
    spans = []
    for concept in study.concepts:
        words = _TOKEN.findall(concept.text) or [concept.text]
        spans.append((len(tokens), len(tokens) + len(words) - 1))
        tokens += words
    return tokens, spans


def from_radgraph(document: Mapping[str, Any]) -> dict[str, ReportGraph]:
    """The report graphs of a document, by id.

    Labels may be those of the RadGraph 1.0 data set (``OBS-DP``) too; members that are not in the schema are not read.

    Parameters
    ----------
    document : as ``json.load`` gives it.

    Raises
    ------
    StudyError (E_STUDY) : an entry does not follow the schema.
    StudyError (E_IDX) : a label or relation is unknown, a token or an entity does not exist, or an entity is related to
        itself.
    """
    graphs = {}
    for name, entry in document.items():
        try:
            graphs[name] = _report_graph(entry)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            reason = f"not an entry of RadGraph ({type(error).__name__}: {error})"
            raise StudyError(" ".join(reason.split())[:200], code="E_STUDY", where=str(name)) from error
        except StudyError as error:
            error.where = f"{name}: {error.where}"
            raise
    return graphs


def _report_graph(entry: Mapping[str, Any]) -> ReportGraph:
    tokens = entry["text"].split()
    text = " ".join(tokens)
    starts = np.cumsum([0] + [len(token) + 1 for token in tokens]).tolist()
    entities: dict[str, Any] = dict(entry["entities"])
    order = sorted(entities, key=lambda key: (entities[key]["start_ix"], entities[key]["end_ix"]))
    position = {key: number for number, key in enumerate(order)}
    concepts, triples = [], set()
    for key in order:
        entity = entities[key]
        first, last = int(entity["start_ix"]), int(entity["end_ix"])
        if not 0 <= first <= last < len(tokens):
            raise StudyError(f"tokens {first} to {last} of {len(tokens)}", code="E_IDX", where=f"entity {key}")
        label = _SHORT_LABELS.get(entity["label"], entity["label"])
        _known(label, CONCEPT_LABELS, where=f"entity {key}")
        concepts.append(Concept(entity["tokens"], label, starts[first], starts[last] + len(tokens[last])))
        for relation, tail in entity["relations"]:
            _known(relation, RELATIONS, where=f"entity {key}")
            _known(tail, order, where=f"entity {key}")
            if tail == key:
                raise StudyError("an entity is related to itself", code="E_IDX", where=f"entity {key}")
            triples.add((position[key], RELATIONS.index(relation), position[tail]))
    return ReportGraph(text, tuple(concepts), triple_array(sorted(triples)))


def triple_array(triples: Sequence[tuple[int, int, int]]) -> NDArray[np.int32]:
    """int32 [m, 3] of triples, [0, 3] of none."""
    return np.array(triples, np.int32).reshape(-1, 3)


def _known(word: str, vocabulary: Sequence[str], *, where: str) -> None:
    if word not in vocabulary:
        raise StudyError(f"{word!r} is not one of {', '.join(vocabulary)}"[:200], code="E_IDX", where=where)
