"""Study ids of an archive: a list that reads what is looked at, and the way from an id to a position."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from neuralgraph.access.files import located
from neuralgraph.container.reader import Container
from neuralgraph.errors import FormatError, StudyNotFoundError
from neuralgraph.storage.gate import Level, prove

__all__ = ["StudyIds", "study_id_at"]

_CHUNK = 2**13
"""Ids read together while all are listed."""
_SEARCHED = 64
"""A search for one id takes about as long as listing so many."""


def study_id_at(container: Container, position: int) -> str:
    """Id of a study, from the keys of an archive or from the record of a single file.

    Raises
    ------
    FormatError : keys or record are damaged.
    FormatError (E_TEXT) : the id is not UTF-8.
    """
    if container.keys is not None:
        return container.keys.study_id(position)
    try:
        return prove(container, position, level=Level.STREAMS).study_id.decode()
    except UnicodeDecodeError as error:
        raise FormatError("an id is not valid UTF-8", code="E_TEXT", where=f"record[{position}].study_id") from error


class StudyIds(Sequence[str]):
    """Ids of the studies of an archive, in order: a sequence that reads those that are asked for.

    ``list(ids)`` reads them all, and proves that no two files hold the same. Equal to any sequence of the same ids.

    Parameters
    ----------
    files : name and content of each file of the archive, in order.
    """

    def __init__(self, files: Sequence[tuple[str, Container]]) -> None:
        self._files = files
        self._starts = [0, *accumulate(len(container) for _, container in files)]
        self._singles: dict[str, int] | None = None

    def __len__(self) -> int:
        """Number of studies."""
        return self._starts[-1]

    @overload
    def __getitem__(self, key: int) -> str: ...

    @overload
    def __getitem__(self, key: slice) -> list[str]: ...

    def __getitem__(self, key: int | slice) -> str | list[str]:
        """Id of the study at a position, or ids of a slice; errors as ``study_id_at``."""
        if isinstance(key, slice):
            return [self._at(position) for position in range(*key.indices(len(self)))]
        if not -len(self) <= key < len(self):
            raise IndexError(f"position {key} of {len(self)} studies")
        return self._at(key % len(self))

    def place(self, position: int) -> tuple[int, int]:
        """Number of the file, and position in it, of the study at a position that is there."""
        number = bisect_right(self._starts, position) - 1
        return number, position - self._starts[number]

    def _at(self, position: int) -> str:
        number, within = self.place(position)
        name, container = self._files[number]
        with located(name):
            return study_id_at(container, within)

    def __iter__(self) -> Iterator[str]:
        """Ids in order.

        Raises
        ------
        FormatError (E_DUP) : two files hold a study of the same id.
        """
        several, seen = len(self._files) > 1, set()
        for position, study_id in enumerate(self._each()):
            if several and study_id in seen:
                raise self._repeated(study_id, [self._first(study_id), position])
            if several:
                seen.add(study_id)
            yield study_id

    def _first(self, study_id: str) -> int:
        """Position of the first study of an id that is there."""
        return next(position for position, each in enumerate(self._each()) if each == study_id)

    def _repeated(self, study_id: str, positions: Sequence[int]) -> FormatError:
        names = [self._files[self.place(position)[0]][0] for position in positions[:2]]
        reason = (
            f"two files hold a study with the id {study_id!r}: {names[0]} and {names[1]}; open one, or put them "
            "together with ngr pack --skip-equal, which takes what is equal once"
        )
        return FormatError(reason, code="E_DUP")

    def _each(self) -> Iterator[str]:
        for (name, container), start in zip(self._files, self._starts, strict=False):
            if len(container) == 1 or container.keys is None:
                yield self._at(start)
                continue
            for first in range(0, len(container), _CHUNK):
                with located(name):
                    chunk = container.keys.study_ids(first, min(first + _CHUNK, len(container)))
                yield from chunk

    def __eq__(self, other: object) -> bool:
        """Whether ``other`` is a sequence of the same ids."""
        if not isinstance(other, Sequence) or isinstance(other, str | bytes):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """The first ids, and how many there are."""
        shown = ", ".join(map(repr, self[:3])) + (", ..." if len(self) > 3 else "")
        return f"StudyIds([{shown}], {len(self)} in all)"

    def __contains__(self, item: object) -> bool:
        """Whether there is a study of this id."""
        return isinstance(item, str) and self.find(item) is not None

    def index(self, value: Any, start: int = 0, stop: int | None = None) -> int:
        """Position of an id.

        Raises
        ------
        ValueError : it is not there.
        """
        found = self.find(value) if isinstance(value, str) else None
        if found is None or found not in range(*slice(start, stop).indices(len(self))):
            raise ValueError(f"{value!r} is not among the ids")
        return found

    def find(self, study_id: str) -> int | None:
        """Position of the study of this id, or None.

        A file of several studies is searched in O(log n); files of one are all read at the first search.

        Raises
        ------
        FormatError (E_DUP) : two files hold a study of this id, or two files of one study have the same.
        FormatError : a file is damaged.
        """
        found = [self._single(study_id)]
        for (name, container), start in zip(self._files, self._starts, strict=False):
            if len(container) > 1:
                with located(name):
                    position = container.keys.find(study_id) if container.keys else None
                found.append(None if position is None else start + position)
        positions = [position for position in found if position is not None]
        if len(positions) > 1:
            raise self._repeated(study_id, positions)
        return positions[0] if positions else None

    def positions(self, study_ids: Sequence[str]) -> NDArray[np.int64]:
        """Positions of many ids, in their order; few are searched one by one, for many all ids are read once.

        Returns
        -------
        int64 [len(study_ids)].

        Raises
        ------
        StudyNotFoundError (E_NOT_FOUND) : one is not there; the first such is named.
        FormatError (E_DUP) : two files hold a study of the same id.
        FormatError : a file is damaged.
        """
        if _SEARCHED * len(study_ids) < len(self):
            found: list[int | None] = [self.find(study_id) for study_id in study_ids]
        else:
            known = {study_id: position for position, study_id in enumerate(self)}
            found = [known.get(study_id) for study_id in study_ids]
        for study_id, position in zip(study_ids, found, strict=True):
            if position is None:
                raise StudyNotFoundError(f"no study {study_id!r} among {len(self)}", where=study_id)
        return np.array(found, np.int64)

    def _single(self, study_id: str) -> int | None:
        if self._singles is None:
            singles: dict[str, int] = {}
            for (_, container), start in zip(self._files, self._starts, strict=False):
                if len(container) == 1:
                    single = self._at(start)
                    if single in singles:
                        raise self._repeated(single, [singles[single], start])
                    singles[single] = start
            self._singles = singles
        return self._singles.get(study_id)
