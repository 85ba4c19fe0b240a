"""A collection in Google Cloud Storage: gcsfs, and a stand-in for the store on the loopback interface."""

from __future__ import annotations

import os

import pytest
from access.google_store import google_store
from builders import build_study

import neuralgraph as ng
from neuralgraph.collection import Collection, add, compact, find_ids, remove, vacuum, verify

# It is read when gcsfs is imported: the kind of the bucket would be asked by gRPC, which the stand-in does not speak.
os.environ.setdefault("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
pytest.importorskip("gcsfs", reason="gcsfs is not installed; it pins fsspec, so no extra brings it")


@pytest.fixture
def store():
    with google_store() as found:
        yield found


@pytest.fixture
def options(store):
    return {"token": "anon", "endpoint_url": f"http://127.0.0.1:{store.server_address[1]}"}


def test_an_archive_is_read_from_the_store(options, store, tmp_path):
    import gcsfs

    made = [build_study(seed=seed, patches=12, dim=900, form="float32") for seed in range(9)]
    gcsfs.GCSFileSystem(**options).pipe_file("hospital/a.ngr", ng.to_bytes(made))
    with ng.open("gs://hospital/a.ngr", storage_options=options) as archive:
        assert archive.ids == [study.study_id for study in made]
        assert archive["study-4"].digest == made[4].digest


def test_a_collection_lives_there(options, store, tmp_path):
    url, path = "gs://hospital/chest", tmp_path / "a.ngr"
    ng.save([build_study(seed=seed, patches=3, dim=4) for seed in range(6)], path)
    collection = Collection.create(url, archive_studies=4, options=options)
    assert add(collection, [path]).added == 6
    assert remove(collection, ["study-1"]).studies == 1
    with ng.open(url, storage_options=options) as archive:
        assert sorted(archive.ids) == [f"study-{n}" for n in (0, 2, 3, 4, 5)]
    assert len(find_ids(collection, "finding", generated=True)) == 5
    assert compact(collection) == (0, 0)
    assert vacuum(collection, older_than=0).files > 0
    assert list(verify(collection)) == []


def test_of_two_writers_the_second_is_told(options, store):
    """The store refuses to create what is there, and gcsfs asks it to."""
    collection = Collection.create("gs://hospital/race", catalogue=False, options=options)
    assert collection.room.create("manifests/next", b"first")
    assert not collection.room.create("manifests/next", b"second")
    assert collection.room.read("manifests/next") == b"first"
    assert store.refused == 1
