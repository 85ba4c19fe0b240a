"""Servers that send too much, too slowly, without end or not at all; and what an epoch over a network costs."""

from __future__ import annotations

import gc
import gzip
import multiprocessing
import pickle
import time
import tracemalloc
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import SimpleNamespace
from typing import ClassVar

import pytest
from builders import build_study

import neuralgraph as ng
from bench.range_server import RangeServer, range_server
from neuralgraph import FormatError, StudyError
from neuralgraph.access import attempts, remote
from neuralgraph.access.attempts import reason

pytest.importorskip("fsspec", reason="the extra remote is not installed")
aiohttp = pytest.importorskip("aiohttp", reason="the extra remote is not installed")

MADE = [build_study(seed=seed, patches=4, dim=200, form="float32") for seed in range(30)]
DATA = ng.to_bytes(MADE)
WHOLE = f"bytes=0-{len(DATA) - 1}"
BOMB = gzip.compress(bytes(2**26), 9)


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(attempts, "DELAYS", (0.0, 0.0, 0.0))
    with range_server() as state:
        state.files["a.ngr"] = DATA
        yield state


class Hostile(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    agreed: dict[str, int]

    def log_message(self, *_):
        """Nothing."""

    def do_HEAD(self):
        self.answer(200, {"Content-Length": str(len(DATA)), "Accept-Ranges": "bytes"}, b"")

    def answer(self, status, headers, body):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        first, last = map(int, self.headers.get("Range", WHOLE).removeprefix("bytes=").split("-"))
        body = DATA[first : last + 1]
        extent = {"Content-Range": f"bytes {first}-{last}/{len(DATA)}"}
        mode = self.path.split("/")[1]
        try:
            getattr(self, mode)(body, extent, first)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def chunks(self, extent, pieces):
        self.send_response(206)
        for name, value in {**extent, "Transfer-Encoding": "chunked"}.items():
            self.send_header(name, value)
        self.end_headers()
        for piece in pieces:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def sound(self, body, extent, _):
        self.answer(206, {**extent, "Content-Length": str(len(body))}, body)

    def chunked(self, body, extent, _):
        self.chunks(extent, [body[:1000], body[1000:]])

    def endless(self, body, extent, _):
        self.chunks(extent, (bytes(2**20) for _ in range(10_000)))

    def longer(self, body, extent, _):
        self.answer(206, {**extent, "Content-Length": str(len(body) + 1)}, body + b"x")

    def gigantic(self, body, extent, _):
        self.answer(206, {**extent, "Content-Length": str(2**40)}, body)

    def bomb(self, body, extent, _):
        self.answer(206, {**extent, "Content-Length": str(len(BOMB)), "Content-Encoding": "gzip"}, BOMB)

    def chunked_bomb(self, body, extent, _):
        self.chunks({**extent, "Content-Encoding": "deflate"}, [BOMB])

    def elsewhere(self, body, extent, first):
        extent["Content-Range"] = f"bytes {first + 1}-{first + len(body)}/{len(DATA)}"
        self.answer(206, {**extent, "Content-Length": str(len(body))}, body)

    def whole(self, body, extent, _):
        self.answer(200, {"Content-Length": str(len(DATA))}, DATA)

    def slow(self, body, extent, _):
        self.send_response(206)
        for name, value in {**extent, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        for at in range(300):
            self.wfile.write(body[at : at + 1])
            self.wfile.flush()
            time.sleep(0.1)
        self.close_connection = True

    def silent(self, body, extent, _):
        time.sleep(30)
        self.close_connection = True

    def loop(self, body, extent, _):
        self.answer(302, {"Location": "/loop/a.ngr", "Content-Length": "0"}, b"")

    def local(self, body, extent, _):
        self.answer(302, {"Location": "file:///etc/passwd", "Content-Length": "0"}, b"")


@contextmanager
def hostile_server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hostile)
    server.daemon_threads = True
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def hostile(monkeypatch):
    monkeypatch.setattr(attempts, "DELAYS", (0.0, 0.0))
    monkeypatch.setattr("http.server.ThreadingHTTPServer.block_on_close", False)
    with hostile_server() as address:
        yield address


@pytest.mark.parametrize("mode", ["sound", "chunked"])
def test_honest_bodies_are_read_whatever_their_form(hostile, mode):
    with ng.open(f"{hostile}/{mode}/a.ngr") as archive:
        assert archive[7].digest == MADE[7].digest


@pytest.mark.parametrize("cached", ["", "blockcache::"])
@pytest.mark.parametrize(
    ("mode", "said"),
    [
        ("endless", "goes on beyond"),
        ("longer", "were asked for"),
        ("gigantic", "were asked for"),
        ("bomb", "compresses"),
        ("chunked_bomb", "compresses"),
        ("elsewhere", "sends the range from"),
        ("whole", "serve ranges"),
        ("loop", "TooManyRedirects"),
        ("local", "Redirect"),
    ],
)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
def test_bodies_are_bounded_by_what_was_asked_for(hostile, mode, said, cached, tmp_path):
    if cached and mode == "whole":
        pytest.skip("a block of this cache is the whole file, which is what is asked for then")
    options = {"blockcache": {"cache_storage": str(tmp_path)}} if cached else {}
    began = time.monotonic()
    with pytest.raises(FormatError) as caught:
        ng.open(f"{cached}{hostile}/{mode}/a.ngr", storage_options=options)
    assert caught.value.code == "E_OPEN"
    assert said in caught.value.message
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("mode", ["endless", "gigantic", "bomb", "chunked_bomb", "slow", "silent"])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
def test_what_could_be_a_collection_is_read_within_the_same_bounds(hostile, mode):
    began = time.monotonic()
    tracemalloc.start()
    with pytest.raises(FormatError) as caught:
        ng.open(f"{hostile}/{mode}", timeout=0.5)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert caught.value.code == "E_OPEN"
    assert peak < 2**25
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("mode", ["slow", "silent"])
@pytest.mark.parametrize("read", ["open", "load", "validate"])
def test_slow_bodies_end_by_the_callers_time_limit(hostile, mode, read):
    began = time.monotonic()
    url = f"{hostile}/{mode}/a.ngr"
    if read == "validate":
        (problem,) = ng.validate(url, timeout=0.4).problems
    else:
        with pytest.raises(FormatError) as caught:
            getattr(ng, read)(url, timeout=0.4)
        problem = caught.value.problem
    assert problem.code == "E_OPEN"
    assert "within 0.4 s" in problem.message
    assert "timeout" in problem.message
    assert time.monotonic() - began < 3


def test_the_time_limit_of_the_command_line(hostile, capsys):
    from neuralgraph.cli.info import info
    from neuralgraph.cli.main import application

    url = f"{hostile}/slow/a.ngr"
    with pytest.raises(FormatError, match=r"within 0.4 s"):
        info(url, timeout=0.4)
    with pytest.raises(FormatError, match=r"within 0.4 s"):
        info(url, study="study-3", timeout=0.4)
    with pytest.raises(SystemExit) as left:
        application(["validate"])(["validate", url, "--timeout", "0.4"])
    assert left.value.code == 1
    assert "within 0.4 s" in capsys.readouterr().out


def test_packing_keeps_to_the_time_while_it_looks_for_a_collection(hostile, tmp_path):
    began = time.monotonic()
    with pytest.raises(FormatError, match=r"within 0.4 s"):
        ng.pack([f"{hostile}/slow"], tmp_path / "a.ngr", timeout=0.4)
    assert time.monotonic() - began < 5
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["a.ngr", "collection"])
@pytest.mark.parametrize("wrong", [0, -1, float("nan"), float("inf")])
def test_a_time_limit_is_a_number_of_seconds(server, wrong, name):
    with pytest.raises(StudyError, match="positive") as caught:
        ng.open(server.url(name), timeout=wrong)
    assert caught.value.code == "E_NUM"


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429])
def test_what_may_pass_is_asked_again_at_opening_too(status, monkeypatch):
    monkeypatch.setattr(attempts, "DELAYS", (0.0, 0.0, 0.0))
    with range_server() as state:
        state.files["a.ngr"] = DATA
        state.fail_heads = [status, status]
        state.fail = [status, status]
        with ng.open(state.url("a.ngr")) as archive:
            assert len(archive) == 30
        assert state.fail_heads == state.fail == []


@pytest.mark.parametrize(
    ("status", "said", "heads"),
    [
        (403, "403 Forbidden", 1),
        (404, "404 Not Found", 1),
        (401, "401", 1),
        (503, "503", 4),
        (429, "429", 4),
        (500, "500", 4),
    ],
)
def test_statuses_are_named_and_only_some_asked_again(server, status, said, heads):
    server.fail_heads, server.fail = [status] * 9, [status] * 9
    with pytest.raises(FormatError) as caught:
        ng.open(server.url("a.ngr") + "?signature=secret")
    assert caught.value.code == "E_OPEN"
    assert f"HTTP status {said}" in caught.value.message
    assert "secret" not in str(caught.value)
    assert "FileNotFound" not in str(caught.value)
    assert 9 - len(server.fail_heads) == heads


def test_a_server_says_when_to_come_back(server, monkeypatch):
    waits = []
    clock = SimpleNamespace(sleep=waits.append, monotonic=time.monotonic, time=time.time)
    monkeypatch.setattr(attempts, "time", clock)
    server.headers = {"Retry-After": "7"}
    server.fail = [503, 429]
    with ng.open(server.url("a.ngr")) as archive:
        assert len(archive) == 30
    assert waits == [7.0, 7.0]
    server.headers = {"Retry-After": "120"}
    server.fail = [429]
    with pytest.raises(FormatError, match="429 Too Many Requests; the server asks to come back in 120 s"):
        ng.open(server.url("a.ngr"))
    server.headers = {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}
    server.fail = [503]
    with ng.open(server.url("a.ngr")):
        assert waits[2:] == [0.0]
    server.headers = {"Retry-After": "soon"}
    server.fail = [503]
    with ng.open(server.url("a.ngr")):
        pass


def test_signed_addresses_that_know_no_head(server):
    server.fail_heads = [403]
    with ng.open(server.url("a.ngr")) as archive:
        assert archive[3].digest == MADE[3].digest


def test_the_status_behind_other_errors_is_found():
    class ClientError(Exception):  # like botocore's
        response: ClassVar = {"ResponseMetadata": {"HTTPStatusCode": 503, "HTTPHeaders": {"retry-after": "3"}}}

    error = FileNotFoundError("s3://bucket/a")
    error.__cause__ = ClientError()
    assert reason(error, 30) == "HTTP status 503 Service Unavailable; the server asks to come back in 3 s"
    assert reason(FileNotFoundError("x"), 30) == "there is no such file"


def test_members_of_containers_that_are_not_there(tmp_path):
    import zipfile

    (tmp_path / "damaged.zip").write_bytes(b"no zip")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("a.ngr", DATA)
    with ng.open(f"zip://a.ngr::{tmp_path}/a.zip") as archive:
        assert archive[2].digest == MADE[2].digest
    for place in ("a.zip", "none.zip", "damaged.zip"):
        with pytest.raises(FormatError) as caught:
            ng.open(f"zip://none.ngr::{tmp_path}/{place}")
        assert caught.value.code == "E_OPEN"
    with pytest.raises(FormatError) as caught:
        ng.open(f"file://{tmp_path}/none.ngr")
    assert caught.value.code == "E_OPEN"


def total(state: RangeServer) -> int:
    return sum(int(last) - int(first) + 1 for first, last in (asked[6:].split("-") for _, asked in state.ranges))


def test_reading_in_order_is_a_request_per_block(server):
    server.files["a.ngr"] = ng.to_bytes(
        build_study(seed=seed, patches=4, dim=900, form="float32") for seed in range(300)
    )
    size = len(server.files["a.ngr"])
    with ng.open(server.url("a.ngr")) as archive:
        server.ranges.clear()
        assert len(list(archive)) == 300
    assert len(server.ranges) <= 5
    assert total(server) < 1.3 * size
    server.ranges.clear()
    assert ng.validate(server.url("a.ngr")).ok
    assert len(server.ranges) <= 7
    with ng.open(server.url("a.ngr")) as archive:
        server.ranges.clear()
        assert len([archive[position] for position in range(0, 300, 2)]) == 150
    assert len(server.ranges) <= 5


def test_a_single_study_costs_what_it_weighs(server):
    server.files["a.ngr"] = ng.to_bytes(
        build_study(seed=seed, patches=4, dim=900, form="float32") for seed in range(300)
    )
    with ng.open(server.url("a.ngr")) as archive:
        server.ranges.clear()
        assert archive[20].study_id == "study-20"
        assert total(server) < 2**15


def test_reading_in_any_order_ends_with_the_whole_of_a_small_file(server):
    server.files["a.ngr"] = ng.to_bytes(
        build_study(seed=seed, patches=4, dim=900, form="float32") for seed in range(300)
    )
    with ng.open(server.url("a.ngr")) as archive:
        server.ranges.clear()
        for position in range(300):
            assert archive[position * 7 % 300].study_id == f"study-{position * 7 % 300}"
    assert total(server) < 1.6 * len(server.files["a.ngr"])


@pytest.mark.slow
def test_an_epoch_costs_little_more_than_a_download(tmp_path):
    ng.save((build_study(seed=seed, patches=4, dim=64) for seed in range(3_000)), tmp_path / "a.ngr")

    def seconds(work):
        began = time.perf_counter()
        work()
        return time.perf_counter() - began

    def epoch(place):
        with ng.open(place) as archive:
            assert sum(1 for _ in archive) == 3_000

    with range_server() as state:
        state.files["a.ngr"], state.latency = (tmp_path / "a.ngr").read_bytes(), 0.02
        download = seconds(lambda: urllib.request.urlopen(state.url("a.ngr")).read())
        here = min(seconds(lambda: epoch(tmp_path / "a.ngr")) for _ in range(2))
        there = min(seconds(lambda: epoch(state.url("a.ngr"))) for _ in range(2))
    assert there <= 1.5 * (download + here)


def forked(question):
    """What a question answers, or the FormatError it raises, in a forked process."""
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()

    def run():
        try:
            queue.put(question())
        except FormatError as error:
            queue.put(error)

    process = context.Process(target=run)
    process.start()
    answer = queue.get()
    process.join(30)
    assert process.exitcode == 0
    return answer


def fork_and_read(archive):
    return forked(lambda: [archive[20].digest, archive["study-3"].digest])


def test_copies_pickles_and_forks_connect_for_themselves(server, monkeypatch):
    monkeypatch.setattr(remote, "SUFFIX", 600)
    other = ng.to_bytes([build_study(seed=seed + 50, patches=4, dim=200, form="float32") for seed in range(30)])
    with ng.open(server.url("a.ngr"), timeout=20) as archive:
        assert archive[0].digest == MADE[0].digest
        blob = pickle.dumps(archive)
        assert fork_and_read(archive) == [MADE[20].digest, MADE[3].digest]
        assert archive[21].digest == MADE[21].digest
        with pickle.loads(blob) as again:
            assert again[5].digest == MADE[5].digest
            assert again.files[0][1]._timeout == 20
        server.files["a.ngr"] = other
        refused = fork_and_read(archive)
        assert refused.code == "E_OPEN"
        assert "replaced" in refused.message
        with pytest.raises(FormatError, match="replaced"):
            pickle.loads(blob)
    with pytest.raises(TypeError, match="closed"):
        pickle.dumps(archive)


def test_a_fork_does_not_end_connections_that_stayed_behind(server, monkeypatch):
    from fsspec.implementations.http import HTTPFileSystem

    # In a forked process this waits a second for a thread that is not there, in whatever thread the collector runs.
    end, ended = HTTPFileSystem.close_session, []
    monkeypatch.setattr(HTTPFileSystem, "close_session", staticmethod(lambda *how: (ended.append(how), end(*how))))
    for seconds in range(20, 25):
        with ng.open(server.url("a.ngr"), timeout=seconds) as archive:
            assert archive[0].digest == MADE[0].digest

    def read_and_collect():
        digest = archive[20].digest
        gc.collect()
        return digest, len(ended)

    with ng.open(server.url("a.ngr"), timeout=19) as archive:
        assert forked(read_and_collect) == (MADE[20].digest, 0)
        assert archive[21].digest == MADE[21].digest


def test_openings_share_their_connections(server):
    from fsspec.implementations.http import HTTPFileSystem

    with ng.open(server.url("a.ngr"), timeout=18), ng.open(server.url("a.ngr"), timeout=17):
        kept = len(HTTPFileSystem._cache)
    for _ in range(3):
        ng.open(server.url("a.ngr"), timeout=18).close()
    assert len(HTTPFileSystem._cache) == kept


def read_one(archive):
    return archive[8].digest


def test_spawned_workers_connect_for_themselves(server):
    with ng.open(server.url("a.ngr")) as archive, multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(read_one, (archive,)) == MADE[8].digest
