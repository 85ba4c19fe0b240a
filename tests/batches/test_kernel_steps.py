"""The kernel's face to Python: what it refuses from whoever calls it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neuralgraph as ng
from neuralgraph.batches import kernel
from neuralgraph.batches.kernel import Kernel, TargetColumns
from neuralgraph.batches.splits import split_positions
from neuralgraph.storage.opening import open_archive

compiled = kernel.compiled
needs_kernel = pytest.mark.skipif(compiled is None, reason="the kernel is not built here: pip install -e .")


@pytest.fixture
def archive(tmp_path: Path, make_study: Any) -> ng.Archive:
    ng.save([make_study(seed=seed, dim=16) for seed in range(3)], tmp_path / "a.ngr")
    return open_archive(tmp_path / "a.ngr")


@needs_kernel
def test_steps_come_in_their_order() -> None:
    reader = compiled.Reader()
    for step in (
        reader.read,
        reader.counts,
        reader.study_ids,
        lambda: reader.graphs([]),
        lambda: reader.label_names(set()),
    ):
        with pytest.raises(RuntimeError, match="one after another"):
            step()
    reader.begin(1, True)
    with pytest.raises(RuntimeError):
        reader.begin(1, True)
    with pytest.raises(ValueError, match="no place"):
        reader.read()
    reader.end()
    reader.begin(0, False)
    assert reader.read() == []


@needs_kernel
def test_arrays_of_other_sizes_are_refused(archive: ng.Archive) -> None:
    labels = TargetColumns.of(["effusion", "pneumonia"], "mask")
    with Kernel(archive).batch(np.arange(3), with_x=False) as batch:
        reader = batch._reader
        starts = np.empty((3, 4), np.int64)
        nodes, pairs, _ = reader.starts(starts)
        right = {"graph": np.empty(nodes, np.int64), "edge_type": np.empty(pairs, np.int64)}
        reader.fill(right, starts, 16, labels)
        wrong: list[tuple[dict[str, Any], Any]] = [
            ({"edge_type": np.empty(pairs - 1, np.int64)}, starts),
            ({"pos": np.empty((nodes, 3), np.float32)}, starts),
            ({"x": np.empty((nodes, 16), np.float32)}, starts),
            ({"y": np.empty((3, 2), np.float32)}, starts),
            ({}, starts[:, :3].copy()),
        ]
        for arrays, begin in wrong:
            with pytest.raises(ValueError, match=r"has|needed"):
                reader.fill(right | arrays, begin, 16, labels)
        with pytest.raises(BufferError):
            reader.fill({"graph": right["graph"]} | {"edge_type": bytes(8 * pairs)}, starts, 16, labels)
        shifted = starts.copy()
        shifted[1, 1] += 2
        with pytest.raises(compiled.Refused):
            reader.fill(right, shifted, 16, labels)


@needs_kernel
def test_feature_vectors_stay_inside_their_table() -> None:
    table = compiled.Features(16)
    places, values = np.array([1, 15], np.uint16), np.ones(2, np.float32)
    assert table.add(3, b"effusion", places, values)
    size = table.nbytes
    assert table.add(3, b"effusion", places, values)
    assert table.nbytes == size
    with pytest.raises(ValueError, match="outside"):
        table.add(3, b"edema", places + np.uint16(1), values)
    with pytest.raises(ValueError, match="values"):
        table.add(3, b"edema", places, values[:1])
    full = [table.add(0, str(number).encode(), places, values) for number in range(50_000)]
    assert full[0]
    assert not full[-1]


def test_many_ids_are_looked_up_together(archive: ng.Archive) -> None:
    ids = list(archive.ids)
    assert split_positions(archive, reversed(ids)).tolist() == [2, 1, 0]
    for split, code in ((["none"], "E_NOT_FOUND"), ([ids[0], ids[0]], "E_DUP"), (ids[0], "E_STUDY")):
        with pytest.raises(ng.NeuralGraphError) as caught:
            split_positions(archive, split)
        assert (caught.value.code, caught.value.where) == (code, "split")
