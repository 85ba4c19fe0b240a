"""Archives and collections on the Hugging Face Hub, to be read: its own file system, and a stand-in for the Hub."""

from __future__ import annotations

import pytest
from access.hub import REPOSITORY, hub
from builders import build_study

import neuralgraph as ng
from neuralgraph.collection import Collection, add, remove
from neuralgraph.errors import FormatError, OutputError

pytest.importorskip("huggingface_hub", reason="the extra vlm is not installed")
DATA_SET = f"hf://datasets/{REPOSITORY}"


@pytest.fixture
def files(tmp_path):
    """An archive, and a collection that has lost a study."""
    archive = tmp_path / "a.ngr"
    ng.save([build_study(seed=seed, patches=12, dim=900, form="float32") for seed in range(9)], archive)
    collection = Collection.create(tmp_path / "kept", archive_studies=4)
    add(collection, [archive])
    remove(collection, ["study-1"])
    found = {"a.ngr": archive.read_bytes()}
    return found | {
        f"kept/{path.relative_to(tmp_path / 'kept').as_posix()}": path.read_bytes()
        for path in (tmp_path / "kept").rglob("*")
        if path.is_file()
    }


@pytest.fixture
def server(files, monkeypatch):
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    with hub(files) as found:
        yield found


@pytest.fixture
def options(server):
    return {"endpoint": f"http://127.0.0.1:{server.server_address[1]}", "token": False}


def test_an_archive_is_read_by_ranges(options, server, files):
    with ng.open(f"{DATA_SET}/a.ngr", storage_options=options) as archive:
        assert archive.ids == [f"study-{number}" for number in range(9)]
        assert archive["study-4"].digest == build_study(seed=4, patches=12, dim=900, form="float32").digest
    assert server.ranges


def test_a_collection_is_read(options, server):
    with ng.open(f"{DATA_SET}/kept", storage_options=options) as archive:
        assert sorted(archive.ids) == [f"study-{number}" for number in (0, 2, 3, 4, 5, 6, 7, 8)]
        assert len(list(archive)) == 8


def test_what_is_not_there_is_an_error(options, server):
    for url in (f"{DATA_SET}/missing.ngr", "hf://datasets/hospital/other/a.ngr"):
        with pytest.raises(FormatError) as caught:
            ng.open(url, storage_options=options)
        assert caught.value.code == "E_OPEN"


def test_nothing_is_written_there(options, server):
    with pytest.raises(OutputError) as caught:
        Collection.create(f"{DATA_SET}/new", options=options)
    assert caught.value.code == "E_WRITE"
