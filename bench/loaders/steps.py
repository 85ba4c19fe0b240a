"""Measurements of this project's loader alone: where its time goes, threads, opening, splits."""

from __future__ import annotations

import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

import neuralgraph as ng
from bench.loaders.clock import clocked, exhaust
from bench.loaders.data import LABELS
from bench.loaders.memory import BATCH
from neuralgraph.adapters.pyg import ArchiveLoader
from neuralgraph.adapters.pyg.batch import Batcher
from neuralgraph.batches import kernel
from neuralgraph.batches.reader import BatchReader
from neuralgraph.codecs.floating import FLOAT32
from neuralgraph.container.encode import encode_record
from neuralgraph.container.writer import ContainerWriter

__all__ = ["cold_round", "epochs_round", "opening_round", "split_seconds", "steps_round", "threads_round"]

STEPS = {
    "read": "headers, graphs and compressed planes read and verified",
    "decompress": "zstd frames decompressed",
    "graphs": "graphs laid out, their rules checked",
    "missing": "feature vectors of concepts found",
    "fill": "arrays filled; stored planes read, verified, widened",
}
"""Steps of the kernel, and what they do."""


class _TimedReader:
    """A reader of the kernel that notes how long its steps take."""

    def __init__(self, reader: Any, seconds: dict[str, float]) -> None:
        self._reader, self._seconds = reader, seconds

    def __getattr__(self, name: str) -> Any:
        step, seconds = getattr(self._reader, name), self._seconds
        if name not in STEPS:
            return step

        def timed(*arguments: Any) -> Any:
            began = time.thread_time()
            try:
                return step(*arguments)
            finally:
                seconds[name] += time.thread_time() - began

        return timed


@contextmanager
def timed_steps(seconds: dict[str, float]) -> Iterator[None]:
    """Benches that are made meanwhile note how long the steps of the kernel take."""
    plain = kernel._Bench.__init__

    def timed(self: Any) -> None:
        plain(self)
        decompress = self.decompress

        def timed_decompress(frame: Any) -> bytes:
            began = time.thread_time()
            try:
                return decompress(frame)
            finally:
                seconds["decompress"] += time.thread_time() - began

        self.reader, self.decompress = _TimedReader(self.reader, seconds), timed_decompress

    kernel._Bench.__init__ = timed  # type: ignore[method-assign]
    try:
        yield
    finally:
        kernel._Bench.__init__ = plain  # type: ignore[method-assign]


def steps_round(path: Path, order: np.ndarray) -> dict[str, float]:
    """CPU microseconds a study: each step, all of a batch, and a bare read of the records and a bare write of x."""
    seconds: dict[str, float] = defaultdict(float)
    with timed_steps(seconds), BatchReader(path, labels=LABELS) as reader:
        batcher = Batcher(reader)
        exhaust(batcher.batch(order[at : at + BATCH]) for at in range(0, len(order), BATCH))
        seconds.clear()
        chunks = [order[at : at + BATCH] for at in range(0, len(order), BATCH)]
        _, whole = clocked(lambda: exhaust(batcher.batch(chunk) for chunk in chunks))
        parts = {**seconds, "whole": whole}
        (_, source, container), *_ = reader.archive.files
        places = [container.index.place(int(position)) for position in order]
        room = memoryview(bytearray(max(length for _, length in places)))
        with source.at_work() as descriptor:
            _, reading = clocked(lambda: [os.preadv(descriptor, [room[:length]], at) for at, length in places])
        x = batcher.batch(order[:BATCH]).x.numpy()
        _, writing = clocked(lambda: [x.fill(0) for _ in chunks])
    parts |= {"bare read": reading, "bare write of x": writing}
    return {name: 1e6 * value / len(order) for name, value in parts.items()}


def threads_round(path: Path, n_batches: int) -> dict[str, float]:
    """Graphs per second of the loader without threads, with one and with two."""
    rates = {}
    for workers in (0, 1, 2):
        loader = ArchiveLoader(path, batch_size=BATCH, shuffle=True, seed=9, num_workers=workers, labels=LABELS)
        exhaust(loader)
        loader.set_epoch(0)
        wall, _ = clocked(
            lambda loader=loader: exhaust(batch for batch, _ in zip(loader, range(n_batches), strict=False))
        )
        rates[str(workers)] = min(n_batches, len(loader)) * BATCH / wall
    return rates


def epochs_round(path: Path) -> dict[str, float]:
    """Graphs per second of the first epoch over all studies after opening, and of the second."""
    loader = ArchiveLoader(path, batch_size=BATCH, shuffle=True, labels=LABELS)
    (first_wall, first_cpu), (later_wall, later_cpu) = (clocked(lambda: exhaust(loader)) for _ in range(2))
    seconds = {"first_wall": first_wall, "first_cpu": first_cpu, "later_wall": later_wall, "later_cpu": later_cpu}
    return {name: loader.n_studies / value for name, value in seconds.items()}


def opening_round(path: Path) -> dict[str, float]:
    """Milliseconds to open an archive and make the first graph: the names of labels to be learnt, and given."""

    def first(labels: Any) -> None:
        with BatchReader(path, labels=labels) as reader:
            Batcher(reader).data(0)

    return {
        name: 1e3 * clocked(lambda given=given: first(given))[0]
        for name, given in (("learnt", None), ("given", LABELS))
    }


def cold_round(path: Path, positions: np.ndarray) -> dict[str, float]:
    """One study that is in no cache: through the reader, and as a bare read of its record."""
    with BatchReader(path, labels=LABELS) as reader:
        batcher = Batcher(reader)
        (_, source, container), *_ = reader.archive.files
        batcher.data(int(positions[-1]))
        bare, read = [], []
        for number, position in enumerate(positions[:-1].tolist()):
            offset, length = container.index.place(position)
            with source.at_work() as descriptor:
                os.posix_fadvise(descriptor, offset, length, os.POSIX_FADV_DONTNEED)
            if number % 2:
                bare.append(clocked(lambda o=offset, n=length: source.read(o, n))[0])
            else:
                read.append(clocked(lambda p=position: batcher.data(p))[0])
    return {"read_us": 1e6 * median(read), "bare_us": 1e6 * median(bare), "ratio": median(read) / median(bare)}


def split_seconds(study: ng.Study, count: int) -> float:
    """Seconds to open a loader of ``count`` ids, in another order, of an archive of so many studies."""
    small = replace(study, patches=study.patches.first(1), fusion=None)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.ngr")
        with path.open("wb") as stream:
            writer = ContainerWriter(stream)
            for number in range(count):
                columns = replace(small, study_id=f"study-{number:07d}").columns()
                record = encode_record(columns, embedding=FLOAT32, concept_vectors=FLOAT32)
                writer.add(record, study_id=f"study-{number:07d}", method=columns.method)
            writer.finish()
        ids = [f"study-{number:07d}" for number in np.random.default_rng(0).permutation(count).tolist()]
        return clocked(lambda: ArchiveLoader(path, split=ids, labels=LABELS))[0]
