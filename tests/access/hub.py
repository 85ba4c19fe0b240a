"""A stand-in for the Hugging Face Hub on the loopback interface: what ``HfFileSystem`` asks in order to read.

It answers what the Hub's client asks for a data set and its revision, the list of a folder, and a file by ranges.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

from access.loopback import Answering, serving

__all__ = ["REPOSITORY", "hub"]

REPOSITORY = "hospital/chest"
_COMMIT = "0" * 39 + "1"


class _Hub(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files = files
        self.ranges: list[str] = []


class _Handler(Answering):
    server: _Hub

    def _nothing(self, code: str) -> None:
        self._answer(404, b"{}", X_Error_Code=code)

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
            self._answer(200, content)
            return
        start, last = int(asked[1]), min(int(asked[2]), len(content) - 1)
        self.server.ranges.append(asked[0])
        self._answer(206, content[start : last + 1], Content_Range=f"bytes {start}-{last}/{len(content)}")


@contextmanager
def hub(files: dict[str, bytes]) -> Iterator[_Hub]:
    """The Hub while the block runs.

    Parameters
    ----------
    files : of the one data set, ``REPOSITORY``, by their paths in it.
    """
    with serving(_Hub(files)) as server:
        yield server
