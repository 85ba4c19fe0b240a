"""What names a file: text, bytes, paths, URLs, memory; and what does not."""

from __future__ import annotations

import io
import os
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from builders import build_study

import neuralgraph as ng
from neuralgraph import FormatError, OutputError
from neuralgraph.access.places import as_place, is_url, looks_like_url, place_name

MADE = [build_study(seed=seed, patches=2, dim=3) for seed in range(3)]


@pytest.fixture
def path(tmp_path):
    ng.save(MADE, tmp_path / "a.ngr")
    return tmp_path / "a.ngr"


def test_paths_may_be_bytes(path, tmp_path):
    for place in (os.fsencode(path), [os.fsencode(path)], os.fsencode(tmp_path)):
        with ng.open(place) as archive:
            assert archive.ids == [study.study_id for study in MADE]
    assert ng.validate(os.fsencode(path)).path == str(path)
    ng.save(MADE[1], os.fsencode(tmp_path / "one"))
    assert ng.load(os.fsencode(tmp_path / "one")).digest == MADE[1].digest
    assert ng.pack([os.fsencode(tmp_path)], tmp_path / "b") == 3


def test_files_may_lie_in_memory(path, tmp_path):
    stream = io.BytesIO(path.read_bytes())
    stream.seek(7)
    with ng.open(stream) as archive, ng.open([stream, path]) as both:
        assert [study.digest for study in archive] == [study.digest for study in MADE]
        assert len(both) == 6
    assert stream.tell() == 7
    assert ng.validate(stream).ok
    assert ng.load(io.BytesIO(ng.to_bytes(MADE[0]))).digest == MADE[0].digest
    assert ng.pack([stream], tmp_path / "c") == 3
    assert len(ng.unpack(stream, tmp_path / "all")) == 3
    with pytest.raises(FormatError) as caught:
        ng.open(io.BytesIO(b"x" * 200))
    assert (caught.value.code, caught.value.where) == ("E_MAGIC", "<memory>: prologue")


@pytest.mark.parametrize("empty", ["", b""])
def test_an_empty_path_is_not_the_folder_one_is_in(empty):
    with pytest.raises(FormatError, match="empty") as caught:
        ng.open(empty)
    assert caught.value.code == "E_OPEN"


def test_what_names_no_file_is_refused(path):
    with open(path, "rb") as stream:
        for wrong in (stream, None, 3, [None], [stream], {"a": 1}.items()):
            with pytest.raises(TypeError, match="path"):
                ng.open(wrong)
        for read in (ng.load, ng.validate):
            with pytest.raises(TypeError, match="path"):
                read(stream)
        with pytest.raises(TypeError, match="to_bytes"):
            ng.save(MADE[0], stream)
    with pytest.raises(TypeError, match="to_bytes"):
        ng.save(MADE[0], io.BytesIO())
    for read in (ng.load, ng.open):
        with pytest.raises(FormatError, match="BytesIO") as caught:
            read(path.read_bytes())
        assert caught.value.code == "E_OPEN"
    with pytest.raises(FormatError, match="no file was given"):
        ng.open([])


@pytest.mark.parametrize("url", ["s3://bucket/a.ngr", "https://user:secret@host/a.ngr?key=secret", "memory://a.ngr"])
def test_saving_to_a_url_says_what_to_do(url, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for target in (url, Path(url)):
        with pytest.raises(OutputError, match="copy it to the URL") as caught:
            ng.save(MADE[0], target)
        assert caught.value.code == "E_OUTPUT"
        assert "key=" not in str(caught.value)
    with pytest.raises(OutputError, match="URL"):
        ng.unpack(io.BytesIO(ng.to_bytes(MADE)), url)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_may_be_called_like_a_scheme(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s3:").mkdir()
    ng.save(MADE[0], Path("s3:/a.ngr"))
    assert ng.load("s3:/a.ngr").digest == MADE[0].digest


@pytest.mark.parametrize(
    "path",
    [
        "C:\\data\\a.ngr",
        "C:/data/a.ngr",
        "c://data/a.ngr",
        "\\\\server\\share\\a.ngr",
        "//server/share/a.ngr",
        "\\\\?\\C:\\very\\long\\a.ngr",
        "a.ngr",
        "..\\a.ngr",
        "C:a.ngr",
    ],
)
def test_paths_of_windows_are_no_urls(path):
    assert not is_url(path)
    assert not looks_like_url(path)
    assert not looks_like_url(PureWindowsPath(path))
    assert place_name(path) == path
    assert as_place(path) == Path(path)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://host/a.ngr?signature=x#y", "https://host/a.ngr"),
        ("s3://key:secret@bucket/a.ngr", "s3://bucket/a.ngr"),
        ("blockcache::https://host/a.ngr?x", "blockcache::https://host/a.ngr"),
        ("file:///C:/data/a.ngr", "file:///C:/data/a.ngr"),
        ("zip://a.ngr::C:\\data\\a.zip", "zip://a.ngr::C:\\data\\a.zip"),
    ],
)
def test_urls_are_named_without_keys(url, name):
    assert is_url(url)
    assert as_place(url) == url
    assert place_name(url) == name
    assert looks_like_url(PurePosixPath(url)) or url.startswith(("blockcache", "zip"))
