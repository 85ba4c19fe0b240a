"""A collection and archives to put into it."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import build_study

import neuralgraph as ng

pytest.importorskip("pyarrow", reason="the extra catalog is not installed")
pytest.importorskip("duckdb", reason="the extra catalog is not installed")


@pytest.fixture
def archive(tmp_path):
    """Makes an archive of the studies of some seeds."""

    def make(name: str, seeds, **fields) -> Path:
        path = tmp_path / name
        ng.save([build_study(seed=seed, patches=3, dim=4, **fields) for seed in seeds], path)
        return path

    return make


@pytest.fixture
def collection(tmp_path):
    from neuralgraph.collection import Collection

    return Collection.create(tmp_path / "collection", archive_studies=4)
