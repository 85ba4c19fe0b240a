"""The keys section: study ids of an archive, for lookup without reading records (FORMAT.md section 6.5)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from neuralgraph.container.layout import padding
from neuralgraph.container.pages import PagedColumn, Pages
from neuralgraph.errors import FormatError
from neuralgraph.wire.limits import MAX_ID_BYTES

__all__ = ["Keys", "keys_bytes", "pack_keys"]


def keys_bytes(n_records: int) -> int:
    """Largest payload of the keys of ``n_records`` studies."""
    return 2 * (4 * n_records + padding(4 * n_records)) + MAX_ID_BYTES * n_records


def pack_keys(study_ids: Sequence[str]) -> bytes:
    """Payload: ordinals in ascending order of ids (u32, padded to 8), ends of ids (u32, padded to 8), ids (UTF-8).

    Raises
    ------
    FormatError (E_DUP) : two studies have the same id.
    """
    encoded = [study_id.encode() for study_id in study_ids]
    order = sorted(range(len(encoded)), key=encoded.__getitem__)
    for earlier, later in pairwise(order):
        if encoded[earlier] == encoded[later]:
            reason = f"studies {min(earlier, later)} and {max(earlier, later)} have the same id"
            raise FormatError(reason, code="E_DUP", where="keys")
    ends = np.cumsum([len(key) for key in encoded], dtype="<u8").astype("<u4")
    columns = [np.array(order, "<u4").tobytes(), ends.tobytes(), b"".join(encoded)]
    return columns[0] + bytes(padding(len(columns[0]))) + columns[1] + bytes(padding(len(columns[1]))) + columns[2]


class Keys:
    """Keys of ``n_records`` studies; pages are verified, and what is read compared, when it is first used.

    Small keys are checked completely at once except for the order of the ids, large ones by ``check``.

    Raises
    ------
    FormatError (E_INDEX, E_COVER) : the keys contradict themselves; see ``check``.
    """

    def __init__(self, pages: Pages, n_records: int) -> None:
        column = 4 * n_records + padding(4 * n_records)
        if len(pages.payload) < 2 * column:
            raise FormatError("the keys are shorter than their columns", code="E_INDEX", where="keys")
        self._pages, self._pool, self._size = pages, 2 * column, len(pages.payload)
        self._order = PagedColumn(pages, "<u4", n_records, 0)
        self._ends = PagedColumn(pages, "<u4", n_records, column)
        self._ordered = False
        if pages.whole:
            self._check_columns()

    def __len__(self) -> int:
        """Number of studies."""
        return len(self._order)

    def study_id(self, position: int) -> str:
        """Id of the study at ``position``.

        Raises
        ------
        FormatError (E_INDEX) : not UTF-8, so not the id of any record.
        """
        return _text(self.study_id_bytes(position))

    def study_id_bytes(self, position: int) -> bytes:
        """Id of the study at ``position``, UTF-8.

        Raises
        ------
        FormatError (E_INDEX) : the ends do not ascend inside the pool.
        ChecksumError (E_CRC) : a page is damaged.
        """
        return self._slices(self._ends[max(0, position - 1) : position + 1], first=position == 0)[0]

    def study_ids(self, start: int, stop: int) -> list[str]:
        """Ids of the studies from ``start`` to ``stop``; errors as ``study_id``."""
        if start >= stop:
            return []
        return [_text(key) for key in self._slices(self._ends[max(0, start - 1) : stop], first=start == 0)]

    def _slices(self, ends: NDArray[np.uint32], *, first: bool) -> list[bytes]:
        """The ids between successive ``ends``, the first of which is a start unless ``first``."""
        bounds = ([0] if first else []) + ends.tolist()
        if any(later <= earlier for earlier, later in pairwise(bounds)) or self._pool + bounds[-1] > self._size:
            raise _contradiction()
        self._pages.need(self._pool + bounds[0], self._pool + bounds[-1])
        pool = bytes(self._pages.payload[self._pool + bounds[0] : self._pool + bounds[-1]])
        return [pool[start - bounds[0] : stop - bounds[0]] for start, stop in pairwise(bounds)]

    def find(self, study_id: str) -> int | None:
        """Position of the study with this id, or None; O(log n), and as many pages are touched.

        In small keys, nothing found is proven by the order of all ids; in large ones the order is taken as a validator
        would find it, except along the way.

        Raises
        ------
        FormatError (E_DUP, E_INDEX) : the ids are not in the order that a search needs.
        ChecksumError (E_CRC) : a page is damaged.
        """
        wanted, low, high = study_id.encode(errors="surrogatepass"), 0, len(self._order)
        below, above = b"", None
        while low < high:
            middle = (low + high) // 2
            position = int(self._order[middle])
            if position >= len(self._order):
                raise _contradiction()
            found = self.study_id_bytes(position)
            if found == wanted:
                return position
            if found <= below or (above is not None and found >= above):
                break
            if found < wanted:
                low, below = middle + 1, found
            else:
                high, above = middle, found
        if low < high or (self._pages.whole and not self._ordered):
            self.check_order()
        return None

    def check(self) -> None:
        """Prove everything that FORMAT.md section 6.5 says of the keys alone; O(n).

        Raises
        ------
        FormatError (E_COVER) : padding is not zero.
        FormatError (E_INDEX) : the ordinals are no permutation, the ends do not ascend to the end of the ids, or the
            ids are not in ascending order.
        FormatError (E_DUP) : two ids are equal.
        ChecksumError (E_CRC) : a page is damaged.
        """
        self._check_columns()
        self.check_order()

    def _check_columns(self) -> None:
        n_records, column = len(self._order), self._pool // 2
        order, ends = self._order[:], self._ends[:]
        payload = self._pages.payload
        if any(payload[4 * n_records : column]) or any(payload[column + 4 * n_records : 2 * column]):
            raise FormatError("padding is not zero", code="E_COVER", where="keys")
        ends_in_place = (ends[1:] > ends[:-1]).all() and ends[0] > 0 and int(ends[-1]) == self._size - self._pool
        if not ends_in_place or not np.array_equal(np.sort(order), np.arange(n_records)):
            raise _contradiction()

    def check_order(self) -> None:
        """Prove that ids ascend strictly, so that lookups find what is there; O(n).

        Raises
        ------
        FormatError (E_DUP) : two are equal.
        FormatError (E_INDEX) : they descend.
        ChecksumError (E_CRC) : a page is damaged.
        """
        previous: bytes | None = None
        # Small keys are cut into ids at once; of large ones no more is in memory than the page at hand.
        id_at = self._slices(self._ends[:], first=True).__getitem__ if self._pages.whole else self.study_id_bytes
        for current in map(id_at, self._order[:].tolist()):
            if current == previous:
                raise FormatError("two studies have the same id", code="E_DUP", where="keys")
            if previous is not None and current < previous:
                raise FormatError("ids are not in ascending order", code="E_INDEX", where="keys")
            previous = current
        self._ordered = True


def _text(key: bytes) -> str:
    try:
        return key.decode()
    except UnicodeDecodeError as error:
        raise FormatError("an id is not valid UTF-8", code="E_INDEX", where="keys") from error


def _contradiction() -> FormatError:
    return FormatError("the keys contradict themselves", code="E_INDEX", where="keys")
