"""What HTTP adds to reading by ranges: bodies that end where they were asked to, and statuses as they are.

A server may send more than it was asked for, compressed a thousandfold, or without end. So nothing is decompressed, the
length that an answer states is compared with the range before its body is read, and reading ends at that length and
after a time.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine
from functools import cache
from typing import Any

from aiohttp import ClientPayloadError, ClientResponse, ClientSession, ClientTimeout

__all__ = ["WrongBodyError", "bounded_client", "stated"]

MEBIBYTE = 2**20
_RANGE = re.compile(r"bytes=(\d+)-(\d+)", re.ASCII)
_EXTENT = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)", re.ASCII)
_LATER = frozenset({429, 500, 502, 503, 504})


class WrongBodyError(ClientPayloadError):
    """An answer that is not what was asked for; asking again would not change it."""


class BoundedResponse(ClientResponse):
    """A response whose body is as long as was asked for, or refused."""

    seconds: float
    """Time for a body, and for each further MiB of it."""
    longest: int
    """Bytes of a body that was asked for whole."""
    _limit = 0

    async def start(self, connection: Any) -> ClientResponse:
        """Take the head of the response, and refuse what its body would be.

        Raises
        ------
        WrongBodyError : it is compressed, of another place, longer than asked for, or does not say how long.
        """
        await super().start(connection)
        if self.method != "HEAD" and 200 <= self.status < 300:
            self._limit = self._accepted()
        return self

    def _accepted(self) -> int:
        """Bytes that the body may have."""
        encoding = self.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding not in ("", "identity"):
            raise WrongBodyError(f"the server compresses what it sends ({encoding[:20]}), though asked not to")
        length = self.headers.get("Content-Length", "")
        stated = int(length) if length.isdecimal() else None
        asked = _RANGE.fullmatch(self.request_info.headers.get("Range", ""))
        if asked is None:
            if stated is None:
                raise WrongBodyError("the server does not say how long the body is")
            if stated > self.longest:
                raise WrongBodyError(f"the server sends {stated} bytes, more than are read at once")
            return stated
        start, most = int(asked[1]), int(asked[2]) - int(asked[1]) + 1
        if self.status != 206 and (start or stated is None or stated > most):
            raise WrongBodyError("the server does not serve ranges, it sends the whole file")
        extent = _EXTENT.fullmatch(self.headers.get("Content-Range", "").strip())
        if extent and extent[1] and int(extent[1]) != start:
            raise WrongBodyError(f"the server sends the range from {extent[1][:20]}, asked for that from {start}")
        if stated is not None and stated > most:
            raise WrongBodyError(f"the server sends {stated} bytes, {most} were asked for")
        return most if stated is None else stated

    async def read(self) -> bytes:
        """The body; of a failure nothing, its status says enough.

        Raises
        ------
        WrongBodyError : it goes on beyond what was asked for.
        TimeoutError : it does not come in time.
        """
        if self._body is None:
            pieces, length = [], 0
            async with asyncio.timeout(self.seconds * max(1.0, self._limit / MEBIBYTE)):
                while self._limit and (piece := await self.content.readany()):
                    pieces.append(piece)
                    length += len(piece)
                    if length > self._limit:
                        self.close()
                        raise WrongBodyError(f"the body goes on beyond the {self._limit} bytes that were asked for")
            if not self._limit:
                self.close()
            self._body = b"".join(pieces)
        return self._body


@cache
def bounded_client(seconds: float, longest: int) -> Callable[..., Coroutine[Any, Any, ClientSession]]:
    """What makes the sessions of fsspec's HTTP file system (its option ``get_client``).

    The same for the same bounds: fsspec keeps one file system, with its connections, for each set of options for ever.

    Parameters
    ----------
    seconds : for connecting, for each piece of a body, and for a body and each further MiB of it.
    longest : bytes of a body that is asked for whole.
    """
    kind = type("BoundedResponse", (BoundedResponse,), {"seconds": seconds, "longest": longest})

    async def client(**options: Any) -> ClientSession:
        settings = {"timeout": ClientTimeout(total=None, sock_connect=seconds, sock_read=seconds), **options}
        settings["headers"] = {**dict(options.get("headers") or {}), "Accept-Encoding": "identity"}
        # Bodies are bounded by what was asked for; the usual 64 KiB stop and start a connection all the time.
        bounds = {"auto_decompress": False, "response_class": kind, "read_bufsize": MEBIBYTE}
        return ClientSession(**{**settings, **bounds})

    return client


async def stated(files: Any, url: str) -> dict[str, Any]:
    """What a server says of an object: ``size`` (None when it does not say), and what changes when the object does.

    Parameters
    ----------
    files : fsspec's HTTP file system, whose session and options are used.
    url : the object.

    Raises
    ------
    aiohttp.ClientResponseError : the status of the answer is that of a failure.
    """
    session, options = await files.set_session(), dict(files.kwargs)
    headers = {**dict(options.pop("headers", None) or {}), "Accept-Encoding": "identity"}
    async with session.head(files.encode_url(url), **{"allow_redirects": True, **options, "headers": headers}) as head:
        if head.status in _LATER:
            head.raise_for_status()
        length = head.headers.get("Content-Length", "")
        plain = head.headers.get("Content-Encoding", "identity") in ("", "identity")
        if head.status == 200 and plain and length.isdecimal():
            return {"size": int(length), **_marks(head)}
    # Signed addresses and some servers know no HEAD.
    headers["Range"] = "bytes=0-0"
    async with session.get(files.encode_url(url), **{**options, "headers": headers}) as answer:
        if answer.status != 416:
            answer.raise_for_status()
        extent = _EXTENT.fullmatch(answer.headers.get("Content-Range", "").strip())
        size = int(extent[2]) if extent and extent[2] != "*" else None
        return {"size": size, **_marks(answer)}


def _marks(answer: ClientResponse) -> dict[str, str]:
    return {name: answer.headers[name] for name in ("ETag", "Last-Modified") if name in answer.headers}
