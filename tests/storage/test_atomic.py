"""Writing: whole or not at all, whatever happens on the way."""

from __future__ import annotations

import os
import random
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from builders import build_study

import neuralgraph as ng
from neuralgraph import OutputError
from neuralgraph.storage.atomic import atomic_file, check_writable, make_folder, owner_only

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests")))}


def test_the_target_appears_when_the_block_ends(tmp_path):
    with atomic_file(tmp_path / "a") as stream:
        stream.write(b"one")
        stream.write(memoryview(b"two"))
        assert not (tmp_path / "a").exists()
    assert (tmp_path / "a").read_bytes() == b"onetwo"
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize("error", [ValueError("x"), OSError("of the caller"), KeyboardInterrupt(), SystemExit(3)])
def test_an_exception_leaves_the_old_file_and_passes_unchanged(tmp_path, error):
    (tmp_path / "a").write_bytes(b"old")

    def write():
        with atomic_file(tmp_path / "a") as stream:
            stream.write(b"new" * 100_000)
            raise error

    with pytest.raises(type(error)) as caught:
        write()
    assert caught.value is error
    assert (tmp_path / "a").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a"]


def test_files_have_the_usual_permissions(tmp_path):
    mask = os.umask(0o027)
    try:
        with atomic_file(tmp_path / "a") as stream:
            stream.write(b"x")
    finally:
        os.umask(mask)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


def test_a_name_as_long_as_the_system_allows_is_written(tmp_path):
    ng.save(build_study(), tmp_path / ("a" * 251 + ".ngr"))
    assert ng.load(tmp_path / ("a" * 251 + ".ngr")).study_id == "study-0"


@pytest.mark.parametrize("name", ["missing/a.ngr", ".", "file/a.ngr", "a" * 300, "a\0b"])
def test_a_place_that_cannot_be_written_is_refused_before_any_work(tmp_path, name):
    (tmp_path / "file").touch()
    target = str(tmp_path / name)
    worked = []

    def each():
        worked.append(True)
        yield build_study()

    messages = set()
    for attempt in (lambda: check_writable(target), lambda: ng.save(each(), target)):
        with pytest.raises(OutputError) as caught:
            attempt()
        assert (caught.value.code, caught.value.where) == ("E_OUTPUT", target)
        assert "\n" not in caught.value.message
        messages.add(caught.value.message)
    assert len(messages) == 1
    assert not worked
    assert os.listdir(tmp_path) == ["file"]


def test_a_link_stays_and_what_it_leads_to_is_written(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "old").write_bytes(b"old")
    for name, goal in (("link", "elsewhere/old"), ("nowhere", "elsewhere/new"), ("again", "link")):
        (tmp_path / name).symlink_to(goal)
    for name, goal in (("link", "old"), ("nowhere", "new"), ("again", "old")):
        with atomic_file(tmp_path / name) as stream:
            stream.write(name.encode())
        assert (tmp_path / name).is_symlink()
        assert (tmp_path / "elsewhere" / goal).read_bytes() == name.encode()
    assert sorted(os.listdir(tmp_path / "elsewhere")) == ["new", "old"]


def test_a_link_that_leads_to_no_file_is_refused(tmp_path):
    (tmp_path / "folder").mkdir()
    for name, goal in (("folder link", "folder"), ("far", "missing/a"), ("loop", "loop")):
        (tmp_path / name).symlink_to(goal)
        with pytest.raises(OutputError, match="E_OUTPUT"), atomic_file(tmp_path / name):
            pytest.fail("refused before the block")
    assert sorted(os.listdir(tmp_path)) == ["far", "folder", "folder link", "loop"]


FULL = """
import resource, sys
from builders import build_study
import neuralgraph as ng
made = [build_study(seed=seed, patches=30, dim=64, form="float32") for seed in range(20)]
ng.save(made, sys.argv[1] + "/whole.ngr")
resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
for attempt in (
    lambda: ng.save(made, sys.argv[1] + "/a.ngr"),
    lambda: ng.save(made, sys.argv[1] + "/whole.ngr"),
    lambda: ng.pack([sys.argv[1] + "/whole.ngr"], sys.argv[1] + "/b.ngr"),
):
    try:
        attempt()
    except ng.OutputError as error:
        print(error.code, error.where.rpartition("/")[2], error.message)
"""


def test_a_full_disk_is_one_error_and_leaves_nothing(tmp_path):
    command = [sys.executable, "-c", FULL, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=ENVIRONMENT)
    assert done.stderr == ""
    assert [line.split()[:2] for line in done.stdout.splitlines()] == [
        ["E_WRITE", "a.ngr"],
        ["E_WRITE", "whole.ngr"],
        ["E_WRITE", "b.ngr"],
    ]
    assert os.listdir(tmp_path) == ["whole.ngr"]
    assert ng.validate(tmp_path / "whole.ngr").ok


WRITER = """
import sys
from builders import build_study
import neuralgraph as ng
made = [build_study(seed=seed, patches=30, dim=64) for seed in range(4)]
save = ng.save  # imported before the time runs
number = 0
while True:
    print("ready", flush=True)
    save(made[number % 4], sys.argv[1] + f"/{number % 7}.ngr")
    save(made, sys.argv[1] + "/archive.ngr")
    number += 1
"""


def test_a_killed_writer_leaves_whole_files_only(tmp_path):
    chance = random.Random(0)
    written = set()
    for _ in range(10):
        command = [sys.executable, "-c", WRITER, str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=ENVIRONMENT) as writer:
            for _ in range(chance.randint(1, 3)):
                assert writer.stdout.readline() == b"ready\n"
            time.sleep(chance.uniform(0.0, 0.15))
            writer.send_signal(signal.SIGKILL)
        for path in tmp_path.iterdir():
            if path.suffix == ".ngr":
                written.add(path.name)
                assert ng.validate(path).ok
            else:
                assert path.name.startswith(".")
                assert path.suffix == ".partial"
    assert "archive.ngr" in written
    # What is left of a killed writer is no study of the folder.
    (tmp_path / "archive.ngr").unlink()
    with ng.open(tmp_path) as archive:
        assert len(archive) == len(written) - 1


def test_a_folder_is_made_with_those_above_it_or_named_as_asked(tmp_path):
    made = tmp_path / "a" / "b"
    make_folder(made)
    make_folder(made)
    assert made.is_dir()
    (tmp_path / "file").touch()
    for where, named in ((None, str(tmp_path / "file" / "c")), ("the place", "the place")):
        with pytest.raises(OutputError, match="cannot create the folder") as caught:
            make_folder(tmp_path / "file" / "c", where=where)
        assert (caught.value.code, caught.value.where) == ("E_OUTPUT", named)


@pytest.mark.skipif(not hasattr(os, "fchmod"), reason="the system has no such bits")
def test_nobody_else_reads_it(tmp_path):
    path = tmp_path / "names.csv"
    path.touch(0o644)
    with path.open("wb") as stream:
        owner_only(stream)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
