"""Resuming an epoch: nothing is trained twice or left out without a word; and workers that find other files."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from builders import build_study

import neuralgraph as ng
from neuralgraph import FormatError, StudyError

torch = pytest.importorskip("torch")
pytest.importorskip("torch_geometric")
from torch_geometric.loader import DataLoader  # noqa: E402

from neuralgraph.adapters.pyg import ArchiveDataset, ArchiveLoader, StudyDatabase, StudyDataset  # noqa: E402

LABELS = ("opacity",)
MADE = [build_study(seed=seed, patches=2, dim=16, study_id=f"s{seed}") for seed in range(20)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    ng.save(MADE, tmp_path / "a.ngr")
    return tmp_path / "a.ngr"


def loader(path, **options):
    return ArchiveLoader(path, **{"batch_size": 4, "shuffle": True, "seed": 3, "labels": LABELS, **options})


def ids(batches):
    return [batch.study_id for batch in batches]


def joined(batches):
    return [study_id for batch in batches for study_id in batch.study_id]


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("taken", range(6))
def test_the_usual_loop_goes_on_where_it_was(path, workers, taken):
    whole = loader(path)
    expected = [ids(whole) for _ in range(3)]
    first = loader(path, num_workers=workers)
    first.set_epoch(0)
    got, batches = [], iter(first)
    for _ in range(taken):
        got.append(next(batches).study_id)
    state = json.loads(json.dumps(first.state_dict()))
    batches.close()
    again = loader(path, num_workers=workers)
    again.load_state_dict(state)
    # The state after the last batch is the beginning of the next epoch.
    assert (state["epoch"], state["position"]) == ((1, 0) if taken == 5 else (0, taken))
    for epoch in range(state["epoch"], 3):
        again.set_epoch(epoch)
        got += ids(again)
    assert got == [batch for epoch in expected for batch in epoch]


def test_another_epoch_begins_at_its_first_batch(path):
    made = loader(path)
    batches = iter(made)
    next(batches)
    state = made.state_dict()
    batches.close()
    again = loader(path)
    again.load_state_dict(state)
    again.set_epoch(5)
    assert len(list(again)) == 5
    assert again.epoch == 6
    again.load_state_dict(state)
    assert len(list(again)) == 4
    again.set_epoch(0)
    assert len(list(again)) == 5


def test_loading_twice_and_saving_at_once_keep_the_place(path):
    made = loader(path)
    batches = iter(made)
    next(batches)
    state = made.state_dict()
    again = loader(path)
    again.load_state_dict(state)
    assert again.state_dict() == state
    again.load_state_dict(state)
    again.set_epoch(0)
    assert again.state_dict() == state


@pytest.mark.parametrize("seed", [7, np.int64(7), np.uint8(7), torch.tensor(7), True])
def test_states_are_plain_json(path, seed):
    made = loader(path, seed=seed, batch_size=np.int32(4), epoch=np.int64(2), shuffle=np.bool_(True))
    state = json.loads(json.dumps(made.state_dict()))
    assert state == made.state_dict()
    assert (state["seed"], state["epoch"]) == (int(seed), 2)
    again = loader(path, seed=int(seed), epoch=0)
    again.load_state_dict(state)
    assert ids(again) == ids(made)


@pytest.mark.parametrize("wrong", [{"seed": 1.5}, {"batch_size": 2.5}, {"seed": "x"}, {"epoch": None}])
def test_numbers_that_are_no_whole_numbers_are_refused(path, wrong):
    with pytest.raises(TypeError):
        loader(path, **wrong)


def test_a_state_must_match(path, tmp_path):
    state = loader(path).state_dict()
    ng.save(MADE[::-1], tmp_path / "b.ngr")
    ng.save(MADE, tmp_path / "copy.ngr")
    loader(tmp_path / "copy.ngr").load_state_dict(state)
    split = [f"s{number}" for number in range(20)]
    for other, named in (
        (loader(tmp_path / "b.ngr"), "content"),
        (loader(path, labels=("opacity", "edema")), "labels"),
        (loader(path, split=split), "split"),
        (loader(path, seed=4), "seed"),
        (loader(path, batch_size=5), "batch_size"),
    ):
        with pytest.raises(StudyError, match=named) as caught:
            other.load_state_dict(state)
        assert caught.value.code == "E_STUDY"
    one, two = loader(path, split=split), loader(path, split=split[::-1])
    one.load_state_dict(loader(path, split=split).state_dict())
    with pytest.raises(StudyError, match="split"):
        two.load_state_dict(one.state_dict())


@pytest.mark.parametrize(
    "change", [{"epoch": None}, {"epoch": -1}, {"position": 6}, {"position": -1}, {"position": "1"}, {"position": 1.0}]
)
def test_what_is_no_state_is_refused(path, change):
    made = loader(path)
    for wrong in ({}, None, [], {**made.state_dict(), **change}):
        with pytest.raises(StudyError) as caught:
            made.load_state_dict(wrong)
        assert caught.value.code == "E_STUDY"
    assert len(list(made)) == 5


def test_an_epoch_without_batches_is_no_end(path):
    made = loader(path, split=[])
    assert made.state_dict()["epoch"] == 0
    assert list(made) == []
    assert made.state_dict()["epoch"] == 1


KINDS = {
    "dataset": lambda path: StudyDataset(path, labels=LABELS),
    "database": lambda path: ArchiveDataset(path, labels=LABELS),
}


@pytest.mark.parametrize("method", ["fork", pytest.param("spawn", marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_workers_find_a_file_that_was_replaced(path, method, kind):
    made = kind(path)
    assert made[0].study_id == "s0"
    options = {"batch_size": 5, "num_workers": 1, "multiprocessing_context": method}
    assert joined(DataLoader(made, **options)) == [f"s{number}" for number in range(20)]
    ng.save([build_study(seed=seed + 50, patches=2, dim=16, study_id=f"s{seed}") for seed in range(20)], path)
    with pytest.raises(FormatError, match="replaced") as caught:
        list(DataLoader(made, **options))
    assert caught.value.code == "E_OPEN"


def test_copies_find_a_file_that_was_replaced(path):
    made = [loader(path), StudyDatabase(path, labels=LABELS), StudyDataset(path, labels=LABELS)]
    copies = [pickle.loads(pickle.dumps(each)) for each in made]
    assert [next(iter(each)) is not None for each in copies] == [True] * 3
    copies = [pickle.loads(pickle.dumps(each)) for each in made]
    ng.save(MADE[:-1], path)
    for each in copies:
        with pytest.raises(FormatError, match="replaced"):
            next(iter(each))


def test_relative_paths_are_those_of_the_folder_they_were_given_in(path, monkeypatch):
    monkeypatch.chdir(path.parent)
    made = [loader("a.ngr", batch_size=20, shuffle=False), StudyDataset("a.ngr", labels=LABELS)]
    blobs = [pickle.dumps(each) for each in made]
    monkeypatch.chdir("/")
    for blob in blobs:
        assert len(list(pickle.loads(blob))) in (1, 20)
    batches = DataLoader(made[1], batch_size=20, num_workers=1, multiprocessing_context="fork")
    assert [len(batch.study_id) for batch in batches] == [20]


def test_data_sets_of_lists_folders_and_memory(path, tmp_path):
    ng.save(build_study(seed=77, dim=16), tmp_path / "b.ngr")
    for place, count in ((iter([path, tmp_path / "b.ngr"]), 21), (tmp_path, 21), (os.fsencode(path), 20)):
        made = StudyDataset(place, labels=LABELS)
        options = {"batch_size": 30, "num_workers": 1, "multiprocessing_context": "fork"}
        assert [len(batch.study_id) for batch in DataLoader(made, **options)] == [count]
    import io

    memory = io.BytesIO(path.read_bytes())
    assert len(list(StudyDataset(memory, labels=LABELS))) == 20
    assert ids(ArchiveLoader(memory, batch_size=20, labels=LABELS)) == [[f"s{number}" for number in range(20)]]


def test_a_batch_of_a_url_is_few_requests(path, monkeypatch):
    pytest.importorskip("aiohttp", reason="the extra remote is not installed")
    from bench.range_server import range_server
    from neuralgraph.access import remote

    monkeypatch.setattr(remote, "SUFFIX", 4096)
    monkeypatch.setattr(remote, "WHOLE", 0)
    made = [build_study(seed=seed, patches=8, dim=64, form="float32", study_id=f"s{seed}") for seed in range(60)]
    with range_server() as server:
        server.files["a.ngr"] = ng.to_bytes(made)
        data = StudyDataset(server.url("a.ngr"), labels=LABELS)
        server.ranges.clear()
        seen = joined(DataLoader(data, batch_size=20, shuffle=True))
        assert sorted(seen) == sorted(f"s{number}" for number in range(60))
        assert len(server.ranges) <= 9
        server.ranges.clear()
        assert [graph.study_id for graph in data] == [f"s{number}" for number in range(60)]
        assert len(server.ranges) <= 4
        server.ranges.clear()
        assert StudyDataset(server.url("a.ngr")).label_names == ("effusion", "pneumonia")
        assert len(server.ranges) <= 4
        options = {"batch_size": 20, "num_workers": 2, "multiprocessing_context": "fork"}
        assert joined(DataLoader(data, **options)) == [f"s{number}" for number in range(60)]
