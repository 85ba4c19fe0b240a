"""A collection in a bucket: an S3 store on the loopback interface."""

from __future__ import annotations

import threading

import pytest
from builders import build_study

import neuralgraph as ng
from neuralgraph.collection import Collection, add, compact, find_ids, remove, vacuum, verify
from neuralgraph.errors import CollectionError, FormatError, OutputError

pytest.importorskip("s3fs", reason="s3fs is not installed; the extra dev brings it")
server_of = pytest.importorskip("moto.server", reason="moto is not installed; the extra dev brings it")


@pytest.fixture(scope="module")
def options():
    server = server_of.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    found = {
        "key": "testing",
        "secret": "testing",
        "client_kwargs": {"endpoint_url": f"http://{host}:{port}", "region_name": "eu-west-1"},
    }
    import s3fs

    s3fs.S3FileSystem(**found).mkdir("hospital")
    yield found
    server.stop()


def make(tmp_path, name, seeds):
    path = tmp_path / name
    ng.save([build_study(seed=seed, patches=3, dim=4) for seed in seeds], path)
    return path


def test_a_collection_in_a_bucket_lives(options, tmp_path):
    url = "s3://hospital/chest"
    collection = Collection.create(url, archive_studies=4, options=options)
    assert add(collection, [make(tmp_path, "a.ngr", range(6))]).added == 6
    assert remove(collection, ["study-1"]).studies == 1
    with ng.open(url, storage_options=options) as archive:
        assert sorted(archive.ids) == [f"study-{n}" for n in (0, 2, 3, 4, 5)]
        assert archive["study-4"].study_id == "study-4"
    assert len(find_ids(collection, "finding", generated=True)) == 5
    assert compact(collection) == (0, 0)
    assert vacuum(collection, older_than=0).files > 0
    assert list(verify(collection)) == []
    with pytest.raises(CollectionError, match="E_REMOVED"):
        add(collection, [make(tmp_path, "b.ngr", [1])])


def test_two_writers_of_a_bucket_do_not_lose_each_others_commit(options, tmp_path):
    url = "s3://hospital/race"
    Collection.create(url, catalogue=False, archive_studies=4, options=options)
    paths = [make(tmp_path, f"{n}.ngr", range(10 * n, 10 * n + 3)) for n in range(4)]
    failed = []

    def work(path):
        try:
            add(Collection(url, options=options), [path])
        except ng.NeuralGraphError as error:
            failed.append(str(error))

    threads = [threading.Thread(target=work, args=(path,)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    head = Collection(url, options=options).head()
    assert (head.snapshot, head.studies) == (5, 12)


def test_a_bucket_without_a_collection_is_no_archive(options):
    with pytest.raises(FormatError):
        Collection("s3://hospital/nothing", options=options)
    with pytest.raises(FormatError):
        ng.open("s3://hospital/nothing", storage_options=options)


def test_a_store_that_cannot_refuse_is_not_written():
    """fsspec's own way to create looks whether a file is there and writes then: another writer may come between."""
    from fsspec.registry import register_implementation
    from fsspec.spec import AbstractFileSystem

    class Careless(AbstractFileSystem):
        protocol = "careless"

        def ls(self, path, detail=True, **options):
            return []

    register_implementation("careless", Careless, clobber=True)
    with pytest.raises(OutputError, match=r"E_WRITE.*cannot refuse"):
        Collection.create("careless://place/chest")
