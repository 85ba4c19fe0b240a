"""The light columns of the studies of one batch, in the order of the batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from neuralgraph.errors import FormatError
from neuralgraph.graph.table import NO_FUSION, ragged

__all__ = ["COUNTS", "Columns", "Selection", "select"]

COUNTS = ("n_patches", "n_concepts", "n_edges", "n_triples", "n_fusion")
"""Counts of a graph on which the rows of its columns depend."""

_OF_PATCHES = ("patch_centre", "patch_score", "patch_view")
_OF_PAIRS = ("pair_source", "pair_target", "pair_type")


@dataclass
class Selection:
    """Columns of B studies; numbers of nodes count within the study. Columns that were not asked for are empty."""

    n_patches: NDArray[np.int64]
    """int64 [B]."""
    n_concepts: NDArray[np.int64]
    """int64 [B]."""
    n_pairs: NDArray[np.int64]
    """int64 [B]: edges, each direction counted."""
    n_cells: NDArray[np.int64]
    """int64 [B]: patches before pruning."""
    n_vectors: NDArray[np.int64]
    """int64 [B]: concept vectors stored in the record."""
    fusion_patch: NDArray[np.int64]
    """int64 [B], ``NO_FUSION`` without a fusion edge."""
    fusion_concept: NDArray[np.int64]
    """int64 [B], likewise."""
    label: NDArray[np.float32]
    """float32 [B, L]: values of the labels asked for, NaN where the study does not have one."""
    patch_centre: NDArray[np.float32]
    """float32 [P, 2]."""
    patch_score: NDArray[np.float32]
    """float32 [P]."""
    patch_view: NDArray[Any]
    """unsigned [P]."""
    pair_source: NDArray[Any]
    """unsigned [E]."""
    pair_target: NDArray[Any]
    """unsigned [E]."""
    pair_type: NDArray[Any]
    """unsigned [E]."""
    n_places: NDArray[np.int64]
    """int64 [C]: values of each concept's feature vector that are not zero."""
    feature_place: NDArray[Any]
    """unsigned [K]: their places."""
    feature_value: NDArray[np.float32]
    """float32 [K]."""

    def __len__(self) -> int:
        """Number of studies."""
        return len(self.n_patches)

    def _rows_of(self, name: str) -> NDArray[np.int64]:
        """int64 [B]: rows of the column ``name`` that belong to each study."""
        if name in _OF_PATCHES:
            return self.n_patches
        if name in _OF_PAIRS:
            return self.n_pairs
        if name == "n_places":
            return self.n_concepts
        if name in ("feature_place", "feature_value"):
            owner = np.repeat(np.arange(len(self)), self.n_concepts)
            return np.bincount(owner, self.n_places, minlength=len(self)).astype(np.int64)
        return np.ones(len(self), np.int64)

    @classmethod
    def joined(cls, parts: Sequence[Selection], order: NDArray[np.int64]) -> Selection:
        """The studies of several selections; ``order[i]`` is the number of study i among those of all parts."""
        columns: dict[str, Any] = {}
        for field in fields(cls):
            column = np.concatenate([getattr(part, field.name) for part in parts])
            counts = np.concatenate([part._rows_of(field.name) for part in parts])
            if len(column) == 0:
                columns[field.name] = column
                continue
            starts = np.cumsum(counts) - counts
            columns[field.name] = column[ragged(starts[order], counts[order])]
        return cls(**columns)


def _label_matrix(
    n_labels: NDArray[np.int64], number: NDArray[Any], value: NDArray[np.float32], place: NDArray[np.int64], width: int
) -> NDArray[np.float32]:
    """Values of the labels asked for; ``place`` maps numbers of label names to columns, or to -1."""
    matrix = np.full((len(n_labels), width), np.nan, np.float32)
    column = place[number]
    owner = np.arange(len(n_labels)).repeat(n_labels)
    wanted = column >= 0
    matrix[owner[wanted], column[wanted]] = value[wanted]
    return matrix


def _check_ends(
    columns: Mapping[str, NDArray[Any]],
    counts: Mapping[str, NDArray[np.int64]],
    fusion: Mapping[str, NDArray[np.int64]],
    n_pairs: NDArray[np.int64],
) -> None:
    """Refuse edges and fusion edges to nodes that do not exist."""
    nodes = np.repeat(counts["n_patches"] + counts["n_concepts"], n_pairs)
    if (columns["pair_source"] >= nodes).any() or (columns["pair_target"] >= nodes).any():
        raise _contradiction("an edge to a node that does not exist")
    fused = counts["n_fusion"] > 0
    if (
        ((fusion["fusion_patch"] == NO_FUSION) == fused).any()
        or (fusion["fusion_patch"] >= counts["n_patches"])[fused].any()
        or (fusion["fusion_concept"] >= counts["n_concepts"])[fused].any()
    ):
        raise _contradiction("fusion edges")


def _contradiction(what: str) -> FormatError:
    return FormatError(f"the section and the index of the archive contradict each other: {what}", code="E_INDEX")


class Columns(Protocol):
    """A graphs section, or what stands for it."""

    @property
    def head(self) -> Mapping[str, int]:
        """``width`` and ``n_features``."""

    @property
    def columns(self) -> Mapping[str, NDArray[Any]]:
        """The columns, of which only rows may be used that ``runs`` was asked for before."""

    def runs(self, name: str, start: NDArray[np.int64], count: NDArray[np.int64]) -> NDArray[Any]:
        """The whole column ``name``, whose rows ``start`` to ``start + count`` may be used."""


def select(
    section: Columns,
    counted: Mapping[str, Any],
    positions: NDArray[np.int64],
    label_place: NDArray[np.int64],
    n_labels: int,
    wanted: frozenset[str],
    *,
    proven: bool,
) -> Selection:
    """Cut the columns of ``positions`` out of a graphs section.

    Parameters
    ----------
    section : of some archive.
    counted : numbers of patches, concepts, edges, triples and fusion edges of every graph, by name of the count.
    positions : int64 [B], numbers of graphs.
    label_place : int64 [label names of the section], the column of each, or -1.
    n_labels : columns of the label matrix.
    wanted : groups of columns to read, out of "patches", "pairs", "labels" and "features".
    proven : these groups of these graphs have been selected before, or were made from records: nothing is checked.

    Raises
    ------
    ChecksumError (E_CRC) : a page of the section is damaged.
    FormatError (E_INDEX) : the section contradicts the counts or itself.
    """
    two = np.full(len(positions), 2)
    one = np.ones(len(positions), np.int64)
    columns: dict[str, Any] = {name: np.empty(0, np.uint8) for name in (*_OF_PATCHES, *_OF_PAIRS, *_FEATURES)}

    def rows_of(name: str, start: NDArray[np.int64], count: NDArray[np.int64]) -> NDArray[Any]:
        return section.columns[name] if proven else section.runs(name, start, count)

    def runs(name: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        starts = rows_of(name, positions, two)
        first = starts[positions].astype(np.int64)
        return first, starts[positions + 1].astype(np.int64) - first

    def single(name: str) -> NDArray[np.int64]:
        return rows_of(name, positions, one)[positions].astype(np.int64)

    counts = {name: counted[name][positions].astype(np.int64) for name in COUNTS}
    n_pairs = 2 * (counts["n_edges"] + counts["n_triples"] + counts["n_fusion"])
    fusion: dict[str, Any] = {name: single(name) for name in _FUSION}
    columns["n_places"] = np.zeros(int(counts["n_concepts"].sum()), np.int64)
    if "patches" in wanted:
        start, count = runs("patch_start")
        if not proven and (count != counts["n_patches"]).any():
            raise _contradiction("numbers of patches")
        rows = ragged(start, count)
        columns |= {name: rows_of(name, start, count).take(rows, axis=0) for name in _OF_PATCHES}
    if "pairs" in wanted:
        start, count = runs("pair_start")
        if not proven and (count != n_pairs).any():
            raise _contradiction("numbers of edges")
        rows = ragged(start, count)
        columns |= {name: rows_of(name, start, count).take(rows) for name in _OF_PAIRS}
        if not proven:
            _check_ends(columns, counts, fusion, count)
    if "features" in wanted:
        start, count = runs("concept_start")
        if not proven and (count != counts["n_concepts"]).any():
            raise _contradiction("numbers of concepts")
        words = rows_of("concept_feature", start, count).take(ragged(start, count)).astype(np.int64)
        if not proven and len(words) and int(words.max()) >= section.head["n_features"]:
            raise _contradiction("a concept that does not exist")
        bounds = rows_of("feature_start", words, np.full(len(words), 2))
        first = bounds.take(words).astype(np.int64)
        n_places = bounds.take(words + 1).astype(np.int64) - first
        if not proven and (n_places < 0).any():
            raise _contradiction("features that end before they begin")
        columns["n_places"] = n_places
        rows = ragged(first, n_places)
        columns |= {name: rows_of(name, first, n_places).take(rows) for name in _FEATURES}
        if not proven and len(rows) and int(columns["feature_place"].max()) >= section.head["width"]:
            raise _contradiction("a feature outside its vector")
    label = np.empty((len(positions), 0), np.float32)
    if "labels" in wanted:
        start, count = runs("label_start")
        if not proven and (count < 0).any():
            raise _contradiction("numbers of labels")
        rows = ragged(start, count)
        number = rows_of("label_number", start, count).take(rows)
        if not proven and len(number) and int(number.max()) >= len(label_place):
            raise _contradiction("a label that does not exist")
        label = _label_matrix(count, number, rows_of("label_value", start, count).take(rows), label_place, n_labels)
    return Selection(
        n_patches=counts["n_patches"],
        n_concepts=counts["n_concepts"],
        n_pairs=n_pairs,
        n_cells=single("n_cells"),
        n_vectors=single("n_vectors"),
        label=label,
        **fusion,
        **columns,
    )


_FUSION = ("fusion_patch", "fusion_concept")
_FEATURES = ("feature_place", "feature_value")
