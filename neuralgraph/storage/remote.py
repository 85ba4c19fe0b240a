"""A file behind a network, read by ranges: ``https://``, ``s3://`` and whatever else fsspec knows.

Opening asks for the size and then for the last 64 KiB. What is read later is said first (``expect``), so that ranges
that lie close become one request, and those that do not are under way at the same time. A file that is read in order is
requested in ever larger blocks. What fails for the moment is tried again after a while.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from copy import deepcopy
from functools import partial
from typing import Any, TypeVar

from neuralgraph.errors import FormatError, StudyError, missing_extra
from neuralgraph.storage.attempts import ShortAnswerError, attempted, failures, reason
from neuralgraph.storage.descriptor import FORK_LOCK
from neuralgraph.storage.places import place_name

__all__ = ["TIMEOUT", "RemoteSource"]

TIMEOUT = 30.0
"""Seconds that a server may take for a request, all attempts together, and for each further MiB of it."""
MEBIBYTE = 2**20
SUFFIX = 2**16
"""Bytes of the end, and of the beginning where it is read, that are fetched at once and kept."""
NEAR = 2**16
"""Ranges that lie closer than this are one request."""
MOST_TOGETHER = 2**23
"""Bytes of neighbouring ranges that become one request."""
FIRST_BLOCK = 2**18
"""Bytes of the second request of a file that is read in order; each further one has four times as many."""

WHOLE = 2**26
"""A file of at most so many bytes is fetched whole, and kept, as soon as a quarter of that has been spent on parts."""
LEAST_SPENT = 2**16
"""Bytes that a request counts for at least: the wait for it could have brought so many."""

_IDENTITY = ("size", "ETag", "etag", "Last-Modified", "LastModified", "mtime", "generation")
_WEB = ("http", "https")
_LEFT_BEHIND: list[object] = []
"""File systems of a process that was forked: to end them would meddle with the connections of that process."""
_Answer = TypeVar("_Answer")


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
        self._timeout = TIMEOUT if timeout is None else float(timeout)
        if not 0 < self._timeout < math.inf:
            raise StudyError("a time limit is a positive number of seconds", code="E_NUM", where="timeout")
        self._lock = threading.RLock()
        self._queue: list[tuple[int, int]] = []
        self._kept: list[tuple[int, memoryview]] = []
        self._fetched: list[tuple[int, memoryview]] = []
        self._next, self._block, self._spent = -1, 0, 0
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
            self._kept += self._fetch([(self.at_hand_from, size)])

    def _connect(self) -> None:
        """The file system, as a process needs its own."""
        try:
            from fsspec.core import url_to_fs
        except ImportError as error:
            raise missing_extra("opening a URL", extra="remote", library="fsspec") from error
        scheme = self._url.split(":")[0]
        try:
            self._files, self._place = url_to_fs(self._url, **self._settings())
        except ImportError as error:
            raise missing_extra(
                f"opening {scheme}:// URLs", extra="remote", library=error.name or "a library"
            ) from error
        except ValueError as error:
            raise FormatError("no file system is known for this URL", code="E_OPEN", where=self.path) from error
        except self._failures as error:
            raise self._refusal(error, self._timeout) from error
        # A local cache in front answers from a listing of the folder, which a web server does not have.
        self._origin = getattr(self._files, "fs", self._files)
        if self._files is not self._origin:
            # A cache of blocks would take an error that is returned for the bytes.
            self._origin.cat_ranges = partial(self._origin.cat_ranges, on_error="raise")

    def _settings(self) -> dict[str, Any]:
        """Options of the file systems; those of the web read bodies within bounds."""
        settings: dict[str, Any] = deepcopy(self._options)
        for scheme in _WEB:
            if f"{scheme}://" in self._url:
                from neuralgraph.storage.http import bounded_client

                settings[scheme] = {"get_client": bounded_client(self._timeout), **settings.get(scheme, {})}
        return settings

    def _stated(self) -> dict[str, Any]:
        """What the server says that changes when the file does."""
        files = self._origin
        files.invalidate_cache()
        if files.protocol == _WEB:
            from neuralgraph.storage.http import stated

            info = self._tried(lambda left: self._awaited(stated, files, self._place, left=left))
        elif getattr(files, "async_impl", False):
            info = self._tried(lambda left: self._awaited(files._info, self._place, left=left))
        else:
            info = self._tried(lambda _: files.info(self._place))
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
        said = str(error) if type(error).__name__ == "WrongBodyError" else reason(error, seconds)
        return FormatError(f"cannot read the file ({said})", code="E_OPEN", where=self.path)

    def _replaced(self) -> FormatError:
        reason = "the file was replaced after it was opened here; open it again"
        return FormatError(reason, code="E_OPEN", where=self.path)

    def _in_this_process(self) -> None:
        """Connect again after a fork: threads and connections stayed with the other process."""
        if self._process == os.getpid():
            return
        with FORK_LOCK.lock:
            if self._process != os.getpid():
                _LEFT_BEHIND.append((self._files, self._origin))
                self._lock, self._queue = threading.RLock(), []
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
        with self._lock:
            if self._closed:
                raise FormatError("the file has been closed", code="E_OPEN", where=self.path)
            found = self._at_hand(offset, length)
            if found is None and offset == 0 and length <= SUFFIX:
                self._kept += self._fetch([(0, min(self.size, SUFFIX))])
                return self._kept[-1][1][:length]
            if found is None:
                queue, self._queue = _merged([*self._queue, (offset, offset + length)]), []
                if self._better_whole(queue):
                    whole = [(at, min(self.size, at + MOST_TOGETHER)) for at in range(0, self.size, MOST_TOGETHER)]
                    data = b"".join(piece for _, piece in self._fetch(whole))
                    self._kept, self._fetched = [(0, memoryview(data))], []
                else:
                    self._fetched = self._fetch(self._with_what_follows(queue))
                found = self._at_hand(offset, length)
                assert found is not None, "what was asked for is among what came"
            self._next = offset + length
            return found

    def _better_whole(self, ranges: list[tuple[int, int]]) -> bool:
        """Whether so much of a small file has been asked for that the rest may come too."""
        self._spent += sum(max(stop - start, LEAST_SPENT) for start, stop in ranges)
        return self.size <= WHOLE and 4 * self._spent >= self.size

    def _with_what_follows(self, ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """Of a file that is read in order, more than was asked for: the more, the longer it has been so."""
        start, stop = ranges[0]
        if len(ranges) > 1 or not 0 <= start - self._next <= max(NEAR, self._block // 4):
            self._block = 0
            return ranges
        self._block = min(MOST_TOGETHER, max(FIRST_BLOCK, 4 * self._block))
        end = self.at_hand_from if stop <= self.at_hand_from else self.size
        return [(start, max(stop, min(end, start + self._block)))]

    def _at_hand(self, offset: int, length: int) -> memoryview | None:
        for start, data in (*self._kept, *self._fetched):
            if start <= offset and offset + length <= start + len(data):
                return data[offset - start : offset - start + length]
        return None

    def expect(self, offset: int, length: int) -> None:
        """Ask for these bytes with the next request."""
        self._in_this_process()
        with self._lock:
            if self._at_hand(offset, length) is None:
                self._queue.append((offset, offset + length))

    def check_unchanged(self) -> None:
        """Ask anew what the server says of the file, and refuse one that has changed.

        Raises
        ------
        FormatError (E_OPEN) : it has.
        """
        self._in_this_process()
        if self._stated() != self._identity:
            raise self._replaced()

    def _fetch(self, ranges: list[tuple[int, int]]) -> list[tuple[int, memoryview]]:
        """The bytes of ranges, all under way at the same time."""
        done: dict[int, bytes] = {}

        def attempt(left: float) -> None:
            missing = [(start, stop) for start, stop in ranges if start not in done]
            failed: Exception | None = None
            for (start, stop), answer in zip(missing, self._answers(missing, left), strict=True):
                if isinstance(answer, Exception):
                    failed = answer
                elif len(answer) != stop - start:
                    failed = ShortAnswerError(f"{len(answer)} bytes came, {stop - start} were asked for")
                else:
                    done[start] = bytes(answer)
            if failed is not None:
                raise failed

        self._tried(attempt, sum(stop - start for start, stop in ranges))
        return [(start, memoryview(done[start])) for start, _ in ranges]

    def _answers(self, ranges: list[tuple[int, int]], left: float) -> list[Any]:
        starts, stops = (list(bounds) for bounds in zip(*ranges, strict=True))
        places = [self._place] * len(ranges)
        if self._files is self._origin and getattr(self._files, "async_impl", False):
            return list(self._awaited(self._files._cat_ranges, places, starts, stops, left=left))
        answers = list(self._files.cat_ranges(places, starts, stops, on_error="return"))
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
            self._kept, self._fetched, self._queue = [], [], []

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


def _merged(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The ranges in ascending order, those that overlap or lie close as one."""
    merged: list[tuple[int, int]] = []
    for start, stop in sorted(ranges):
        if merged:
            first, last = merged[-1]
            if start < last or (start - last <= NEAR and stop - first <= MOST_TOGETHER):
                merged[-1] = first, max(last, stop)
                continue
        merged.append((start, stop))
    return merged
