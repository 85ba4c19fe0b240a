"""Batches of any studies of a file, an archive, or a folder of them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from itertools import accumulate
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuralgraph.errors import FormatError, StudyError, StudyNotFoundError
from neuralgraph.graph.features import CONCEPT_FEATURES, FEATURISER, LEAST_WIDTH
from neuralgraph.graph.targets import check_targets
from neuralgraph.storage.archive import VERIFY, Archive
from neuralgraph.storage.batches.assembly import ATTRIBUTES, Allocate, GraphBatch, assemble, targets
from neuralgraph.storage.batches.embeddings import Widen, widen
from neuralgraph.storage.batches.pruning import Pruning
from neuralgraph.storage.batches.selection import Selection
from neuralgraph.storage.batches.shard import Records, Shard
from neuralgraph.storage.batches.single import SingleGraph
from neuralgraph.storage.files import located
from neuralgraph.storage.opening import open_archive

__all__ = ["BatchReader"]

_ALL = frozenset(ATTRIBUTES)
_GROUPS = {
    "patches": frozenset({"node_view", "pos", "attention"}),
    "pairs": frozenset({"edge_index", "edge_type", "fusion_edge_index"}),
    "labels": frozenset({"y", "y_mask"}),
    "features": frozenset({"x"}),
}


def _new(_: str, shape: tuple[int, ...], dtype: type[np.generic]) -> NDArray[Any]:
    return np.empty(shape, dtype)


class BatchReader:
    """Reads batches of graphs; may be used by several threads at once.

    Checksums are verified. The content digests of whole studies and the rules of the graph are not:
    ``neuralgraph.load``, ``open`` and ``validate`` do that.

    Parameters
    ----------
    path : what ``neuralgraph.open`` takes, or an open archive.
    labels : names of the columns of ``y``; None takes every label of the chosen studies, sorted by name, which is free
        with a graphs section and reads every study once without.
    split : ids of the studies to take, in this order; None takes all.
    uncertain, concept_features : as for ``adapters.pyg.to_data``.
    columns : the ``ATTRIBUTES`` to read; None reads all.
    pruning : patches to keep.
    verify : one of ``VERIFY``.
    widen : how stored values become float32.

    Raises
    ------
    FormatError : ``path`` cannot be opened, or is damaged.
    FormatError (E_SIZE) : files with embeddings of different widths.
    StudyNotFoundError (E_NOT_FOUND) : ``split`` names a study that is not there.
    StudyError (E_IDX, E_DUP, E_STUDY) : an argument cannot be meant.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | Archive,
        *,
        labels: Sequence[str] | None = None,
        split: Iterable[str] | None = None,
        uncertain: str = "mask",
        concept_features: str = "auto",
        columns: Iterable[str] | None = None,
        pruning: Pruning | None = None,
        verify: str = "first",
        widen: Widen = widen,
    ) -> None:
        check_targets(() if labels is None else labels, uncertain)
        _check_choice(concept_features, CONCEPT_FEATURES, "concept_features")
        _check_choice(verify, VERIFY, "verify")
        self.columns = _ALL if columns is None else frozenset(columns)
        for name in self.columns - _ALL:
            _check_choice(name, ATTRIBUTES, "columns")
        self._uncertain, self._concept_features = uncertain, concept_features
        self._pruning = pruning or Pruning()
        self._prunes = self._pruning != Pruning()
        groups = {group for group, names in _GROUPS.items() if names & self.columns}
        self._groups = frozenset(groups | ({"pairs", "patches"} if self._prunes and "pairs" in groups else set()))
        self._archive = path if isinstance(path, Archive) else open_archive(path)
        try:
            self._shards = []
            for file, source, container in self._archive.files:
                with located(file):
                    self._shards.append(Shard(source, container, always=verify == "always", widen=widen))
            self._names = [str(file) for file, _, _ in self._archive.files]
            self._ends = np.array(list(accumulate(map(len, self._shards))), np.int64)
            self.positions = np.arange(len(self._archive)) if split is None else self._positions_of(split)
            if labels is None:
                labels = sorted(self._all_labels(every=split is None), key=str.encode)
            self.label_names = tuple(labels)
            for shard in self._shards:
                shard.use_labels(list(self.label_names))
            self.width = self._width()
        except BaseException:
            self.close()
            raise

    def _width(self) -> int:
        widths = {shard.width() for shard in self._shards} - {0}
        if len(widths) > 1:
            reason = f"files with embeddings of different widths ({', '.join(map(str, sorted(widths)))}) form no batch"
            raise FormatError(reason, code="E_SIZE")
        return widths.pop() if widths else 0

    def _positions_of(self, split: Iterable[str]) -> NDArray[np.int64]:
        if isinstance(split, str):
            raise StudyError(f"split must be a list of study ids; write [{split!r}]", where="split")
        positions: dict[int, None] = {}
        for study_id in split:
            try:
                position = self._archive.position(study_id)
            except StudyNotFoundError as error:
                reason = f"split names {study_id!r}, which is not among {len(self._archive)} studies"
                raise StudyNotFoundError(reason, where="split") from error
            if position in positions:
                raise StudyError(f"split names {study_id!r} twice", code="E_DUP", where="split")
            positions[position] = None
        return np.array(list(positions), np.int64)

    def _all_labels(self, *, every: bool) -> set[str]:
        names: set[str] = set()
        owner = np.searchsorted(self._ends, self.positions, side="right")
        for number, shard in enumerate(self._shards):
            mine = self.positions[owner == number] - (self._ends[number] - len(shard))
            with located(self._names[number]):
                names |= shard.label_names(None if every else mine)
        return names

    def __len__(self) -> int:
        """Number of studies to read from: those of ``split``, or all."""
        return len(self.positions)

    def read(self, numbers: ArrayLike, *, allocate: Allocate = _new) -> GraphBatch:
        """The graphs of some studies as one batch.

        Parameters
        ----------
        numbers : int [B], at least one, positions among the studies to read from; any order, repetition allowed.
        allocate : makes the arrays.

        Raises
        ------
        StudyNotFoundError (E_NOT_FOUND) : no such study.
        ChecksumError, FormatError, CodecError, StudyError : a study is damaged or breaks a rule; or its concepts have
            no features of the kind asked for, see ``adapters.pyg.to_data``.
        """
        chosen = np.asarray(numbers, np.int64).reshape(-1)
        if not len(chosen) or int(chosen.min()) < 0 or int(chosen.max()) >= len(self):
            raise StudyNotFoundError(f"positions outside 0 to {len(self) - 1}, or none", where="batch")
        positions = self.positions[chosen]
        parts = self._parts(positions)
        selection, records = self._select(parts, positions)
        width = self.width
        arrays, node_start, pair_start, fusion_start, graph = assemble(selection, self.columns, width, allocate)
        stored = self._stored(selection)
        origins = ["stored" if each else FEATURISER for each in stored.tolist()]
        if "x" in self.columns:
            first = node_start[:-1]
            for (number, mine, local), read in zip(parts, records, strict=True):
                with located(self._names[number]):
                    shard = self._shards[number]
                    shard.read_embeddings(local, selection.n_patches[mine], first[mine], arrays["x"], read)
                    for study in mine[stored[mine] & (selection.n_concepts[mine] > 0)].tolist():
                        begin = int(first[study] + selection.n_patches[study])
                        vectors = shard.stored_vectors(int(local[np.searchsorted(mine, study)]))
                        _check_width(vectors.shape[1], width)
                        arrays["x"][begin : begin + len(vectors)] = vectors
        if self.columns & {"y", "y_mask"}:
            values, mask = targets(selection.label, self._uncertain)
            for name, column in (("y", values), ("y_mask", mask)):
                if name in self.columns:
                    arrays[name] = allocate(name, column.shape, column.dtype.type)
                    arrays[name][:] = column
        ids: list[str] = [""] * len(positions)
        for number, mine, local in parts:
            for study, study_id in zip(mine.tolist(), self._shards[number].study_ids(local), strict=True):
                ids[study] = study_id
        return GraphBatch(arrays, node_start, pair_start, fusion_start, graph, selection.n_patches, origins, ids)

    def read_single(self, number: int, *, allocate: Allocate = _new) -> SingleGraph:
        """One graph alone, at its second access for a fraction of what a batch of one costs.

        Parameters
        ----------
        number, allocate : as for ``read``, whose errors this has.
        """
        # What ``read`` prunes, looks up in records or refuses is left to it.
        general = self._prunes or self._concept_features == "stored" or self.width < LEAST_WIDTH
        if general or not 0 <= number < len(self):
            return self._as_single(number, allocate)
        position = int(self.positions[number])
        shard = int(np.searchsorted(self._ends, position, side="right")) if len(self._shards) > 1 else 0
        local = position - (int(self._ends[shard]) - len(self._shards[shard]))
        with located(self._names[shard]):
            single = self._shards[shard].single(
                local, self.columns, self.width, self._uncertain, self._concept_features, allocate
            )
        return single or self._as_single(number, allocate)

    def _as_single(self, number: int, allocate: Allocate) -> SingleGraph:
        batch = self.read([number], allocate=allocate)
        return SingleGraph(batch.arrays, int(batch.node_start[1]), batch.concept_features[0], batch.study_id[0])

    def _parts(self, positions: NDArray[np.int64]) -> list[tuple[int, NDArray[np.int64], NDArray[np.int64]]]:
        """For every file: its number, which studies of the batch it holds, and their positions in it."""
        if len(self._shards) == 1:
            return [(0, np.arange(len(positions)), positions)]
        owner = np.searchsorted(self._ends, positions, side="right")
        parts = []
        for number in np.unique(owner).tolist():
            mine = np.flatnonzero(owner == number)
            parts.append((number, mine, positions[mine] - (self._ends[number] - len(self._shards[number]))))
        return parts

    def _select(
        self, parts: list[tuple[int, NDArray[np.int64], NDArray[np.int64]]], positions: NDArray[np.int64]
    ) -> tuple[Selection, list[Records | None]]:
        selections, records = [], []
        for number, _, local in parts:
            with located(self._names[number]):
                selection, read = self._shards[number].select(local, self._groups, self.width)
                if self._prunes:
                    known = self._shards[number].fusion(local)
                    selection = self._pruning.pruned(selection, known)
                    self._shards[number].remember_fusion(local, known)
                selections.append(selection)
                records.append(read)
        if len(parts) == 1:
            return selections[0], records
        order = np.empty(len(positions), np.int64)
        order[np.concatenate([mine for _, mine, _ in parts])] = np.arange(len(positions))
        return Selection.joined(selections, order), records

    def _stored(self, selection: Selection) -> NDArray[np.bool_]:
        """bool [B]: the vectors of a study's concepts come from its record; see ``graph.features.concept_matrix``."""
        source, has = self._concept_features, selection.n_vectors > 0
        if source == "hash":
            stored = np.zeros(len(selection), bool)
        else:
            stored = has | (source == "stored")
        concepts = selection.n_concepts > 0
        if source == "stored" and (concepts & ~has).any():
            reason = "a study holds no concept vectors; ask for 'hash'"
            raise StudyError(reason, code="E_SIZE", where="concept_features")
        if "x" in self.columns and self.width < LEAST_WIDTH and (concepts & ~stored).any():
            reason = f"hashed concept features need a width of at least {LEAST_WIDTH}, got {self.width}"
            raise StudyError(reason, code="E_NUM", where="concept_features")
        return stored

    def close(self) -> None:
        """Close the files; harmless when closed already."""
        self._archive.close()

    def __enter__(self) -> BatchReader:
        """The reader itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the files."""
        self.close()


def _check_choice(value: str, choices: Sequence[str], where: str) -> None:
    if value not in choices:
        raise StudyError(f"{value!r} is none of {', '.join(choices)}", code="E_IDX", where=where)


def _check_width(stored: int, width: int) -> None:
    if stored != width:
        reason = f"the stored concept vectors have width {stored}, not {width}; ask for 'hash' to leave them aside"
        raise StudyError(reason, code="E_SIZE", where="concept_features")
