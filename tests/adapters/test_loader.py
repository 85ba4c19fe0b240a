from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from same_graphs import assert_same, assert_same_batch
from torch_geometric.data import Batch, Data

import neuralgraph as ng
from neuralgraph.adapters.pyg import (
    ArchiveDataset,
    ArchiveLoader,
    StudyDatabase,
    StudyDataset,
    to_data,
    to_hetero_data,
)
from neuralgraph.adapters.pyg.batch import Batcher
from neuralgraph.batches import kernel
from neuralgraph.batches.reader import BatchReader
from neuralgraph.container.streams import CONCEPT_VECTOR_STREAMS
from neuralgraph.storage.save import PROFILES

MakeStudy = Callable[..., ng.Study]
LABELS = ["edema", "effusion"]
FORMS = ["exact", "float32", "bfloat16", "float16", "int8", "svd"]


def make_studies(make_study: MakeStudy) -> list[ng.Study]:
    """Studies that lack one side each, so that every column is empty for one of them."""
    patches = make_study().patches

    def some(chosen: list[int]) -> ng.Patches:
        fields = (patches.row, patches.col, patches.score, patches.embedding, patches.view)
        return ng.Patches(*(field[chosen] for field in fields))

    changes: list[dict[str, Any]] = [
        {},
        {"fusion": None},
        {"triples": np.empty((0, 3))},
        {"concepts": (), "triples": np.empty((0, 3)), "fusion": None},
        {"labels": {}},
        {"patches": some([0, 2]), "pixels": None, "fusion": (1, 2)},
        {"patches": some([]), "pixels": None, "fusion": None},
        {"labels": {"pneumonia": 1.0}, "report": None},
    ]
    return [make_study(study_id=f"s{number}", **change) for number, change in enumerate(changes)]


@pytest.fixture(params=["kernel", "definition"], autouse=True)
def made_by(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """All tests run twice: as the kernel makes batches, and as they are made where there is none."""
    if request.param == "definition":
        monkeypatch.setattr(kernel, "compiled", None)
    elif kernel.compiled is None:
        pytest.skip("the kernel is not built here: pip install -e .")
    return str(request.param)


@pytest.fixture
def archive(tmp_path: Path, make_study: MakeStudy) -> Path:
    ng.save(make_studies(make_study), tmp_path / "a.ngr", profile="train")
    return tmp_path / "a.ngr"


@pytest.mark.parametrize("heterogeneous", [False, True])
@pytest.mark.parametrize("embedding", FORMS)
@pytest.mark.parametrize("profile", PROFILES)
def test_batches_are_those_of_pyg(
    tmp_path: Path, make_study: MakeStudy, profile: str, embedding: str, heterogeneous: bool
) -> None:
    path = tmp_path / "a.ngr"
    ng.save(make_studies(make_study), path, profile=profile, embedding=embedding)
    convert = to_hetero_data if heterogeneous else to_data
    with ng.open(path) as archive:
        graphs = [convert(study, labels=LABELS) for study in archive]
    loader = ArchiveLoader(path, batch_size=3, labels=LABELS, heterogeneous=heterogeneous)
    assert len(loader) == 3
    for _ in range(2):  # The second time nothing is verified any more.
        batches = list(loader)
        for number, batch in enumerate(batches):
            assert_same_batch(batch, Batch.from_data_list(graphs[3 * number : 3 * number + 3]))
            assert batch.validate(raise_on_error=True)
    copied = pickle.loads(pickle.dumps(batches[0]))
    assert_same(copied.to_dict(), batches[0].to_dict())


@pytest.mark.parametrize("rule", [{"max_patches": 1}, {"max_patches": 3}, {"retain": 0.4}, {"retain": 1.0}])
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("embedding", ["float32", "int8"])
def test_fewer_patches_are_those_of_prune(
    tmp_path: Path, make_study: MakeStudy, profile: str, embedding: str, rule: dict[str, Any]
) -> None:
    path = tmp_path / "a.ngr"
    ng.save(make_studies(make_study), path, profile=profile, embedding=embedding)
    prune = {"top_k" if name == "max_patches" else name: value for name, value in rule.items()}
    with ng.open(path) as archive:
        graphs = [to_data(study.prune(**prune), labels=LABELS) for study in archive]
    loader = ArchiveLoader(path, batch_size=8, labels=LABELS, **rule)
    for _ in range(2):
        (batch,) = loader
        assert_same_batch(batch, Batch.from_data_list(graphs))


@pytest.mark.parametrize("uncertain", ["mask", "zeros", "ones", "keep"])
def test_targets_follow_the_policy(archive: Path, make_study: MakeStudy, uncertain: str) -> None:
    names = ["pneumonia", "edema", "fracture"]
    graphs = [to_data(study, labels=names, uncertain=uncertain) for study in make_studies(make_study)]
    (batch,) = ArchiveLoader(archive, batch_size=8, labels=names, uncertain=uncertain)
    assert_same_batch(batch, Batch.from_data_list(graphs))


@pytest.mark.parametrize("profile", PROFILES)
def test_labels_are_those_of_the_studies_taken(tmp_path: Path, make_study: MakeStudy, profile: str) -> None:
    ng.save(make_studies(make_study), tmp_path / "a.ngr", profile=profile)
    everything = ArchiveLoader(tmp_path / "a.ngr")
    assert everything.label_names == ("cardiomegaly", "edema", "effusion", "pneumonia")
    loader = ArchiveLoader(tmp_path / "a.ngr", split=["s7", "s4"], batch_size=2)
    assert loader.label_names == ("pneumonia",)
    (batch,) = loader
    assert batch.study_id == ["s7", "s4"]
    assert batch.y.tolist() == [[1], [0]]
    assert batch.y_mask.tolist() == [[True], [False]]


def test_columns_that_are_not_asked_for_are_not_there(archive: Path, make_study: MakeStudy) -> None:
    wanted = {"x", "edge_index", "y"}
    always = {"num_nodes", "study_id", "concept_features", "batch", "ptr"}
    (whole,) = ArchiveLoader(archive, batch_size=8, labels=LABELS)
    (batch,) = ArchiveLoader(archive, batch_size=8, labels=LABELS, columns=sorted(wanted))
    assert set(batch.keys()) == wanted | always
    for name in wanted:
        assert torch.equal(batch[name], whole[name])
    graphs = [to_data(study, labels=LABELS) for study in make_studies(make_study)]
    leave = [name for name in graphs[0].keys() if name not in wanted | always]  # noqa: SIM118  no mapping
    assert_same_batch(batch, Batch.from_data_list(graphs, exclude_keys=leave))
    (light,) = ArchiveLoader(archive, batch_size=8, labels=LABELS, columns=["node_view"], heterogeneous=True)
    assert torch.equal(light["patch"].node_view, whole.node_view[whole.node_type == 0])


def test_stored_vectors_of_concepts(tmp_path: Path, make_study: MakeStudy, vectors: ng.ConceptVectors) -> None:
    studies = [make_study(study_id="a", concept_vectors=vectors), make_study(study_id="b")]
    for profile in PROFILES:
        ng.save(studies, tmp_path / "a.ngr", profile=profile)
        for source in ("auto", "hash"):
            graphs = [to_data(study, labels=LABELS, concept_features=source) for study in studies]
            (batch,) = ArchiveLoader(tmp_path / "a.ngr", batch_size=2, labels=LABELS, concept_features=source)
            assert_same_batch(batch, Batch.from_data_list(graphs))
        with pytest.raises(ng.StudyError) as caught:
            list(ArchiveLoader(tmp_path / "a.ngr", batch_size=2, labels=LABELS, concept_features="stored"))
        assert caught.value.code == "E_SIZE"
        narrow = make_study(study_id="n", concept_vectors=ng.ConceptVectors([0, 1, 2], np.eye(3)))
        ng.save([narrow], tmp_path / "n.ngr", profile=profile)
        with pytest.raises(ng.StudyError, match="width 3, not 16") as caught:
            list(ArchiveLoader(tmp_path / "n.ngr"))
        assert caught.value.code == "E_SIZE"


def test_embeddings_too_narrow_for_hashed_concepts(tmp_path: Path, make_study: MakeStudy) -> None:
    p = make_study().patches
    study = make_study(patches=ng.Patches(p.row, p.col, p.score, p.embedding[:, :8], p.view))
    for profile in PROFILES:
        ng.save(study, tmp_path / "a.ngr", profile=profile)
        with pytest.raises(ng.StudyError) as caught:
            list(ArchiveLoader(tmp_path / "a.ngr"))
        assert caught.value.code == "E_NUM"
        assert next(iter(ArchiveLoader(tmp_path / "a.ngr", columns=["edge_index"]))).num_edges == 12


@pytest.mark.parametrize("profile", PROFILES)
def test_a_graph_alone_is_refused_every_time(tmp_path: Path, make_study: MakeStudy, profile: str) -> None:
    p = make_study().patches
    narrow = ng.Patches(p.row, p.col, p.score, p.embedding[:, :8], p.view)
    none = ng.Patches(p.row[:0], p.col[:0], p.score[:0], p.embedding[:0, :8], p.view[:0])
    studies = [
        make_study(study_id="a", patches=narrow),
        make_study(study_id="b", patches=none, pixels=None, fusion=None),
    ]
    ng.save(studies, tmp_path / "a.ngr", profile=profile)
    with BatchReader(tmp_path / "a.ngr") as reader:
        for number in (0, 1, 0, 1, 1):
            with pytest.raises(ng.StudyError) as caught:
                Batcher(reader).data(number)
            assert caught.value.code == "E_NUM"


def test_a_folder_of_all_kinds_of_files(tmp_path: Path, make_study: MakeStudy) -> None:
    studies = make_studies(make_study)
    ng.save(studies[:3], tmp_path / "a.ngr", profile="train", embedding="bfloat16")
    ng.save(studies[3:5], tmp_path / "b.ngr", profile="compact")
    ng.save(studies[5:], tmp_path / "c.ngr", profile="train")
    with ng.open(tmp_path) as archive:
        graphs = [to_data(study, labels=LABELS) for study in archive]
    loader = ArchiveLoader(tmp_path, batch_size=5, labels=LABELS, shuffle=True, seed=3)
    order = np.random.default_rng([3, 0]).permutation(8)
    for number, batch in enumerate(loader):
        chosen = order[5 * number : 5 * number + 5]
        assert_same_batch(batch, Batch.from_data_list([graphs[position] for position in chosen]))


def test_widths_that_do_not_fit_one_batch(tmp_path: Path, make_study: MakeStudy) -> None:
    p = make_study().patches
    wide = make_study(study_id="wide", patches=ng.Patches(p.row, p.col, p.score, np.tile(p.embedding, 2), p.view))
    ng.save([make_study(), wide], tmp_path / "both.ngr", profile="train")
    with pytest.raises(ng.StudyError, match="width 32 among those of width 16") as caught:
        list(ArchiveLoader(tmp_path / "both.ngr", batch_size=2))
    assert (caught.value.code, caught.value.where) == ("E_SIZE", "wide")
    (tmp_path / "both.ngr").unlink()
    ng.save(make_study(), tmp_path / "a.ngr", profile="train")
    ng.save(wide, tmp_path / "b.ngr", profile="train")
    with pytest.raises(ng.FormatError, match="16, 32") as caught:
        ArchiveLoader(tmp_path)
    assert caught.value.code == "E_SIZE"


def test_order_depends_on_seed_and_epoch_alone(archive: Path) -> None:
    def ids(loader: ArchiveLoader) -> list[str]:
        return [study_id for batch in loader for study_id in batch.study_id]

    loader = ArchiveLoader(archive, batch_size=3, shuffle=True, seed=1)
    epochs = [ids(loader) for _ in range(3)]
    assert loader.epoch == 3
    assert all(sorted(epoch) == [f"s{n}" for n in range(8)] for epoch in epochs)
    assert epochs[0] != epochs[1]
    again = ArchiveLoader(archive, batch_size=3, shuffle=True, seed=1, epoch=1, num_workers=2)
    assert ids(again) == epochs[1]
    again.set_epoch(0)
    assert ids(again) == epochs[0]
    assert ids(ArchiveLoader(archive, batch_size=3, shuffle=True, seed=2)) != epochs[0]
    assert ids(ArchiveLoader(archive)) == [f"s{n}" for n in range(8)]


@pytest.mark.parametrize("workers", [0, 2])
def test_training_goes_on_in_the_middle_of_an_epoch(archive: Path, workers: int) -> None:
    def loader() -> ArchiveLoader:
        return ArchiveLoader(archive, batch_size=2, shuffle=True, seed=5, num_workers=workers)

    whole = loader()
    list(whole)
    expected = [batch.study_id for batch in whole] + [batch.study_id for batch in whole]
    stopped, seen = loader(), []
    list(stopped)
    for batch in stopped:
        seen.append(batch.study_id)
        if len(seen) == 3:
            break
    state = stopped.state_dict()
    assert (state["epoch"], state["position"]) == (1, 3)
    resumed = loader()
    resumed.load_state_dict(state)
    assert resumed.state_dict() == state
    seen += [batch.study_id for batch in resumed] + [batch.study_id for batch in resumed]
    assert seen == expected
    other = ArchiveLoader(archive, batch_size=4, shuffle=True, seed=5)
    with pytest.raises(ng.StudyError, match="batch_size"):
        other.load_state_dict(state)
    again = [batch.study_id for batch in stopped]
    assert again == expected[:4], "an iteration left early starts over"


@pytest.mark.parametrize("drop_last", [False, True])
def test_processes_share_an_epoch_evenly(archive: Path, drop_last: bool) -> None:
    loaders = [
        ArchiveLoader(archive, batch_size=2, shuffle=True, rank=rank, world_size=3, drop_last=drop_last)
        for rank in range(3)
    ]
    shares = [[study_id for batch in loader for study_id in batch.study_id] for loader in loaders]
    assert [len(share) for share in shares] == ([2, 2, 2] if drop_last else [3, 3, 3])
    together = [study_id for share in shares for study_id in share]
    assert len(set(together)) == (6 if drop_last else 8)
    assert {len(loader) for loader in loaders} == {1 if drop_last else 2}
    assert [len(batch) for batch in ArchiveLoader(archive, batch_size=3, drop_last=True)] == [3, 3]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"batch_size": 0}, "E_NUM"),
        ({"rank": 2, "world_size": 2}, "E_NUM"),
        ({"labels": "edema"}, "E_STUDY"),
        ({"labels": ["edema", "edema"]}, "E_DUP"),
        ({"uncertain": "ignore"}, "E_IDX"),
        ({"split": "s1"}, "E_STUDY"),
        ({"split": ["s1", "s1"]}, "E_DUP"),
        ({"split": ["none"]}, "E_NOT_FOUND"),
        ({"columns": ["edges"]}, "E_IDX"),
        ({"retain": 0.0}, "E_NUM"),
        ({"max_patches": 0}, "E_NUM"),
        ({"max_patches": 1, "retain": 0.5}, "E_NUM"),
        ({"concept_features": "random"}, "E_IDX"),
    ],
)
def test_arguments_that_cannot_be_meant(archive: Path, arguments: dict[str, Any], code: str) -> None:
    with pytest.raises(ng.NeuralGraphError) as caught:
        ArchiveLoader(archive, **arguments)
    assert caught.value.code == code


def test_threads_give_the_same_batches_and_their_errors(archive: Path) -> None:
    alone = list(ArchiveLoader(archive, batch_size=2, shuffle=True))
    loader = ArchiveLoader(
        archive, batch_size=2, shuffle=True, num_workers=3, prefetch=1, transform=lambda batch: batch
    )
    for given, expected in zip(loader, alone, strict=True):
        assert_same(given.to_dict(), expected.to_dict())

    def fail(batch: Any) -> Any:
        raise RuntimeError("the transform failed")

    with pytest.raises(RuntimeError, match="the transform failed"):
        list(ArchiveLoader(archive, num_workers=2, transform=fail))


def test_a_loader_may_be_copied_to_another_process(archive: Path) -> None:
    loader = ArchiveLoader(archive, batch_size=8, labels=LABELS)
    (copy,) = pickle.loads(pickle.dumps(loader))
    (here,) = loader
    assert_same(copy.to_dict(), here.to_dict())


@pytest.mark.parametrize("embedding", ["float32", "bfloat16", "int8"])
def test_damage_is_found_at_the_first_access(
    archive: Path, make_study: MakeStudy, embedding: str, made_by: str
) -> None:
    ng.save(make_studies(make_study), archive, profile="train", embedding=embedding)
    whole = archive.read_bytes()
    found = {}
    for offset in range(32, len(whole) - 96, 7 if made_by == "kernel" else 70):
        archive.write_bytes(whole[:offset] + bytes([whole[offset] ^ 0x10]) + whole[offset + 1 :])
        try:
            (batch,) = ArchiveLoader(archive, batch_size=8)
        except ng.NeuralGraphError as error:
            found[offset] = error.code
        else:
            # Streams that no batch needs are not read.
            found[offset] = batch
    archive.write_bytes(whole)
    (expected,) = ArchiveLoader(archive, batch_size=8)
    for result in found.values():
        if not isinstance(result, str):
            assert_same(result.to_dict(), expected.to_dict())
    assert sum(isinstance(result, str) for result in found.values()) > 0.5 * len(found)
    assert {"E_CRC", "E_RECORD"} <= {result for result in found.values() if isinstance(result, str)}


@pytest.mark.parametrize(("silent", "code"), [(False, "E_OPEN"), (True, "E_CRC")])
def test_damage_that_comes_later_is_found(archive: Path, silent: bool, code: str) -> None:
    loader = ArchiveLoader(archive, batch_size=8, labels=LABELS)
    list(loader)
    with ng.open(archive) as opened:
        (_, _, container), *_ = opened.files
        streams = container.record(0).streams
        plane = streams[max(stream_id for stream_id in streams if stream_id < CONCEPT_VECTOR_STREAMS)]
        place = int(container.index.offset[0]) + plane.offset
    whole, status = archive.read_bytes(), archive.stat()
    with archive.open("r+b") as stream:
        stream.seek(place)
        stream.write(bytes([whole[place] ^ 1]))
    if silent:
        os.utime(archive, ns=(status.st_atime_ns, status.st_mtime_ns))
    with pytest.raises(ng.FormatError) as caught:
        list(loader)
    assert caught.value.code == code


def test_a_file_that_becomes_shorter_is_an_error_not_a_crash(archive: Path) -> None:
    loader = ArchiveLoader(archive, batch_size=8)
    os.truncate(archive, 4096)
    with pytest.raises(ng.FormatError) as caught:
        list(loader)
    assert caught.value.code == "E_TRUNCATED"


def test_on_disk_dataset_reads_an_archive(archive: Path, make_study: MakeStudy) -> None:
    graphs = [to_data(study, labels=LABELS) for study in make_studies(make_study)]
    dataset = ArchiveDataset(archive, labels=LABELS)
    assert len(dataset) == 8
    for data, expected in zip(dataset, graphs, strict=True):
        assert isinstance(data, Data)
        assert_same(data.to_dict(), expected.to_dict())
    batch = next(iter(torch.utils.data.DataLoader(dataset, batch_size=8, collate_fn=Batch.from_data_list)))
    assert_same_batch(batch, Batch.from_data_list(graphs))
    database = StudyDatabase(archive, labels=LABELS)
    assert [data.study_id for data in database[2:5]] == ["s2", "s3", "s4"]
    assert pickle.loads(pickle.dumps(database))[1].study_id == "s1"
    with pytest.raises(ng.OutputError, match="read-only"):
        dataset.append(graphs[0])
    database.close()
    assert database.get(0).study_id == "s0"
    assert os.listdir(archive.parent) == ["a.ngr"]


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_data_sets_of_archives_to_train_from_work_in_processes(
    archive: Path, make_study: MakeStudy, context: str
) -> None:
    graphs = [to_data(study, labels=LABELS) for study in make_studies(make_study)]
    dataset = StudyDataset(archive, labels=LABELS)
    assert_same(dataset[0].to_dict(), graphs[0].to_dict())
    loader = torch.utils.data.DataLoader(
        dataset, batch_size=4, num_workers=1, multiprocessing_context=context, collate_fn=Batch.from_data_list
    )
    for number, batch in enumerate(loader):
        assert_same(batch.to_dict(), Batch.from_data_list(graphs[4 * number : 4 * number + 4]).to_dict())
