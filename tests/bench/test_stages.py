"""The stages of a conversion, timed on two films: every stage is there, and takes some time."""

from __future__ import annotations

import pytest

pytest.importorskip("pydicom")

from bench.stages import fill, stages


def test_every_stage_takes_time(tmp_path):
    streams = fill(tmp_path / "source", 2, 256)
    found = stages(tmp_path / "source", streams, tmp_path, rounds=1)
    assert set(found["milliseconds"]) == {
        "read", "decode", "grey levels", "preprocess", "report graph", "fuse", "encode", "write",
    }  # fmt: skip
    assert all(value >= 0 for value in found["milliseconds"].values())
    assert 0 < found["model_forward_ms"] < found["whole_ms"]
    assert found["ours_without_decode_ms"] > 0
