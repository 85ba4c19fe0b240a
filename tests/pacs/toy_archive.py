"""A DICOMweb service on the loopback interface that can be made to misbehave."""

import gzip
import json
import time
import urllib.parse
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from tests.pacs.conftest import film

BOMB = gzip.compress(bytes(50_000_000), 1)
CR = "1.2.840.10008.5.1.4.1.1.1"


def uid(number):
    return f"1.2.3.{number}"


@dataclass
class Toy:
    """What is there, and how badly it is served.

    ``offsets``: "right"; "ignored"; "pages", which counts them in pages; "gap", which loses a result; "random".
    """

    total: int = 5
    """Studies, of one film each."""
    cap: int = 1000
    offsets: str = "right"
    limits: bool = True
    count_header: bool = False
    warning_header: bool = False
    says: dict = field(default_factory=dict)
    """Elements to add to every result."""
    classes: bool = True
    twice: bool = False
    """List every object twice."""
    listed: dict = field(default_factory=dict)
    """Instances listed of a study, by its number."""
    faults: list = field(default_factory=list)
    """(path ending, function of the handler) of what is answered instead, the first that fits, once each."""
    packed: bool = False
    alone: bool = False
    """Give objects without a multipart around them."""
    films: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)
    posted: list = field(default_factory=list)
    """(Content-Type, body) of what was sent here."""
    url: str = ""

    def film(self, number):
        return self.films.get(number) or film(study=uid(number), instance=f"{uid(number)}.9")

    def studies_asked(self):
        return {path.split("/")[2] for path, _ in self.asked if path.startswith("/studies/")}


def reply(handler, body, kind="application/dicom+json", status=200, **headers):
    handler.send_response(status)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(len(body)))
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def busy(seconds="0"):
    return lambda handler: reply(handler, b"PatientName Doe", status=503, Retry_After=seconds)


def refused(status):
    return lambda handler: reply(handler, b"PatientName Doe", status=status)


def endless(handler):
    handler.send_response(200)
    handler.send_header("Content-Type", "application/dicom+json")
    handler.end_headers()
    while True:
        handler.wfile.write(b" " * 65536)


def trickling(handler):
    handler.send_response(200)
    handler.send_header("Content-Type", "application/dicom+json")
    handler.end_headers()
    for _ in range(600):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.05)


def trickling_head(handler):
    for _ in range(600):
        handler.wfile.write(b"x")
        handler.wfile.flush()
        time.sleep(0.05)


def silent(handler):
    time.sleep(5)


def cut(handler):
    handler.send_response(200)
    handler.send_header("Content-Type", "application/dicom+json")
    handler.send_header("Content-Length", "5000")
    handler.end_headers()
    handler.wfile.write(b"[{}")
    handler.close_connection = True


def bomb(handler):
    reply(handler, BOMB, Content_Encoding="gzip")


def half_packed(handler):
    reply(handler, gzip.compress(b"[]" + b" " * 5000)[:-20], Content_Encoding="gzip")


def hung_up(handler):
    handler.close_connection = True


@contextmanager
def serving(toy):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16

        def log_message(self, *_):
            pass

        def do_GET(self):
            parts = urllib.parse.urlparse(self.path)
            query = dict(urllib.parse.parse_qsl(parts.query))
            toy.asked.append((parts.path, query))
            for number, (ending, fault) in enumerate(toy.faults):
                if parts.path.endswith(ending):
                    del toy.faults[number]
                    fault(self)
                    return
            if "/instances/" in parts.path:
                self.give(int(parts.path.split("/")[2].rpartition(".")[2]))
            else:
                self.list(parts.path, query)

        def do_POST(self):
            toy.posted.append((self.headers["Content-Type"], self.rfile.read(int(self.headers["Content-Length"]))))
            self.do_GET()

        def give(self, number):
            data = toy.film(number)
            if toy.alone:
                reply(self, data, "application/dicom")
                return
            body = b"preamble\r\n--x\r\nContent-Type: application/dicom\r\n\r\n" + data + b"\r\n--x--"
            reply(self, body, 'multipart/related; type="application/dicom"; boundary=x')

        def list(self, path, query):
            rows = self.rows(path, query)
            limit = min(int(query["limit"]) if toy.limits else 10**9, toy.cap)
            offset = {
                "right": lambda n: n,
                "ignored": lambda _: 0,
                "pages": lambda n: n * limit,
                "rounded": lambda n: n // limit * limit,
                "gap": lambda n: n + 3 if n else 0,
            }[toy.offsets](int(query["offset"]))
            page = rows[offset : offset + limit]
            headers = {}
            if toy.count_header:
                headers["X_Total_Count"] = str(len(rows))
            if toy.warning_header and len(rows) > offset + len(page):
                headers["Warning"] = f"299 toy: There are {len(rows) - offset - len(page)} additional results"
            body = json.dumps(page).encode()
            if toy.packed:
                body, headers["Content_Encoding"] = gzip.compress(body), "gzip"
            if not page:
                reply(self, b"", status=204)
            else:
                reply(self, body, **headers)

        def rows(self, path, query):
            def element(tag, value, kind="UI"):
                return {tag: {"vr": kind, "Value": [value]}}

            if path == "/series":
                numbers = range(toy.total if query["Modality"] == "CR" else 0)
                return [
                    {
                        **element("0020000D", uid(number)),
                        **element("0020000E", f"{uid(number)}.1"),
                        **{tag: {"vr": "IS", "Value": [value]} for tag, value in toy.says.items()},
                    }
                    for number in numbers
                ]
            number = int(path.split("/")[2].rpartition(".")[2])
            instances = range(9, 9 + toy.listed.get(number, 1))
            rows = [
                {
                    **(element("00080016", CR) if toy.classes else {}),
                    **element("0020000D", uid(number)),
                    **element("0020000E", f"{uid(number)}.1"),
                    **element("00080018", f"{uid(number)}.{instance}"),
                }
                for instance in instances
            ]
            return rows * 2 if toy.twice else rows

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, request, client_address):
            pass

    server = Server(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    toy.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield toy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
