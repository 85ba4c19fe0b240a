"""The index section: where each record lies, how large its graph is, and its leaf digest (FORMAT.md section 6.4).

Columns of fixed width, so that row i is at a computable place. The index is a cache: the records are the truth, and
every row is compared with its record when the record is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuralgraph.container.layout import PROLOGUE
from neuralgraph.errors import FormatError
from neuralgraph.wire.columns import Counts
from neuralgraph.wire.limits import MAX_INTEGER

__all__ = ["COUNT_COLUMNS", "Index", "IndexRow", "index_bytes", "pack_index"]

COUNT_COLUMNS = ("n_patches", "n_edges", "n_concepts", "n_triples", "n_fusion")
"""Counts repeated in the index, from which a reader allocates a whole batch before it reads a record."""

LEAF_BYTES = 32


ROW_BYTES = 8 + 4 * (1 + len(COUNT_COLUMNS)) + LEAF_BYTES
"""Bytes of the index per record, over all columns: 64."""


def index_bytes(n_records: int) -> int:
    """Payload size of the index of ``n_records`` records."""
    return ROW_BYTES * n_records


@dataclass(frozen=True)
class IndexRow:
    """One row to be written."""

    record_bytes: int
    counts: Counts
    leaf: bytes


def pack_index(rows: Sequence[IndexRow]) -> bytes:
    """Payload of the index; records lie one after another from the end of the prologue."""
    lengths = np.array([row.record_bytes for row in rows], "<u8")
    offsets = (PROLOGUE.size + np.cumsum(lengths) - lengths).astype("<u8")
    columns = [offsets.tobytes(), lengths.astype("<u4").tobytes()]
    columns += [np.array([getattr(row.counts, name) for row in rows], "<u4").tobytes() for name in COUNT_COLUMNS]
    columns.append(b"".join(row.leaf for row in rows))
    return b"".join(columns)


class Index:
    """A verified index.

    Parameters
    ----------
    payload : the index section, whose page checksums have been verified.
    n_records : from the trailer.
    end : first byte after the last record.

    Raises
    ------
    FormatError (E_INDEX) : the records do not follow each other from the prologue to ``end`` without gap or overlap.
    FormatError (E_OVERFLOW) : an offset exceeds 2^53 - 1.
    """

    def __init__(self, payload: memoryview, n_records: int, *, end: int) -> None:
        self._payload, self._n, self._position = payload, n_records, 0
        self.offset: NDArray[np.uint64] = self._column("<u8")
        self.length: NDArray[np.uint32] = self._column("<u4")
        self.counts: dict[str, NDArray[np.uint32]] = {name: self._column("<u4") for name in COUNT_COLUMNS}
        self._leaves = payload[self._position :]
        if (self.offset > MAX_INTEGER).any():
            raise FormatError("an offset exceeds 2^53 - 1", code="E_OVERFLOW", where="index")
        starts = self.offset.astype(np.int64)
        ends = starts + self.length
        expected = np.append(starts[1:], end)
        if int(starts[0]) != PROLOGUE.size or (ends != expected).any():
            raise FormatError(
                "the records do not follow each other without gap or overlap", code="E_INDEX", where="index"
            )

    def _column(self, dtype: str) -> NDArray[Any]:
        column = np.frombuffer(self._payload, dtype, self._n, self._position)
        self._position += column.nbytes
        return column

    def __len__(self) -> int:
        """Number of records."""
        return self._n

    def leaf(self, position: int) -> bytes:
        """The 32-byte leaf digest of a record."""
        return bytes(self._leaves[LEAF_BYTES * position : LEAF_BYTES * (position + 1)])

    def disagreement(self, position: int, counts: Counts) -> str | None:
        """Name of the first count that the record states otherwise than the index, or None."""
        for name, column in self.counts.items():
            if int(column[position]) != getattr(counts, name):
                return name
        return None
