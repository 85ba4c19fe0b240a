"""The Ray engine on a cluster on this machine; starting one takes seconds, so each test does much."""

import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from bulk.fake_worker import make

from neuralgraph.bulk import ConversionSettings
from neuralgraph.bulk.destination import STATE
from neuralgraph.errors import MissingExtraError, ModelError, OutputError

pytestmark = [
    pytest.mark.skipif(find_spec("ray") is None, reason="the extra bulk is not installed"),
    pytest.mark.slow,
    # Ray leaves pipes of its own processes to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]
RAY = {"engine": "ray", "make": make, "workers": 2}


@pytest.fixture(autouse=True)
def _actors_find_the_fake(monkeypatch):
    tests = Path(__file__).parents[1]
    monkeypatch.setenv("PYTHONPATH", f"{tests.parent}{os.pathsep}{tests}")


def kept(dest):
    """What a conversion leaves, with lines in an order that does not depend on which worker was faster."""
    # The summary holds seconds.
    own = [path for path in dest.iterdir() if path.is_file() and path.suffix != ".jsonl" and path.stem != "summary"]
    files = {path.name: path.read_bytes() for path in own}
    listed = {path.name: sorted(path.read_text().splitlines()) for path in dest.glob("**/*.jsonl")}
    settings = json.loads((dest / STATE / "settings.json").read_text())
    return files, listed, settings


def test_outputs_and_receipts_are_those_of_the_local_engine(bench, tmp_path):
    bench.fill(24)
    bench.add("Doe-A", "LONG")
    bench.add("Doe-B", "CRASH")
    bench.add("Doe-C", "HANG")
    (bench.source / "broken.png").write_bytes(b"nothing")
    local = bench.run(tmp_path / "local", workers=2, time_limit=3.0)
    outcome = bench.run(tmp_path / "ray", time_limit=3.0, **RAY)
    import ray

    assert not ray.is_initialized()
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
    assert len(os.environ["RAY_AUTH_TOKEN"]) == 64
    assert (outcome.converted, outcome.failed) == (local.converted, local.failed) == (24, 4)
    assert outcome.reasons == local.reasons
    assert set(outcome.reasons) == {"E_LIMIT", "worker_died", "time_limit", "E_SOURCE_TYPE"}
    assert kept(tmp_path / "ray") == kept(tmp_path / "local")
    # The one continues what the other began.
    bench.add("Doe-C", "Clear.")
    outcome = bench.run(tmp_path / "local", **RAY)
    assert (outcome.verified, outcome.converted, outcome.failed) == (24, 1, 3)


def test_archives_and_an_early_end(bench, tmp_path):
    bench.fill(12)
    asked = []
    outcome = bench.run(progress=lambda **_: asked.append(1), stop=lambda: len(asked) > 3, pack=5, **RAY)
    assert (outcome.stopped, outcome.failed) == ("signal", 0)
    assert outcome.remaining > 0
    outcome = bench.run(pack=5, **RAY)
    assert outcome.complete
    bench.run(tmp_path / "local", pack=5)
    assert bench.files() == bench.files(tmp_path / "local")


def test_a_cluster_with_less_room_than_workers(bench):
    import ray

    bench.fill(6)
    ray.init(address="local", num_cpus=2, include_dashboard=False, logging_level="ERROR", log_to_driver=False)
    try:
        outcome = bench.run(**{**RAY, "workers": 5})
        assert outcome.complete
        # A cluster that was there before stays.
        assert ray.is_initialized()
        with pytest.raises(ModelError, match="no such model"):
            bench.run(bench.dest / "b", settings=ConversionSettings(model="absent"), **RAY)
        with pytest.raises(ModelError, match="before it was ready"):
            bench.run(bench.dest / "c", settings=ConversionSettings(model="broken"), **RAY)
    finally:
        ray.shutdown()


def test_no_cluster_and_no_ray(bench, monkeypatch):
    bench.fill(1)
    with pytest.raises(OutputError, match="cannot be reached"):
        bench.run(ray_address="127.0.0.1:1", **RAY)
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"'\.\[bulk\]'"):
        bench.run(**RAY)
