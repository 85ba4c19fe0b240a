"""Read single studies of an archive over HTTP, without fetching the file.

    python examples/stream_http.py OUT

A file is read from its last bytes: trailer, contents, index, then the one record that is asked for. Any server that
answers range requests will do; this example starts a small one on the loopback address and counts what it sends.
"""

from __future__ import annotations

import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from synthetic import studies

import neuralgraph as ng
from neuralgraph.adapters.viewer.serving import byte_range


class Ranges(SimpleHTTPRequestHandler):
    """One file, with range requests; counts the bytes of its answers."""

    file: Path
    sent = 0

    def log_message(self, *arguments: object) -> None:
        """Nothing."""

    def do_HEAD(self) -> None:
        """The size."""
        self._answer(body=False)

    def do_GET(self) -> None:
        """The file, or the part that was asked for."""
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        data = self.file.read_bytes()
        start, end = byte_range(self.headers.get("Range"), len(data)) or (0, len(data))
        self.send_response(206 if "Range" in self.headers else 200)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(end - start))
        if "Range" in self.headers:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(data)}")
        self.end_headers()
        if body:
            type(self).sent += end - start
            self.wfile.write(data[start:end])


def main(folder: Path) -> tuple[ng.Study, int, int]:
    """The study read, the bytes it took, and the bytes of the archive."""
    folder.mkdir(parents=True, exist_ok=True)
    archive_path = folder / "archive.ngr"
    ng.save(studies(600), archive_path, embedding="float16")
    handler = type("Handler", (Ranges,), {"file": archive_path})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with ng.open(f"http://127.0.0.1:{server.server_port}/archive.ngr") as archive:
            study = archive["synthetic-0123"]
    finally:
        server.shutdown()
        server.server_close()
    size = archive_path.stat().st_size
    print(f"{study!r}: {handler.sent:,} of {size:,} bytes were sent")
    return study, handler.sent, size


if __name__ == "__main__":
    main(Path(sys.argv[1]))
