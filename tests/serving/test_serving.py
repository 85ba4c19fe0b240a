"""A collection over HTTP: what is served to whom, and that nothing else is."""

from __future__ import annotations

import io
import time

import pytest
from builders import build_study

import neuralgraph as ng
from neuralgraph.collection import remove

TOKEN = "correct horse battery"


@pytest.fixture
def client(collection):
    """Asks the application without a network."""
    import httpx

    from neuralgraph.serving import application

    return lambda tokens=None: SyncClient(httpx, application(collection.room.where, tokens))


class SyncClient:
    """A client that runs an event loop for each question."""

    def __init__(self, httpx, app):
        self._httpx, self._app, self.cookies = httpx, app, {}

    def ask(self, method, path, **options):
        import asyncio

        async def once():
            transport = self._httpx.ASGITransport(app=self._app, raise_app_exceptions=False)
            own = {"base_url": "http://test", "cookies": self.cookies}
            async with self._httpx.AsyncClient(transport=transport, **own) as client:
                return await client.request(method, path, **options)

        return asyncio.run(once())

    def get(self, path, **options):
        return self.ask("GET", path, **options)


def test_studies_in_every_form(client):
    found = client()
    listed = found.get("/studies", params={"limit": 2, "offset": 1}).json()
    assert (listed["count"], len(listed["studies"])) == (6, 2)
    assert found.get("/studies", params={"question": "finding"}).json()["count"] == 6
    data = found.get("/studies/study-3.ngr").content
    assert ng.load_bytes(data).digest == build_study(seed=3, patches=3, dim=4).digest
    part = found.get("/studies/study-3.ngr", headers={"Range": "bytes=0-7"})
    assert (part.status_code, part.content) == (206, data[:8])
    assert found.get("/studies/study-3.json").json()["study_id"] == "study-3"
    assert found.get("/studies/nobody.json").status_code == 404
    assert found.get("/find", params={"question": "finding", "generated": "1"}).json()["count"] == 6
    refused = found.get("/find", params={"question": "no"})
    assert (refused.status_code, refused.json()["code"]) == (400, "E_QUERY")


def test_a_picture(client):
    pytest.importorskip("matplotlib", reason="the extra plot is not installed")
    assert client().get("/studies/study-3.png").content.startswith(b"\x89PNG")


def test_tables_as_arrow_and_json(client):
    import pyarrow

    found = client()
    table = pyarrow.ipc.open_stream(io.BytesIO(found.get("/catalogue/studies").content)).read_all()
    assert table.num_rows == 6
    assert len(found.get("/catalogue/triples", params={"format": "json"}).json()) == 12
    assert found.get("/catalogue/patients").status_code == 400


def test_tokens_are_asked_for(client):
    from neuralgraph.serving import Tokens

    found = client(Tokens([TOKEN]))
    assert found.get("/health").json() == {"ok": True, "snapshot": 2}
    for path in ("/studies", "/collection.json", "/catalogue/studies", "/metrics", "/studies/study-3.ngr"):
        answer = found.get(path)
        assert (answer.status_code, answer.json()["code"]) == (401, "E_TOKEN"), path
        assert found.get(path, headers={"Authorization": "Bearer wrong wrong wrong"}).status_code == 401
        assert found.get(path, headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
    assert found.ask("POST", "/session").status_code == 401
    session = found.ask("POST", "/session", headers={"Authorization": f"Bearer {TOKEN}"})
    header = session.headers["set-cookie"]
    assert "HttpOnly" in header
    assert "SameSite=strict" in header
    found.cookies = dict(session.cookies)
    assert found.get("/studies").status_code == 200
    found.cookies = {"ngr_session": "0" * 64}
    assert found.get("/studies").status_code == 401


def test_nothing_can_be_changed_and_nothing_else_reached(client, collection):
    found = client()
    member = collection.head().archives[0]
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert found.ask(method, "/studies/study-3.ngr").status_code == 405
    for path in (
        "/archives/%2e%2e%2fcollection.json",
        f"/archives/{member.name}",
        "/manifests/000000000002.json",
        f"/receipts/{member.name}.json",
    ):
        assert found.get(path).status_code == 404, path
    assert found.get(f"/archives/{member.name}.ngr").status_code == 200


def test_a_removed_study_is_gone_for_readers_at_once(client, collection):
    found = client()
    old = collection.head().archives[0]
    assert found.get("/studies/study-1.ngr").status_code == 200
    remove(collection, ["study-1"])
    time.sleep(1.1)
    assert found.get("/studies/study-1.ngr").status_code == 404
    assert found.get(f"/archives/{old.name}.ngr").status_code == 404
    assert found.get("/health").json()["snapshot"] == 3


def test_the_description_names_every_address(client):
    found = client()
    described = found.get("/openapi.json").json()
    assert described["openapi"].startswith("3.1")
    assert {"/studies", "/studies/{study_id}.ngr", "/archives/{name}", "/metrics"} <= set(described["paths"])
    operation = described["paths"]["/studies/{study_id}.ngr"]["get"]
    assert [parameter["name"] for parameter in operation["parameters"]] == ["study_id"]
    assert "/openapi.json" in found.get("/reference.js").text


def test_metrics_count_and_name_nobody(client):
    found = client()
    found.get("/studies/study-3.json")
    text = found.get("/metrics").text
    assert 'ngr_requests_total{endpoint="/studies/{study_id:path}.json",status="200"} 1' in text
    assert "ngr_studies 6" in text
    assert "study-3" not in text


def test_pages_load_nothing_from_elsewhere(client):
    found = client()
    for path in ("/", "/docs", "/viewer", "/collection.js"):
        answer = found.get(path)
        assert answer.status_code == 200
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in found.get("/").headers["content-security-policy"]
    assert "http" not in found.get("/collection.js").text


def test_a_served_collection_opens_by_its_address(served):
    pytest.importorskip("aiohttp", reason="the extra remote is not installed")
    with ng.open(served()) as archive:
        assert [study.study_id for study in archive] == [f"study-{n}" for n in range(6)]
        assert archive["study-5"].digest == build_study(seed=5, patches=3, dim=4).digest


def test_only_loopback_goes_without_tokens(collection):
    from typer.testing import CliRunner

    from neuralgraph.cli.main import application
    from neuralgraph.errors import OutputError

    run = CliRunner().invoke(application(["serve", "info"]), ["serve", collection.room.where, "--host", "0.0.0.0"])
    assert isinstance(run.exception, OutputError)
    assert "--token-file" in str(run.exception)


def test_a_search_says_why(client):
    found = client().get("/studies", params={"question": "finding 1 any", "limit": 1}).json()
    (why,) = found["studies"][0]["why"]
    assert why.startswith("finding 1")
    assert "why" not in client().get("/studies", params={"limit": 1}).json()["studies"][0]


def test_films_are_served_of_studies_that_count(collection):
    import httpx
    import numpy as np

    from neuralgraph.errors import SourceError
    from neuralgraph.serving import application

    def films(study_id, view):
        if study_id == "study-2":
            raise SourceError("the file is damaged", code="E_SOURCE_DAMAGED", where="/secret/patient.dcm")
        return np.linspace(0, 1, 6, dtype=np.float32).reshape(2, 3) if view == 0 else None

    place = collection.room.where
    remove(collection, ["study-4"])
    asked = SyncClient(httpx, application(place, films=films))
    film = asked.get("/films", params={"study": "study-1"})
    assert film.content[:8] == bytes([2, 0, 0, 0, 3, 0, 0, 0])
    assert np.frombuffer(film.content[8:], "<u2").tolist() == [0, 13107, 26214, 39321, 52428, 65535]
    assert asked.get("/films", params={"study": "study-1", "view": 1}).status_code == 204
    assert asked.get("/films", params={"study": "study-4"}).status_code == 204
    damaged = asked.get("/films", params={"study": "study-2"})
    assert (damaged.status_code, damaged.text) == (422, "the file is damaged")
    assert SyncClient(httpx, application(place)).get("/films", params={"study": "study-1"}).status_code == 204
