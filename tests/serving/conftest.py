"""A collection that is served."""

from __future__ import annotations

import socket
import threading
import time

import pytest
from builders import build_study

import neuralgraph as ng

pytest.importorskip("starlette", reason="the extra serve is not installed")
pytest.importorskip("httpx", reason="httpx is not installed; the extra dev brings it")
uvicorn = pytest.importorskip("uvicorn", reason="the extra serve is not installed")


@pytest.fixture
def collection(tmp_path):
    from neuralgraph.collection import Collection, add

    found = Collection.create(tmp_path / "hospital", archive_studies=4)
    ng.save([build_study(seed=seed, patches=3, dim=4) for seed in range(6)], tmp_path / "a.ngr")
    add(found, [tmp_path / "a.ngr"])
    return found


@pytest.fixture
def served(collection):
    """Serves the collection on the loopback interface, with tokens or without; gives the address."""
    from neuralgraph.serving import application

    stops = []

    def start(tokens=None):
        config = uvicorn.Config(application(collection.room.where, tokens), log_level="error", ws="none")
        server = uvicorn.Server(config)
        listening = socket.socket()
        listening.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        stops.append((server, thread, listening))
        return f"http://127.0.0.1:{listening.getsockname()[1]}"

    yield start
    for server, thread, listening in stops:
        server.should_exit = True
        thread.join()
        listening.close()
