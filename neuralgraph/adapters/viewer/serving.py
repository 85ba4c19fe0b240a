"""A server for one page and a few files, on the loopback address, behind an address that nobody can guess."""

from __future__ import annotations

import os
import re
import secrets
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote

import numpy as np

from neuralgraph.access.files import FileSource
from neuralgraph.adapters.viewer.page import viewer_page
from neuralgraph.errors import FormatError, NeuralGraphError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

__all__ = ["Serving", "byte_range", "film_bytes"]

_PIECE = 1024 * 1024
_FILMS = "films"
"""The name under which films are asked for."""
_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})")


def byte_range(header: str | None, size: int) -> tuple[int, int] | None:
    """First byte and end (excluded) that a Range header asks for, of RFC 9110 section 14.

    Returns
    -------
    None when the whole file is to be sent: without a header, or with one this server does not know (several ranges,
    other units), as the RFC allows.

    Raises
    ------
    ValueError : the range lies outside the file.
    """
    found = _RANGE.fullmatch(header.strip()) if header else None
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if first == "":
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return None
    if start >= end:
        raise ValueError(f"no bytes {header} in a file of {size}")
    return start, end


def film_bytes(pixels: NDArray[Any]) -> bytes:
    """A film as the page reads it: height and width as u32, then the samples as u16, little-endian, row by row.

    Parameters
    ----------
    pixels : [height, width] float in 0..1, bones bright, row 0 at the top.
    """
    samples = np.rint(np.asarray(pixels, np.float32) * np.float32(65535)).astype("<u2")
    size: bytes = np.array(samples.shape, "<u4").tobytes()
    pixels_bytes: bytes = samples.tobytes()
    return size + pixels_bytes


class Serving:
    """Serve the viewer and some files until closed; a context manager that serves in a thread of its own.

    The address holds a random token, requests with another host name are refused (so that no page of the web can reach
    a file through a name that resolves to this machine), and nothing but the page, the files and the films exists.

    Parameters
    ----------
    path : the file to look at, or the files of a collection in their order, which are shown as one archive.
    against : files to put beside it: studies of the same id side by side.
    films : gives the pixels of a film by study id and view ([height, width] float in 0..1), or None; asked by several
        threads.
    title : how several files are called together.

    Raises
    ------
    FormatError (E_OPEN) : a file cannot be read.
    OSError : no address can be listened on.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
        *,
        against: Sequence[str | os.PathLike[str]] = (),
        films: Callable[[str, int], NDArray[Any] | None] | None = None,
        title: str | None = None,
    ) -> None:
        paths = [path] if isinstance(path, str | os.PathLike) else list(path)
        self._files: dict[str, FileSource] = {}
        self._films = films
        shown, beside = (self._open(group) for group in (paths, against))
        query = [("file", name) for name in shown] + [("against", name) for name in beside]
        query += [("title", title)] if title is not None else []
        query += [("films", _FILMS)] if films is not None else []
        # A name is quoted twice: once as a path, once as a value of the query.
        self._query = "&".join(f"{key}={quote(value)}" for key, value in query)
        self._token = secrets.token_urlsafe(24)
        self._page = viewer_page(connect="'self'").encode()
        handler = type("Handler", (_Handler,), {"serving": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def _open(self, paths: Sequence[str | os.PathLike[str]]) -> list[str]:
        """Names to ask for these files by: their own, with a number before it where it is taken."""
        names = []
        for path in paths:
            name = quote(os.fsencode(Path(path).name), safe="")
            if name in self._files or name == _FILMS:
                name = f"{len(self._files)}-{name}"
            try:
                self._files[name] = FileSource(path)
            except FormatError:
                self._close()
                raise
            names.append(name)
        return names

    def _close(self) -> None:
        for source in self._files.values():
            source.close()

    @property
    def url(self) -> str:
        """The address to open in a browser of this machine."""
        return f"http://{self._host}/{self._token}/?{self._query}"

    @property
    def _host(self) -> str:
        return f"127.0.0.1:{self._server.server_port}"

    def wait(self) -> None:
        """Until interrupted."""
        while self._thread.is_alive():
            self._thread.join(1.0)

    def __enter__(self) -> Serving:
        """Start to serve."""
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop, and close the files."""
        self._server.shutdown()
        self._server.server_close()
        self._close()


class _Handler(BaseHTTPRequestHandler):
    """GET and HEAD of the page, the files and the films."""

    serving: Serving
    protocol_version = "HTTP/1.1"
    server_version = "neuralgraph"
    sys_version = ""
    timeout = 60.0
    """Seconds that a client may be silent before its connection is closed."""

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing: the address is a secret and the name of a file may be one."""

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def _answer(self) -> None:
        own = self.serving
        if self.headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in self.headers:
            # Nothing here takes a body, and none is read.
            self.close_connection = True
        path, _, query = self.path.partition("?")
        known = secrets.compare_digest(
            path.split("/")[1].encode() if path.count("/") == 2 else b"", own._token.encode()
        )
        if self.headers.get("Host") != own._host or not known:
            self._head(HTTPStatus.NOT_FOUND, 0)
        elif path == f"/{own._token}/":
            self._head(HTTPStatus.OK, len(own._page), {"Content-Type": "text/html; charset=utf-8"})
            if self.command == "GET":
                self.wfile.write(own._page)
        elif own._films is not None and path == f"/{own._token}/{_FILMS}":
            self._send_film(own._films, query)
        elif (source := own._files.get(path.rsplit("/", 1)[-1])) is not None:
            self._send_file(source)
        else:
            self._head(HTTPStatus.NOT_FOUND, 0)

    def _send_film(self, films: Callable[[str, int], NDArray[Any] | None], query: str) -> None:
        asked = parse_qs(query, keep_blank_values=True)
        study, view = asked.get("study", [""])[-1], asked.get("view", ["0"])[-1]
        status, media, body = HTTPStatus.OK, "application/octet-stream", b""
        try:
            pixels = films(study, int(view)) if view.isascii() and view.isdecimal() and len(view) < 4 else None
            if pixels is None:
                status = HTTPStatus.NO_CONTENT
            else:
                body = film_bytes(pixels)
        except NeuralGraphError as error:
            # Without the place, which names a file and with it perhaps a patient.
            status, media, body = HTTPStatus.UNPROCESSABLE_ENTITY, "text/plain; charset=utf-8", error.message.encode()
        self._head(status, len(body), {"Content-Type": media})
        if self.command == "GET":
            try:
                self.wfile.write(body)
            except ConnectionError:
                self.close_connection = True

    def _send_file(self, source: FileSource) -> None:
        size = source.size
        headers = {"Content-Type": "application/vnd.neuralgraph", "Accept-Ranges": "bytes"}
        try:
            asked = byte_range(self.headers.get("Range"), size)
        except ValueError:
            self._head(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, 0, {"Content-Range": f"bytes */{size}"})
            return
        start, end = asked or (0, size)
        if asked:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
        self._head(HTTPStatus.PARTIAL_CONTENT if asked else HTTPStatus.OK, end - start, headers)
        for at in range(start, end if self.command == "GET" else start, _PIECE):
            try:
                self.wfile.write(source.read(at, min(_PIECE, end - at)))
            except (ConnectionError, FormatError):
                # The browser has gone, or the file shrank: a short answer must not look like a whole one.
                self.close_connection = True
                return

    def _head(self, status: HTTPStatus, length: int, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.end_headers()
