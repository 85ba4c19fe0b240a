"""Whole batches straight from an archive, without a Python object per study and without collating."""

from __future__ import annotations

import hashlib
import os
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from operator import index
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from neuralgraph.access.places import lasting_places
from neuralgraph.adapters.pyg.batch import Batcher
from neuralgraph.batches.pruning import Pruning
from neuralgraph.batches.reader import BatchReader
from neuralgraph.errors import StudyError
from neuralgraph.storage.identity import ArchiveIdentity, check_same, content_digest, identity_of
from neuralgraph.storage.opening import open_archive

__all__ = ["ArchiveLoader"]

_FORESEEN = 64
"""Studies that are fetched from far away while so many are used."""


class ArchiveLoader:
    """Mini-batches of the studies of a file, an archive or a folder of them.

    Every batch equals ``Batch.from_data_list([to_data(study, ...) for ...])``, attribute by attribute, and can be taken
    apart with ``to_data_list``. A study without patches takes the width of the archive for its concepts.

    The loader counts epochs: each complete iteration adds one, and the order depends on ``seed`` and ``epoch`` alone.
    An iteration that is left early does not count, and the next one begins at its start.

    Parameters
    ----------
    path : what ``neuralgraph.open`` takes.
    batch_size : studies of a batch.
    shuffle, seed, epoch : a new order for every epoch, the same for the same seed and epoch.
    labels, uncertain, concept_features, split : as for ``StudyDataset``. Without ``labels``, learning their names reads
        every study once.
    drop_last : leave out a last batch of fewer than ``batch_size``.
    columns : the attributes to read, e.g. ("x", "edge_index", "y"); None reads all. ``study_id``, ``concept_features``
        and ``num_nodes`` are always there. What is left out is not read from the file.
    retain, max_patches : keep that share of the grid's cells, or so many patches, of every study: what ``Study.prune``
        gives. All of an embedding is read, because its checksums cover all of it.
    num_workers : threads that prepare batches ahead; 0 prepares them when they are asked for.
    prefetch : batches that each thread keeps ready.
    pin_memory : put tensors in page-locked memory; ignored without CUDA.
    rank, world_size : this process and the number of processes of a distributed training. All get equally many studies:
        with ``drop_last`` the rest of the division is left out, otherwise the first studies of the order come twice.
    heterogeneous : batches of ``to_hetero_data``; concepts are as wide as patches.
    transform : applied to each batch, in the thread that prepared it.

    Raises
    ------
    FormatError, StudyError, StudyNotFoundError : as for ``neuralgraph.batches.reader.BatchReader``.
    """

    def __init__(  # noqa: PLR0913 - keywords of a loader, as PyTorch's has them: a training loop is written flat
        self,
        path: str | os.PathLike[str],
        *,
        batch_size: int = 1,
        shuffle: bool = False,
        seed: int = 0,
        epoch: int = 0,
        labels: Sequence[str] | None = None,
        uncertain: str = "mask",
        concept_features: str = "auto",
        split: Iterable[str] | None = None,
        drop_last: bool = False,
        columns: Iterable[str] | None = None,
        retain: float | None = None,
        max_patches: int | None = None,
        num_workers: int = 0,
        prefetch: int = 2,
        pin_memory: bool = False,
        rank: int = 0,
        world_size: int = 1,
        heterogeneous: bool = False,
        transform: Callable[[Any], Any] | None = None,
    ) -> None:
        # Of NumPy's numbers, and whatever else is a whole number, plain ones: a state is plain JSON.
        self.batch_size, self.epoch = _whole("batch_size", batch_size, 1), _whole("epoch", epoch, 0)
        self.seed, self.num_workers = _whole("seed", seed, 0), _whole("num_workers", num_workers, 0)
        self.prefetch, self.world_size = _whole("prefetch", prefetch, 1), _whole("world_size", world_size, 1)
        self.rank = _whole("rank", rank, 0)
        if self.rank >= self.world_size:
            raise StudyError(f"rank {rank} of {world_size} processes", code="E_NUM", where="rank")
        if isinstance(split, str):
            raise StudyError(f"split must be a list of study ids; write [{split!r}]", code="E_STUDY", where="split")
        self.path, self.shuffle, self.drop_last, self.transform = path, bool(shuffle), bool(drop_last), transform
        self._place = lasting_places(path)
        self._heterogeneous = heterogeneous
        self._pin = pin_memory and torch.cuda.is_available()
        self._options: dict[str, Any] = {
            "labels": None if labels is None else labels if isinstance(labels, str) else tuple(labels),
            "split": None if split is None else tuple(split),
            "uncertain": uncertain,
            "concept_features": concept_features,
            "columns": None if columns is None else tuple(columns),
            "pruning": Pruning(retain, max_patches),
            "y_as_saved": labels is None,
        }
        self._batcher: Batcher | None = None
        self._identity: ArchiveIdentity | None = None
        self._process = -1
        self._begin = self._position = 0
        reader = self._opened().reader
        reader.width  # noqa: B018  files that form no batch are refused here, not at the first batch
        self.n_studies = len(reader)
        """Studies of an epoch of all processes together."""
        self.label_names = reader.label_names
        """Names of the columns of ``y``."""
        self._options["labels"] = self.label_names
        self._matter = _matter(reader, self._options["split"])

    def _opened(self) -> Batcher:
        if self._batcher is None or self._process != os.getpid():
            archive = open_archive(self._place)
            weakref.finalize(self, archive.close)
            self._identity = self._identity or identity_of(archive)
            check_same(archive, self._identity)
            reader = BatchReader(archive, **self._options)
            self._batcher = Batcher(reader, heterogeneous=self._heterogeneous, pin_memory=self._pin)
            self._process = os.getpid()
        return self._batcher

    def _order(self) -> NDArray[np.int64]:
        """Numbers of the studies of this process in this epoch, in order."""
        order = np.arange(self.n_studies)
        if self.shuffle:
            order = np.random.default_rng([self.seed, self.epoch]).permutation(order)
        return np.resize(order, self._share() * self.world_size)[self.rank :: self.world_size]

    def _share(self) -> int:
        """Studies of one process."""
        whole, rest = divmod(self.n_studies, self.world_size)
        return whole if self.drop_last or not rest else whole + 1

    def __len__(self) -> int:
        """Number of batches of an epoch of this process."""
        whole, rest = divmod(self._share(), self.batch_size)
        return whole if self.drop_last or not rest else whole + 1

    def __iter__(self) -> Iterator[Any]:
        """The batches of one epoch, from the place that ``load_state_dict`` set or from the first.

        Raises
        ------
        FormatError, StudyError : a study is damaged, breaks a rule, or has no features of the kind asked for.
        """
        order, begin, self._begin = self._order(), self._begin, 0
        self._position = begin
        chunks = self._chunks(order, begin)
        for batch in self._ahead(chunks) if self.num_workers else map(self._make, chunks):
            # Counted before it is handed out: the state that is saved after a step is that behind its batch.
            self._position += 1
            yield batch
        self.epoch += 1
        self._position = 0

    def _chunks(self, order: NDArray[np.int64], begin: int) -> Iterator[NDArray[np.int64]]:
        """Studies of each batch. Out of order, a file behind a network is told some batches ahead."""
        reader = self._opened().reader
        step = self.batch_size * max(1, _FORESEEN // self.batch_size)
        told = begin * self.batch_size
        out_of_order = self._options["split"] is not None or bool((np.diff(order) != 1).any())
        for start in range(told, min(len(order), len(self) * self.batch_size), self.batch_size):
            if out_of_order and start >= told:
                reader.foresee(order[told : told + step], now=True)
                told += step
                reader.foresee(order[told : told + step], now=True)
            yield order[start : start + self.batch_size]

    def _make(self, numbers: NDArray[np.int64]) -> Any:
        batch = self._opened().batch(numbers)
        return batch if self.transform is None else self.transform(batch)

    def _ahead(self, chunks: Iterator[NDArray[np.int64]]) -> Iterator[Any]:
        """Batches in order, prepared by threads."""
        self._opened()
        pending: deque[Future[Any]] = deque()
        pool = ThreadPoolExecutor(self.num_workers, thread_name_prefix="ngr-loader")
        try:
            for chunk in chunks:
                pending.append(pool.submit(self._make, chunk))
                if len(pending) > self.num_workers * self.prefetch:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch of the next iteration.

        It begins at its first batch, unless it is the epoch that ``load_state_dict`` has just set: then it goes on
        where that state was taken, so that a loop may set every epoch, the resumed one too.
        """
        if index(epoch) != self.epoch or not self._begin:
            self.epoch, self._begin, self._position = index(epoch), 0, 0

    def _setting(self) -> dict[str, Any]:
        """What a state can only be loaded with."""
        names = ("batch_size", "shuffle", "seed", "drop_last", "rank", "world_size", "n_studies")
        return {name: getattr(self, name) for name in names} | self._matter

    def state_dict(self) -> dict[str, Any]:
        """Where the iteration stands, ready for JSON. ``position`` counts the batches of ``epoch`` handed out so far;
        behind the last one it is the beginning of the next epoch. The state also names what it must be loaded with:
        settings, labels, and digests of the split and of the content of the files.
        """
        ended = 0 < len(self) == self._position
        epoch, position = (self.epoch + 1, 0) if ended else (self.epoch, self._position)
        return {**self._setting(), "epoch": epoch, "position": position}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Have the next iteration go on behind the last batch handed out before ``state`` was taken.

        Raises
        ------
        StudyError (E_STUDY) : the state is that of a loader with other studies, labels or settings, or is no state.
        """
        if not isinstance(state, Mapping):
            raise StudyError("a state is what state_dict gave", code="E_STUDY", where="state")
        for name, value in self._setting().items():
            if state.get(name) != value:
                reason = f"the state is that of a loader with {name} {state.get(name)!r}, this one has {value!r}"
                raise StudyError(reason, code="E_STUDY", where="state")
        epoch, position = state.get("epoch"), state.get("position")
        if type(epoch) is not int or epoch < 0 or type(position) is not int or not 0 <= position <= len(self):
            raise StudyError(f"epoch {epoch!r}, batch {position!r} of {len(self)}", code="E_STUDY", where="state")
        self.epoch, self._begin, self._position = epoch, position, position

    def __getstate__(self) -> dict[str, Any]:
        """The state without open files: a copy, here or in another process, opens its own."""
        return {**self.__dict__, "_batcher": None}


def _whole(name: str, value: int, least: int) -> int:
    """A whole number of at least so much.

    Raises
    ------
    StudyError (E_NUM) : it is less.
    """
    number = index(value)
    if number < least:
        raise StudyError(f"{name} must be at least {least}, got {value}", code="E_NUM", where=name)
    return number


def _matter(reader: BatchReader, split: tuple[str, ...] | None) -> dict[str, Any]:
    """What batches are made of, for a state that must not be loaded with anything else: plain JSON."""
    return {
        "labels": list(reader.label_names),
        "split": None if split is None else hashlib.sha256("\n".join(split).encode()).hexdigest(),
        "content": content_digest(reader.archive),
    }
