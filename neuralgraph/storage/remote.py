"""A file behind a network, read by ranges: ``https://``, ``s3://`` and whatever else fsspec knows.

Opening asks for the size and then for the last 64 KiB. What is read later is said first (``expect``), so that ranges
that lie close become one request, and those that do not are under way at the same time. What fails for the moment is
tried again after a while.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TypeAlias, TypeVar

from neuralgraph.errors import FormatError, missing_extra
from neuralgraph.storage.files import FileSource

__all__ = ["Place", "RemoteSource", "is_url", "open_source", "place_name"]

Place: TypeAlias = str | os.PathLike[str]
"""A path or a URL."""

SUFFIX = 2**16
"""Bytes of the end, and of the beginning where it is read, that are fetched at once and kept."""
NEAR = 2**16
"""Ranges that lie closer than this are one request."""
MOST_TOGETHER = 2**23
"""Bytes of neighbouring ranges that become one request."""
DELAYS = (0.2, 0.4, 0.8, 1.6)
"""Seconds before each further attempt."""

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+::?//|[a-z0-9]+::", re.ASCII)
_IDENTITY = ("size", "ETag", "etag", "LastModified", "mtime", "generation")
_GIVES_UP = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError)
_Answer = TypeVar("_Answer")


def is_url(path: object) -> bool:
    """Whether ``path`` is a URL: a text that begins with a scheme, ``https://`` or a chain of fsspec's (``a::b://``)."""
    return isinstance(path, str) and _URL.match(path) is not None


def place_name(place: Place) -> str:
    """How messages name a path or a URL: without user, password, query and fragment, which may be keys."""
    if not is_url(place):
        return str(place)
    return re.sub(r"//[^/@]*@", "//", re.split(r"[?#]", str(place), maxsplit=1)[0])


def open_source(place: Place) -> FileSource | RemoteSource:
    """The bytes of a local file or of a URL; errors as those of the two."""
    return RemoteSource(str(place)) if is_url(place) else FileSource(place)


class RemoteSource:
    """A file read by ranges through fsspec.

    Bytes are not believed because they came: whoever reads them verifies checksums, and records are compared with the
    leaf digests of the index that was read first (``Container.record``), so a file that is replaced meanwhile is found.

    Parameters
    ----------
    url : where the file is.
    options : of the file system (``fsspec.core.url_to_fs``), keys to a store for example.

    Raises
    ------
    FormatError (E_OPEN) : it cannot be read, or does not say how long it is.
    MissingExtraError (E_EXTRA) : fsspec, or what it needs for this scheme, is not installed.
    """

    far = True

    def __init__(self, url: str, *, options: Mapping[str, Any] | None = None) -> None:
        try:
            from fsspec.core import url_to_fs
        except ImportError as error:
            raise missing_extra("opening a URL", extra="remote", library="fsspec") from error
        self.path = place_name(url)
        self._lock = threading.RLock()
        self._queue: list[tuple[int, int]] = []
        self._kept: list[tuple[int, memoryview]] = []
        self._fetched: list[tuple[int, memoryview]] = []
        self._closed = False
        self._transient = _transient_errors()
        try:
            self._files, self._place = url_to_fs(url, **(options or {}))
        except ImportError as error:
            reason = f"opening {url.split(':')[0]}:// URLs"
            raise missing_extra(reason, extra="remote", library=error.name or "a library") from error
        except ValueError as error:
            raise FormatError("no file system is known for this URL", code="E_OPEN", where=self.path) from error
        self._identity = self._stated()
        size = self._identity["size"]
        if not isinstance(size, int):
            raise FormatError("the server does not say how long the file is", code="E_OPEN", where=self.path)
        self.size: int = size
        self.at_hand_from = max(0, size - SUFFIX)
        if size:
            self._kept += self._fetch([(self.at_hand_from, size)])

    def _stated(self) -> dict[str, Any]:
        """What the server says that changes when the file does."""
        # A local cache in front answers from a listing of the folder, which a web server does not have.
        origin = getattr(self._files, "fs", self._files)
        origin.invalidate_cache()
        info = self._tried(lambda: origin.info(self._place))
        return {name: info.get(name) for name in _IDENTITY}

    def read(self, offset: int, length: int) -> memoryview:
        """Exactly ``length`` bytes from ``offset``: those at hand, or of a new request.

        Raises
        ------
        FormatError (E_OPEN) : the file cannot be read.
        FormatError (E_OPEN) : it gives fewer or other bytes than it was asked for.
        """
        with self._lock:
            if self._closed:
                raise FormatError("the file has been closed", code="E_OPEN", where=self.path)
            found = self._at_hand(offset, length)
            if found is not None:
                return found
            if offset == 0 and length <= SUFFIX:
                self._kept += self._fetch([(0, min(self.size, SUFFIX))])
                return self._kept[-1][1][:length]
            queue, self._queue = [*self._queue, (offset, offset + length)], []
            self._fetched = self._fetch(_merged(queue))
            found = self._at_hand(offset, length)
            assert found is not None, "what was asked for is among what came"
            return found

    def _at_hand(self, offset: int, length: int) -> memoryview | None:
        for start, data in (*self._kept, *self._fetched):
            if start <= offset and offset + length <= start + len(data):
                return data[offset - start : offset - start + length]
        return None

    def expect(self, offset: int, length: int) -> None:
        """Ask for these bytes with the next request."""
        with self._lock:
            if self._at_hand(offset, length) is None:
                self._queue.append((offset, offset + length))

    def check_unchanged(self) -> None:
        """Ask anew what the server says of the file, and refuse one that has changed.

        Raises
        ------
        FormatError (E_OPEN) : it has.
        """
        if self._stated() != self._identity:
            reason = "the file was replaced while it was open; open it again"
            raise FormatError(reason, code="E_OPEN", where=self.path)

    def _fetch(self, ranges: list[tuple[int, int]]) -> list[tuple[int, memoryview]]:
        """The bytes of ranges, all under way at the same time."""
        done: dict[int, bytes] = {}

        def attempt() -> None:
            missing = [(start, stop) for start, stop in ranges if start not in done]
            answers = self._files.cat_ranges(
                [self._place] * len(missing),
                [start for start, _ in missing],
                [stop for _, stop in missing],
                on_error="return",
            )
            failed: Exception | None = None
            for (start, stop), answer in zip(missing, answers, strict=True):
                if isinstance(answer, Exception):
                    failed = answer
                elif len(answer) != stop - start:
                    failed = _ShortAnswerError(f"{len(answer)} bytes came, {stop - start} were asked for")
                else:
                    done[start] = bytes(answer)
            if failed is not None:
                raise failed

        self._tried(attempt)
        return [(start, memoryview(done[start])) for start, _ in ranges]

    def _tried(self, action: Callable[[], _Answer]) -> _Answer:
        """What ``action`` gives, tried again after each failure that may pass."""
        for delay in (*DELAYS, None):
            try:
                return action()
            except self._transient as error:
                if delay is None or not _may_pass(error):
                    raise self._refusal(error) from error
                time.sleep(delay)
        raise AssertionError("the last attempt returns or raises")

    def _refusal(self, error: Exception) -> FormatError:
        if isinstance(error, _ShortAnswerError):
            # The server's doing, not the file's: E_TRUNCATED would call the file damaged.
            reason = f"{error}: the server does not serve ranges, or the file became shorter meanwhile"
            return FormatError(reason, code="E_OPEN", where=self.path)
        # The text of an error may hold the whole URL.
        status = getattr(error, "status", None)
        reason = f"HTTP status {status}" if status else getattr(error, "strerror", None) or type(error).__name__
        return FormatError(f"cannot read the file ({reason})", code="E_OPEN", where=self.path)

    def close(self) -> None:
        """Forget what has come; harmless when closed already."""
        with self._lock:
            self._closed = True
            self._kept, self._fetched, self._queue = [], [], []

    def __enter__(self) -> RemoteSource:
        """The source itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()


class _ShortAnswerError(Exception):
    """An answer of another length than was asked for."""


def _transient_errors() -> tuple[type[Exception], ...]:
    """Errors of reading that are met while a network is in the way."""
    errors: tuple[type[Exception], ...] = (_ShortAnswerError, OSError)
    with suppress(ImportError):
        from aiohttp import ClientError

        errors += (ClientError,)
    with suppress(ImportError):
        from botocore.exceptions import BotoCoreError

        errors += (BotoCoreError,)
    return errors


def _may_pass(error: Exception) -> bool:
    """Whether trying again may help."""
    status = getattr(error, "status", None)
    if isinstance(status, int):
        return status == 429 or status >= 500
    return not isinstance(error, _GIVES_UP)


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
