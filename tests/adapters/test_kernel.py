"""The kernel makes the batches of the definition, and refuses what the gate refuses, with its code."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import studies
from hypothesis import given, settings
from hypothesis import strategies as st
from same_graphs import assert_same, assert_same_batch

import neuralgraph as ng
from neuralgraph.adapters.pyg.batch import Batcher
from neuralgraph.batches import kernel
from neuralgraph.batches.pruning import Pruning
from neuralgraph.batches.reader import BatchReader

sys.path.insert(0, str(Path(__file__).parents[1] / "spec"))
from corpus import FOLDER, ROWS
from mutations import full_study, make_study, mutants

pytestmark = pytest.mark.skipif(kernel.compiled is None, reason="the kernel is not built here: pip install -e .")

LIGHT = ("edge_index", "edge_type", "node_type", "node_view", "pos", "attention", "fusion_edge_index", "y", "y_mask")
"""Everything but embeddings, whose width in the vectors is less than text is hashed to."""
NOT_IN_A_BATCH = ("report", "pixels", "word_attention", "words", "extensions", "source", "method", "keys")
"""Parts of a record that no batch needs, and the kernel does not look at; nor at digests (E_DIGEST)."""


@contextmanager
def opened(path: Path, *, by_kernel: bool, **options: Any) -> Iterator[BatchReader]:
    """A reader of the studies of a file, with the kernel or without."""
    with pytest.MonkeyPatch.context() as patch:
        if not by_kernel:
            patch.setattr(kernel, "compiled", None)
        with BatchReader(path, **options) as reader:
            yield reader


def outcome(path: Path, *, by_kernel: bool, heterogeneous: bool = False, **options: Any) -> Any:
    """The batch of all studies of a file, or the error that there is instead."""
    try:
        with opened(path, by_kernel=by_kernel, **options) as reader:
            return Batcher(reader, heterogeneous=heterogeneous).batch(np.arange(len(reader)))
    except ng.NeuralGraphError as error:
        return error


def is_elsewhere(error: ng.NeuralGraphError, *, with_x: bool) -> bool:
    """Whether an error is about something that no batch needs."""
    place = f"{error.where.rsplit(': ', 1)[-1]} {error.message}"
    # Texts of concepts are in a batch as their features.
    parts = NOT_IN_A_BATCH if with_x else (*NOT_IN_A_BATCH, "concepts[")
    return error.code == "E_DIGEST" or "stream[0x" in place or any(part in place for part in parts)


def assert_same_outcome(path: Path, **options: Any) -> str:
    """Compare kernel and definition; the code of the error, or "batch"."""
    made, defined = (outcome(path, by_kernel=by_kernel, **options) for by_kernel in (True, False))
    if isinstance(made, Exception):
        assert "please report" not in str(made), made
        assert isinstance(defined, Exception), made
    elif isinstance(defined, Exception):
        assert is_elsewhere(defined, with_x="x" in (options.get("columns") or ("x",))), defined
        return f"not seen: {defined.code}"
    else:
        assert_same_batch(made, defined)
        return "batch"
    # Of two errors in different studies, or in one study that has two, each may meet its own first.
    if not is_elsewhere(defined, with_x=True):
        assert (type(made), made.code, made.where) == (type(defined), defined.code, defined.where)
    return str(made.code)


@pytest.mark.parametrize("heterogeneous", [False, True])
def test_every_valid_vector_gives_the_batch_of_the_definition(heterogeneous: bool) -> None:
    ends = []
    for row in ROWS:
        if row["path"].startswith("valid/"):
            for columns in (LIGHT, None):
                ends.append(assert_same_outcome(FOLDER / row["path"], columns=columns, heterogeneous=heterogeneous))
    # Embeddings too narrow for hashed text; vectors of concepts that have a width of their own; mixed widths.
    assert set(ends) <= {"batch", "E_NUM", "E_SIZE"}
    assert ends.count("batch") > len(ends) / 2


def test_every_invalid_vector_is_refused_as_by_the_definition() -> None:
    ends = [
        assert_same_outcome(FOLDER / row["path"], columns=LIGHT) for row in ROWS if row["path"].startswith("invalid/")
    ]
    assert len(set(ends)) > 20
    assert "batch" not in ends or ends.count("batch") < len(ends) / 10


def files_of_mutants() -> dict[str, bytes]:
    """Files whose embeddings are wide enough for hashed text, in every form that the kernel reads."""
    files = {
        form: ng.to_bytes(make_study(dim=19), embedding=form) for form in ("float32", "bfloat16", "float16", "int8")
    }
    files |= {
        f"stored {form}": ng.to_bytes(make_study(5, views=2, dim=24), embedding=form, profile="train") for form in files
    }
    files["full"] = ng.to_bytes([full_study(), make_study(2, dim=16)])
    files["archive"] = ng.to_bytes([make_study(seed, k=seed, dim=16) for seed in range(1, 6)], embedding="bfloat16")
    return files


@pytest.mark.parametrize("seed", range(4))
def test_mutants_with_right_checksums_are_refused_as_by_the_definition(tmp_path: Path, seed: int) -> None:
    path, ends = tmp_path / "a.ngr", []
    for name, data in mutants(files_of_mutants(), seed=seed, count=250):
        path.write_bytes(data)
        try:
            ends.append(assert_same_outcome(path, concept_features="hash"))
        except AssertionError as error:
            raise AssertionError(name) from error
    assert len(set(ends)) > 12, set(ends)


@st.composite
def wide_studies(draw: st.DrawFn) -> list[ng.Study]:
    """Some studies with different ids, and embeddings of one width that text can be hashed to."""
    width = draw(st.integers(16, 40))
    drawn = draw(st.lists(studies(), min_size=1, max_size=4, unique_by=lambda study: study.study_id))
    wide = []
    for study in drawn:
        patches = study.patches
        embedding = np.resize(patches.embedding, (len(patches), width)) if len(patches) else np.empty((0, width))
        fields = (patches.row, patches.col, patches.score, embedding, patches.view)
        wide.append(replace(study, patches=ng.Patches(*fields)))
    return wide


@given(
    wide=wide_studies(),
    profile=st.sampled_from(["compact", "train"]),
    embedding=st.sampled_from(["exact", "float32", "int8"]),
    heterogeneous=st.booleans(),
    uncertain=st.sampled_from(["mask", "zeros", "ones", "keep"]),
    pruning=st.sampled_from([Pruning(), Pruning(retain=0.3), Pruning(max_patches=2)]),
    columns=st.sampled_from([None, None, ("x", "y"), ("edge_index",), ("y_mask", "pos", "edge_type")]),
)
def test_studies_of_any_shape_give_the_batch_of_the_definition(
    tmp_path_factory: pytest.TempPathFactory, wide: list[ng.Study], profile: str, embedding: str, **options: Any
) -> None:
    path = tmp_path_factory.mktemp("any") / "a.ngr"
    ng.save(wide, path, profile=profile, embedding=embedding)
    assert assert_same_outcome(path, concept_features="hash", **options) == "batch"


@settings(max_examples=20)
@given(wide=wide_studies())
def test_a_graph_alone_is_that_of_the_definition(
    tmp_path_factory: pytest.TempPathFactory, wide: list[ng.Study]
) -> None:
    path = tmp_path_factory.mktemp("alone") / "a.ngr"
    ng.save(wide, path)
    graphs = []
    for by_kernel in (True, False):
        with opened(path, by_kernel=by_kernel, concept_features="hash") as reader:
            graphs.append([Batcher(reader).data(number) for number in range(len(wide))])
    for made, defined in zip(*graphs, strict=True):
        assert_same(made.to_dict(), defined.to_dict())


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    ng.save([make_study(seed, dim=32) for seed in range(12)], tmp_path / "a.ngr", embedding="float32")
    return tmp_path / "a.ngr"


def test_several_files_one_of_which_is_opened_at_each_access(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        ng.save([make_study(2 * number + k, dim=32) for k in (0, 1)], tmp_path / f"{number}.ngr", profile="train")
    whole = outcome(tmp_path, by_kernel=False)
    for most in (200, 2):
        monkeypatch.setattr("neuralgraph.storage.opening.MOST_HELD_OPEN", most)
        assert_same_batch(outcome(tmp_path, by_kernel=True), whole)
        with opened(tmp_path, by_kernel=True) as reader:
            made = Batcher(reader).batch([9, 0, 3, 3, 8])
        assert made.study_id == ["study 9", "study 0", "study 3", "study 3", "study 8"]


def test_an_archive_behind_a_network_gives_the_same_batches(archive: Path) -> None:
    pytest.importorskip("aiohttp", reason="the extra remote is not installed")
    from bench.range_server import range_server

    chosen = ([3, 1, 11], [0], [3, 1, 11])
    with opened(archive, by_kernel=False) as local:
        expected = [Batcher(local).batch(numbers) for numbers in chosen]
    with range_server() as server:
        server.files["a.ngr"] = archive.read_bytes()
        with BatchReader(server.url("a.ngr")) as reader:
            for numbers, batch in zip(chosen, expected, strict=True):
                assert_same_batch(Batcher(reader).batch(numbers), batch)


def test_a_file_that_shrinks_while_batches_are_made_is_an_error(archive: Path) -> None:
    with BatchReader(archive) as reader:
        batcher = Batcher(reader)
        batcher.batch(range(12))
        ends = []
        for size in range(archive.stat().st_size - 1, 0, -997):
            os.truncate(archive, size)
            with pytest.raises(ng.FormatError) as caught:
                batcher.batch(range(12))
            ends.append(caught.value.code)
    assert set(ends) == {"E_TRUNCATED"}


def test_threads_that_meet_new_concepts_at_once_make_the_same_batches(tmp_path: Path) -> None:
    concepts = [ng.Concept(f"finding {n}", "Observation::uncertain", n, n + 1) for n in range(40)]
    wide = [
        replace(make_study(seed, dim=32), mentions=(), triples=np.empty((0, 3)), fusion=None, report=None,
                concepts=tuple(concepts[seed : seed + 9]))
        for seed in range(24)
    ]  # fmt: skip
    ng.save(wide, tmp_path / "a.ngr")
    with opened(tmp_path / "a.ngr", by_kernel=False) as reader:
        expected = [Batcher(reader).batch([n, n + 1, n + 2]) for n in range(22)]
    for _ in range(5):
        found: dict[int, Any] = {}
        with BatchReader(tmp_path / "a.ngr") as reader:
            batcher = Batcher(reader)

            def work(first: int, batcher: Batcher = batcher, found: dict[int, Any] = found) -> None:
                for n in range(first, 22, 4):
                    found[n] = batcher.batch([n, n + 1, n + 2])

            threads = [threading.Thread(target=work, args=(first,)) for first in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        for n, batch in enumerate(expected):
            assert_same(found[n].to_dict(), batch.to_dict())


def test_more_concepts_than_are_remembered_are_still_right(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = outcome(archive, by_kernel=False)
    monkeypatch.setattr("neuralgraph.batches.remembered._MOST_BYTES", 0)
    with BatchReader(archive) as reader:
        for _ in range(3):
            assert_same_batch(Batcher(reader).batch(range(12)), expected)
