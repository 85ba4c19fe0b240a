"""Studies for tests: one by hand, seeded ones, and a Hypothesis strategy that covers every optional part."""

from __future__ import annotations

import unicodedata
from typing import Any

import numpy as np
from hypothesis import strategies as st

from neuralgraph import Concept, ConceptVectors, Mention, Patches, Study, View
from neuralgraph.graph.adjacency import grid_edges
from neuralgraph.graph.fusion import fusion_edge
from neuralgraph.wire.vocabulary import CONCEPT_LABELS, RELATIONS, REPORT_SECTIONS, VIEW_POSITIONS

__all__ = ["PROVENANCE", "build_study", "films_of", "hand_made_study", "studies"]

PROVENANCE: dict[str, Any] = {
    "model": {"name": "test", "digest": "00ff", "trained": False},
    "score": {"rule": "sum", "layer": -1, "heads": "mean"},
    "prune": {"policy": "top_k", "value": 5},
    "report": "given",
    "films": [{"format": "png", "bits": 8, "spacing": [0.143, 0.143]}],
}


def films_of(n_views: int) -> dict[str, Any]:
    """``PROVENANCE`` of a study of so many films."""
    return {**PROVENANCE, "films": PROVENANCE["films"] * n_views}


def representable(values: np.ndarray, form: str) -> np.ndarray:
    """float32 values that ``form`` holds exactly."""
    values = np.asarray(values, np.float32)
    if form == "bfloat16":
        return (values.view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)
    return values.astype(np.float16).astype(np.float32) if form == "float16" else values


def build_study(
    *,
    seed: int = 0,
    rows: int = 6,
    cols: int = 5,
    patches: int = 5,
    dim: int = 8,
    concepts: int = 3,
    views: int = 1,
    vectors: int = 0,
    form: str = "bfloat16",
    study_id: str | None = None,
    **fields: Any,
) -> Study:
    """A study that is the same for the same arguments; ``fields`` override those of Study."""
    random = np.random.default_rng(seed)
    maps = [random.random((rows, cols), dtype=np.float32) + np.float32(0.01) for _ in range(views)]
    films = tuple(
        View.from_scores(
            scores,
            height=32 * rows,
            width=32 * cols,
            patch_height=32,
            patch_width=32,
            position=VIEW_POSITIONS[number % len(VIEW_POSITIONS)],
        )
        for number, scores in enumerate(maps)
    )
    flat = np.concatenate([scores.ravel() for scores in maps] or [np.empty(0, np.float32)])
    order = np.argsort(-flat, kind="stable")[:patches]
    view, within = np.divmod(order, rows * cols)
    row, col = np.divmod(within, cols)
    embedding = representable(random.normal(size=(len(order), dim)), form)
    texts = [f"finding {number}" for number in range(concepts)]
    spans = [(7 * number, 7 * number + 5) for number in range(concepts)]
    pairs = [(number, number % len(RELATIONS), number + 1) for number in range(concepts - 1)]
    triples = np.array(pairs, np.int32).reshape(-1, 3)
    parts: dict[str, Any] = {
        "study_id": f"study-{seed}" if study_id is None else study_id,
        "views": films,
        "patches": Patches(row, col, flat[order], embedding, view),
        "concepts": tuple(
            Concept(text, CONCEPT_LABELS[number % len(CONCEPT_LABELS)], *span, REPORT_SECTIONS[number % 4])
            for number, (text, span) in enumerate(zip(texts, spans, strict=True))
        ),
        "mentions": tuple(
            Mention(number, CONCEPT_LABELS[-1 - number % 3], 100 + number, 104 + number, "findings")
            for number in range(0, concepts, 2)
        ),
        "triples": triples,
        "fusion": fusion_edge(len(order), grid_edges(view, row, col), concepts, triples),
        "labels": {"effusion": 0.0, "pneumonia": 1.0},
        "provenance": films_of(views),
    }
    if vectors:
        index = np.arange(concepts) % vectors
        parts["concept_vectors"] = ConceptVectors(index, representable(random.normal(size=(vectors, 4)), form))
    return _study(parts, fields)


def _study(parts: dict[str, Any], fields: dict[str, Any]) -> Study:
    """Mentions are those of the concepts of ``parts``."""
    return Study(**{**parts, **({"mentions": ()} if "concepts" in fields else {}), **fields})


def hand_made_study(**fields: Any) -> Study:
    """Every byte of this study is computed by hand in tests/graph/test_digest.py."""
    parts: dict[str, Any] = {
        "study_id": "hand",
        "views": (
            View(
                height=64,
                width=96,
                patch_height=32,
                patch_width=32,
                score_code=np.array([[4, 2, 0], [0, 0, 8]], np.uint8),
                score_step=0.25,
                position="PA",
            ),
        ),
        # Attention is code * code * 0.25: 16 at (1, 2), 4 at (0, 0), 1 at (0, 1).
        "patches": Patches([1, 0, 0], [2, 0, 1], [16, 4, 1], [[1, -2], [0.5, 0], [3, 4]]),
        "concepts": (
            Concept("lung", "Anatomy::definitely present", 3, 7, "findings"),
            Concept("opacity", "Observation::uncertain", 10, 17, "impression"),
        ),
        "mentions": (Mention(1, "Observation::definitely present", 30, 37, "findings"),),
        "triples": [(1, 1, 0)],
        "fusion": (0, 0),
        "labels": {"opacity": -1, "effusion": 0},
        "provenance": {"report": "given", "model": {"name": "none", "trained": False}},
    }
    return _study(parts, fields)


def _normal(text: str) -> str:
    return unicodedata.normalize("NFC", text)


_FORBIDDEN = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_characters = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters=_FORBIDDEN)


def words(maximum: int = 12) -> st.SearchStrategy[str]:
    """Text a study may hold: not empty, NFC, without control and bidirectional characters."""
    return (
        st.text(_characters, min_size=1, max_size=maximum)
        .map(_normal)
        .filter(lambda text: 0 < len(text.encode()) <= 128 and not set(text) & set(_FORBIDDEN))
    )


_said = st.tuples(st.sampled_from(CONCEPT_LABELS))
_finite = st.floats(width=32, allow_nan=False, allow_infinity=False)


@st.composite
def studies(draw: st.DrawFn) -> Study:
    """Studies of any shape: no film to three, no patch to all, with and without every optional part."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sizes = draw(st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6)), max_size=3))
    top = draw(st.sampled_from([0.0, 1e-6, 1.0, 37.5, 1e6]))
    levels = draw(st.sampled_from([2, 5, 1000]))
    maps = [(random.integers(0, levels, size) / (levels - 1) * top).astype(np.float32) for size in sizes]
    films = []
    for (rows, cols), scores in zip(sizes, maps, strict=True):
        side = draw(st.sampled_from([16, 32, 23.5]))
        films.append(
            View.from_scores(
                scores,
                height=int(rows * side),
                width=int(cols * side),
                patch_height=side,
                patch_width=side,
                position=draw(st.sampled_from(VIEW_POSITIONS)),
            )
        )
    flat = np.concatenate([scores.ravel() for scores in maps] or [np.empty(0, np.float32)])
    order = np.argsort(-flat, kind="stable")[: draw(st.integers(0, len(flat)))]
    view = np.repeat(np.arange(len(maps)), [scores.size for scores in maps])[order]
    within = np.concatenate([np.arange(scores.size) for scores in maps] or [np.empty(0, int)])[order]
    cols_of = np.array([size[1] for size in sizes] or [1])
    row, col = np.divmod(within, cols_of[view] if len(view) else 1)
    form = draw(st.sampled_from(["float32", "bfloat16", "float16"]))
    dim = draw(st.integers(1, 9))
    embedding = representable(random.normal(size=(len(order), dim)), form)
    if embedding.size:
        embedding.flat[0] = representable(np.array([draw(_finite.filter(lambda v: abs(v) < 60000))]), form)[0]
    n_concepts = draw(st.integers(0, 6))
    spans = sorted(draw(st.tuples(st.integers(0, 99), st.integers(0, 9))) for _ in range(n_concepts))
    concepts = [
        Concept(draw(words()), *draw(_said), start, start + length, draw(st.sampled_from(REPORT_SECTIONS)))
        for start, length in spans
    ]
    places = st.tuples(st.integers(0, n_concepts - 1), st.integers(0, 99), st.integers(0, 9))
    said = sorted(draw(st.sets(places, max_size=4))) if n_concepts else []
    mentions = [
        Mention(concept, *draw(_said), start, start + length, draw(st.sampled_from(REPORT_SECTIONS)))
        for concept, start, length in said
    ]
    possible = [
        (a, r, b) for a in range(n_concepts) for r in range(len(RELATIONS)) for b in range(n_concepts) if a != b
    ]
    triples = sorted(draw(st.sets(st.sampled_from(possible), max_size=8))) if possible else []
    vectors = None
    if n_concepts and draw(st.booleans()):
        rows_of = draw(st.integers(1, n_concepts))
        vectors = ConceptVectors(random.integers(0, rows_of, n_concepts), random.normal(size=(rows_of, 3)))
    fusion = None
    if len(order) and n_concepts and draw(st.booleans()):
        fusion = (draw(st.integers(0, len(order) - 1)), draw(st.integers(0, n_concepts - 1)))
    pixels = None
    if draw(st.booleans()):
        dtype = draw(st.sampled_from([np.uint8, np.uint16]))
        pixels = random.integers(0, np.iinfo(dtype).max, (len(order), 3, 2), endpoint=True).astype(dtype)
    extensions = draw(st.dictionaries(st.sampled_from(["x.org.a.one", "x.org.b.two"]), st.binary(max_size=9)))
    return Study(
        study_id=draw(words()),
        views=tuple(films),
        patches=Patches(row, col, flat[order], embedding, view),
        concepts=tuple(concepts),
        mentions=tuple(mentions),
        triples=np.array(triples, np.int32).reshape(-1, 3),
        fusion=fusion,
        labels=draw(st.dictionaries(words(), st.sampled_from([-1.0, 0.0, 1.0, 0.1, 2.5]), max_size=4)),
        provenance=draw(st.sampled_from([{}, films_of(len(films)), {"report": "none", "terms": "CC BY 4.0"}])),
        concept_vectors=vectors,
        report=draw(st.none() | st.text(st.characters(codec="utf-8"), max_size=40)),
        pixels=pixels,
        extensions=extensions,
    )
