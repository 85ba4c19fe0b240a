"""Parts of a file that have come over a network: which there are, what is missing, and when the oldest are let go."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable

__all__ = ["MOST_TOGETHER", "NEAR", "Pieces", "Range", "merged"]

Range = tuple[int, int]
"""First byte, and the one behind the last."""
NEAR = 2**16
"""Ranges that lie closer than this are one request."""
MOST_TOGETHER = 2**23
"""Bytes of neighbouring ranges that become one request."""


def merged(ranges: Iterable[Range]) -> list[Range]:
    """The ranges in ascending order, those that overlap or lie close as one."""
    found: list[Range] = []
    for start, stop in sorted(ranges):
        if found:
            first, last = found[-1]
            if start < last or (start - last <= NEAR and stop - first <= MOST_TOGETHER):
                found[-1] = first, max(last, stop)
                continue
        found.append((start, stop))
    return found


class Pieces:
    """Bytes of a file by their place; no two pieces overlap. Not for several threads at once."""

    def __init__(self) -> None:
        self.clear()

    def add(self, start: int, data: memoryview, *, to_stay: bool = False) -> None:
        """Keep what is not there yet."""
        for first, last in self.gaps(start, start + len(data)):
            self._starts.insert(bisect_right(self._starts, first), first)
            self._data[first] = data[first - start : last - start]
            if not to_stay:
                self._order.append(first)
                self.bytes += last - first

    def find(self, start: int, stop: int) -> memoryview | None:
        """These bytes, a copy where they lie in several pieces; None where some are missing."""
        parts: list[memoryview] = []
        at = start
        while at < stop:
            number = bisect_right(self._starts, at) - 1
            if number < 0:
                return None
            first = self._starts[number]
            piece = self._data[first]
            if first + len(piece) <= at:
                return None
            parts.append(piece[at - first : stop - first])
            at = first + len(piece)
        return parts[0] if len(parts) == 1 else memoryview(b"".join(parts))

    def reach(self, start: int) -> int:
        """How far from ``start`` on everything is there."""
        while (number := bisect_right(self._starts, start) - 1) >= 0:
            first = self._starts[number]
            end = first + len(self._data[first])
            if end <= start:
                break
            start = end
        return start

    def gaps(self, start: int, stop: int) -> list[Range]:
        """What is missing of a range, in ascending order."""
        found = []
        while start < stop:
            covered = self.reach(start)
            if covered == start:
                number = bisect_right(self._starts, start)
                covered = min(stop, self._starts[number]) if number < len(self._starts) else stop
                found.append((start, covered))
            start = covered
        return found

    def drop(self, most: int) -> None:
        """Let the oldest go until at most so many bytes are left of those that may go."""
        while self.bytes > most:
            start = self._order.popleft()
            self.bytes -= len(self._data.pop(start))
            del self._starts[bisect_right(self._starts, start) - 1]

    def clear(self) -> None:
        """Let all go."""
        self._starts: list[int] = []
        self._data: dict[int, memoryview] = {}
        self._order: deque[int] = deque()
        """Starts of the pieces that may go, the oldest first."""
        self.bytes = 0
        """Of the pieces that may go."""
