"""The kernel's face to Python: what it refuses from whoever calls it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neuralgraph as ng
from neuralgraph.batches import kernel
from neuralgraph.batches.arrays import ATTRIBUTES
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
        reader.study_ids,
        reader.label_names,
        lambda: reader.graphs([]),
        lambda: reader.missing({}),
    ):
        with pytest.raises(RuntimeError, match="one after another"):
            step()
    places, rules = np.array([[1, -1, 0, 8]]), np.zeros((1, 18), np.uint64)
    for wrong in (places, places - [2, 0, 0, 0], places - [1, 0, 1, 0], places[:0]):
        with pytest.raises(ValueError, match=r"no such place|bytes"):
            reader.read(True, wrong, rules, [None])
    reader.end()
    assert reader.read(False, places[:0], rules, []) == []
    with pytest.raises(RuntimeError):
        reader.read(False, places[:0], rules, [])


@needs_kernel
def test_arrays_of_other_sizes_are_refused(archive: ng.Archive) -> None:
    labels = TargetColumns.of(["effusion", "pneumonia"], "mask")
    with Kernel(archive).batch(np.arange(3), with_x=False) as batch:
        reader = batch._reader
        whole = batch.fill(frozenset({"edge_type", "pos"}), 16, labels, lambda _, shape, dtype: np.empty(shape, dtype))
        nodes, pairs = int(whole.node_start[-1]), int(whole.pair_start[-1])

        def fill(labels: TargetColumns = labels, **arrays: Any) -> None:
            reader.fill([arrays.get(name) for name in (*ATTRIBUTES, "graph")], 16, labels)

        fill(graph=np.empty(nodes, np.int64), edge_type=np.empty(pairs, np.int64))
        wrong: list[dict[str, Any]] = [
            {"edge_type": np.empty(pairs - 1, np.int64)},
            {"pos": np.empty((nodes, 3), np.float32)},
            {"x": np.empty((nodes, 16), np.float32)},
            {"y": np.empty((3, 2), np.float32)},
            {"labels": labels._replace(text=b"effusion")},
            {"labels": labels._replace(names=labels.names + np.uint32(1))},
        ]
        for arrays in wrong:
            with pytest.raises(ValueError, match=r"has|needed|no such"):
                fill(**arrays)
        with pytest.raises(BufferError):
            fill(edge_type=bytes(8 * pairs))
        with pytest.raises(ValueError, match="all arrays"):
            reader.fill([], 16, labels)


@needs_kernel
def test_feature_vectors_stay_inside_their_rows(archive: ng.Archive) -> None:
    labels = TargetColumns.of([], "mask")

    def fill(vector: bytes) -> None:
        with Kernel(archive).batch(np.arange(3), with_x=True) as batch:
            reader = batch._reader
            known = {key: vector for _, key in reader.missing({})}
            assert known
            assert reader.missing(known) == []
            batch.fill(frozenset({"x"}), 16, labels, lambda _, shape, dtype: np.empty(shape, dtype))

    value = np.ones(1, np.float32).tobytes()
    fill(value + np.array([15], np.uint16).tobytes())
    fill(b"")
    with pytest.raises(ng.FormatError, match="feature vectors"):
        fill(value + np.array([16], np.uint16).tobytes())
    with pytest.raises(ValueError, match="no bytes"):
        fill(value)
    with (
        Kernel(archive).batch(np.arange(3), with_x=True) as batch,
        pytest.raises(ng.FormatError, match="feature vectors"),
    ):
        batch.fill(frozenset({"x"}), 16, labels, lambda _, shape, dtype: np.empty(shape, dtype))


def test_many_ids_are_looked_up_together(archive: ng.Archive) -> None:
    ids = list(archive.ids)
    assert split_positions(archive, reversed(ids)).tolist() == [2, 1, 0]
    for split, code in ((["none"], "E_NOT_FOUND"), ([ids[0], ids[0]], "E_DUP"), (ids[0], "E_STUDY")):
        with pytest.raises(ng.NeuralGraphError) as caught:
            split_positions(archive, split)
        assert (caught.value.code, caught.value.where) == (code, "split")
