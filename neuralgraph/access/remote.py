"""A file behind a network, read by ranges: ``https://``, ``s3://`` and whatever else fsspec knows.

Opening asks for the size and then for the last 64 KiB. What is read later is said first (``expect``), so that ranges
that lie close become one request, and those that do not are under way at the same time. A file that is read in order is
requested in ever larger blocks, and the next ones are under way while one is decoded, without a thread of its own; so
is what ``begin`` is told of. What fails for the moment is tried again. Memory of a file: what came last (``KEPT``, or
all up to ``WHOLE``), and what is under way (``AHEAD`` in order, ``MOST_UNDER_WAY`` that nobody waits for).
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from itertools import pairwise
from typing import Any, TypeVar

from neuralgraph.access.attempts import ShortAnswerError, attempted, failures, reason
from neuralgraph.access.descriptor import FORK_LOCK
from neuralgraph.access.file_system import WEB, file_system
from neuralgraph.access.pieces import MOST_TOGETHER, NEAR, Pieces, Range, merged
from neuralgraph.access.places import place_name
from neuralgraph.access.under_way import Request, UnderWay
from neuralgraph.errors import FormatError, StudyError

__all__ = ["RemoteSource", "time_limit"]

TIMEOUT = 30.0
"""Seconds that a server may take for a request, all attempts together, and for each further MiB of it."""
MEBIBYTE = 2**20
SUFFIX = 2**16
"""Bytes of the end, and of the beginning where it is read, that are fetched at once and kept."""
FIRST_BLOCK = 2**18
"""Bytes of the second request of a file that is read in order; each further one has four times as many."""
LARGEST_BLOCK = 2**22
"""Bytes of the largest of them."""
AHEAD = 2**24
"""Bytes of a file that is read in order that are under way, or here and not yet read."""
MOST_UNDER_WAY = 2**26
"""Bytes that are under way and not needed yet: the oldest, which nobody came for, are let go for more."""
KEPT = 2**25
"""Bytes that have come and are kept, because threads that read batches are not always in order."""
WHOLE = 2**26
"""A file of at most so many bytes is fetched whole, and kept, as soon as a quarter of that has been spent on parts."""
LEAST_SPENT = 2**16
"""Bytes that a request counts for at least: the wait for it could have brought so many."""

_IDENTITY = ("size", "ETag", "etag", "Last-Modified", "LastModified", "mtime", "generation")
_Answer = TypeVar("_Answer")


def time_limit(timeout: float | None = None) -> float:
    """Seconds as given; ``TIMEOUT`` for None.

    Raises
    ------
    StudyError (E_NUM) : it is no positive number.
    """
    seconds = TIMEOUT if timeout is None else float(timeout)
    if not 0 < seconds < math.inf:
        raise StudyError("a time limit is a positive number of seconds", code="E_NUM", where="timeout")
    return seconds


class RemoteSource:
    """A file read by ranges through fsspec.

    Bytes are not believed because they came: whoever reads them verifies checksums, and records are compared with the
    leaf digests of the index that was read first (``Container.record``), so a file that is replaced meanwhile is found.
    A copy, an unpickled one and a forked process connect for themselves, and refuse an object that was replaced.

    Parameters
    ----------
    url : where the file is.
    options : of the file system (``fsspec.core.url_to_fs``), keys to a store for example. A pickle holds them.
    timeout : see ``TIMEOUT``, which None stands for. It ends requests of file systems that are asynchronous (HTTP, S3,
        Google, Azure); those of others take as long as they take.
    expected : what the server must say of the object; None takes it as it is.

    Raises
    ------
    FormatError (E_OPEN) : it cannot be read, does not say how long it is, or is not the one expected.
    StudyError (E_NUM) : ``timeout`` is no positive number.
    MissingExtraError (E_EXTRA) : fsspec, or what it needs for this scheme, is not installed.
    """

    far = True

    def __init__(
        self,
        url: str,
        *,
        options: Mapping[str, Any] | None = None,
        timeout: float | None = None,
        expected: Mapping[str, Any] | None = None,
    ) -> None:
        self.path = place_name(url)
        self._url, self._options = url, dict(options or {})
        self._timeout = time_limit(timeout)
        self._lock = threading.RLock()
        self._one_at_a_time = threading.Lock()
        self._queue: list[Range] = []
        self._pieces = Pieces()
        self._under_way = UnderWay()
        self._next, self._block, self._frontier, self._spent = -1, 0, -1, 0
        self._closed = False
        self._failures = failures()
        self._process = os.getpid()
        self._connect()
        self._identity = self._stated()
        size = self._identity["size"]
        if not isinstance(size, int) or size < 0:
            raise FormatError("the server does not say how long the file is", code="E_OPEN", where=self.path)
        if expected is not None and self._identity != expected:
            raise self._replaced()
        self.size: int = size
        self.at_hand_from = max(0, size - SUFFIX)
        if size:
            for start, data in self._fetch(Request([(self.at_hand_from, size)])):
                self._pieces.add(start, data, to_stay=True)

    def _connect(self) -> None:
        """The file system, as a process needs its own."""
        try:
            self._files, self._place, self._origin = file_system(self._url, self._options, self._timeout, self.path)
        except self._failures as error:
            raise self._refusal(error, self._timeout) from error

    def _stated(self) -> dict[str, Any]:
        """What the server says that changes when the file does."""
        files = self._origin
        files.invalidate_cache()
        if files.protocol == WEB:
            from neuralgraph.access.http import stated

            info = self._tried(lambda left: self._awaited(stated, files, self._place, left=left))
        elif getattr(files, "async_impl", False):
            info = self._tried(lambda left: self._awaited(files._info, self._place, left=left))
        else:
            info = self._tried(lambda _: files.info(self._place))
        if info.get("type") == "directory":
            raise FormatError("this is a folder; give the archives in it", code="E_OPEN", where=self.path)
        return {name: info.get(name) for name in _IDENTITY}

    @property
    def identity(self) -> dict[str, Any]:
        """What the server said of the object when it was opened first."""
        return dict(self._identity)

    def _awaited(self, question: Callable[..., Any], *arguments: Any, left: float) -> Any:
        from fsspec.asyn import sync

        return sync(self._origin.loop, question, *arguments, timeout=left)

    def _tried(self, action: Callable[[float], _Answer], amount: int = 0) -> _Answer:
        seconds = self._timeout * max(1.0, amount / MEBIBYTE)
        try:
            return attempted(action, seconds=seconds, failed=self._failures)
        except self._failures as error:
            raise self._refusal(error, seconds) from error

    def _refusal(self, error: Exception, seconds: float) -> FormatError:
        if isinstance(error, ShortAnswerError):
            # The server's doing, not the file's: E_TRUNCATED would call the file damaged.
            short = f"{error}: the server does not serve ranges, or the file became shorter meanwhile"
            return FormatError(short, code="E_OPEN", where=self.path)
        return FormatError(f"cannot read the file ({reason(error, seconds)})", code="E_OPEN", where=self.path)

    def _replaced(self) -> FormatError:
        reason = "the file was replaced after it was opened here; open it again"
        return FormatError(reason, code="E_OPEN", where=self.path)

    def _in_this_process(self) -> None:
        """Connect again after a fork: threads and connections stayed with the other process."""
        if self._process == os.getpid():
            return
        with FORK_LOCK.lock:
            if self._process != os.getpid():
                if not self._lock.acquire(blocking=False):
                    # Another thread was at them when the process was forked.
                    self._pieces = Pieces()
                self._lock, self._one_at_a_time = threading.RLock(), threading.Lock()
                self._queue, self._under_way = [], UnderWay()
                self._connect()
                if self._stated() != self._identity:
                    raise self._replaced()
                self._process = os.getpid()

    def read(self, offset: int, length: int) -> memoryview:
        """Exactly ``length`` bytes from ``offset``: those at hand, or of a new request.

        Raises
        ------
        FormatError (E_OPEN) : the file cannot be read.
        FormatError (E_OPEN) : it gives fewer or other bytes than it was asked for.
        """
        self._in_this_process()
        stop = offset + length
        request: Request | None = None
        while True:
            done = None if request is None else self._fetch(request)
            with self._lock:
                if self._closed:
                    raise FormatError("the file has been closed", code="E_OPEN", where=self.path)
                if request is not None and done is not None:
                    self._under_way.remove(request)
                    for start, data in done:
                        self._pieces.add(start, data)
                found = self._pieces.find(offset, stop) if length else memoryview(b"")
                if found is not None:
                    # Not before: what is read may be larger than what is kept.
                    if request is not None and self.size > WHOLE:
                        self._pieces.drop(max(KEPT, request.bytes))
                    self._went_on(offset, stop)
                    return found
                request = self._request_for(offset, stop)
                request.needed = True

    def _request_for(self, start: int, stop: int) -> Request:
        """What is under way of a range, or a new request for what is missing of it and of all that is expected."""
        if under_way := self._under_way.one_for(start, stop):
            return under_way
        if start == 0 and stop <= SUFFIX:
            return self._started(self._missing([(0, min(self.size, SUFFIX))]))
        asked, self._queue = [*self._queue, (start, stop)], []
        ranges = self._missing(asked)
        if self._follows(start) and all(after[0] - one[1] <= NEAR for one, after in pairwise(ranges)):
            self._block = min(LARGEST_BLOCK, max(FIRST_BLOCK, 4 * self._block))
            first, last = ranges[0][0], ranges[-1][1]
            end = max(last, min(self._end_of(stop), first + self._block))
            ranges = self._missing([*ranges, (last, end)])
            self._frontier = end
        else:
            self._block, self._frontier = 0, -1
            self._spent += sum(max(last - first, LEAST_SPENT) for first, last in ranges)
            if self.size <= WHOLE and 4 * self._spent >= self.size:
                # So much of a small file has been asked for that the rest may come too, in few requests.
                gaps = self._missing([(0, self.size)])
                first, last = gaps[0][0], gaps[-1][1]
                ranges = [(at, min(last, at + MOST_TOGETHER)) for at in range(first, last, MOST_TOGETHER)]
        return self._started(ranges)

    def _follows(self, start: int) -> bool:
        """Whether a file is being read in order, perhaps with gaps."""
        return 0 <= start - self._next <= max(NEAR, self._block // 4)

    def _end_of(self, stop: int) -> int:
        """Where what is asked for beyond a need ends: the end of the file is at hand."""
        return self.at_hand_from if stop <= self.at_hand_from else self.size

    def _missing(self, ranges: Sequence[Range]) -> list[Range]:
        """What of ranges is neither here nor under way; of those that lie close also what is between them."""
        left = merged(self._under_way.without(ranges))
        return merged(gap for start, stop in left for gap in self._pieces.gaps(start, stop))

    def _started(self, ranges: list[Range]) -> Request:
        request = Request(ranges, self._submitted(ranges))
        if request.answers is not None:
            self._under_way.let_go(MOST_UNDER_WAY)
            self._under_way.add(request)
        return request

    @property
    def _in_background(self) -> bool:
        """Whether the file system can do something meanwhile; one that keeps files on disk does it itself."""
        return self._files is self._origin and bool(getattr(self._files, "async_impl", False))

    def _submitted(self, ranges: list[Range]) -> Future[list[Any]] | None:
        """Ask in the background, where the file system can."""
        if not self._in_background:
            return None
        from asyncio import run_coroutine_threadsafe  # takes longer to import than opening a local file

        starts, stops = (list(bounds) for bounds in zip(*ranges, strict=True))
        asking = self._files._cat_ranges([self._place] * len(ranges), starts, stops, on_error="return")
        return run_coroutine_threadsafe(asking, self._files.loop)

    def _went_on(self, start: int, stop: int) -> None:
        """Note how far reading has come; in order, ask for the next block while this one is used."""
        if not self._block or start >= self._next or self._next - stop > AHEAD:
            self._next = stop
        if self._block <= FIRST_BLOCK or self._frontier < stop or not self._in_background:
            return
        end = self._end_of(stop)
        while self._frontier < end and self._frontier + self._block - stop <= AHEAD:
            begin, self._frontier = self._frontier, min(end, self._frontier + self._block)
            self._block = min(LARGEST_BLOCK, 4 * self._block)
            if ranges := self._missing([(begin, self._frontier)]):
                self._started(ranges)

    def expect(self, offset: int, length: int) -> None:
        """Ask for these bytes with the next request."""
        self._in_this_process()
        with self._lock:
            if self._pieces.gaps(offset, offset + length):
                self._queue.append((offset, offset + length))

    def begin(self) -> None:
        """Ask now for what is expected, where the file system can do that in the background."""
        self._in_this_process()
        if not self._in_background:
            return
        with self._lock:
            queue, self._queue = self._queue, []
            ranges = self._missing(queue)
            if ranges and not self._closed:
                self._started(ranges)

    def _fetch(self, request: Request) -> list[tuple[int, memoryview]]:
        """The bytes of ranges, all under way at the same time; what fails for the moment is asked for again."""
        done: dict[int, bytes] = {}
        begun = request.answers

        def attempt(left: float) -> None:
            nonlocal begun
            missing = [(start, stop) for start, stop in request.ranges if start not in done]
            failed: Exception | None = None
            begun, answers = None, self._answers(missing, begun, left)
            for (start, stop), answer in zip(missing, answers, strict=True):
                if isinstance(answer, Exception):
                    failed = answer
                elif len(answer) != stop - start:
                    failed = ShortAnswerError(f"{len(answer)} bytes came, {stop - start} were asked for")
                else:
                    done[start] = bytes(answer)
            if failed is not None:
                raise failed

        try:
            self._tried(attempt, request.bytes)
        except BaseException:
            with self._lock:
                self._under_way.remove(request)
            raise
        return [(start, memoryview(done[start])) for start, _ in request.ranges]

    def _answers(self, ranges: list[Range], begun: Future[list[Any]] | None, left: float) -> list[Any]:
        asked = self._submitted(ranges) if begun is None else begun
        if asked is not None:
            try:
                return asked.result(timeout=left)
            except TimeoutError:
                asked.cancel()
                raise
            except CancelledError:
                if not self._closed:
                    # Another thread, whose time was over, has given up what both waited for.
                    raise TimeoutError from None
                reason = "the file was closed while it was read"
                raise FormatError(reason, code="E_OPEN", where=self.path) from None
        starts, stops = (list(bounds) for bounds in zip(*ranges, strict=True))
        with self._one_at_a_time:
            answers = list(self._files.cat_ranges([self._place] * len(ranges), starts, stops, on_error="return"))
            if self._files is not self._origin and any(isinstance(answer, Exception) for answer in answers):
                # It has noted blocks as present that did not come.
                with suppress(*self._failures):
                    self._files.pop_from_cache(self._place)
        return answers

    def close(self) -> None:
        """Forget what has come; harmless when closed already."""
        if self._process != os.getpid():
            # The lock may be another process's.
            self._closed = True
            return
        with self._lock:
            self._closed = True
            self._pieces.clear()
            self._queue = []
            self._under_way.clear()

    def __enter__(self) -> RemoteSource:
        """The source itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy connects for itself.

        Raises
        ------
        TypeError : it has been closed.
        """
        if self._closed:
            raise TypeError(f"a closed file cannot be copied or pickled, open it again: {self.path}")
        return _opened_again, (self._url, self._options, self._timeout, self._identity)


def _opened_again(url: str, options: dict[str, Any], timeout: float, expected: dict[str, Any]) -> RemoteSource:
    return RemoteSource(url, options=options, timeout=timeout, expected=expected)
