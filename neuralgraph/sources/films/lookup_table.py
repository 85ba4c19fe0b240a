"""Modality and VOI look-up tables of a DICOM header (PS3.3 C.11.1.1, C.11.2.1.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neuralgraph.errors import SourceError
from neuralgraph.sources.films.dicom_header import DicomHeader, quiet_pydicom

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LookupTable", "lookup_tables", "words_of"]

_MOST_TABLES = 8


@dataclass(frozen=True, eq=False)
class LookupTable:
    """One table."""

    first: int
    """The input that the first entry belongs to; smaller ones have it too, larger ones than the last the last."""
    entries: NDArray[np.int64]
    """int64 [n], 0..2^bits - 1."""
    bits: int
    """Of an entry, as the descriptor declares."""

    @property
    def top(self) -> int:
        """The largest entry that the declared bits allow: white."""
        return (1 << self.bits) - 1

    @property
    def top_used(self) -> int:
        """The largest entry that the bits allow that any entry uses; 8 at least."""
        return (1 << max(8, self.highest.bit_length())) - 1

    @property
    def lowest(self) -> int:
        """Smallest entry."""
        return int(self.entries.min())

    @property
    def highest(self) -> int:
        """Largest entry."""
        return int(self.entries.max())

    def of(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """The entries of some inputs."""
        index = np.clip(np.rint(values) - self.first, 0, len(self.entries) - 1).astype(np.int64)
        found: NDArray[np.int64] = self.entries[index]
        return found

    def spread(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The entries of some inputs, the smallest of the table as 0 and the largest as 1."""
        return (self.of(values) - self.lowest) / float(self.highest - self.lowest)


def lookup_tables(header: DicomHeader, keyword: str, *, is_signed: bool) -> list[LookupTable]:
    """The tables of a sequence, in its order.

    Parameters
    ----------
    header : of the film.
    keyword : of the sequence.
    is_signed : whether inputs may be below zero: the first input is then signed, however it is represented.

    Raises
    ------
    SourceError (E_SOURCE_DAMAGED) : the first table contradicts itself. A further one that does is left out: it is an
        alternative that nobody has asked for.
    """
    items = header.items(keyword)[:_MOST_TABLES]
    tables = []
    for number, item in enumerate(items):
        try:
            tables.append(_table(item, keyword, is_signed=is_signed, big_endian=header.big_endian))
        except SourceError:
            if number == 0:
                raise
    return tables


def _damaged(what: str) -> SourceError:
    return SourceError(f"the DICOM file is damaged: {what}", code="E_SOURCE_DAMAGED")


def _table(item: Any, keyword: str, *, is_signed: bool, big_endian: bool) -> LookupTable:
    with quiet_pydicom(f"the table in {keyword} cannot be read"):
        order = ">" if big_endian else "<"
        descriptor = words_of(item["LUTDescriptor"].value, order)
        data = item["LUTData"].value
        count, first, bits = (int(number) for number in descriptor)
        # 65536 entries are written as 0, and a count read as signed may look negative.
        count = (count & 0xFFFF) or 65536
        if isinstance(data, bytes) and len(data) < 2 * count:
            entries = np.frombuffer(data, np.uint8).astype(np.int64)
        else:
            entries = words_of(data, order)
    if is_signed and first >= 0x8000:
        first -= 0x10000
    if not 8 <= bits <= 16 or not count <= len(entries) <= count + 1:
        raise _damaged(f"the table in {keyword} is not as long, or not as deep, as it says")
    entries = entries[:count] & 0xFFFF
    if int(entries.max()) >= 1 << bits:
        raise _damaged(f"the table in {keyword} has entries of more bits than it says")
    return LookupTable(first, entries, bits)


def words_of(value: Any, order: str) -> NDArray[np.int64]:
    """16-bit numbers from bytes in the given order, or from what pydicom made of them."""
    if isinstance(value, bytes):
        return np.frombuffer(value, f"{order}u2").astype(np.int64)
    return np.atleast_1d(np.asarray(value, dtype=np.int64))
