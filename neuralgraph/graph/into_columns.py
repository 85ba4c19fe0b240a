"""A study into its columns (FORMAT.md section 5.3)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuralgraph.errors import StudyError
from neuralgraph.graph import provenance as facts
from neuralgraph.graph.column_values import code_of, exactly
from neuralgraph.graph.pixels import pixels_to_bytes
from neuralgraph.graph.study_fields import StudyFields
from neuralgraph.wire import canonical
from neuralgraph.wire.columns import GRAPH_COLUMNS, Counts
from neuralgraph.wire.study_columns import StudyColumns
from neuralgraph.wire.vocabulary import CONCEPT_LABELS, REPORT_SECTIONS, VIEW_POSITIONS

__all__ = ["columns_of"]


def columns_of(study: StudyFields) -> StudyColumns:
    """The study as columns, ready for the container.

    Raises
    ------
    StudyError : a value does not fit its column, or the parts contradict each other.
    """
    method, source = facts.split(dict(study.provenance))
    strings = [study.study_id.encode(errors="surrogatepass"), canonical.encode(source)]
    strings += [concept.text.encode(errors="surrogatepass") for concept in study.concepts]
    strings += [name.encode(errors="surrogatepass") for name in study.labels]
    text = b"".join(strings)
    counts = _counts(study, text_bytes=len(text))
    reason = counts.contradiction()
    if reason:
        raise StudyError(f"the parts of the study contradict each other: {reason}", code="E_STUDY", where="study")
    values = {
        **_film_values(study),
        **_report_values(study),
        "label_value": list(study.labels.values()),
        "string_bytes": [len(string) for string in strings],
        "text": np.frombuffer(text, np.uint8),
    }
    vectors = study.concept_vectors
    return StudyColumns(
        counts=counts,
        method=canonical.encode(method),
        graph={column.name: exactly(values[column.name], column, counts) for column in GRAPH_COLUMNS},
        embedding=study.patches.embedding,
        concept_vectors=np.empty((0, 0), np.float32) if vectors is None else vectors.vector,
        report=None if study.report is None else study.report.encode(errors="surrogatepass"),
        pixels=None if study.pixels is None else pixels_to_bytes(study.pixels),
        word_attention=None if study.word_attention is None else study.word_attention.to_bytes(),
        extensions=dict(study.extensions),
    )


def _counts(study: StudyFields, *, text_bytes: int) -> Counts:
    """How many of everything a study has, which gives its columns their lengths."""
    vectors = study.concept_vectors
    return Counts(
        n_views=len(study.views),
        n_cells=study.n_cells,
        n_patches=len(study.patches),
        embedding_dim=study.patches.embedding.shape[1],
        n_edges=len(study.edges),
        n_concepts=len(study.concepts),
        n_concept_vectors=0 if vectors is None else vectors.vector.shape[0],
        concept_dim=0 if vectors is None else vectors.vector.shape[1],
        n_mentions=len(study.mentions),
        n_triples=len(study.triples),
        n_fusion=0 if study.fusion is None else 1,
        n_labels=len(study.labels),
        text_bytes=text_bytes,
    )


def _film_values(study: StudyFields) -> dict[str, Any]:
    """The columns of views, cells and patches, by name."""
    views = study.views
    return {
        **{
            f"view_{name}": [getattr(view, name) for view in views]
            for name in ("rows", "cols", "height", "width", "patch_height", "patch_width", "score_step")
        },
        "view_position": [code_of(VIEW_POSITIONS, view.position, "view position") for view in views],
        "cell_score": np.concatenate([view.score_code.ravel() for view in views] or [np.empty(0, np.uint8)]),
        "patch_cell": _cells(study),
        "patch_score": study.patches.score,
        "edge": study.edges,
    }


def _report_values(study: StudyFields) -> dict[str, Any]:
    """The columns of concepts, mentions and triples, and of the edge that joins them to the patches, by name."""
    fusion = [study.fusion] if study.fusion else []
    return {
        "concept_label": [code_of(CONCEPT_LABELS, concept.label, "concept label") for concept in study.concepts],
        "concept_start": [concept.start for concept in study.concepts],
        "concept_end": [concept.end for concept in study.concepts],
        "concept_section": [code_of(REPORT_SECTIONS, each.section, "section") for each in study.concepts],
        "concept_vector": [] if study.concept_vectors is None else study.concept_vectors.index,
        "mention_concept": [mention.concept for mention in study.mentions],
        "mention_label": [code_of(CONCEPT_LABELS, mention.label, "concept label") for mention in study.mentions],
        "mention_section": [code_of(REPORT_SECTIONS, mention.section, "section") for mention in study.mentions],
        "mention_start": [mention.start for mention in study.mentions],
        "mention_end": [mention.end for mention in study.mentions],
        "triple_head": study.triples[:, 0],
        "triple_relation": study.triples[:, 1],
        "triple_tail": study.triples[:, 2],
        "fusion_patch": [patch for patch, _ in fusion],
        "fusion_concept": [concept for _, concept in fusion],
    }


def _cells(study: StudyFields) -> NDArray[np.int64]:
    """Cell number of every patch: views one after another, each row by row."""
    sizes = np.array([[view.rows, view.cols] for view in study.views], np.int64).reshape(-1, 2)
    view, row, col = study.patches.view, study.patches.row, study.patches.col
    if len(view) and (view.min() < 0 or view.max() >= len(sizes)):
        raise StudyError("a patch names a view that does not exist", code="E_IDX", where="patches")
    if ((row < 0) | (col < 0) | (row >= sizes[view, 0]) | (col >= sizes[view, 1])).any():
        raise StudyError("a patch lies outside its grid", code="E_COORD", where="patches")
    first: NDArray[np.int64] = np.cumsum(sizes.prod(axis=1)) - sizes.prod(axis=1)
    cells: NDArray[np.int64] = first[view] + row * sizes[view, 1] + col
    return cells
