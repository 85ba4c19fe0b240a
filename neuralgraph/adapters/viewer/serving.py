"""A server for one page and one file, on the loopback address, behind an address that nobody can guess."""

from __future__ import annotations

import os
import re
import secrets
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

from neuralgraph.adapters.viewer.page import viewer_page
from neuralgraph.errors import FormatError
from neuralgraph.storage.files import FileSource

__all__ = ["Serving", "byte_range"]

_PIECE = 1024 * 1024
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


class Serving:
    """Serve the viewer and one file until closed; a context manager that serves in a thread of its own.

    The address holds a random token, requests with another host name are refused (so that no page of the web can reach
    the file through a name that resolves to this machine), and nothing but the page and the file exists.

    Raises
    ------
    FormatError (E_OPEN) : the file cannot be read.
    OSError : no address can be listened on.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._file = FileSource(path)
        self._token = secrets.token_urlsafe(24)
        self._name = quote(os.fsencode(Path(path).name), safe="")
        self._page = viewer_page(connect="'self'").encode()
        handler = type("Handler", (_Handler,), {"serving": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """The address to open in a browser of this machine."""
        # The name is quoted twice: once as a path, once as a value of the query.
        return f"http://{self._host}/{self._token}/?file={quote(self._name)}"

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
        """Stop, and close the file."""
        self._server.shutdown()
        self._server.server_close()
        self._file.close()


class _Handler(BaseHTTPRequestHandler):
    """GET and HEAD of the page and the file."""

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
        path = self.path.split("?", 1)[0]
        known = secrets.compare_digest(
            path.split("/")[1].encode() if path.count("/") == 2 else b"", own._token.encode()
        )
        if self.headers.get("Host") != own._host or not known:
            self._head(HTTPStatus.NOT_FOUND, 0)
        elif path == f"/{own._token}/":
            self._head(HTTPStatus.OK, len(own._page), {"Content-Type": "text/html; charset=utf-8"})
            if self.command == "GET":
                self.wfile.write(own._page)
        elif path == f"/{own._token}/{own._name}":
            self._send_file()
        else:
            self._head(HTTPStatus.NOT_FOUND, 0)

    def _send_file(self) -> None:
        size = self.serving._file.size
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
                self.wfile.write(self.serving._file.read(at, min(_PIECE, end - at)))
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
