"""An open file is owned once: copies, pickles, forks and workers open their own, or refuse."""

from __future__ import annotations

import copy
import gc
import io
import multiprocessing
import os
import pickle
import shutil
import subprocess
import sys
import threading
import weakref
from pathlib import Path

import pytest
from builders import build_study

import neuralgraph as ng
from neuralgraph import FormatError
from neuralgraph.access import files
from neuralgraph.access.files import FileSource
from neuralgraph.container.reader import Container
from neuralgraph.storage import opening

ROOT = Path(__file__).parents[2]
MADE = [build_study(seed=seed, patches=2, dim=3) for seed in range(6)]
COPIES = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda archive: pickle.loads(pickle.dumps(archive)),
}


@pytest.fixture
def path(tmp_path):
    ng.save(MADE, tmp_path / "a.ngr")
    return tmp_path / "a.ngr"


@pytest.fixture(params=COPIES.values(), ids=COPIES)
def copied(request):
    return request.param


@pytest.mark.parametrize("used", [False, True])
def test_the_end_of_a_copy_is_not_that_of_the_original(path, copied, used):
    archive = ng.open(path)
    if used:
        assert archive["study-3"].study_id == "study-3"
    other = copied(archive)
    assert other[4].digest == MADE[4].digest
    del other
    gc.collect()
    assert archive[1].digest == MADE[1].digest
    other = copied(archive)
    archive.close()
    assert [study.digest for study in other] == [study.digest for study in MADE]
    assert other.ids == [study.study_id for study in MADE]
    other.close()


def test_the_end_of_a_copy_closes_nobody_elses_file(path, tmp_path):
    archive = ng.open(path)
    blob = pickle.dumps(archive)
    archive.close()
    other = pickle.loads(blob)
    with open(tmp_path / "checkpoint", "w", encoding="utf-8") as stream:
        stream.write("weights")
        del other
        gc.collect()
        stream.flush()
    assert (tmp_path / "checkpoint").read_text(encoding="utf-8") == "weights"


def test_a_pickle_never_reads_what_has_its_number_now(path, tmp_path):
    ng.save(build_study(seed=9), tmp_path / "b.ngr")
    archive = ng.open(path)
    blob = pickle.dumps(archive)
    archive.close()
    with ng.open(tmp_path / "b.ngr"), pickle.loads(blob) as again:
        assert len(again) == 6
        assert again[5].digest == MADE[5].digest


def test_what_lies_at_the_path_by_then_must_be_the_file(path, tmp_path, copied):
    ng.save([build_study(seed=seed + 30, patches=2, dim=3) for seed in range(6)], tmp_path / "b.ngr")
    with ng.open(path) as archive:
        os.replace(tmp_path / "b.ngr", path)
        with pytest.raises(FormatError, match="replaced") as caught:
            copied(archive)
        assert caught.value.code == "E_OPEN"
        assert str(path) in caught.value.where
        assert archive[2].digest == MADE[2].digest
        path.unlink()
        with pytest.raises(FormatError) as caught:
            copied(archive)
    assert caught.value.code == "E_OPEN"


def test_another_machine_goes_by_the_digests(path, tmp_path, monkeypatch):
    archive = ng.open(path)
    blob = pickle.dumps(archive)
    archive.close()
    monkeypatch.setattr(files.platform, "node", lambda: "another")
    shutil.copyfile(path, tmp_path / "b.ngr")
    os.replace(tmp_path / "b.ngr", path)
    with pickle.loads(blob) as again:
        assert again[0].digest == MADE[0].digest
    ng.save([build_study(seed=seed + 30, patches=2, dim=3) for seed in range(6)], path)
    with pytest.raises(FormatError, match="replaced"):
        pickle.loads(blob)


def test_closed_archives_are_not_copied(path, copied):
    archive = ng.open(path)
    archive.close()
    with pytest.raises(TypeError, match="closed"):
        copied(archive)


def test_files_in_memory_are_shared_and_not_pickled(path):
    stream = io.BytesIO(path.read_bytes())
    archive = ng.open(stream)
    stream.seek(0)
    stream.truncate()
    for other in (copy.copy(archive), copy.deepcopy(archive)):
        assert other[3].digest == MADE[3].digest
        other.close()
    assert archive[3].digest == MADE[3].digest
    with pytest.raises(TypeError, match="in memory"):
        pickle.dumps(archive)


def test_folders_of_many_files_lists_and_limits_are_copied(tmp_path, copied, monkeypatch):
    monkeypatch.setattr(opening, "MOST_HELD_OPEN", 3)
    for number, study in enumerate(MADE):
        ng.save(study, tmp_path / f"{number}.ngr")
    with ng.open(tmp_path, limits=ng.Limits(patches=2)) as archive, copied(archive) as other:
        assert [study.digest for study in other] == [study.digest for study in MADE]
        assert other.files[0][2].limits == ng.Limits(patches=2)
        assert other.files[0][0] == archive.files[0][0]


def test_a_relative_path_is_that_of_the_folder_it_was_opened_in(path, monkeypatch):
    monkeypatch.chdir(path.parent)
    archive = ng.open("a.ngr")
    blob = pickle.dumps(archive)
    monkeypatch.chdir("/")
    with pickle.loads(blob) as again, copy.copy(archive) as other:
        assert again[1].digest == other[1].digest == MADE[1].digest
        assert str(again.files[0][0]) == "a.ngr"
    archive.close()


def test_parts_of_an_archive_may_be_copied_too(path):
    with ng.open(path) as archive:
        source, container = archive.files[0][1:]
        with copy.copy(source) as own:
            assert own.read(0, 8) == source.read(0, 8)
        again = pickle.loads(pickle.dumps(container))
        assert isinstance(again, Container)
        assert again.source is not source
        assert copy.deepcopy(archive.ids) == archive.ids


def in_child(work):
    """What ``work`` gives in a forked process."""
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()

    def run():
        try:
            queue.put(work())
        except Exception as error:  # noqa: BLE001  whatever it is, the test looks at it
            queue.put(error)

    process = context.Process(target=run)
    process.start()
    answer = queue.get()
    process.join(60)
    assert process.exitcode == 0
    return answer


def test_a_fork_opens_its_own(path):
    archive = ng.open(path)
    before = archive[0].digest

    def work():
        number = archive.files[0][1]._descriptor._state.number
        digests = [archive[1].digest, archive[0].digest]
        own = archive.files[0][1]._descriptor._state
        links = os.path.samefile(f"/proc/self/fd/{own.number}", path)
        archive.close()
        return digests, own.process == os.getpid(), links, number

    digests, own, links, _ = in_child(work)
    assert digests == [MADE[1].digest, before]
    assert own
    assert links
    assert archive[2].digest == MADE[2].digest
    archive.close()


def test_a_fork_finds_a_file_that_was_replaced(path, tmp_path):
    with ng.open(path) as archive:
        archive[0]
        ng.save(MADE[::-1], path)

        def work():
            codes = []
            for _ in range(2):
                try:
                    archive[0]
                except FormatError as error:
                    codes.append((error.code, "replaced" in error.message))
            return codes

        assert in_child(work) == [("E_OPEN", True)] * 2
        assert archive[0].digest == MADE[0].digest


def test_a_fork_that_closed_every_number_closes_nobody_elses(path, tmp_path):
    archive = ng.open(path)
    archive[0]
    (tmp_path / "log").touch()

    def work():
        number = archive.files[0][1]._descriptor._state.number
        os.close(number)
        strangers = [os.open(tmp_path / "log", os.O_WRONLY) for _ in range(3)]
        found = number in strangers
        digest = archive[3].digest
        archive.close()
        for stranger in strangers:
            os.write(stranger, b"x")
        return digest, found

    assert in_child(work) == (MADE[3].digest, True)
    archive.close()


def test_a_fork_does_not_wait_for_a_lock_that_another_thread_held(path):
    archive = ng.open(path)
    stop = threading.Event()

    def read():
        while not stop.is_set():
            archive[0]

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(10):
            assert in_child(lambda: archive[1].digest) == MADE[1].digest
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    archive.close()


def digest_of(archive, position):
    return archive[position].digest


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_spawned_workers_open_their_own(path, method):
    with ng.open(path) as archive, multiprocessing.get_context(method).Pool(2) as pool:
        found = pool.starmap(digest_of, [(archive, position) for position in range(6)])
        assert archive[0].digest == MADE[0].digest
    assert found == [study.digest for study in MADE]


def test_closing_waits_for_threads_that_read(path, tmp_path):
    (tmp_path / "other").write_bytes(b"\xff" * path.stat().st_size)
    expected = path.read_bytes()[:4096]
    for _ in range(30):
        source = FileSource(path)
        wrong: list[object] = []
        begin = threading.Barrier(4)

        def read(source=source, begin=begin, wrong=wrong):
            begin.wait()
            try:
                for _ in range(50):
                    if bytes(source.read(0, 4096)) != expected:
                        wrong.append("a stranger's bytes")
            except FormatError as error:
                if "closed" not in error.message:
                    wrong.append(error)

        threads = [threading.Thread(target=read) for _ in range(3)]
        for thread in threads:
            thread.start()
        begin.wait()
        source.close()
        strangers = [os.open(tmp_path / "other", os.O_RDONLY) for _ in range(4)]
        for thread in threads:
            thread.join()
        for stranger in strangers:
            os.close(stranger)
        assert wrong == []


def test_archives_that_nobody_closed_are_closed_when_they_go(path):
    before = len(os.listdir("/proc/self/fd"))
    archives = [ng.open(path) for _ in range(5)]
    seen = [weakref.ref(archive) for archive in archives]
    proxy = weakref.proxy(archives[0])
    assert proxy[2].digest == MADE[2].digest
    assert len(os.listdir("/proc/self/fd")) == before + 5
    del archives
    assert [reference() for reference in seen] == [None] * 5
    assert len(os.listdir("/proc/self/fd")) == before

    class Holder:
        pass

    holder = Holder()
    holder.me, holder.archive = holder, ng.open(path)
    del holder
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) == before


AT_EXIT = """
import atexit, sys, threading, time
import neuralgraph as ng
archive = ng.open(sys.argv[1])
class Late:
    def __init__(self): self.archive = ng.open(sys.argv[1])
    def __del__(self): self.archive.close()
late = Late()
late.me = late
atexit.register(lambda: print(archive[1].study_id))
def go_on():
    while True:
        archive[0]
threading.Thread(target=go_on, daemon=True).start()
time.sleep(0.2)
"""


def test_the_end_of_the_interpreter_is_silent(path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-W", "error", "-c", AT_EXIT, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, "study-1\n", "")


def test_pages_verified_before_a_fork_are_not_another_processs(path, monkeypatch):
    monkeypatch.setattr("neuralgraph.container.pages.SMALL_SECTION", 1)
    with ng.open(path) as archive:
        archive[0]
        payload = archive.files[0][2].index._pages.payload

        def work():
            payload[:8] = b"\xff" * 8
            return True

        first = bytes(payload[:8])
        assert in_child(work)
        assert bytes(payload[:8]) == first


def test_reading_works_without_positioned_reads(path, monkeypatch):
    monkeypatch.setattr(files, "_read_at", files._sought_read)
    with ng.open(path) as archive:
        assert [study.digest for study in archive] == [study.digest for study in MADE]
