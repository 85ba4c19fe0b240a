"""The record as columns: which arrays a study consists of, and their sizes (FORMAT.md section 5).

Every size follows from the counts of the record header, so a reader knows how many bytes a stream must decode to before
it decodes anything.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from neuralgraph.errors import FormatError
from neuralgraph.wire.limits import Limits, checked_product

__all__ = ["GRAPH_COLUMNS", "Column", "Counts", "graph_bytes", "index_dtype", "split_graph"]


@dataclass(frozen=True)
class Counts:
    """The counts block of a record header: thirteen little-endian u32, in this order."""

    n_views: int
    """Films of the study."""
    n_cells: int
    """Grid cells of all views together."""
    n_patches: int
    """Kept patches."""
    embedding_dim: int
    """Width of a patch embedding."""
    n_edges: int
    """Edges between kept patches."""
    n_concepts: int
    """Concepts of the report graph."""
    n_concept_vectors: int
    """Distinct vectors shared by the concepts; 0 when none are stored."""
    concept_dim: int
    """Width of a concept vector; 0 when none are stored."""
    n_mentions: int
    """Further places of the report that say one of the concepts."""
    n_triples: int
    """Triples of the report graph."""
    n_fusion: int
    """Fusion edges: 0 or 1."""
    n_labels: int
    """Labels of the study."""
    text_bytes: int
    """UTF-8 bytes of all strings."""

    SIZE = 52  # bytes of the block

    @property
    def n_vector_references(self) -> int:
        """Entries of ``concept_vector``: one per concept when vectors are stored, else none."""
        return self.n_concepts if self.n_concept_vectors else 0

    @property
    def n_strings(self) -> int:
        """Strings of the study: id, source map, concept texts, label names."""
        return 2 + self.n_concepts + self.n_labels

    def pack(self) -> bytes:
        """The 52 bytes of the block."""
        return np.array([getattr(self, field.name) for field in fields(self)], "<u4").tobytes()

    @classmethod
    def unpack(cls, data: bytes | memoryview) -> Counts:
        """The counts of a 52-byte block."""
        return cls(*np.frombuffer(data, "<u4", 13).tolist())

    def check(self, limits: Limits, *, where: str) -> None:
        """Refuse counts that contradict each other or exceed the limits.

        Raises
        ------
        FormatError (E_RECORD) : counts contradict each other.
        LimitError (E_LIMIT) : a count is above its limit.
        """
        for name, value in (
            ("views", self.n_views),
            ("cells", self.n_cells),
            ("patches", self.n_patches),
            ("embedding_dim", self.embedding_dim),
            ("edges", self.n_edges),
            ("concepts", self.n_concepts),
            ("concepts", self.n_concept_vectors),
            ("embedding_dim", self.concept_dim),
            ("mentions", self.n_mentions),
            ("triples", self.n_triples),
            ("labels", self.n_labels),
            ("text_bytes", self.text_bytes),
        ):
            limits.check(name, value, where=where)
        reason = self.contradiction()
        if reason:
            raise FormatError(f"the counts are impossible: {reason}", code="E_RECORD", where=where)

    def contradiction(self) -> str | None:
        """How the counts contradict each other, or None."""
        rules = {
            "more patches than cells": self.n_patches > self.n_cells,
            "more views than cells": self.n_views > self.n_cells,
            "cells without views": self.n_cells > 0 and self.n_views == 0,
            "patches without a width": self.n_patches > 0 and self.embedding_dim == 0,
            "more than one fusion edge": self.n_fusion > 1,
            "a fusion edge without both ends": self.n_fusion > 0 and not (self.n_patches and self.n_concepts),
            "edges without patches": self.n_edges > 0 and self.n_patches < 2,
            "mentions without concepts": self.n_mentions > 0 and self.n_concepts == 0,
            "triples without concepts": self.n_triples > 0 and self.n_concepts < 2,
            "more vectors than concepts": self.n_concept_vectors > self.n_concepts,
            "vectors without a width, or the reverse": (self.n_concept_vectors == 0) != (self.concept_dim == 0),
        }
        return next((reason for reason, broken in rules.items() if broken), None)


_U1, _U2, _U4 = np.dtype("<u1"), np.dtype("<u2"), np.dtype("<u4")
_DTYPES = {name: np.dtype(name) for name in ("<u1", "<u2", "<u4", "<f4")}


def index_dtype(count: int) -> np.dtype[np.unsignedinteger]:
    """The narrowest of u8, u16, u32 that can index a table of ``count`` rows."""
    return _U1 if count <= 1 << 8 else _U2 if count <= 1 << 16 else _U4


class Column(NamedTuple):
    """One array of the graph stream."""

    name: str
    """Field name, in FORMAT.md and in code."""
    dtype: str
    """NumPy dtype, or "index:COUNT" for the narrowest index into a table of COUNT rows."""
    rows: str
    """The count that gives the number of rows."""
    width: int = 1
    """Values per row."""

    def numpy_dtype(self, counts: Counts) -> np.dtype:
        """The dtype under these counts."""
        if self.dtype.startswith("index:"):
            return index_dtype(getattr(counts, self.dtype.removeprefix("index:")))
        return _DTYPES[self.dtype]


GRAPH_COLUMNS: tuple[Column, ...] = (
    Column("view_rows", "<u2", "n_views"),
    Column("view_cols", "<u2", "n_views"),
    Column("view_height", "<u4", "n_views"),
    Column("view_width", "<u4", "n_views"),
    Column("view_patch_height", "<f4", "n_views"),
    Column("view_patch_width", "<f4", "n_views"),
    Column("view_score_step", "<f4", "n_views"),
    Column("view_position", "<u1", "n_views"),
    Column("cell_score", "<u1", "n_cells"),
    Column("patch_cell", "index:n_cells", "n_patches"),
    Column("patch_score", "<f4", "n_patches"),
    Column("edge", "index:n_patches", "n_edges", 2),
    Column("concept_label", "<u1", "n_concepts"),
    Column("concept_start", "<u4", "n_concepts"),
    Column("concept_end", "<u4", "n_concepts"),
    Column("concept_section", "<u1", "n_concepts"),
    Column("concept_vector", "index:n_concept_vectors", "n_vector_references"),
    Column("mention_concept", "index:n_concepts", "n_mentions"),
    Column("mention_label", "<u1", "n_mentions"),
    Column("mention_section", "<u1", "n_mentions"),
    Column("mention_start", "<u4", "n_mentions"),
    Column("mention_end", "<u4", "n_mentions"),
    Column("triple_head", "index:n_concepts", "n_triples"),
    Column("triple_relation", "<u1", "n_triples"),
    Column("triple_tail", "index:n_concepts", "n_triples"),
    Column("fusion_patch", "index:n_patches", "n_fusion"),
    Column("fusion_concept", "index:n_concepts", "n_fusion"),
    Column("label_value", "<f4", "n_labels"),
    Column("string_bytes", "index:text_bytes", "n_strings"),
    Column("text", "<u1", "text_bytes"),
)
"""The light columns, in the order of the graph stream; see FORMAT.md section 5.3 for the meaning of each."""


def graph_bytes(counts: Counts) -> int:
    """Decoded size of the graph stream under these counts.

    Raises
    ------
    LimitError (E_OVERFLOW) : the size exceeds 2^53 - 1.
    """
    return checked_product(sum(items * dtype.itemsize for _, dtype, items, _ in _arrays(counts)), where="graph stream")


def split_graph(counts: Counts, data: bytes | memoryview) -> dict[str, np.ndarray]:
    """Views of the graph stream's columns, by name; [rows] or, where width > 1, [rows, width]."""
    columns: dict[str, np.ndarray] = {}
    offset = 0
    for name, dtype, items, width in _arrays(counts):
        array = np.frombuffer(data, dtype, items, offset)
        columns[name] = array.reshape(-1, width) if width > 1 else array
        offset += array.nbytes
    return columns


@lru_cache(maxsize=4)
def _arrays(counts: Counts) -> tuple[tuple[str, np.dtype, int, int], ...]:
    """Name, dtype, values and width of every column; each record asks twice, for its size and for its columns."""
    return tuple(
        (column.name, column.numpy_dtype(counts), getattr(counts, column.rows) * column.width, column.width)
        for column in GRAPH_COLUMNS
    )
