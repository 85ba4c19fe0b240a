"""The studies the vectors are made of: tiny, deterministic, and of nobody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuralgraph.codecs.registry import FORMS
from neuralgraph.container.encode import encode_record
from neuralgraph.graph.adjacency import grid_edges
from neuralgraph.graph.concepts import Concept, Mention
from neuralgraph.graph.fusion import fusion_edge
from neuralgraph.graph.study import ConceptVectors, Patches, Study
from neuralgraph.graph.view import View
from neuralgraph.wire.study_columns import StudyColumns
from spec.tools.vectors.draft import Draft

__all__ = [
    "CONCEPTS",
    "MENTIONS",
    "METHOD",
    "REPORT",
    "SOURCE",
    "basic",
    "columns_with",
    "concept_vectors",
    "draft_of",
    "film",
    "full",
    "grid_study",
    "of_columns",
    "ramp",
    "record_of",
    "scored",
    "textual",
]

METHOD = {
    "model": {"name": "vector", "digest": "0" * 16, "trained": False},
    "score": {"rule": "sum", "layer": -1, "heads": "mean"},
    "prune": {"policy": "top_k", "value": 3},
    "extractor": {"name": "lexicon", "version": "1", "fingerprint": "0" * 16},
}
SOURCE: dict[str, Any] = {
    "report": "given",
    "films": [{"format": "png", "bits": 8, "photometric": "MONOCHROME2", "lossy": False, "spacing": [0.143, 0.143]}],
    "labeler": "by hand",
    "terms": "CC0-1.0",
}


def ramp(rows: int, width: int, *, seed: int = 0) -> NDArray[np.float32]:
    """float32 [rows, width]: values that no 16-bit form holds, in no visible order."""
    steps = (np.arange(rows * width, dtype=np.uint64) + seed) * 2_654_435_761 % 2**24
    return (steps.astype(np.float64) / 2**21 - 4).astype(np.float32).reshape(rows, width)


Film = tuple[View, NDArray[np.float32]]
"""A view and the scores of its cells."""


def scored(scores: Any, *, cut: int = 0, position: str = "unknown") -> Film:
    """A view of 32-pixel patches with these scores, ``cut`` pixels short of its last row."""
    scores = np.asarray(scores, np.float32)
    rows, cols = scores.shape
    size = {"height": 32 * rows - cut, "width": 32 * cols, "patch_height": 32, "patch_width": 32}
    return View.from_scores(scores, **size, position=position), scores


def film(rows: int, cols: int, *, seed: int = 0, position: str = "PA") -> Film:
    """A view whose scores are all different."""
    cells = rows * cols
    scores = ((np.arange(cells) * 7919 + seed) % cells).reshape(rows, cols) / cells + 0.25 / cells
    return scored(scores, cut=5, position=position)


def grid_study(
    study_id: str, views: list[Film], kept: int, embedding: NDArray[np.float32] | None = None, **more: Any
) -> Study:
    """A study of the ``kept`` strongest patches of ``views``, of width 1 if no embedding is given."""
    if embedding is None:
        embedding = ramp(kept, min(kept, 1))
    places = [
        (float(scores[row, col]), number, row, col)
        for number, (view, scores) in enumerate(views)
        for row in range(view.rows)
        for col in range(view.cols)
    ]
    places = sorted(places, key=lambda place: (-place[0], place[1:]))[:kept]
    score, view_number, row, col = (
        np.array(column) for column in (zip(*places, strict=True) if places else [[], [], [], []])
    )
    patches = Patches(row, col, score, embedding, view_number)
    concepts, triples = more.get("concepts", ()), more.get("triples", np.empty((0, 3), np.int32))
    if "fusion" not in more:
        edges = grid_edges(patches.view, patches.row, patches.col)
        more["fusion"] = fusion_edge(len(patches), edges, len(concepts), np.asarray(triples, np.int32).reshape(-1, 3))
    return Study(study_id, tuple(view for view, _ in views), patches, **more)


CONCEPTS = (
    Concept("heart", "Anatomy::definitely present", 4, 9, "findings"),
    Concept("enlarged", "Observation::definitely present", 13, 21, "findings"),
    Concept("effusion", "Observation::definitely absent", 26, 34, "impression"),
)
MENTIONS = (
    Mention(0, "Anatomy::definitely present", 40, 45, "impression"),
    Mention(2, "Observation::uncertain", 50, 58, "findings"),
    Mention(2, "Observation::definitely absent", 60, 68, "addendum"),
)
"""Further places of a longer report that say ``CONCEPTS`` again, one of them otherwise."""
TRIPLES = np.array([[1, 0, 0], [1, 1, 0], [2, 2, 1]], np.int32)
REPORT = "The heart is enlarged. No effusion."


def basic(study_id: str = "basic", **more: Any) -> Study:
    """One film of 3 x 4 cells, three kept patches of width 4, three concepts, three triples, two labels."""
    given: dict[str, Any] = {
        "concepts": CONCEPTS,
        "triples": TRIPLES,
        "labels": {"Cardiomegaly": 1.0, "Pleural Effusion": 0.0},
        "provenance": {**METHOD, **SOURCE},
    }
    return grid_study(study_id, [film(3, 4)], 4, ramp(4, 4), **{**given, **more})


def textual(study_id: str = "text", **more: Any) -> Study:
    """A study without films."""
    return grid_study(study_id, [], 0, **more)


def record_of(
    columns: StudyColumns, *, embedding: str = "float32", concept_vectors: str = "float32", level: int = 15
) -> bytes:
    """The record of columns, whatever they mean."""
    return encode_record(
        columns, embedding=FORMS[embedding].form, concept_vectors=FORMS[concept_vectors].form, level=level
    )


def draft_of(*studies: Study, **forms: Any) -> Draft:
    """The draft of a file of studies."""
    columns = [study.columns() for study in studies]
    records, methods = [record_of(each, **forms) for each in columns], [each.method for each in columns]
    return Draft(records, methods, [study.study_id.encode() for study in studies])


def full() -> Study:
    """A study with every kind of stream that ``basic`` can have, films aside."""
    vectors, extensions = concept_vectors([0, 1, 1], 3), {"x.org.example.a": b"1234"}
    return basic("full", report=REPORT, concept_vectors=vectors, mentions=MENTIONS, extensions=extensions)


def of_columns(columns: StudyColumns) -> Draft:
    """The draft of a file of columns, whatever they mean; digest and all checksums are right."""
    study_id = columns.graph["text"][: int(columns.graph["string_bytes"][0])].tobytes()
    return Draft([record_of(columns)], [columns.method], [study_id])


def columns_with(study: Study) -> Callable[..., Draft]:
    """Makes drafts of one study with other values, each given as (column, index, value)."""

    def make(*changes: tuple[str, Any, Any]) -> Draft:
        columns = study.columns()
        graph = {name: array.copy() for name, array in columns.graph.items()}
        for name, at, value in changes:
            graph[name][at] = value
        return of_columns(replace(columns, graph=graph))

    return make


def concept_vectors(index: list[int], width: int) -> ConceptVectors:
    """Vectors for concepts."""
    return ConceptVectors(np.array(index), ramp(max(index) + 1, width, seed=3))
