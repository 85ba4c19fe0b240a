"""A stand-in for the Hugging Face Hub on the loopback interface: what ``HfFileSystem`` asks in order to read.

It answers what the Hub's client asks for a data set and its revision, the list of a folder, and a file by ranges.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

__all__ = ["REPOSITORY", "hub"]

REPOSITORY = "hospital/chest"
_COMMIT = "0" * 39 + "1"


class _Hub(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files = files
        self.ranges: list[str] = []


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Hub

    def log_message(self, format: str, *arguments: object) -> None:
        pass

    def _answer(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _json(self, value: object) -> None:
        self._answer(json.dumps(value).encode(), Content_Type="application/json")

    def _nothing(self, code: str) -> None:
        self._answer(b"{}", 404, X_Error_Code=code)

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        api, tree = f"/api/datasets/{REPOSITORY}", f"/api/datasets/{REPOSITORY}/tree/main"
        resolved = f"/datasets/{REPOSITORY}/resolve/main/"
        if path in (api, f"{api}/revision/main"):
            self._json({"id": REPOSITORY, "sha": _COMMIT, "private": False, "tags": [], "siblings": []})
        elif path == tree or path.startswith(f"{tree}/"):
            self._tree(path.removeprefix(tree).strip("/"))
        elif path.startswith(resolved) and path.removeprefix(resolved) in self.server.files:
            self._ranged(self.server.files[path.removeprefix(resolved)])
        else:
            self._nothing("EntryNotFound" if path.startswith(resolved) else "RepoNotFound")

    def _tree(self, folder: str) -> None:
        start = f"{folder}/" if folder else ""
        below = [name.removeprefix(start) for name in sorted(self.server.files) if name.startswith(start)]
        if not below:
            self._nothing("EntryNotFound")
            return
        rows: dict[str, dict[str, object]] = {}
        for name in below:
            first, *rest = name.split("/")
            size = 0 if rest else len(self.server.files[start + first])
            rows[first] = {"type": "directory" if rest else "file", "oid": _COMMIT, "size": size, "path": start + first}
        self._json(list(rows.values()))

    def _ranged(self, content: bytes) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if asked is None:
            self._answer(content)
            return
        start, last = int(asked[1]), min(int(asked[2]), len(content) - 1)
        self.server.ranges.append(asked[0])
        self._answer(content[start : last + 1], 206, Content_Range=f"bytes {start}-{last}/{len(content)}")


@contextmanager
def hub(files: dict[str, bytes]) -> Iterator[_Hub]:
    """The Hub while the block runs.

    Parameters
    ----------
    files : of the one data set, ``REPOSITORY``, by their paths in it.
    """
    server = _Hub(files)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
