"""HTTP with bounds: on the bytes of an answer, what they unpack to, how long it may take, how often it is asked for.

Libraries bound silence alone: a server that sends a byte a second, or never stops, would hold a pull for ever or fill
the memory. One that is busy says when to come back, and is asked again then.
"""

from __future__ import annotations

import base64
import http.client
import os
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode, urljoin, urlsplit

from neuralgraph.errors import SourceError

__all__ = ["Answer", "Connection", "NoAnswerError", "login_header"]

_BUSY = (429, 502, 503, 504)
_MOVED = (301, 302, 307, 308)
_PAUSES = (1.0, 2.0, 4.0, 8.0)
"""Seconds before each further attempt, where the server does not say how many."""
_LONGEST_PAUSE = 300.0
_LEAST_RATE = 1024.0
"""Bytes per second, over a whole answer, below which it is given up."""
_CHUNK = 1 << 16
_ALWAYS = {"Accept-Encoding": "gzip", "User-Agent": "neuralgraph"}


class NoAnswerError(SourceError):
    """The server cannot be reached, is busy for good, or does not finish its answer."""

    only_code = "E_SOURCE_READ"


@dataclass(frozen=True)
class Answer:
    """What a server answered."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in small letters."""


def login_header() -> dict[str, str]:
    """The header that logs in, from the environment: ``NGR_DICOMWEB_TOKEN``, or ``NGR_DICOMWEB_USER`` and
    ``NGR_DICOMWEB_PASSWORD``; empty where neither is set.
    """
    if token := os.environ.get("NGR_DICOMWEB_TOKEN"):
        return {"Authorization": f"Bearer {token}"}
    if user := os.environ.get("NGR_DICOMWEB_USER"):
        pair = f"{user}:{os.environ.get('NGR_DICOMWEB_PASSWORD', '')}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    return {}


class Connection:
    """A service below one address; no proxy and no password file of the user's is used, only what is said here.

    Parameters
    ----------
    url : its root, "https://pacs.example.org/dicom-web".
    certificates : file of certificate authorities to trust; the system's by default.
    patience : seconds of silence after which an answer is given up. A whole answer may take this long and a second for
        every KiB of it.

    Raises
    ------
    SourceError (E_SOURCE_READ) : the address is none, or the certificates cannot be read.
    """

    def __init__(self, url: str, *, certificates: Path | None = None, patience: float = 60.0) -> None:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise SourceError("the address of the service cannot be used", code="E_SOURCE_READ") from error
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SourceError(
                "the address of a DICOMweb service begins with http:// or https:// and a host", code="E_SOURCE_READ"
            )
        if parts.username or parts.password:
            raise SourceError(
                "names and passwords are given in the environment, not in the address", code="E_SOURCE_READ"
            )
        self._secure, self._host, self._port = parts.scheme == "https", parts.hostname, port
        self._root = parts.path.rstrip("/")
        self._patience = patience
        self._context: ssl.SSLContext | None = None
        if self._secure:
            try:
                self._context = ssl.create_default_context(cafile=certificates)
            except (OSError, ssl.SSLError) as error:
                raise SourceError(
                    "the certificates cannot be read", code="E_SOURCE_READ", where=str(certificates)
                ) from error
        self._open: http.client.HTTPConnection | None = None
        self._answered = False

    def get(self, path: str, query: Mapping[str, str], *, accept: str, most: int, doing: str) -> Answer:
        """The answer to a request, asked again where the server is busy.

        Parameters
        ----------
        path : below the root, without a slash before it.
        query : of the address.
        accept : media types.
        most : bytes that the answer may have, unpacked.
        doing : begins the message of an error.

        Raises
        ------
        NoAnswerError (E_SOURCE_READ) : there is no whole answer in time.
        SourceError (E_SOURCE_READ) : the server refuses.
        SourceError (E_SOURCE_SIZE) : the answer is larger than ``most``.
        SourceError (E_SOURCE_DAMAGED) : the answer cannot be unpacked.
        """
        target = f"{self._root}/{path}" + (f"?{urlencode(query)}" if query else "")
        return self._answer(_Request("GET", target, {"Accept": accept}, b"", most, doing))

    def post(self, path: str, body: bytes, *, kind: str, accept: str, most: int, doing: str) -> Answer:
        """The answer to a request with a body; parameters and errors as of ``get``.

        Parameters
        ----------
        body : of media type ``kind``.
        """
        headers = {"Accept": accept, "Content-Type": kind}
        return self._answer(_Request("POST", f"{self._root}/{path}", headers, body, most, doing))

    def _answer(self, request: _Request) -> Answer:
        """The answer, asked for again where the server is busy; one of a refusal is an error."""
        doing = request.doing
        for pause in (*_PAUSES, None):
            answer = self._followed(request)
            if answer.status not in _BUSY:
                break
            wait = _asked_pause(answer.headers, pause or 0.0)
            if pause is None or wait > _LONGEST_PAUSE:
                later = f", and asks to come back in {wait:,.0f} s" if wait > _LONGEST_PAUSE else ""
                raise NoAnswerError(f"{doing}: the server is busy (HTTP {answer.status}){later}", code="E_SOURCE_READ")
            time.sleep(wait)
        if answer.status >= 300:
            raise SourceError(f"{doing} (HTTP {answer.status})", code="E_SOURCE_READ")
        return answer

    def close(self) -> None:
        """Let the server go; harmless when that is done already."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _followed(self, request: _Request) -> Answer:
        """The answer from where the server says that it is, as long as that is the same server."""
        doing = request.doing
        for _ in range(3):
            answer = self._once(request)
            if answer.status not in _MOVED:
                return answer
            scheme = "https" if self._secure else "http"
            origin = f"{scheme}://{self._host}" + (f":{self._port}" if self._port else "")
            moved = urlsplit(urljoin(f"{origin}{request.target}", answer.headers.get("location", "")))
            if (moved.scheme, moved.hostname, moved.port) != (scheme, self._host, self._port):
                # A token must not follow to another host.
                raise SourceError(
                    f"{doing}: the service has moved to another address (HTTP {answer.status})", code="E_SOURCE_READ"
                )
            request = request._replace(target=f"{moved.path}?{moved.query}" if moved.query else moved.path)
        raise SourceError(f"{doing}: the service sends from one address to another and back", code="E_SOURCE_READ")

    def _once(self, request: _Request) -> Answer:
        used = self._open is not None
        try:
            return self._asked(request)
        except (http.client.HTTPException, OSError) as error:
            self.close()
            # A connection that was kept may have been closed meanwhile, and a server may just be starting again.
            if not (used or self._answered) or isinstance(error, TimeoutError | _SlowError):
                raise _no_answer(request.doing, error) from error
        try:
            time.sleep(0 if used else _PAUSES[0])
            return self._asked(request)
        except (http.client.HTTPException, OSError) as error:
            self.close()
            raise _no_answer(request.doing, error) from error

    def _asked(self, request: _Request) -> Answer:
        if self._open is None:
            self._open = (
                http.client.HTTPSConnection(self._host, self._port, timeout=self._patience, context=self._context)
                if self._secure
                else http.client.HTTPConnection(self._host, self._port, timeout=self._patience)
            )
            self._open.connect()
        with _Watch(self._open.sock, self._patience) as watch:
            headers = {**_ALWAYS, **login_header(), **request.headers}
            self._open.request(request.method, request.target, body=request.body or None, headers=headers)
            response = self._open.getresponse()
            named = {name.lower(): value for name, value in response.getheaders()}
            if response.status >= 300:
                # What a refusal says of itself is not needed, and may quote identifiers.
                body, whole = b"", False
            else:
                body, whole = self._body(response, named, request, watch), not response.will_close
        self._answered = True
        if not whole:
            self.close()
        return Answer(response.status, body, named)

    def _body(
        self, response: http.client.HTTPResponse, headers: Mapping[str, str], request: _Request, watch: _Watch
    ) -> bytes:
        most, doing = request.most, request.doing
        unpacker = _Unpacker(headers.get("content-encoding", ""), doing)
        body = bytearray()
        while chunk := response.read1(_CHUNK):
            watch.came += len(chunk)
            # One byte more than is allowed tells what is too large from what just fits.
            body += unpacker(chunk, most + 1 - len(body))
            if len(body) > most:
                self.close()
                raise SourceError(f"{doing}: the answer is larger than {most:,} bytes", code="E_SOURCE_SIZE")
        watch.check()
        if response.length:
            raise http.client.IncompleteRead(b"", response.length)
        # Read to its end, and still not done in the eyes of the library: the next request would be refused.
        response.close()
        unpacker.end()
        return bytes(body)


class _Request(NamedTuple):
    """What is asked for, and what may come."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    most: int
    doing: str


class _SlowError(OSError):
    """The answer came too slowly."""


class _Watch:
    """Ends a connection whose answer comes too slowly, in whatever read that may wait."""

    def __init__(self, connected: Any, patience: float) -> None:
        self.came = 0
        self._socket, self._patience = connected, patience
        self._began = time.monotonic()
        self._ended = False
        self._timer = self._after(patience)

    def _after(self, seconds: float) -> threading.Timer:
        timer = threading.Timer(seconds, self._look)
        timer.daemon = True
        return timer

    def _look(self) -> None:
        rest = self._began + self._patience + self.came / _LEAST_RATE - time.monotonic()
        if rest > 0:
            self._timer = self._after(rest)
            self._timer.start()
            return
        self._ended = True
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> _Watch:
        self._timer.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        self._timer.cancel()
        if isinstance(error, http.client.HTTPException | OSError):
            self.check()

    def check(self) -> None:
        """Say that it was this that ended the connection."""
        if self._ended:
            raise _SlowError("the answer comes too slowly") if self.came else TimeoutError("no answer comes")


class _Unpacker:
    """An answer's bytes, unpacked as they come, never more than are wanted."""

    def __init__(self, encoding: str, doing: str) -> None:
        if encoding not in ("", "identity", "gzip", "x-gzip"):
            raise SourceError(f"{doing}: the answer is packed in a way that was not asked for", code="E_SOURCE_DAMAGED")
        self._inflater = zlib.decompressobj(zlib.MAX_WBITS | 16) if "gzip" in encoding else None
        self._damage = SourceError(f"{doing}: the answer cannot be unpacked", code="E_SOURCE_DAMAGED")

    def __call__(self, chunk: bytes, most: int) -> bytes:
        if self._inflater is None:
            return chunk
        try:
            return self._inflater.decompress(chunk, max(1, most))
        except zlib.error as error:
            raise self._damage from error

    def end(self) -> None:
        """Refuse what ends before its end, or goes on after it."""
        if self._inflater is not None and (not self._inflater.eof or self._inflater.unused_data):
            raise self._damage


def _asked_pause(headers: Mapping[str, str], otherwise: float) -> float:
    """Seconds that Retry-After asks for (RFC 9110, 10.2.3: a number, or a moment)."""
    text = headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return otherwise


def _no_answer(doing: str, error: Exception) -> NoAnswerError:
    """The error, without its text, which may quote what was asked."""
    if isinstance(error, _SlowError):
        why = "the answer comes too slowly"
    elif isinstance(error, TimeoutError):
        why = "the server is silent"
    elif isinstance(error, ssl.SSLError):
        why = "its certificate is not trusted, or it does not speak TLS"
    elif isinstance(error, http.client.IncompleteRead):
        why = "the answer breaks off"
    elif isinstance(error, ConnectionRefusedError | socket.gaierror):
        why = "nobody answers there"
    else:
        why = "no whole answer from it"
    return NoAnswerError(f"{doing}: {why}", code="E_SOURCE_READ")
