"""The keys section: study ids of an archive, for lookup without reading records (FORMAT.md section 6.5)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from neuralgraph.container.layout import padding
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
    """Verified keys of ``n_records`` studies.

    Raises
    ------
    FormatError (E_INDEX) : the ordinals are no permutation or the ends do not ascend to the end of the ids.
    FormatError (E_DUP, E_TEXT) : ids are not in strictly ascending order, or not UTF-8.
    """

    def __init__(self, payload: memoryview, n_records: int) -> None:
        column = 4 * n_records + padding(4 * n_records)
        if len(payload) < 2 * column:
            raise FormatError("the keys are shorter than their columns", code="E_INDEX", where="keys")
        self._order = np.frombuffer(payload, "<u4", n_records)
        self._ends = np.frombuffer(payload, "<u4", n_records, column)
        self._ids = bytes(payload[2 * column :])
        self._ordered = False
        if any(payload[4 * n_records : column]) or any(payload[column + 4 * n_records : 2 * column]):
            raise FormatError("padding is not zero", code="E_COVER", where="keys")
        starts = np.append(0, self._ends[:-1].astype(np.int64))
        ends_in_place = (self._ends > starts).all() and int(self._ends[-1]) == len(self._ids)
        if not ends_in_place or not np.array_equal(np.sort(self._order), np.arange(n_records)):
            raise FormatError("the keys contradict themselves", code="E_INDEX", where="keys")

    def __len__(self) -> int:
        """Number of studies."""
        return len(self._order)

    def study_id(self, position: int) -> str:
        """Id of the study at ``position``.

        Raises
        ------
        FormatError (E_TEXT) : not UTF-8.
        """
        try:
            return self.study_id_bytes(position).decode()
        except UnicodeDecodeError as error:
            raise FormatError("an id is not valid UTF-8", code="E_TEXT", where="keys") from error

    def study_id_bytes(self, position: int) -> bytes:
        """Id of the study at ``position``, UTF-8."""
        start = int(self._ends[position - 1]) if position else 0
        return self._ids[start : int(self._ends[position])]

    def find(self, study_id: str) -> int | None:
        """Position of the study with this id, or None; O(log n) when it is there.

        Raises
        ------
        FormatError (E_DUP, E_INDEX) : nothing was found, and the ids are not in the order that a search needs.
        """
        wanted, low, high = study_id.encode(errors="surrogatepass"), 0, len(self._order)
        while low < high:
            middle = (low + high) // 2
            if self.study_id_bytes(int(self._order[middle])) < wanted:
                low = middle + 1
            else:
                high = middle
        if low < len(self._order) and self.study_id_bytes(int(self._order[low])) == wanted:
            return int(self._order[low])
        if not self._ordered:
            self.check_order()
        return None

    def check_order(self) -> None:
        """Prove that ids ascend strictly, so that lookups find what is there; O(n).

        Raises
        ------
        FormatError (E_DUP) : two are equal.
        FormatError (E_INDEX) : they descend.
        """
        previous: bytes | None = None
        for position in self._order.tolist():
            current = self.study_id_bytes(position)
            if current == previous:
                raise FormatError("two studies have the same id", code="E_DUP", where="keys")
            if previous is not None and current < previous:
                raise FormatError("ids are not in ascending order", code="E_INDEX", where="keys")
            previous = current
        self._ordered = True
