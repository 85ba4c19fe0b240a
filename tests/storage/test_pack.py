"""What packing and unpacking call files, and that nothing is lost between them."""

from __future__ import annotations

from pathlib import PureWindowsPath

import pytest
from builders import build_study

import neuralgraph as ng
from neuralgraph.collection import Collection, add
from neuralgraph.storage.pack import file_name, pack, unpack

TAKEN = ["CON", "nul", "aux.x", "com1", "LPT9.txt", "a:b", "a\\b", "a/b", "x.", "x ", "..", "a*b", 'a"b', "a|b"]


@pytest.mark.parametrize("taken", TAKEN)
def test_names_of_unpacked_studies_are_names_on_windows_too(taken):
    assert file_name(taken, 3) == "study-0000003.ngr"
    assert not PureWindowsPath(file_name(taken, 3)).is_absolute()


def test_a_plain_id_is_the_name():
    assert file_name("s-1.b", 3) == "s-1.b.ngr"


def test_there_and_back(tmp_path):
    studies = [build_study(seed=1), build_study(seed=2, study_id="a/b")]
    ng.save(studies, tmp_path / "both.ngr")
    paths = unpack(tmp_path / "both.ngr", tmp_path / "apart")
    assert [path.name for path in paths] == ["study-0000000.ngr", "study-0000001.ngr"]
    assert pack(paths, tmp_path / "again.ngr") == 2
    with ng.open(tmp_path / "again.ngr") as archive:
        assert [study.digest for study in archive] == [study.digest for study in studies]


def test_a_collection_is_packed_from_behind_a_url_too(tmp_path):
    memory = pytest.importorskip("fsspec", reason="fsspec is not installed").filesystem("memory")
    ng.save([build_study(seed=seed) for seed in range(3)], tmp_path / "three.ngr")
    add(Collection.create(tmp_path / "chest", catalogue=False), [tmp_path / "three.ngr"])
    memory.put(str(tmp_path / "chest"), "/packed", recursive=True)
    assert pack(["memory://packed"], tmp_path / "all.ngr") == pack([tmp_path / "chest"], tmp_path / "near.ngr") == 3
    memory.rm("/packed", recursive=True)
