"""What a path may be, and what happens when it is not that."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from builders import build_study

import neuralgraph as ng
from neuralgraph import FormatError, NeuralGraphError
from neuralgraph.access.files import FileSource

ROOT = Path(__file__).parents[2]


def refused(path):
    """Code with which every way of reading refuses ``path``."""
    codes = {problem.code for problem in ng.validate(path).problems}
    for read in (ng.load, ng.open):
        with pytest.raises(FormatError) as caught:
            read(path)
        assert str(path) in caught.value.where
        assert "\n" not in caught.value.message
        codes.add(caught.value.code)
    (code,) = codes
    return code


def test_missing_files_empty_files_and_names_that_cannot_be(tmp_path):
    (tmp_path / "empty.ngr").touch()
    (tmp_path / "file").write_bytes(b"x" * 200)
    assert refused(tmp_path / "missing.ngr") == "E_OPEN"
    assert refused(tmp_path / "missing" / "a.ngr") == "E_OPEN"
    assert refused(tmp_path / "file" / "a.ngr") == "E_OPEN"
    assert refused(tmp_path / ("a" * 300)) == "E_OPEN"
    assert refused(str(tmp_path / "a\0b")) == "E_OPEN"
    assert refused(tmp_path / "empty.ngr") == "E_TRUNCATED"
    assert refused(tmp_path / "file") == "E_MAGIC"


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(FormatError, match="folder") as caught:
        ng.load(tmp_path)
    assert caught.value.code == "E_OPEN"
    with pytest.raises(FormatError, match=r"holds no \.ngr file"):
        ng.open(tmp_path)


def test_links_are_followed_and_dangling_ones_refused(tmp_path):
    ng.save(build_study(), tmp_path / "a.ngr")
    (tmp_path / "link.ngr").symlink_to("a.ngr")
    (tmp_path / "loop.ngr").symlink_to("loop.ngr")
    assert ng.load(tmp_path / "link.ngr").study_id == "study-0"
    assert refused(tmp_path / "loop.ngr") == "E_OPEN"


def test_pipes_and_devices_are_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert refused(tmp_path / "pipe") == "E_OPEN"
    assert refused(Path("/dev/zero")) == "E_OPEN"
    assert refused(Path("/dev/null")) == "E_OPEN"


def test_a_closed_file_says_so(tmp_path):
    ng.save(build_study(), tmp_path / "a.ngr")
    archive = ng.open(tmp_path / "a.ngr")
    archive.close()
    archive.close()
    with pytest.raises(FormatError, match="closed") as caught:
        archive[0]
    assert caught.value.code == "E_OPEN"


def test_files_that_shrink_while_they_are_read_are_refused(tmp_path):
    path = tmp_path / "a.ngr"
    ng.save([build_study(seed=1), build_study(seed=2)], path)
    with ng.open(path) as archive:
        os.truncate(path, 100)
        with pytest.raises(FormatError) as caught:
            archive[1]
    assert caught.value.code == "E_TRUNCATED"


def test_replacing_a_file_does_not_disturb_its_readers(tmp_path):
    path = tmp_path / "a.ngr"
    ng.save(build_study(seed=1), path)
    with ng.open(path) as archive:
        ng.save(build_study(seed=2), path)
        assert archive[0].study_id == "study-1"
    assert ng.load(path).study_id == "study-2"


def test_no_descriptor_is_left_open(tmp_path):
    ng.save([build_study(seed=1), build_study(seed=2)], tmp_path / "a.ngr")
    (tmp_path / "bad.ngr").write_bytes(b"x" * 500)

    def descriptors():
        return len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0

    before = descriptors()
    for _ in range(20):
        for read in (ng.load, ng.validate, ng.open):
            for name in ("a.ngr", "bad.ngr", "missing.ngr"):
                try:
                    result = read(tmp_path / name)
                except NeuralGraphError:
                    continue
                if isinstance(result, ng.Archive):
                    result[0]
                del result  # an archive that nobody closed
        with pytest.raises(FormatError):
            ng.open(tmp_path)
    assert descriptors() == before


AS_NOBODY = """
import os, sys
import neuralgraph as ng
from pathlib import Path
folder = Path(sys.argv[1])
ng.load, ng.open, ng.save, ng.validate  # nobody may read what they are imported from
os.setgroups([]); os.setgid(65534); os.setuid(65534)
def attempt(action):
    try:
        action()
    except ng.NeuralGraphError as error:
        print(error.code, error.message)
    else:
        print("done")
study = ng.load(folder / "open" / "a.ngr")
attempt(lambda: ng.load(folder / "open" / "secret.ngr"))
attempt(lambda: ng.load(folder / "closed" / "a.ngr"))
attempt(lambda: ng.open(folder / "closed"))
attempt(lambda: ng.open(folder))
attempt(lambda: ng.save(study, folder / "open" / "b.ngr"))
attempt(lambda: ng.save(study, folder / "closed" / "b.ngr"))
attempt(lambda: ng.unpack(folder / "open" / "a.ngr", folder / "open" / "new"))
attempt(lambda: ng.pack([folder / "open" / "a.ngr"], folder / "open" / "c.ngr"))
print(ng.validate(folder / "closed" / "a.ngr").problems[0].code)
"""


def test_what_may_not_be_read_or_written_is_one_error(tmp_path):
    if os.getuid() != 0:
        pytest.skip("needs to be root to become nobody")
    for folder in (*reversed(tmp_path.parents), tmp_path):
        if not os.stat(folder).st_mode & 0o001:
            if not str(folder).startswith(str(tmp_path.parents[1])):
                pytest.skip("the folder of temporary files is closed to others")
            folder.chmod(0o755)
    (tmp_path / "open").mkdir(mode=0o755)
    (tmp_path / "closed").mkdir(mode=0o755)
    for name in ("open/a.ngr", "open/secret.ngr", "closed/a.ngr"):
        ng.save(build_study(), tmp_path / name)
        (tmp_path / name).chmod(0o644)
    (tmp_path / "open/secret.ngr").chmod(0o600)
    (tmp_path / "closed").chmod(0o700)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", AS_NOBODY, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if "Permission denied" in done.stderr and "neuralgraph" not in done.stdout and not done.stdout:
        pytest.skip("the interpreter itself is closed to others")
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["E_OPEN"] * 4 + ["E_OUTPUT"] * 4 + ["E_OPEN"]
    assert all("ermission" in line for line in lines[:-1])
    assert sorted(path.name for path in (tmp_path / "open").iterdir()) == ["a.ngr", "secret.ngr"]


def test_positioned_reads_give_exactly_what_was_asked(tmp_path):
    (tmp_path / "a").write_bytes(bytes(range(100)))
    with FileSource(tmp_path / "a") as source:
        assert source.size == 100
        assert bytes(source.read(10, 5)) == bytes(range(10, 15))
        assert bytes(source.read(0, 0)) == b""
        with pytest.raises(FormatError) as caught:
            source.read(96, 5)
        assert caught.value.code == "E_TRUNCATED"
