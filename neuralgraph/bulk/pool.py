"""A pool of workers: what a run asks of one, whatever its workers are, and what all kinds of workers have in common."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from neuralgraph.bulk.task import Answer, Task
from neuralgraph.errors import MissingExtraError, ModelError

__all__ = ["PATIENCE", "Pool", "Worker", "greeted", "least_busy"]

PATIENCE = 0.5
"""Seconds that ``Pool.answers`` waits for the first answer."""
_AT_ONCE = 2
"""Studies of a worker: one in hand and one behind it, so that it never waits for the parent and nothing piles up."""

_Kind = TypeVar("_Kind", bound="Worker")


class Pool(Protocol):
    """Workers, started on entry and ended on exit."""

    method: dict[str, Any] | None
    """What identifies model and extractor; known once the first worker is ready."""

    def __enter__(self) -> Self:
        """Start the workers; they load their models side by side."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the workers; one that is busy is ended too, and leaves no part of a file."""

    @property
    def idle(self) -> bool:
        """A worker is ready and can take a study."""

    def give(self, task: Task) -> None:
        """Hand a study to the worker that has least to do; ``idle`` says whether there is one."""

    def answers(self) -> Iterator[Answer]:
        """What has been answered by now; waits up to half a second for the first.

        Raises
        ------
        ModelError, MissingExtraError : the workers cannot load their model.
        OutputError (E_OUTPUT) : there is no room for a single worker.
        """


@dataclass(eq=False, kw_only=True)
class Worker:
    """One worker, as its pool sees it."""

    method: dict[str, Any] | None = None
    """What identifies its model and extractor; None until it is ready."""
    tasks: list[Task] = field(default_factory=list)
    """The studies it was given and has not answered, in order."""
    since: float = 0.0
    """When it began with the first of them, as ``time.monotonic`` tells it."""

    @property
    def has_room(self) -> bool:
        """It is ready and can take a study."""
        return self.method is not None and len(self.tasks) < _AT_ONCE


def least_busy(workers: Iterable[_Kind]) -> _Kind:
    """Of the workers that have room the one that has least to do, the first of several."""
    return min((worker for worker in workers if worker.has_room), key=lambda worker: len(worker.tasks))


def greeted(line: bytes, known: dict[str, Any] | None) -> dict[str, Any]:
    """What the first line of a worker says of its method.

    Parameters
    ----------
    line : as ``worker.serve`` writes it.
    known : what the workers before it said; None before the first.

    Raises
    ------
    ModelError, MissingExtraError : it cannot load its model, or has loaded another one than the others.
    """
    greeting = json.loads(line)
    if "code" in greeting:
        kind = MissingExtraError if greeting["code"] == "E_EXTRA" else ModelError
        code = greeting["code"] if greeting["code"].startswith(("E_EXTRA", "E_MODEL")) else "E_MODEL"
        raise kind(greeting["message"], code=code)
    method: dict[str, Any] = greeting["method"]
    if known is not None and method != known:
        raise ModelError(
            "the files of the model changed while workers loaded them; start again", code="E_MODEL", where="model"
        )
    return method
