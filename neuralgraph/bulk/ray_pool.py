"""Workers on a Ray cluster, for when one machine is not enough: the same converter as an actor.

Ray carries a task and an answer as one line of JSON each; films are read and files written by the actor itself, so
every node must see source and destination under the same paths. Actors that the cluster has no
room for simply never get ready: the run goes on with those that do.

Ray's own habits are switched off: no usage statistics, no dashboard. Its processes listen on every interface, and there
is no way to tell them otherwise: a cluster that is started here answers only to a random token, which lives in the
environment of its processes. What libraries write in an actor would end up in Ray's log files, so it goes nowhere by
default.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

from neuralgraph.bulk.converter import MakerOf, default_maker
from neuralgraph.bulk.pool import PATIENCE, Worker, greeted, least_busy
from neuralgraph.bulk.ray_actor import ConverterActor
from neuralgraph.bulk.settings import ConversionSettings
from neuralgraph.bulk.task import FAILURES, Answer, Task, read_answer, task_line
from neuralgraph.errors import ModelError, OutputError, missing_extra

__all__ = ["RayPool"]

_START_PATIENCE = 300.0
_REACH_PATIENCE = 10.0
_SWITCHED_OFF = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}


@dataclass(eq=False, kw_only=True)
class _Actor(Worker):
    handle: Any
    greeting: Any
    answers: list[Any] = field(default_factory=list)
    """References to the answers, one for each of ``tasks``."""


class RayPool:
    """Actors on a Ray cluster; a ``Pool``.

    Parameters
    ----------
    settings : sent to every actor.
    number : of actors; each asks for one processor, and for one GPU where the model runs on "cuda".
    address : of a running cluster ("auto", "host:port"); "" starts one on this machine with ``number`` processors.
    make : gives the maker of studies, as for a worker.
    time_limit : seconds a study may take.
    verbose : let through what actors write.

    Raises
    ------
    MissingExtraError (E_EXTRA) : ray is not installed.
    OutputError (E_OUTPUT) : the cluster cannot be reached, or has no room for a single actor.
    """

    def __init__(
        self,
        settings: ConversionSettings,
        number: int,
        *,
        address: str = "",
        make: MakerOf = default_maker,
        time_limit: float = 300.0,
        verbose: bool = False,
    ) -> None:
        self._settings = settings
        self._number = number
        self._address = address
        self._make = make
        self._time_limit = time_limit
        self._verbose = verbose
        self._actors: list[_Actor] = []
        self._remote: Any = None
        self._ray: Any = None
        self._started = False
        self._entered = 0.0
        self.method: dict[str, Any] | None = None
        """What identifies model and extractor; known once the first actor is ready."""

    def __enter__(self) -> RayPool:
        """Reach or start the cluster, and start the actors."""
        os.environ.update(_SWITCHED_OFF)
        # Ray reads the token once, when it is imported.
        if not self._address and "RAY_AUTH_MODE" not in os.environ and "ray" not in sys.modules:
            os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=secrets.token_hex(32))
        try:
            import ray
        except ImportError as error:
            raise missing_extra("converting on a Ray cluster", extra="bulk", library="ray") from error
        self._ray = ray
        if not ray.is_initialized():
            self._connect()
        gpus = 1 if self._settings.device.startswith("cuda") else 0
        self._remote = ray.remote(num_cpus=1, num_gpus=gpus, max_restarts=0, max_task_retries=0)(ConverterActor)
        self._entered = time.monotonic()
        try:
            for _ in range(self._number):
                self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _connect(self) -> None:
        options: dict[str, Any] = {"log_to_driver": self._verbose, "logging_level": "ERROR"}
        if self._address:
            options["address"] = self._address
            self._check_reachable()
        else:
            options.update(
                address="local",
                num_cpus=self._number,
                include_dashboard=False,
                _node_ip_address="127.0.0.1",
                object_store_memory=100 * 1024 * 1024,
            )
        try:
            self._ray.init(**options)
        except (ConnectionError, RuntimeError, ValueError, OSError) as error:
            raise OutputError(
                "the Ray cluster cannot be reached", code="E_OUTPUT", where=self._address or "local"
            ) from error
        self._started = True

    def _check_reachable(self) -> None:
        """Refuse an address where nothing listens; Ray would go on trying for ten minutes."""
        host, _, port = self._address.rpartition(":")
        if "//" in host or not host or not port.isdecimal():
            return
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=_REACH_PATIENCE).close()
        except OSError as error:
            raise OutputError("the Ray cluster cannot be reached", code="E_OUTPUT", where=self._address) from error

    def __exit__(self, *_: object) -> None:
        """End the actors, and the cluster if it was started here."""
        for actor in self._actors:
            self._ray.kill(actor.handle)
        self._actors.clear()
        if self._started:
            self._ray.shutdown()

    def _start(self) -> _Actor:
        handle = self._remote.remote(json.dumps(asdict(self._settings)), self._make, verbose=self._verbose)
        actor = _Actor(handle=handle, greeting=handle.greeting.remote())
        self._actors.append(actor)
        return actor

    @property
    def idle(self) -> bool:
        """An actor is ready and can take a study."""
        return any(actor.has_room for actor in self._actors)

    def give(self, task: Task) -> None:
        """Hand a study to the actor that has least to do; ``idle`` says whether there is one."""
        self._send(least_busy(self._actors), task)

    def _send(self, actor: _Actor, task: Task) -> None:
        if not actor.tasks:
            actor.since = time.monotonic()
        actor.tasks.append(task)
        actor.answers.append(actor.handle.convert.remote(task_line(task)))

    def answers(self) -> Iterator[Answer]:
        """What has been answered by now; waits up to half a second for the first.

        Raises
        ------
        ModelError, MissingExtraError : the actors cannot load their model.
        OutputError (E_OUTPUT) : the cluster has had no room for a single actor for minutes.
        """
        waiting = {self._awaited(actor): actor for actor in self._actors if actor.method is None or actor.tasks}
        ready, _ = self._ray.wait(list(waiting), num_returns=1, timeout=PATIENCE) if waiting else ([], [])
        # One wait answers for one reference; others that are there by now are taken along.
        also, _ = self._ray.wait(list(waiting), num_returns=len(waiting), timeout=0) if ready else ([], [])
        for reference in also:
            actor = waiting[reference]
            try:
                line = self._ray.get(reference)
            except self._ray.exceptions.RayError:
                yield from self._replace(actor, "worker_died")
                continue
            if actor.method is None:
                actor.method = self.method = greeted(line, self.method)
            else:
                del actor.tasks[0], actor.answers[0]
                actor.since = time.monotonic()
                yield read_answer(line)
        now = time.monotonic()
        for actor in list(self._actors):
            if actor.tasks and now - actor.since > self._time_limit:
                self._ray.kill(actor.handle)
                yield from self._replace(actor, "time_limit")
        if self.method is None and now - self._entered > _START_PATIENCE:
            raise OutputError(
                "the Ray cluster has no room for a worker", code="E_OUTPUT", where=self._address or "local"
            )

    @staticmethod
    def _awaited(actor: _Actor) -> Any:
        return actor.greeting if actor.method is None else actor.answers[0]

    def _replace(self, actor: _Actor, reason: str) -> Iterator[Answer]:
        """Put a new actor in the place of one that is gone; its study has failed."""
        self._actors.remove(actor)
        with suppress(self._ray.exceptions.RayError):
            self._ray.kill(actor.handle)
        if actor.method is None:
            raise ModelError(
                "an actor ended before it was ready; run with --verbose, or see what 'ngr doctor' says", code="E_MODEL"
            )
        replacement = self._start()
        # An actor answers in order, and its greeting comes first: what waited can be sent at once.
        for task in actor.tasks[1:]:
            self._send(replacement, task)
        if actor.tasks:
            yield Answer(actor.tasks[0].study_id, reason, FAILURES[reason])
