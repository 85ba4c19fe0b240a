"""What makes columns a study: every rule of FORMAT.md section 8, as a list of problems.

The rules read columns, not studies, so that a file is judged before anything is built from it; indices are proven to be
in range before any later rule uses them.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import pairwise
from operator import eq
from typing import Any

import numpy as np

from neuralgraph.errors import FormatError, Problem, StudyError
from neuralgraph.graph import provenance
from neuralgraph.graph.adjacency import grid_edges
from neuralgraph.graph.pixels import pixels_from_bytes
from neuralgraph.graph.view import codes_of_attention
from neuralgraph.graph.words import INFINITE, word_attention_problems
from neuralgraph.wire import canonical
from neuralgraph.wire.limits import MAX_ID_BYTES
from neuralgraph.wire.names import is_extension_name
from neuralgraph.wire.study_columns import StudyColumns
from neuralgraph.wire.vocabulary import CONCEPT_LABELS, RELATIONS, REPORT_SECTIONS, VIEW_POSITIONS

__all__ = ["method_map", "places", "strings_of", "study_problems", "text_problem"]

_CODE_TOLERANCE = 0.5 + 1e-6
# Control characters (category Cc) and the characters that turn the direction of text.
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_INFINITY_BITS = 0x7F80_0000
_METHOD_DEPTH = 4
"""Method maps stand at this level of a file's contents."""
_SHORT_METHOD = 4_096
"""Bytes up to which a method map is remembered."""


def study_problems(columns: StudyColumns) -> Iterator[Problem]:
    """Every broken rule; nothing when the columns are a study."""
    grid = [*_grid(columns), *_maps(columns)]
    yield from grid
    if not grid:
        yield from _patches(columns)
    yield from _concepts(columns)
    yield from _text(columns)
    yield from _numbers(columns)
    yield from _blobs(columns)


def places(columns: StudyColumns) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """View, row and column of every patch, int32 [n] each, from cell numbers that are in range."""
    cell = columns.graph["patch_cell"].astype(np.int64)
    if columns.counts.n_views == 1:
        row, col = np.divmod(cell, int(columns.graph["view_cols"][0]))
        return np.zeros(len(cell), np.int32), row.astype(np.int32), col.astype(np.int32)
    cols = columns.graph["view_cols"].astype(np.int64)
    cells = columns.graph["view_rows"].astype(np.int64) * cols
    ends = np.cumsum(cells)
    view = np.searchsorted(ends, cell, side="right")
    within = cell - (ends - cells)[view]
    row, col = np.divmod(within, cols[view])
    return view.astype(np.int32), row.astype(np.int32), col.astype(np.int32)


def strings_of(columns: StudyColumns) -> list[bytes]:
    """Study id, source map, texts of the concepts and names of the labels; their lengths are known to add up."""
    text, strings, start = columns.graph["text"].tobytes(), [], 0
    for length in columns.graph["string_bytes"].tolist():
        strings.append(text[start : start + length])
        start += length
    return strings


def _first(broken: np.ndarray) -> int:
    return int(np.argmax(broken))


def _grid(columns: StudyColumns) -> Iterator[Problem]:
    graph, counts = columns.graph, columns.counts
    names = ("rows", "cols", "height", "width", "patch_height", "patch_width", "score_step", "position")
    views = list(zip(*(graph[f"view_{name}"].tolist() for name in names), range(counts.n_views), strict=True))
    for rows, cols, *_, number in views:
        if rows < 1 or cols < 1:
            yield Problem("E_COORD", f"views[{number}]", "the grid has no rows or no columns")
    n_cells = sum(rows * cols for rows, cols, *_ in views)
    if n_cells != counts.n_cells:
        yield Problem("E_COORD", "views", f"the grids have {n_cells} cells, the record {counts.n_cells}")
    for *_, patch_height, patch_width, _, _, number in views:
        if not (0 < patch_height < math.inf and 0 < patch_width < math.inf):
            yield Problem("E_NUM", f"views[{number}]", "a patch size is not a positive number")
    for rows, cols, height, width, patch_height, patch_width, _, _, number in views:
        for extent, n, patch, film in (("height", rows, patch_height, height), ("width", cols, patch_width, width)):
            # The last row and column begin inside the film and reach its edge: each patch shows something of it.
            if 0 < patch < math.inf and ((n - 1) * patch >= film or n * patch < film * (1 - 1e-6)):
                yield Problem("E_COORD", f"views[{number}]", f"the grid does not cover exactly the {extent}")
    for *_, position, number in views:
        if position >= len(VIEW_POSITIONS):
            yield Problem("E_IDX", f"views[{number}]", "not a known view position")


def _maps(columns: StudyColumns) -> Iterator[Problem]:
    graph, start = columns.graph, 0
    sizes = (rows * cols for rows, cols in zip(graph["view_rows"].tolist(), graph["view_cols"].tolist(), strict=True))
    for number, (size, step) in enumerate(zip(sizes, graph["view_score_step"].tolist(), strict=True)):
        largest = int(graph["cell_score"][start : start + size].max(initial=0))
        start += size
        if not 0 <= step < math.inf or math.copysign(1, step) < 0:
            yield Problem("E_NUM", f"views[{number}]", "the step of the attention map is negative or not finite")
        elif largest * largest * step >= INFINITE:
            yield Problem("E_NUM", f"views[{number}]", "an attention is larger than a float32 can be")


def _patches(columns: StudyColumns) -> Iterator[Problem]:
    graph, counts = columns.graph, columns.counts
    cell, score = graph["patch_cell"].astype(np.int64), graph["patch_score"]
    broken = cell >= counts.n_cells
    if broken.any():
        yield Problem("E_IDX", f"patches[{_first(broken)}]", f"cell {cell[_first(broken)]} of {counts.n_cells}")
        return
    # Not numpy.unique: its first call imports numpy.ma, which takes longer than reading a study.
    ordered = np.sort(cell)
    if (ordered[1:] == ordered[:-1]).any():
        yield Problem("E_COORD", "patches", "two patches lie in the same cell")
        return
    there = places(columns)
    # The bits of finite floats without a sign order as their values do; all others are larger.
    bits = score.view("<u4")
    broken = bits >= _INFINITY_BITS
    if broken.any():
        yield Problem("E_NUM", f"patches[{_first(broken)}]", "the score is negative or not finite")
    else:
        rank = cell - (bits.astype(np.int64) << 32)
        broken = rank[1:] < rank[:-1]
        if broken.any():
            reason = "patches are not in descending order of score, ties by cell"
            yield Problem("E_ORDER", f"patches[{_first(broken) + 1}]", reason)
        yield from _attention(columns, cell, there[0])
    yield from _edges(columns, there)


def _attention(columns: StudyColumns, cell: np.ndarray, view: np.ndarray) -> Iterator[Problem]:
    graph = columns.graph
    for number, step in enumerate(graph["view_score_step"].tolist()):
        expected = codes_of_attention(graph["patch_score"], step)
        broken = (np.abs(expected - graph["cell_score"][cell]) > _CODE_TOLERANCE) & (view == number)
        if broken.any():
            reason = "the score is not the one the attention map has at this cell"
            yield Problem("E_ATTENTION", f"patches[{_first(broken)}]", reason)


def _edges(columns: StudyColumns, there: tuple[np.ndarray, np.ndarray, np.ndarray]) -> Iterator[Problem]:
    edge = columns.graph["edge"]
    if (edge >= columns.counts.n_patches).any():
        yield Problem("E_IDX", "edges", "an edge ends outside the patches")
    elif not np.array_equal(edge, grid_edges(*there)):
        reason = "the edges are not the grid neighbours among the patches, each once, in ascending order"
        yield Problem("E_EDGE", "edges", reason)


def _concepts(columns: StudyColumns) -> Iterator[Problem]:
    graph, counts = columns.graph, columns.counts
    if (graph["concept_label"] >= len(CONCEPT_LABELS)).any():
        yield Problem("E_IDX", "concept_label", "not a known label")
    if (graph["concept_section"] >= len(REPORT_SECTIONS)).any():
        yield Problem("E_IDX", "concept_section", "not a known section of a report")
    start, end = graph["concept_start"], graph["concept_end"]
    broken = start > end
    if broken.any():
        yield Problem("E_TEXT", f"concepts[{_first(broken)}]", "the span ends before it starts")
    broken = (start[1:] < start[:-1]) | ((start[1:] == start[:-1]) & (end[1:] < end[:-1]))
    if broken.any():
        yield Problem("E_ORDER", f"concepts[{_first(broken) + 1}]", "concepts are not in order of their spans")
    if (graph["concept_vector"] >= max(1, counts.n_concept_vectors)).any():
        yield Problem("E_IDX", "concept_vector", "points outside the concept vectors")
    yield from _mentions(columns)
    head, relation, tail = (graph[f"triple_{part}"].tolist() for part in ("head", "relation", "tail"))
    if max((*head, *tail), default=-1) >= counts.n_concepts or max(relation, default=-1) >= len(RELATIONS):
        yield Problem("E_IDX", "triples", "a triple names a concept or relation that does not exist")
    if any(map(eq, head, tail)):
        yield Problem("E_IDX", "triples", "a triple joins a concept to itself")
    if not _ascend(zip(head, relation, tail, strict=True)):
        yield Problem("E_ORDER", "triples", "triples are not in ascending order, each once")
    if (graph["fusion_patch"] >= max(1, counts.n_patches)).any():
        yield Problem("E_IDX", "fusion", "the fusion edge starts outside the patches")
    if (graph["fusion_concept"] >= max(1, counts.n_concepts)).any():
        yield Problem("E_IDX", "fusion", "the fusion edge ends outside the concepts")


def _mentions(columns: StudyColumns) -> Iterator[Problem]:
    graph = columns.graph
    concept, start, end = graph["mention_concept"], graph["mention_start"], graph["mention_end"]
    broken = concept >= columns.counts.n_concepts
    broken |= graph["mention_label"] >= len(CONCEPT_LABELS)
    broken |= graph["mention_section"] >= len(REPORT_SECTIONS)
    if broken.any():
        reason = "a concept, a label or a section that does not exist"
        yield Problem("E_IDX", f"mentions[{_first(broken)}]", reason)
    broken = start > end
    if broken.any():
        yield Problem("E_TEXT", f"mentions[{_first(broken)}]", "the span ends before it starts")
    if not _ascend(zip(concept.tolist(), start.tolist(), end.tolist(), strict=True)):
        yield Problem("E_ORDER", "mentions", "mentions are not in ascending order of concept and span, each once")


def _ascend(values: Iterable[Any]) -> bool:
    """Whether each value is larger than the one before."""
    return all(earlier < later for earlier, later in pairwise(values))


def _text(columns: StudyColumns) -> Iterator[Problem]:
    graph, counts = columns.graph, columns.counts
    if int(graph["string_bytes"].astype(np.int64).sum()) != counts.text_bytes:
        yield Problem("E_TEXT", "strings", "the lengths of the strings do not add up to the text")
        return
    study_id, source, *rest = strings_of(columns)
    texts, names = rest[: counts.n_concepts], rest[counts.n_concepts :]
    if not 1 <= len(study_id) <= MAX_ID_BYTES:
        yield Problem("E_TEXT", "study_id", f"an id has 1 to {MAX_ID_BYTES} bytes, this has {len(study_id)}")
    named = [("study_id", study_id)]
    named += [(f"concepts[{i}]", text) for i, text in enumerate(texts)]
    named += [(f"labels[{i}]", name) for i, name in enumerate(names)]
    for where, string in named:
        reason = text_problem(string)
        if reason:
            yield Problem("E_TEXT", where, reason)
    if not _ascend(names):
        yield Problem("E_ORDER", "labels", "labels are not in ascending order of their names, each once")
    yield from _provenance(columns.method, source, counts.n_views)
    if columns.report is not None:
        try:
            columns.report.decode()
        except UnicodeDecodeError:
            yield Problem("E_TEXT", "report", "not valid UTF-8")


def _provenance(method: bytes, source: bytes, n_views: int) -> Iterator[Problem]:
    """Every broken rule of the two maps that provenance is stored as."""
    try:
        yield from provenance.problems(method_map(method), canonical.decode(source, where="source"), n_views=n_views)
    except FormatError as error:
        yield error.problem


def method_map(method: bytes) -> Any:
    """The value of a method map, which is not to be changed: all studies of a conversion share it.

    Raises
    ------
    FormatError (E_TOC_FORM) : not in canonical form.
    """
    return (_remembered if len(method) <= _SHORT_METHOD else _remembered.__wrapped__)(method)


@lru_cache(maxsize=16)
def _remembered(method: bytes) -> Any:
    return canonical.decode(method, where="method", depth=_METHOD_DEPTH)


def text_problem(string: bytes) -> str | None:
    """What is wrong with a study id, the text of a concept or the name of a label, UTF-8; None when nothing is."""
    try:
        text = string.decode()
    except UnicodeDecodeError:
        return "not valid UTF-8"
    if not text:
        return "empty"
    if _FORBIDDEN.search(text):
        return "holds a control or bidirectional character"
    if not unicodedata.is_normalized("NFC", text):
        return "not in Unicode normal form C"
    return None


def _numbers(columns: StudyColumns) -> Iterator[Problem]:
    for name, values in (
        ("labels", columns.graph["label_value"]),
        ("embedding", columns.embedding),
        ("concept_vectors", columns.concept_vectors),
    ):
        if not np.isfinite(values).all():
            yield Problem("E_NUM", name, "a value is not finite")


def _blobs(columns: StudyColumns) -> Iterator[Problem]:
    if columns.pixels is not None:
        try:
            pixels_from_bytes(columns.pixels, columns.counts.n_patches)
        except StudyError as error:
            yield error.problem
    if columns.word_attention is not None:
        yield from word_attention_problems(columns.word_attention, columns.counts.n_cells)
    for name in columns.extensions:
        if not is_extension_name(name):
            yield Problem("E_NAME", "extensions", f"{name[:64]!r} is not x.<reverse-dns>.<name>")
