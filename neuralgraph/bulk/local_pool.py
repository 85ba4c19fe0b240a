"""Worker processes: each has one study in hand, is watched, and is replaced when it dies.

The model is loaded once per worker and films are decoded where they are used. Decoding is a fifth of the work of a
study (bench/results/bulk.json): with the model in one process, that process would be what all others wait for, and
pixels would have to cross a pipe.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

from neuralgraph.bulk.pool import PATIENCE, Worker, greeted, least_busy
from neuralgraph.bulk.settings import ConversionSettings
from neuralgraph.bulk.task import FAILURES, Answer, Task, read_answer, task_line
from neuralgraph.errors import ModelError

__all__ = ["WORKER", "WorkerPool"]

WORKER: tuple[str, ...] = (sys.executable, "-m", "neuralgraph.bulk.worker")
"""The command that starts a worker."""

_CHUNK = 1 << 16
_THREADS = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")


@dataclass(eq=False, kw_only=True)
class _Process(Worker):
    process: subprocess.Popen[bytes]
    unread: bytearray = field(default_factory=bytearray)


class WorkerPool:
    """Worker processes of this machine; a ``Pool``.

    Parameters
    ----------
    settings : sent to every worker.
    number : of workers.
    command : that starts one; ``WORKER`` unless a test has its own.
    time_limit : seconds a study may take.
    inherited : descriptors that workers keep open, so that a lock lasts as long as the last of them.
    verbose : let through what workers write to stderr. Libraries quote headers there, so it is off by default.
    """

    def __init__(
        self,
        settings: ConversionSettings,
        number: int,
        *,
        command: Sequence[str] = WORKER,
        time_limit: float = 300.0,
        inherited: Sequence[int] = (),
        verbose: bool = False,
    ) -> None:
        self._settings = settings
        self._number = number
        self._command = tuple(command)
        self._time_limit = time_limit
        self._inherited = tuple(inherited)
        self._verbose = verbose
        self._workers: list[_Process] = []
        self._selector = selectors.DefaultSelector()
        self.method: dict[str, Any] | None = None
        """What identifies model and extractor; known once the first worker is ready."""

    def __enter__(self) -> WorkerPool:
        """Start the workers; they load their models side by side."""
        try:
            for _ in range(self._number):
                self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End the workers; one that is busy is ended too, and leaves no part of a file."""
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            self._forget(worker)
        self._workers.clear()
        self._selector.close()

    def _start(self) -> _Process:
        process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if self._verbose else subprocess.DEVNULL,
            pass_fds=self._inherited,
            env={**os.environ, **_THREADS},
        )
        worker = _Process(process=process)
        self._workers.append(worker)
        assert process.stdout is not None
        self._selector.register(process.stdout, selectors.EVENT_READ, worker)
        self._send(worker, json.dumps(asdict(self._settings)).encode() + b"\n")
        return worker

    def _send(self, worker: _Process, line: bytes) -> None:
        assert worker.process.stdin is not None
        # A worker that is gone is noticed where its answers are read.
        with suppress(BrokenPipeError):
            worker.process.stdin.write(line)
            worker.process.stdin.flush()

    def _forget(self, worker: _Process) -> None:
        assert worker.process.stdout is not None
        assert worker.process.stdin is not None
        if worker.process.stdout in self._selector.get_map():
            self._selector.unregister(worker.process.stdout)
        worker.process.stdout.close()
        with suppress(BrokenPipeError):
            worker.process.stdin.close()
        worker.process.wait()

    @property
    def idle(self) -> bool:
        """A worker is ready and can take a study."""
        return any(worker.has_room for worker in self._workers)

    def give(self, task: Task) -> None:
        """Hand a study to the worker that has least to do; ``idle`` says whether there is one."""
        worker = least_busy(self._workers)
        if not worker.tasks:
            worker.since = time.monotonic()
        worker.tasks.append(task)
        self._send(worker, task_line(task))

    def answers(self) -> Iterator[Answer]:
        """What has been answered by now; waits up to half a second for the first.

        Raises
        ------
        ModelError, MissingExtraError : the workers cannot load their model.
        """
        for key, _ in self._selector.select(PATIENCE):
            worker: _Process = key.data
            chunk = os.read(key.fd, _CHUNK)
            worker.unread += chunk
            while (end := worker.unread.find(b"\n")) >= 0:
                line = bytes(worker.unread[:end])
                del worker.unread[: end + 1]
                if worker.method is None:
                    self._greet(worker, line)
                else:
                    del worker.tasks[0]
                    worker.since = time.monotonic()
                    yield read_answer(line)
            if not chunk:
                yield from self._replace(worker, "worker_died")
        now = time.monotonic()
        for worker in list(self._workers):
            if worker.tasks and worker.method is not None and now - worker.since > self._time_limit:
                worker.process.kill()
                yield from self._replace(worker, "time_limit")

    def _greet(self, worker: _Process, line: bytes) -> None:
        worker.method = self.method = greeted(line, self.method)
        worker.since = time.monotonic()
        for task in worker.tasks:
            self._send(worker, task_line(task))

    def _replace(self, worker: _Process, reason: str) -> Iterator[Answer]:
        """Put a new worker in the place of one that is gone; its study has failed."""
        self._workers.remove(worker)
        self._forget(worker)
        if worker.method is None:
            raise ModelError(
                f"a worker ended with status {worker.process.returncode} before it was ready; "
                "run with --verbose, or see what 'ngr doctor' says",
                code="E_MODEL",
            )
        # What waited behind the study in hand waits for the new worker.
        self._start().tasks += worker.tasks[1:]
        if worker.tasks:
            yield Answer(worker.tasks[0].study_id, reason, FAILURES[reason])
