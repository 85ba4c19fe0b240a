"""An archive in an S3 store on the loopback interface."""

from __future__ import annotations

import pytest
from builders import build_study

import neuralgraph as ng
from neuralgraph import FormatError
from neuralgraph.access import attempts, remote

pytest.importorskip("s3fs", reason="s3fs is not installed; the extra dev brings it")
server_of = pytest.importorskip("moto.server", reason="moto is not installed; the extra dev brings it")


@pytest.fixture(scope="module")
def endpoint():
    server = server_of.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def options(endpoint, monkeypatch):
    monkeypatch.setattr(attempts, "DELAYS", (0.0,))
    return {
        "key": "testing",
        "secret": "testing",
        "client_kwargs": {"endpoint_url": endpoint, "region_name": "eu-west-1"},
    }


def put(options, data):
    import s3fs

    store = s3fs.S3FileSystem(**options)
    if not store.exists("films"):
        store.mkdir("films")
    store.pipe_file("films/a.ngr", data)


def test_an_archive_in_a_store_is_the_archive(options, monkeypatch):
    monkeypatch.setattr(remote, "WHOLE", 0)
    made = [build_study(seed=seed, patches=12, dim=900, form="float32") for seed in range(9)]
    put(options, ng.to_bytes(made))
    with ng.open("s3://films/a.ngr", storage_options=options) as archive:
        assert archive.ids == [study.study_id for study in made]
        assert archive["study-4"].digest == made[4].digest
        read = archive.read_many([8, 0, 1])
        assert [study.digest for study in read] == [made[n].digest for n in (8, 0, 1)]
        put(options, ng.to_bytes(made[:2]))
        with pytest.raises(FormatError):
            archive[6]


def test_missing_objects_are_an_error(options):
    put(options, b"x")
    for url in ("s3://films/none.ngr", "s3://nothing/a.ngr"):
        with pytest.raises(FormatError) as caught:
            ng.open(url, storage_options=options)
        assert caught.value.code == "E_OPEN"
