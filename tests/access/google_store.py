"""A stand-in for Google Cloud Storage on the loopback interface: what gcsfs asks of its JSON API, conditions included.

Objects are kept in memory. It answers as the documentation of the API says, no more: upload in one request,
``ifGenerationMatch``, ranges, listing with a delimiter, metadata, deletion.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

from access.loopback import Answering, serving


class _Store(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.lock = threading.Lock()
        self.objects: dict[tuple[str, str], tuple[bytes, dict[str, str]]] = {}
        self.generation = 1_700_000_000_000_000
        self.refused = 0
        """Uploads that were refused because the object was there."""

    def handle_error(self, request: object, client_address: object) -> None:
        # gcsfs asks for an object and for a folder of that name at once, and hangs up on the slower answer.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(Answering):
    server: _Store

    def _refused(self, status: int, message: str) -> None:
        self._json({"error": {"code": status, "message": message}}, status)

    def _asked(self) -> tuple[str, str, dict[str, str]]:
        """Bucket, object ("" for none) and query of the address."""
        parts = urlsplit(self.path)
        _, _, rest = parts.path.partition("/b/")
        bucket, _, name = rest.partition("/o")
        query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        return unquote(bucket), unquote(name.removeprefix("/")), query

    def do_GET(self) -> None:
        bucket, name, query = self._asked()
        with self.server.lock:
            found = self.server.objects.get((bucket, name))
            names = sorted(each for place, each in self.server.objects if place == bucket)
        if not name:
            self._listing(bucket, names, query)
        elif found is None:
            self._refused(404, f"No such object: {bucket}/{name}")
        elif query.get("alt") == "media":
            self._content(found[0])
        else:
            self._json(found[1])

    def _listing(self, bucket: str, names: list[str], query: dict[str, str]) -> None:
        if "/o" not in urlsplit(self.path).path.partition("/b/")[2]:
            self._json({"kind": "storage#bucket", "name": bucket})
            return
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        within = [name for name in names if name.startswith(prefix)]
        deeper = {name for name in within if delimiter and delimiter in name[len(prefix) :]}
        folders = {prefix + name[len(prefix) :].split(delimiter)[0] + delimiter for name in deeper}
        items = [self.server.objects[bucket, name][1] for name in within if name not in deeper]
        self._json({"kind": "storage#objects", "items": items, "prefixes": sorted(folders)})

    def _content(self, data: bytes) -> None:
        asked = self.headers.get("Range")
        if asked is None:
            self._answer(200, data)
            return
        first, _, last = asked.removeprefix("bytes=").partition("-")
        start = int(first) if first else max(0, len(data) - int(last))
        stop = min(len(data), int(last) + 1) if first and last else len(data)
        if start >= len(data):
            self._refused(416, "The requested range cannot be satisfied.")
            return
        self._answer(206, data[start:stop], Content_Range=f"bytes {start}-{stop - 1}/{len(data)}")

    def do_POST(self) -> None:
        bucket, _, query = self._asked()
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert query["uploadType"] == "multipart"
        mark = b"--" + self.headers["Content-Type"].split('boundary="')[1].rstrip('"').encode()
        _, said, content = body.split(b"\n\n", 2)
        name = json.loads(said.split(b"\n" + mark)[0])["name"]
        data = content.removesuffix(b"\n" + mark + b"--")
        with self.server.lock:
            if query.get("ifGenerationMatch") == "0" and (bucket, name) in self.server.objects:
                self.server.refused += 1
                self._refused(412, "At least one of the pre-conditions you specified did not hold.")
                return
            self.server.generation += 1
            moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
            described = {
                "kind": "storage#object",
                "name": name,
                "bucket": bucket,
                "size": str(len(data)),
                "generation": str(self.server.generation),
                "etag": str(self.server.generation),
                "md5Hash": base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode(),
                "timeCreated": moment,
                "updated": moment,
            }
            self.server.objects[bucket, name] = (data, described)
        self._json(described)

    def do_DELETE(self) -> None:
        bucket, name, _ = self._asked()
        with self.server.lock:
            gone = self.server.objects.pop((bucket, name), None)
        if gone is None:
            self._refused(404, f"No such object: {bucket}/{name}")
        else:
            self._answer(204)


@contextmanager
def google_store() -> Iterator[_Store]:
    """The store while the block runs; ``server_address`` says where."""
    with serving(_Store()) as server:
        yield server
