import subprocess
import sys
import time

import pytest

from neuralgraph.bulk import run_lock
from neuralgraph.bulk.run_lock import RunLock
from neuralgraph.errors import OutputError

HOLD = "import sys, time\nsys.stdin.read()"


@pytest.fixture(params=["system", "library"])
def way(request, monkeypatch):
    """As on Linux and macOS, and as on Windows."""
    if request.param == "library":
        pytest.importorskip("filelock")
        monkeypatch.setattr(run_lock, "_has_flock", lambda: False)
    return request.param


def test_one_at_a_time(tmp_path, way):
    first, second = RunLock(tmp_path / "lock"), RunLock(tmp_path / "lock")
    first.take(0.0)
    began = time.monotonic()
    with pytest.raises(BlockingIOError):
        second.take(0.3)
    assert time.monotonic() - began >= 0.25
    first.let_go()
    first.let_go()
    second.take(0.0)
    second.let_go()
    assert (tmp_path / "lock").stat().st_mode & 0o77 == 0


def test_a_lock_of_a_process_that_was_killed_is_free(tmp_path, way):
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom neuralgraph.bulk import run_lock\n"
        f"run_lock._has_flock = lambda: {way == 'system'}\n"
        "lock = run_lock.RunLock(Path(sys.argv[1]))\nlock.take(0.0)\nprint('held', flush=True)\ntime.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, tmp_path / "lock"], stdout=subprocess.PIPE)
    lock = RunLock(tmp_path / "lock")
    try:
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(BlockingIOError):
            lock.take(0.0)
    finally:
        process.kill()
        process.communicate()
    lock.take(5.0)
    lock.let_go()


def test_workers_keep_it(tmp_path):
    lock = RunLock(tmp_path / "lock")
    descriptors = lock.take(0.0)
    worker = subprocess.Popen([sys.executable, "-c", HOLD], stdin=subprocess.PIPE, pass_fds=descriptors)
    lock.let_go()
    other = RunLock(tmp_path / "lock")
    with pytest.raises(BlockingIOError):
        other.take(0.0)
    worker.communicate()
    other.take(5.0)
    other.let_go()


def test_where_there_can_be_no_lock(tmp_path, way):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        RunLock(tmp_path / "file" / "lock").take(0.0)


def test_without_the_library(tmp_path, monkeypatch):
    monkeypatch.setattr(run_lock, "_has_flock", lambda: False)
    monkeypatch.setitem(sys.modules, "filelock", None)
    with pytest.raises(ImportError, match=r"'\.\[bulk\]'"):
        RunLock(tmp_path / "lock").take(0.0)


def test_memory_is_not_bounded_where_the_system_has_no_such_bound(monkeypatch):
    from neuralgraph.bulk.memory import bounded_memory

    monkeypatch.setitem(sys.modules, "resource", None)
    with bounded_memory(1):
        assert len(bytes(8_000_000)) == 8_000_000
