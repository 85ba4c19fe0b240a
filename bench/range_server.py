"""A web server on the loopback interface that serves byte ranges, counts them, and fails when told to.

For tests and benchmarks: the one of the standard library serves no ranges. As a program it serves one file until its
standard input ends, and prints where:

    python -m bench.range_server FILE [--latency SECONDS] [--bandwidth BYTES_PER_SECOND]
"""

from __future__ import annotations

import argparse
import mmap
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

__all__ = ["RangeServer", "range_server"]


@dataclass
class RangeServer:
    """What the server serves, what it was asked, and how it misbehaves."""

    files: dict[str, bytes | mmap.mmap] = field(default_factory=dict)
    address: str = ""
    ranges: list[tuple[str, str]] = field(default_factory=list)
    """Path and Range header of every GET."""
    fail: list[int] = field(default_factory=list)
    """Statuses that the next GETs answer with instead of the bytes."""
    fail_heads: list[int] = field(default_factory=list)
    """The same for the next HEADs."""
    short: int = 0
    """So many next answers lack their last byte."""
    without_ranges: bool = False
    latency: float = 0.0
    """Seconds before each answer."""
    bandwidth: float = 0.0
    """Bytes a second of all answers together; 0 is as fast as it goes."""
    headers: dict[str, str] = field(default_factory=dict)
    """Further headers of failures."""

    def url(self, name: str) -> str:
        """Where a file is."""
        return f"{self.address}/{name}"


@contextmanager
def range_server() -> Iterator[RangeServer]:  # noqa: C901 - a server's whole protocol, one handler
    """A server that runs as long as the block."""
    state = RangeServer()
    link, free_at = threading.Lock(), [0.0]

    class Handler(BaseHTTPRequestHandler):
        def _send(self, body: bytes | memoryview) -> None:
            """Send a body; where there is a bandwidth, in pieces that take their time on the one link."""
            step = 1 << 18 if state.bandwidth else max(1, len(body))
            for start in range(0, len(body), step):
                piece = body[start : start + step]
                if state.bandwidth:
                    with link:
                        # What a late waking cost is caught up with, or one stream would never fill the link.
                        free_at[0] = max(free_at[0], time.monotonic() - 0.05) + len(piece) / state.bandwidth
                        sent_at = free_at[0]
                    time.sleep(max(0.0, sent_at - time.monotonic()))
                self.wfile.write(piece)

        def _content(self) -> bytes | mmap.mmap | None:
            content = state.files.get(self.path.lstrip("/").split("?")[0])
            if content is None:
                self.send_error(404)
            return content

        def _headers(self, status: int, content: bytes | mmap.mmap, length: int, extent: str = "") -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(length))
            self.send_header("ETag", f'"{len(content)}-{zlib.crc32(content[-4096:])}"')
            if not state.without_ranges:
                self.send_header("Accept-Ranges", "bytes")
            if extent:
                self.send_header("Content-Range", extent)
            self.end_headers()

        def _failed(self, statuses: list[int]) -> bool:
            if not statuses:
                return False
            self.send_response(statuses.pop(0))
            for name, value in {**state.headers, "Content-Length": "0"}.items():
                self.send_header(name, value)
            self.end_headers()
            return True

        def do_HEAD(self) -> None:
            time.sleep(state.latency)
            if self._failed(state.fail_heads):
                return
            content = self._content()
            if content is not None:
                self._headers(200, content, len(content))

        def do_GET(self) -> None:
            time.sleep(state.latency)
            content = self._content()
            if content is None:
                return
            asked = self.headers.get("Range", "")
            state.ranges.append((self.path, asked))
            if self._failed(state.fail):
                return
            if not asked or state.without_ranges:
                self._headers(200, content, len(content))
                self._send(memoryview(content))
                return
            first, last = asked.removeprefix("bytes=").split("-")
            start = int(first) if first else len(content) - int(last)
            stop = min(len(content), int(last) + 1) if last and first else len(content)
            if start >= len(content):
                self.send_error(416)
                return
            piece = content[start:stop]
            if state.short:
                state.short -= 1
                piece = piece[:-1]
            self._headers(206, content, len(piece), f"bytes {start}-{stop - 1}/{len(content)}")
            self._send(piece)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    class Server(ThreadingHTTPServer):
        # The library's five are fewer than ask at once: the others would be turned away and wait a second.
        request_queue_size = 512

    server = Server(("127.0.0.1", 0), Handler)
    state.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def main() -> None:
    """Serve one file until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--bandwidth", type=float, default=0.0)
    options = parser.parse_args()
    with options.file.open("rb") as file, range_server() as server:
        server.files[options.file.name] = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        server.latency, server.bandwidth = options.latency, options.bandwidth
        print(server.url(options.file.name), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
