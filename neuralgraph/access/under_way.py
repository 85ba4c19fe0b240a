"""Requests for parts of a file that are under way: what they will bring, and which of them nobody waits for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from neuralgraph.access.pieces import Range

__all__ = ["Request", "UnderWay"]


@dataclass(eq=False)
class Request:
    """Ranges that are under way, or that the thread that needs them will ask for."""

    ranges: list[Range]
    answers: Future[list[Any]] | None = None
    """Bytes or an exception for each of the ranges; None where the file system does nothing in the background."""
    needed: bool = False
    """Whether a thread waits for them."""

    @property
    def bytes(self) -> int:
        """How many were asked for."""
        return sum(stop - start for start, stop in self.ranges)


class UnderWay:
    """Requests in the order in which they were begun. Not for several threads at once."""

    def __init__(self) -> None:
        self._requests: list[Request] = []

    def __len__(self) -> int:
        """How many there are."""
        return len(self._requests)

    def __iter__(self) -> Iterator[Request]:
        """The requests, the oldest first."""
        return iter(self._requests)

    def add(self, request: Request) -> None:
        """One more."""
        self._requests.append(request)

    def remove(self, request: Request) -> None:
        """Forget one; harmless when it is forgotten already."""
        if request in self._requests:
            self._requests.remove(request)

    def one_for(self, start: int, stop: int) -> Request | None:
        """A request that brings some of this range."""
        for request in self._requests:
            if any(first < stop and start < last for first, last in request.ranges):
                return request
        return None

    def without(self, ranges: Iterable[Range]) -> list[Range]:
        """What is left of ranges."""
        left = list(ranges)
        for request in self._requests:
            left = [rest for each in left for rest in _without(each, request.ranges)]
        return left

    def let_go(self, most: int) -> None:
        """Cancel and forget the oldest that nobody waits for until at most so many bytes are under way."""
        total = sum(request.bytes for request in self._requests)
        for request in list(self._requests):
            if total <= most:
                return
            if not request.needed and request.answers is not None:
                self._requests.remove(request)
                request.answers.cancel()
                total -= request.bytes

    def clear(self) -> None:
        """Cancel and forget all."""
        requests, self._requests = self._requests, []
        for request in requests:
            if request.answers is not None:
                request.answers.cancel()


def _without(one: Range, others: Sequence[Range]) -> list[Range]:
    rest = [one]
    for first, last in others:
        rest = [
            part
            for start, stop in rest
            for part in ((start, min(stop, first)), (max(start, last), stop))
            if part[0] < part[1]
        ]
    return rest
