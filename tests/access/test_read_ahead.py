"""A file behind a network that is read ahead: what is under way, what fails there, and what closing leaves of it."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from builders import build_study

import neuralgraph as ng
from bench.range_server import RangeServer, range_server
from neuralgraph import FormatError
from neuralgraph.access import attempts, remote

fsspec = pytest.importorskip("fsspec", reason="the extra remote is not installed")
pytest.importorskip("aiohttp", reason="the extra remote is not installed")

MADE = [build_study(seed=seed, patches=4, dim=200, form="float32") for seed in range(30)]


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(attempts, "DELAYS", (0.0, 0.0, 0.0))
    with range_server() as state:
        yield state


def total(state: RangeServer) -> int:
    return sum(int(last) - int(first) + 1 for first, last in (asked[6:].split("-") for _, asked in state.ranges))


def big(server: RangeServer, studies: int = 60) -> None:
    """A file of some MB whose whole is not fetched at once, behind a server that takes its time."""
    server.files["a.ngr"] = ng.to_bytes(
        build_study(seed=seed, patches=12, dim=3000, form="float32") for seed in range(studies)
    )


@pytest.fixture
def ahead(server, monkeypatch):
    """The same in small: blocks of 256 KiB, a MiB ahead, 2 MiB kept."""
    for name, value in {
        "WHOLE": 0,
        "LARGEST_BLOCK": 2**18,
        "FIRST_BLOCK": 2**16,
        "AHEAD": 2**20,
        "KEPT": 2**21,
    }.items():
        monkeypatch.setattr(remote, name, value)
    big(server)
    return server


def test_the_next_blocks_are_under_way_while_one_is_used(ahead):
    with ng.open(ahead.url("a.ngr")) as archive:
        source = archive.files[0][1]
        ahead.ranges.clear()
        most = 0
        for position, study in enumerate(archive):
            assert study.study_id == f"study-{position}"
            most = max(most, source._frontier - source._next)
            assert source._pieces.bytes <= 2**21
        assert 2**19 < most <= 2**20
    assert total(ahead) < 1.02 * len(ahead.files["a.ngr"])


@pytest.mark.parametrize("fail", [[503], [429, 500], [503] * 3])
def test_what_fails_ahead_is_asked_for_again(ahead, fail):
    with ng.open(ahead.url("a.ngr")) as archive:
        for position in range(60):
            if position == 20:
                ahead.fail = list(fail)
            assert archive[position].study_id == f"study-{position}"
        assert not ahead.fail


def test_what_goes_on_failing_ahead_is_an_error_where_it_is_needed(ahead):
    with ng.open(ahead.url("a.ngr")) as archive:
        read = [archive[position].study_id for position in range(20)]
        ahead.fail = [403] * 99
        rest = (archive[position].study_id for position in range(20, 60))
        with pytest.raises(FormatError, match="403 Forbidden") as caught:
            read.extend(rest)
        assert caught.value.code == "E_OPEN"
        assert caught.value.where.endswith("a.ngr")
        # Blocks that had come are used first; and it can be tried again.
        assert len(read) >= 20
        ahead.fail = []
        assert archive[len(read)].study_id == f"study-{len(read)}"


def test_closing_and_forking_leave_nothing_under_way(ahead):
    before = {thread.name for thread in threading.enumerate()} | {"fsspecIO"}
    archive = ng.open(ahead.url("a.ngr"))
    source = archive.files[0][1]
    ahead.latency = 0.2
    for position in range(12):
        archive[position]
    begun = [request.answers for request in source._under_way]
    assert begun
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.apply(_ids_of, (archive, [13, 14, 50])) == ["study-13", "study-14", "study-50"]
    assert archive[13].study_id == "study-13"
    archive.close()
    assert all(answers.done() for answers in begun)
    assert not source._under_way
    ours = {thread.name for thread in threading.enumerate() if "Thread-" not in thread.name} - before
    assert not {name for name in ours if "ngr" in name}
    with pytest.raises(FormatError, match="closed"):
        archive[14]


def _ids_of(archive, positions):
    return [archive[position].study_id for position in positions]


def test_a_program_that_ends_in_the_middle_ends_quietly(ahead):
    ahead.latency = 0.1
    program = (
        "import sys, neuralgraph as ng\n"
        "import neuralgraph.access.remote as remote\n"
        "remote.WHOLE, remote.FIRST_BLOCK, remote.LARGEST_BLOCK = 0, 2**16, 2**18\n"
        "archive = ng.open(sys.argv[1])\n"
        "print([archive[position].study_id for position in range(8)][-1], len(archive.files[0][1]._under_way) > 0)\n"
    )
    command = [sys.executable, "-X", "dev", "-c", program, ahead.url("a.ngr")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0
    assert done.stdout.split() == ["study-7", "True"]
    assert "Traceback" not in done.stderr


def test_threads_that_read_in_order_share_what_comes(ahead):
    with ng.open(ahead.url("a.ngr")) as archive, ThreadPoolExecutor(4) as pool:
        ahead.ranges.clear()
        found = list(
            pool.map(lambda first: [s.study_id for s in archive.read_many(range(first, first + 3))], range(0, 60, 3))
        )
    assert [each for batch in found for each in batch] == [f"study-{number}" for number in range(60)]
    assert total(ahead) < 1.3 * len(ahead.files["a.ngr"])


def test_what_is_foreseen_is_under_way(ahead):
    pytest.importorskip("torch_geometric")
    from neuralgraph.adapters.pyg import ArchiveLoader

    order = [50, 3, 17, 44, 9, 28]
    with ng.open(ahead.url("a.ngr")) as archive:
        ahead.ranges.clear()
        archive.foresee(order, now=True)
        assert len(archive.files[0][1]._under_way) == 1
        assert [archive[position].study_id for position in order] == [f"study-{position}" for position in order]
        assert len(ahead.ranges) == len(order)
        archive.foresee(order)
        assert not archive.files[0][1]._under_way
        with pytest.raises(ng.StudyNotFoundError):
            archive.foresee([60])
    split = [f"study-{number}" for number in (50, 3, 17, 44, 9, 28)]
    loader = ArchiveLoader(ahead.url("a.ngr"), batch_size=2, split=split, labels=())
    ahead.ranges.clear()
    assert [name for batch in loader for name in batch.study_id] == split
    assert len(ahead.ranges) <= len(split)


def test_what_nobody_comes_for_is_let_go(ahead, monkeypatch):
    monkeypatch.setattr(remote, "MOST_UNDER_WAY", 2**20)
    with ng.open(ahead.url("a.ngr")) as archive:
        source = archive.files[0][1]
        for first in range(0, 60, 4):
            archive.foresee(range(first, first + 4), now=True)
            waiting = sum(request.bytes for request in source._under_way)
            assert waiting <= 2**20 + max(request.bytes for request in source._under_way)
        assert [archive[position].study_id for position in (1, 59)] == ["study-1", "study-59"]


def test_a_record_larger_than_what_is_kept_is_read(ahead, monkeypatch):
    monkeypatch.setattr(remote, "KEPT", 2**16)
    with ng.open(ahead.url("a.ngr")) as archive:
        ahead.ranges.clear()
        assert [study.study_id for study in archive] == [f"study-{number}" for number in range(60)]
        assert archive.read_many(range(50))[-1].study_id == "study-49"
    assert total(ahead) < 4 * len(ahead.files["a.ngr"])


def test_what_one_thread_gave_up_another_asks_for_again_or_says_why(ahead):
    with ng.open(ahead.url("a.ngr"), timeout=60.0) as archive:
        source = archive.files[0][1]
        archive.foresee([30], now=True)
        for request in source._under_way:
            request.answers.cancel()
        with pytest.raises(FormatError, match="longer timeout") as caught:
            archive[30]
        assert caught.value.code == "E_OPEN"
        assert archive[30].study_id == "study-30"


def test_where_nothing_happens_in_the_background_what_is_foreseen_comes_with_the_next_request():
    files = fsspec.filesystem("memory")
    files.pipe("/ahead.ngr", ng.to_bytes(MADE))
    with ng.open("memory://ahead.ngr") as archive:
        source = archive.files[0][1]
        archive.foresee(range(len(MADE)), now=True)
        assert not source._under_way
        assert [study.digest for study in archive.read_many(range(len(MADE)))] == [study.digest for study in MADE]
