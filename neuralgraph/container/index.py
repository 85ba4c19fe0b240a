"""The index section: where each record lies, how large its graph is, and its leaf digest (FORMAT.md section 6.4).

Columns of fixed width, so that row i is at a computable place. The index is a cache: the records are the truth, and
every row is compared with its record when the record is read.
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from neuralgraph.container.layout import PROLOGUE
from neuralgraph.container.pages import PagedColumn, Pages
from neuralgraph.errors import FormatError
from neuralgraph.wire.columns import Counts
from neuralgraph.wire.limits import MAX_INTEGER

__all__ = ["COUNT_COLUMNS", "ROW_BYTES", "Index", "IndexRows"]

COUNT_COLUMNS = ("n_patches", "n_edges", "n_concepts", "n_triples", "n_fusion")
"""Counts repeated in the index, from which a reader allocates a whole batch before it reads a record."""

LEAF_BYTES = 32
_NUMBERS = struct.Struct(f"<{1 + len(COUNT_COLUMNS)}I")

ROW_BYTES = 8 + 4 * (1 + len(COUNT_COLUMNS)) + LEAF_BYTES
"""Bytes of the index per record, over all columns: 64."""


class IndexRows:
    """Rows to be written, 56 bytes of memory each: a file may have millions."""

    def __init__(self) -> None:
        self._numbers = bytearray()
        self._leaves = bytearray()

    def __len__(self) -> int:
        """Number of rows."""
        return len(self._leaves) // LEAF_BYTES

    def append(self, record_bytes: int, counts: Counts, leaf: bytes) -> None:
        """Add the row of the next record."""
        self._numbers += _NUMBERS.pack(record_bytes, *(getattr(counts, name) for name in COUNT_COLUMNS))
        self._leaves += leaf

    @property
    def leaves(self) -> list[bytes]:
        """The leaf digests in order."""
        return [bytes(self._leaves[at : at + LEAF_BYTES]) for at in range(0, len(self._leaves), LEAF_BYTES)]

    def pack(self) -> bytes:
        """Payload of the index; records lie one after another from the end of the prologue."""
        numbers = np.frombuffer(self._numbers, "<u4").reshape(len(self), 1 + len(COUNT_COLUMNS))
        lengths = numbers[:, 0].astype("<u8")
        offsets = PROLOGUE.size + np.cumsum(lengths) - lengths
        return b"".join((offsets.astype("<u8").tobytes(), numbers.T.tobytes(), self._leaves))


class Index:
    """The index of an open file; pages are verified, and neighbouring rows compared, when a row is first used.

    A small index (``whole``) is checked completely at once, a large one by ``check``.

    Parameters
    ----------
    pages : the index section.
    n_records : from the trailer.
    end : first byte after the last record.

    Raises
    ------
    FormatError (E_INDEX, E_OVERFLOW) : a small index contradicts itself; see ``check``.
    """

    def __init__(self, pages: Pages, n_records: int, *, end: int) -> None:
        self._pages, self._n, self._end, self._position = pages, n_records, end, 0
        self.offset = self._column("<u8")
        self.length = self._column("<u4")
        self.counts = {name: self._column("<u4") for name in COUNT_COLUMNS}
        self._leaves = self._position
        if pages.whole:
            self.check()

    def _column(self, dtype: str) -> PagedColumn:
        column = PagedColumn(self._pages, dtype, self._n, self._position)
        self._position += column.nbytes
        return column

    def check(self) -> None:
        """Prove that the records follow each other from the prologue to the index without gap or overlap; O(n).

        Raises
        ------
        FormatError (E_INDEX) : they do not.
        FormatError (E_OVERFLOW) : an offset exceeds 2^53 - 1.
        ChecksumError (E_CRC) : a page is damaged.
        """
        self._check(self.offset[:], self.length[:], np.append(self.offset[1:], np.uint64(self._end)))
        if int(self.offset[0]) != PROLOGUE.size:
            raise _gap()

    def places(self, positions: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """First byte and length of records, each int64 [n], compared with the record after.

        Parameters
        ----------
        positions : int64 [n], n >= 1, each in range.

        Raises
        ------
        FormatError (E_INDEX) : a record does not end where the next begins.
        FormatError (E_OVERFLOW) : an offset exceeds 2^53 - 1.
        ChecksumError (E_CRC) : a page is damaged.
        """
        offset, length = self.offset[positions], self.length[positions]
        if not self._pages.whole:
            following = self.offset[np.minimum(positions + 1, self._n - 1)]
            self._check(offset, length, np.where(positions + 1 == self._n, np.uint64(self._end), following))
        return offset.astype(np.int64), length.astype(np.int64)

    def fetch(self, positions: NDArray[np.int64]) -> None:
        """Make all columns of these rows usable with one request; errors as ``places``."""
        if self._pages.whole:
            return
        following = np.minimum(positions + 1, self._n - 1)
        columns = [self.offset, self.length, *self.counts.values()]
        starts = [column.start + column.dtype.itemsize * positions for column in columns]
        starts += [self.offset.start + self.offset.dtype.itemsize * following]
        leaves = self._leaves + LEAF_BYTES * positions
        # Numbers do not cross pages, leaves may.
        self._pages.need_items(np.concatenate([*starts, leaves, leaves + LEAF_BYTES - 1]), 1)

    def place(self, position: int) -> tuple[int, int]:
        """First byte and length of one record; errors as ``places``."""
        if not self._pages.whole:
            offset, length = self.places(np.array([position]))
            return int(offset[0]), int(length[0])
        return int(self.offset[position]), int(self.length[position])

    def _check(self, offset: NDArray[np.uint64], length: NDArray[np.uint32], following: NDArray[np.uint64]) -> None:
        if (offset > MAX_INTEGER).any():
            raise FormatError("an offset exceeds 2^53 - 1", code="E_OVERFLOW", where="index")
        if (offset < PROLOGUE.size).any() or (offset + length != following).any():
            raise _gap()

    def leaves(self) -> list[bytes]:
        """All leaf digests, in order; errors as ``leaf``."""
        self._pages.need(self._leaves, self._leaves + LEAF_BYTES * self._n)
        data = bytes(self._pages.payload[self._leaves :])
        return [data[at : at + LEAF_BYTES] for at in range(0, len(data), LEAF_BYTES)]

    def leaf(self, position: int) -> bytes:
        """The 32-byte leaf digest of a record.

        Raises
        ------
        ChecksumError (E_CRC) : a page is damaged.
        """
        start = self._leaves + LEAF_BYTES * position
        self._pages.need(start, start + LEAF_BYTES)
        return bytes(self._pages.payload[start : start + LEAF_BYTES])

    def disagreement(self, position: int, counts: Counts) -> str | None:
        """Name of the first count that the record states otherwise than the index, or None.

        Raises
        ------
        ChecksumError (E_CRC) : a page is damaged.
        """
        for name, column in self.counts.items():
            if int(column[position]) != getattr(counts, name):
                return name
        return None


def _gap() -> FormatError:
    reason = "the records do not follow each other without gap or overlap"
    return FormatError(reason, code="E_INDEX", where="index")
