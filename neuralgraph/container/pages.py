"""The payload of a section, read and verified by pages (FORMAT.md section 6).

What is handed out is a copy, verified when it was read: a file that changes afterwards does not change it. A small
section is read whole. A large one is read page by page, into memory that the system commits only where something was
put: an index of a million studies costs nothing to open.
"""

from __future__ import annotations

import mmap
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from neuralgraph.container.contents import Section
from neuralgraph.container.source import ByteSource
from neuralgraph.errors import ChecksumError, FormatError
from neuralgraph.wire.checksums import PAGE_BYTES, crc32

__all__ = ["SMALL_SECTION", "PagedColumn", "Pages", "section_pages", "section_payload"]

SMALL_SECTION = 2**20
"""A section of at most so many bytes is read and verified whole: 16,384 studies of an index."""


class Pages:
    """Payload of a section, here one that has been verified.

    Parameters
    ----------
    payload : all of it; only what ``need`` was called for may be used.
    """

    whole = True
    """Everything has been verified."""

    def __init__(self, payload: memoryview) -> None:
        self.payload = payload

    def need(self, start: int, stop: int) -> None:
        """Make the bytes from ``start`` to ``stop`` usable.

        Raises
        ------
        ChecksumError (E_CRC) : a page is damaged.
        """

    def need_items(self, starts: NDArray[np.int64], length: int) -> None:
        """Make ``length`` bytes usable from each of ``starts``, which are at least one; errors as ``need``."""


class _PagesAsNeeded(Pages):
    """Pages read and verified when they are first needed."""

    whole = False

    def __init__(self, source: ByteSource, section: Section) -> None:
        self._source, self._section = source, section
        self._table = np.frombuffer(_page_table(source, section), "<u4")
        # Of this process alone: what another one reads after a fork is not what was verified here.
        own = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if hasattr(mmap, "MAP_PRIVATE") else {}
        super().__init__(memoryview(mmap.mmap(-1, section.length, **own)))
        self._present = np.zeros(len(self._table), np.bool_)

    def need(self, start: int, stop: int) -> None:
        first, last = start // PAGE_BYTES, (stop - 1) // PAGE_BYTES
        if not self._present[first : last + 1].all():
            self._read(first + np.flatnonzero(~self._present[first : last + 1]))

    def need_items(self, starts: NDArray[np.int64], length: int) -> None:
        first, last = starts // PAGE_BYTES, (starts + (length - 1)) // PAGE_BYTES
        if not (self._present[first].all() and self._present[last].all()):
            touched = np.zeros(len(self._table), np.bool_)
            touched[first] = touched[last] = True
            self._read(np.flatnonzero(touched & ~self._present))

    def _read(self, pages: NDArray[np.intp]) -> None:
        runs = np.split(pages, np.flatnonzero(np.diff(pages) > 1) + 1)
        extents = [
            (int(run[0]) * PAGE_BYTES, min((int(run[-1]) + 1) * PAGE_BYTES, self._section.length)) for run in runs
        ]
        for start, stop in extents:
            self._source.expect(self._section.offset + start, stop - start)
        for start, stop in extents:
            data = self._source.read(self._section.offset + start, stop - start)
            for at in range(start, stop, PAGE_BYTES):
                page, piece = at // PAGE_BYTES, data[at - start : at - start + PAGE_BYTES]
                if crc32(piece) != self._table[page]:
                    where = f"{self._section.name}.page[{page}]"
                    raise ChecksumError("the stored bytes are damaged", code="E_CRC", where=where)
                # Only what has been verified gets in: another thread may be using the page already.
                self.payload[at : at + len(piece)] = piece
                self._present[page] = True


def _page_table(source: ByteSource, section: Section) -> memoryview:
    """The verified page table."""
    data = source.read(section.offset + section.length, section.end - section.offset - section.length)
    table = data[: section.table_bytes]
    if crc32(table) != section.table_crc32:
        raise ChecksumError("the page table is damaged", code="E_CRC", where=section.name)
    if any(data[section.table_bytes :]):
        raise FormatError("padding is not zero", code="E_COVER", where=section.name)
    return table


def section_payload(source: ByteSource, section: Section) -> memoryview:
    """Payload of a section, read whole, all its pages verified.

    Raises
    ------
    ChecksumError (E_CRC) : a page is damaged.
    FormatError (E_COVER) : padding is not zero.
    """
    table = np.frombuffer(_page_table(source, section), "<u4")
    payload = source.read(section.offset, section.length)
    for page, stored in enumerate(table.tolist()):
        if crc32(payload[page * PAGE_BYTES : (page + 1) * PAGE_BYTES]) != stored:
            raise ChecksumError("the stored bytes are damaged", code="E_CRC", where=f"{section.name}.page[{page}]")
    return payload


def section_pages(source: ByteSource, section: Section, *, whole: int | None = None) -> Pages:
    """A section for reading in places.

    Parameters
    ----------
    source, section : the file and its section.
    whole : a section of at most so many bytes is read and verified whole; None is ``SMALL_SECTION``.

    Raises
    ------
    ChecksumError (E_CRC) : the page table, or a page of a small section, is damaged.
    FormatError (E_COVER) : padding is not zero.
    """
    if section.length <= (SMALL_SECTION if whole is None else whole):
        return Pages(section_payload(source, section))
    return _PagesAsNeeded(source, section)


class PagedColumn:
    """A column of numbers in a section: looks like a one-dimensional array, and verifies the pages that are touched.

    ``column[i]``, ``column[start:stop]``, ``column[array of positions]`` and ``numpy.asarray(column)`` give NumPy
    values; what they raise is what ``Pages.need`` raises.
    """

    def __init__(self, pages: Pages, dtype: str, length: int, offset: int) -> None:
        self._pages, self.start = pages, offset
        self._values: NDArray[Any] = np.frombuffer(pages.payload, dtype, length, offset)
        self.dtype = self._values.dtype
        self.nbytes = self._values.nbytes

    def __len__(self) -> int:
        """Number of rows."""
        return len(self._values)

    def __getitem__(self, key: SupportsIndex | slice | NDArray[np.integer]) -> Any:
        """Verified values."""
        if not self._pages.whole and len(self._values):
            self._need(key)
        return self._values[key]

    def _need(self, key: SupportsIndex | slice | NDArray[np.integer]) -> None:
        size, length = self.dtype.itemsize, len(self._values)
        if isinstance(key, slice):
            start, stop, step = key.indices(length)
            if step < 0:
                start, stop = stop + 1, start + 1
            if start < stop:
                self._pages.need(self.start + start * size, self.start + stop * size)
        elif isinstance(key, np.ndarray):
            places = np.flatnonzero(key) if key.dtype == np.bool_ else key.astype(np.int64).ravel()
            if len(places):
                self._pages.need_items(self.start + np.where(places < 0, places + length, places) * size, size)
        else:
            start = self.start + (key.__index__() % length) * size
            self._pages.need(start, start + size)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:  # noqa: FBT001  NumPy's call
        """All rows, verified."""
        return np.array(self[:], dtype, copy=copy)

    def sum(self) -> int:
        """Sum of all rows."""
        return int(self[:].sum(dtype=np.uint64))
