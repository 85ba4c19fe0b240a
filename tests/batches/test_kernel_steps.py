"""The kernel's face to Python: what it refuses from whoever calls it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zstandard

import neuralgraph as ng
from neuralgraph.batches import kernel
from neuralgraph.batches.arrays import ATTRIBUTES
from neuralgraph.batches.kernel import _INDEXED, Kernel, TargetColumns
from neuralgraph.batches.remembered import RememberedFeatures
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
    places, rules = np.array([[0, -1, 0, 8, *5 * [0]]]), np.zeros((1, 18), np.uint64)
    for column, wrong in ((0, 1), (0, -1), (2, -1), (3, -1)):
        elsewhere = places.copy()
        elsewhere[0, column] = wrong
        with pytest.raises(ValueError, match="no such place"):
            reader.read(True, elsewhere, rules, [None])
    for short in (places[:0], places[:, :8]):
        with pytest.raises(ValueError, match="bytes"):
            reader.read(True, np.ascontiguousarray(short), rules, [None])
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


@needs_kernel
@pytest.mark.parametrize("width", [4095, 4096, 4111, 4352, 4367, 8191])
def test_long_planes_are_verified_to_their_last_byte(tmp_path: Path, make_study: Any, width: int) -> None:
    studies = [make_study(seed=seed, dim=width, patches=1, form="float32") for seed in range(2)]
    path = tmp_path / "a.ngr"
    ng.save(studies, path, profile="train")

    def x() -> Any:
        with open_archive(path) as archive, Kernel(archive).batch(np.arange(2), with_x=True) as batch:
            batch.find_features(RememberedFeatures(), width)
            labels = TargetColumns.of([], "mask")
            return batch.fill(frozenset({"x"}), width, labels, lambda _, shape, dtype: np.empty(shape, dtype))

    found = x()
    assert (found.arrays["x"][found.node_start[:2]] == [study.patches.embedding[0] for study in studies]).all()
    data = bytearray(path.read_bytes())
    last = data.index(studies[1].patches.embedding.view("u1")[:, ::4].tobytes()) + width - 1
    data[last] ^= 1
    path.write_bytes(data)
    with pytest.raises(ng.FormatError, match="E_CRC"):
        x()


@needs_kernel
def test_a_frame_without_its_content_refuses_its_study(tmp_path: Path, make_study: Any) -> None:
    ng.save([make_study(seed=seed, dim=16) for seed in range(3)], tmp_path / "a.ngr")
    with open_archive(tmp_path / "a.ngr") as archive, Kernel(archive).batch(np.arange(3), with_x=False) as batch:
        reader = batch._reader
        reader.end()
        container = archive.files[0][2]
        places = np.array(
            [
                [0, -1, 0, len(container.record_bytes(k)), *(int(container.index.counts[name][k]) for name in _INDEXED)]
                for k in range(3)
            ]
        )
        frames = reader.read(False, places, Kernel(archive)._rules, [container.record_bytes(k) for k in range(3)])
        assert len(frames) == 3
        with pytest.raises(compiled.Refused) as caught:
            reader.graphs([zstandard.decompress(frames[0])])
        assert caught.value.args[0] == 1


def test_many_ids_are_looked_up_together(archive: ng.Archive) -> None:
    ids = list(archive.ids)
    assert split_positions(archive, reversed(ids)).tolist() == [2, 1, 0]
    for split, code in ((["none"], "E_NOT_FOUND"), ([ids[0], ids[0]], "E_DUP"), (ids[0], "E_STUDY")):
        with pytest.raises(ng.NeuralGraphError) as caught:
            split_positions(archive, split)
        assert (caught.value.code, caught.value.where) == (code, "split")
