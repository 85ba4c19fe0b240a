"""Graphs that were read from records, kept as the columns of a graphs section.

An archive without such a section has its light columns compressed in every record. What has been read once is kept, up
to a bound, so that later epochs read nothing but embeddings.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuralgraph.graph.table import Light, Vocabulary, starts, tabulate
from neuralgraph.storage.batches.selection import COUNTS

__all__ = ["KnownGraphs", "KnownSection", "Words"]

_ROOM = 16 << 20
"""Bytes of columns from which on no more graphs are kept; what stands in spare capacity comes on top."""
_STARTS = ("patch_start", "concept_start", "pair_start", "label_start", "feature_start")
_NARROW = {
    "patch_view": np.uint32,
    "concept_feature": np.uint32,
    "pair_source": np.uint32,
    "pair_target": np.uint32,
    "pair_type": np.uint8,
    "label_number": np.uint32,
}
"""Columns that are kept narrower than ``tabulate`` gives them."""


@dataclass(frozen=True)
class KnownSection:
    """What ``select`` reads of a graphs section; nothing here needs to be verified."""

    columns: dict[str, NDArray[Any]]
    head: dict[str, int]

    def runs(self, name: str, start: NDArray[np.int64], count: NDArray[np.int64]) -> NDArray[Any]:
        """The whole column ``name``."""
        del start, count
        return self.columns[name]


class _Grown:
    """Columns that grow; in the arrays that readers hold already, nothing moves."""

    def __init__(self) -> None:
        self.columns: dict[str, NDArray[Any]] = {}
        self._buffers: dict[str, NDArray[Any]] = {}

    def append(self, rows: Mapping[str, NDArray[Any]]) -> None:
        """Append rows to all columns."""
        self.columns = {name: self._appended(name, values) for name, values in rows.items()}

    def _appended(self, name: str, values: NDArray[Any]) -> NDArray[Any]:
        column = self.columns.get(name, values[:0])
        if name in _STARTS and len(column):
            # Where one run ends the next begins, so that only the first start of all stands before its run.
            values = values[1:] + column[-1]
        used, needed = len(column), len(column) + len(values)
        buffer = self._buffers.get(name)
        if buffer is None or len(buffer) < needed:
            buffer = np.empty((max(needed, 2 * used), *values.shape[1:]), _NARROW.get(name, values.dtype))
            buffer[:used] = column
            self._buffers[name] = buffer
        buffer[used:needed] = values
        return buffer[:needed]


class Words:
    """Concepts and labels met so far, and the features of the concepts as columns.

    Parameters
    ----------
    width : values of a concept's feature vector.
    """

    def __init__(self, width: int) -> None:
        self.vocabulary = Vocabulary(width)
        self.lock = threading.Lock()
        """To be held while graphs are tabulated with this vocabulary."""
        self._features = _Grown()
        self._n = 0

    def features(self) -> dict[str, NDArray[Any]]:
        """The columns, those of new words included."""
        places, values = (each[self._n :] for each in (self.vocabulary.places, self.vocabulary.values))
        if places or not self._n:
            self._features.append(
                {
                    "feature_start": starts(np.array([len(each) for each in places], np.int64)),
                    "feature_place": np.concatenate([np.empty(0, np.uint16), *places]),
                    "feature_value": np.concatenate([np.empty(0, np.float32), *values]),
                }
            )
            self._n = len(self.vocabulary.places)
        return self._features.columns


class KnownGraphs:
    """Columns of graphs by the number under which each was added; may be used by several threads at once.

    Parameters
    ----------
    words : of these graphs, and perhaps of others.
    """

    def __init__(self, words: Words) -> None:
        self.words = words
        self._graphs = _Grown()
        self._n = 0
        self.section = KnownSection({}, {})
        """Everything added so far; what is added later does not show in it."""

    @property
    def has_room(self) -> bool:
        """Whether more graphs are to be kept."""
        return sum(column.nbytes for column in self._graphs.columns.values()) < _ROOM

    def add(self, studies: Sequence[Light]) -> int:
        """Append graphs; the number of the first of them.

        Raises
        ------
        StudyError : as ``tabulate``; nothing is appended.
        """
        words = self.words
        with words.lock:
            table = tabulate(studies, words.vocabulary)
            counts = {name: np.array([getattr(each, name) for each, _ in studies], np.int64) for name in COUNTS}
            self._graphs.append(table | counts)
            columns = self._graphs.columns | words.features()
            head = {"width": words.vocabulary.width, "n_features": len(columns["feature_start"]) - 1}
            self.section = KnownSection(columns, head)
            first, self._n = self._n, self._n + len(studies)
            return first
