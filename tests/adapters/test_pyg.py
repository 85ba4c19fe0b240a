from __future__ import annotations

import copy
import gc
import multiprocessing.reduction
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch_geometric.data import Batch, Data, HeteroData
from torch_geometric.loader import DataLoader
from torch_geometric.nn import GCNConv, global_mean_pool

import neuralgraph as ng
from neuralgraph.adapters.pyg import EDGE_TYPES, HETERO_EDGE_TYPES, StudyDataset, to_data, to_hetero_data
from neuralgraph.batches.features import concept_features

MakeStudy = Callable[..., ng.Study]


def without(make_study: MakeStudy, part: str) -> ng.Study:
    """The hand-made study without one of its sides."""
    changes: dict[str, dict[str, Any]] = {
        "nothing": {},
        "fusion": {"fusion": None},
        "triples": {"triples": np.empty((0, 3))},
        "concepts": {"concepts": (), "triples": np.empty((0, 3)), "fusion": None},
        "labels": {"labels": {}},
        "edges": {"patches": first_patches(make_study(), [0, 2]), "pixels": None, "fusion": (1, 2)},
        "patches": {"patches": first_patches(make_study(), []), "pixels": None, "fusion": None},
    }
    return make_study(study_id=f"without {part}", **changes[part])


def first_patches(study: ng.Study, chosen: list[int]) -> ng.Patches:
    p = study.patches
    return ng.Patches(p.row[chosen], p.col[chosen], p.score[chosen], p.embedding[chosen], p.view[chosen])


PARTS = ("nothing", "fusion", "triples", "concepts", "labels", "edges", "patches")


def test_codes_of_edge_types_are_these_for_ever() -> None:
    assert EDGE_TYPES == (
        "adjacent",
        "fused",
        "modify",
        "rev_modify",
        "located_at",
        "rev_located_at",
        "suggestive_of",
        "rev_suggestive_of",
    )


def test_every_value_of_a_hand_made_study(study: ng.Study) -> None:
    data = to_data(study)
    x = torch.cat([torch.arange(64.0).reshape(4, 16) / 8, torch.from_numpy(concept_features(study.concepts, 16))])
    # Patches 0 - 1 - 3 touch; concept 0 (node 4) modifies 5 and is located at 6; 5 is located at 6; fusion 1 - 6.
    edges = [
        (0, 1, 0),
        (1, 0, 0),
        (1, 3, 0),
        (1, 6, 1),
        (3, 1, 0),
        (4, 5, 2),
        (4, 6, 4),
        (5, 4, 3),
        (5, 6, 4),
        (6, 1, 1),
    ]
    edges += [(6, 4, 5), (6, 5, 5)]
    expected = {
        "x": x,
        "edge_index": torch.tensor([edge[:2] for edge in edges]).T,
        "edge_type": torch.tensor([edge[2] for edge in edges]),
        "node_type": torch.tensor([0, 0, 0, 0, 1, 1, 1]),
        "node_view": torch.tensor([0, 0, 1, 0, -1, -1, -1]),
        # Film 0 is 60 wide: the right column shows 40 to 60, its centre is 50. Film 1: 100 to 200 of 200.
        "pos": torch.tensor(
            [[0.25, 20 / 60], [0.25, 50 / 60], [0.5, 0.75], [0.75, 50 / 60], [-1, -1], [-1, -1], [-1, -1]]
        ),
        "attention": torch.tensor([4.0, 3.0, 2.0, 1.0, 0.0, 0.0, 0.0]),
        "fusion_edge_index": torch.tensor([[1], [6]]),
        "y": torch.tensor([[0.0, 0.0, 1.0]]),
        "y_mask": torch.tensor([[True, False, True]]),
    }
    assert set(data.keys()) == set(expected) | {"num_nodes", "study_id", "concept_features"}
    for name, value in expected.items():
        assert data[name].dtype == value.dtype, name
        assert torch.equal(data[name], value), name
        assert data[name].is_contiguous(), name
    assert (data.num_nodes, data.study_id, data.concept_features) == (7, "study-1", "hash-1")
    assert data.is_undirected()
    assert not data.has_self_loops()


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("convert", [to_data, to_hetero_data])
def test_every_study_gives_a_valid_graph_of_the_same_attributes(convert: Any, part: str, make_study: MakeStudy) -> None:
    data = convert(without(make_study, part))
    assert data.validate(raise_on_error=True)
    whole = convert(make_study())
    assert list(data.to_dict()) == list(whole.to_dict())
    if isinstance(data, HeteroData):
        assert data.metadata() == whole.metadata()
        assert data.edge_types == list(HETERO_EDGE_TYPES)
        stores = [*data.node_stores, *data.edge_stores]
    else:
        stores = [data]
        assert data.is_undirected()
    for store, reference in zip(stores, whole.stores[1:] if len(stores) > 1 else [whole], strict=True):
        for name, value in store.items():
            if isinstance(value, torch.Tensor):
                assert (value.dtype, value.dim()) == (reference[name].dtype, reference[name].dim())


def test_sizes_without_one_side(make_study: MakeStudy) -> None:
    assert to_data(without(make_study, "fusion")).fusion_edge_index.shape == (2, 0)
    assert to_data(without(make_study, "labels")).y.shape == (1, 0)
    assert set(to_data(without(make_study, "edges")).edge_type.tolist()) == set(range(1, 6))
    assert to_data(without(make_study, "triples")).edge_type.tolist() == [0, 0, 0, 1, 0, 1]
    only_patches = to_data(without(make_study, "concepts"))
    assert (only_patches.num_nodes, only_patches.edge_index.tolist()) == (4, [[0, 1, 1, 3], [1, 0, 3, 1]])
    only_concepts = to_data(without(make_study, "patches"))
    assert (only_concepts.num_nodes, only_concepts.edge_type.tolist()) == (3, [2, 4, 3, 4, 5, 5])


def test_tensors_are_copies(study: ng.Study) -> None:
    for data in (to_data(study), to_hetero_data(study)["patch"]):
        data.x.zero_()
        data.attention.zero_()
    assert study.patches.embedding[0, 1] == 0.125
    assert study.patches.score[0] == 4


@pytest.mark.parametrize(
    ("uncertain", "value", "known"), [("mask", 0, False), ("zeros", 0, True), ("ones", 1, True), ("keep", -1, True)]
)
def test_labels_that_are_asked_for(study: ng.Study, uncertain: str, value: float, known: bool) -> None:
    data = to_data(study, labels=["fracture", "edema", "effusion"], uncertain=uncertain)
    assert data.y.tolist() == [[0, value, 1]]
    assert data.y_mask.tolist() == [[False, known, True]]
    assert torch.equal(to_hetero_data(study, labels=["edema"], uncertain=uncertain).y_mask, torch.tensor([[known]]))


def test_concept_features_stored_hashed_and_misfitting(
    make_study: MakeStudy, study: ng.Study, vectors: ng.ConceptVectors
) -> None:
    stored = make_study(concept_vectors=vectors)
    rows = torch.arange(32.0).reshape(2, 16)[[1, 0, 1]]
    assert torch.equal(to_data(stored).x[4:], rows)
    assert to_data(stored).concept_features == "stored"
    assert torch.equal(to_data(stored, concept_features="hash").x, to_data(study).x)
    with pytest.raises(ng.StudyError) as caught:
        to_data(study, concept_features="stored")
    assert caught.value.code == "E_SIZE"
    narrow = make_study(concept_vectors=ng.ConceptVectors([0, 1, 2], np.eye(3)))
    for source in ("auto", "stored"):
        with pytest.raises(ng.StudyError, match="width 3, not 16") as caught:
            to_data(narrow, concept_features=source)
        assert caught.value.code == "E_SIZE"
    assert torch.equal(to_data(narrow, concept_features="hash").x, to_data(study).x)
    assert torch.equal(to_hetero_data(narrow)["concept"].x, torch.eye(3))
    empty = to_hetero_data(without(make_study, "concepts"), concept_width=3)
    together = Batch.from_data_list([to_hetero_data(narrow, concept_width=3), empty])
    assert together["concept"].x.shape == (3, 3)
    with pytest.raises(ng.StudyError) as caught:
        to_data(study, concept_features="random")
    assert caught.value.code == "E_IDX"


def test_hashed_features_refuse_patches_that_are_too_narrow(make_study: MakeStudy) -> None:
    p = make_study().patches
    narrow = make_study(patches=ng.Patches(p.row, p.col, p.score, p.embedding[:, :8], p.view))
    with pytest.raises(ng.StudyError) as caught:
        to_data(narrow)
    assert caught.value.code == "E_NUM"
    assert to_hetero_data(narrow, concept_width=32)["concept"].x.shape == (3, 32)


def test_a_batch_is_its_graphs_moved_apart(make_study: MakeStudy) -> None:
    names = ["edema", "effusion"]
    graphs = [to_data(without(make_study, part), labels=names) for part in PARTS]
    batch = Batch.from_data_list(graphs)
    assert batch.validate(raise_on_error=True)
    starts = np.cumsum([0] + [graph.num_nodes for graph in graphs])
    assert batch.num_nodes == starts[-1]
    for name in ("edge_index", "fusion_edge_index"):
        moved = [graph[name] + int(start) for graph, start in zip(graphs, starts, strict=False)]
        assert torch.equal(batch[name], torch.cat(moved, dim=1))
    for name in ("x", "edge_type", "node_type", "node_view", "pos", "attention", "y", "y_mask"):
        assert torch.equal(batch[name], torch.cat([graph[name] for graph in graphs]))
    assert batch.y.shape == (7, 2)
    assert batch.study_id == [f"without {part}" for part in PARTS]
    for graph, again in zip(graphs, batch.to_data_list(), strict=True):
        for name, value in graph.to_dict().items():
            assert torch.equal(again[name], value) if isinstance(value, torch.Tensor) else again[name] == value


def test_a_batch_of_heterogeneous_graphs(make_study: MakeStudy) -> None:
    graphs = [to_hetero_data(without(make_study, part), labels=["edema"]) for part in PARTS]
    batch = Batch.from_data_list(graphs)
    assert batch.validate(raise_on_error=True)
    assert batch["patch"].x.shape == (4 * 5 + 2 + 0, 16)
    assert batch["concept"].x.shape == (3 * 6, 16)
    fused = batch["patch", "fused", "concept"].edge_index
    # Graphs 0, 2, 4 and 5 have a fusion edge; before them lie 0, 8, 16, 20 patches and 0, 6, 9, 12 concepts.
    assert fused.tolist() == [[1, 9, 17, 21], [2, 8, 11, 14]]
    assert torch.equal(batch["concept", "rev_fused", "patch"].edge_index, fused.flip(0))
    assert batch.y.shape == (7, 1)


def test_heterogeneous_edges_of_a_hand_made_study(study: ng.Study) -> None:
    data = to_hetero_data(study)
    edges = {name: data[source, name, target].edge_index.tolist() for source, name, target in data.edge_types}
    assert edges == {
        "adjacent": [[0, 1, 1, 3], [1, 0, 3, 1]],
        "fused": [[1], [2]],
        "rev_fused": [[2], [1]],
        "modify": [[0], [1]],
        "rev_modify": [[1], [0]],
        "located_at": [[0, 1], [2, 2]],
        "rev_located_at": [[2, 2], [0, 1]],
        "suggestive_of": [[], []],
        "rev_suggestive_of": [[], []],
    }
    homogeneous = data.to_homogeneous()
    assert torch.equal(homogeneous.x, to_data(study).x)
    assert homogeneous.num_edges == to_data(study).num_edges


class Network(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = GCNConv(16, 16), GCNConv(16, 16)
        self.last = torch.nn.Linear(16, 1)

    def forward(self, data: Data) -> torch.Tensor:
        hidden = self.first(data.x, data.edge_index).relu()
        hidden = self.second(hidden, data.edge_index).relu()
        return self.last(global_mean_pool(hidden, data.batch))


@pytest.mark.parametrize("batched", [True, False])
def test_a_network_learns_polarity(make_study: MakeStudy, batched: bool) -> None:
    torch.manual_seed(0)
    graphs = []
    for number in range(8):
        label = "Observation::definitely present" if number % 2 else "Observation::definitely absent"
        concepts = (ng.Concept("effusion", label, 0, 8), ng.Concept("lung", "Anatomy::definitely present", 9, 13))
        study = make_study(
            study_id=str(number), concepts=concepts, triples=[[0, 1, 1]], fusion=(0, 0), labels={"effusion": number % 2}
        )
        graphs.append(to_data(study))
        graphs[-1].x[:4] = number / 100
    network = Network()
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    steps = [Batch.from_data_list(graphs)] if batched else graphs[:2]
    losses = []
    for _ in range(60):
        loss = sum(torch.nn.functional.binary_cross_entropy_with_logits(network(data), data.y) for data in steps)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.3 * losses[0]


@pytest.fixture
def archive(tmp_path: Path, make_study: MakeStudy) -> Path:
    ng.save([without(make_study, part) for part in PARTS], tmp_path / "a.ngr")
    return tmp_path / "a.ngr"


def same(a: Data, b: Data) -> bool:
    pairs = [(a[name], b[name]) for name in b.to_dict()]
    return a.keys() == b.keys() and all(torch.equal(x, y) if isinstance(y, torch.Tensor) else x == y for x, y in pairs)


def test_data_set_gives_the_graphs_of_its_archive(archive: Path, make_study: MakeStudy) -> None:
    dataset = StudyDataset(archive, labels=["effusion"])
    assert len(dataset) == 7
    assert dataset.num_features == 16
    for data, part in zip(dataset, PARTS, strict=True):
        assert same(data, to_data(without(make_study, part), labels=["effusion"]))
    assert dataset[-1].study_id == "without patches"
    assert [data.study_id for data in dataset[[3, 1]]] == ["without concepts", "without fusion"]
    assert os.listdir(archive.parent) == ["a.ngr"]


def test_data_set_learns_the_label_names_of_the_studies_it_takes(tmp_path: Path, make_study: MakeStudy) -> None:
    for number, labels in enumerate(({"b": 1}, {"a": 0, "c": -1}, {"z": 1})):
        ng.save(make_study(study_id=str(number), labels=labels), tmp_path / f"{number}.ngr")
    dataset = StudyDataset(tmp_path, uncertain="ones", split=["1", "0"])
    assert dataset.label_names == ("a", "b", "c")
    batch = Batch.from_data_list(list(dataset))
    assert batch.study_id == ["1", "0"]
    assert batch.y.tolist() == [[0, 0, 1], [0, 1, 0]]
    assert batch.y_mask.tolist() == [[True, False, True], [False, True, False]]


def test_data_set_filters_splits_and_transforms(archive: Path) -> None:
    def small(data: Data) -> bool:
        return data.num_nodes < 7

    def doubled(data: Data) -> Data:
        data.x = data.x * 2
        return data

    plain = StudyDataset(archive, labels=[])
    dataset = StudyDataset(
        archive,
        labels=[],
        pre_filter=small,
        transform=doubled,
        split=["without edges", "without labels", "without concepts"],
    )
    assert [data.study_id for data in dataset] == ["without edges", "without concepts"]
    assert torch.equal(dataset[0].x, plain[5].x * 2)
    assert torch.equal(dataset.get(5).x, plain[5].x)


def test_data_set_of_heterogeneous_graphs(archive: Path) -> None:
    dataset = StudyDataset(archive, labels=["edema"], heterogeneous=True, concept_width=20, concept_features="hash")
    batch = next(iter(DataLoader(dataset, batch_size=7)))
    assert batch["concept"].x.shape == (18, 20)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"labels": "edema"}, "E_STUDY"),
        ({"labels": ["edema", "edema"]}, "E_DUP"),
        ({"uncertain": "ignore"}, "E_IDX"),
        ({"split": "without fusion"}, "E_STUDY"),
        ({"split": ["without fusion", "without fusion"]}, "E_DUP"),
        ({"split": ["without end"]}, "E_NOT_FOUND"),
        ({"concept_width": 16}, "E_STUDY"),
    ],
)
def test_data_set_refuses_arguments_that_cannot_be_meant(archive: Path, arguments: dict[str, Any], code: str) -> None:
    with pytest.raises(ng.NeuralGraphError) as caught:
        StudyDataset(archive, **arguments)
    assert caught.value.code == code


def test_data_set_says_at_once_that_there_is_nothing(tmp_path: Path) -> None:
    with pytest.raises(ng.FormatError) as caught:
        StudyDataset(tmp_path / "none.ngr")
    assert caught.value.code == "E_OPEN"


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files are counted in /proc")
def test_copies_of_a_data_set_do_not_share_open_files(archive: Path) -> None:
    def descriptors() -> int:
        return len(os.listdir("/proc/self/fd"))

    # What earlier tests left in cycles must not be closed in between.
    gc.collect()
    before = descriptors()
    dataset = StudyDataset(archive, labels=[])
    first = dataset[0]
    other = copy.copy(dataset)
    assert same(other[0], first)
    assert descriptors() == before + 2
    del other
    assert same(dataset[0], first)
    for _ in range(20):
        dataset.shuffle()[0]
    assert descriptors() == before + 1
    del dataset
    assert descriptors() == before


def test_an_opened_data_set_can_be_sent_to_another_process(archive: Path) -> None:
    dataset = StudyDataset(archive, labels=["effusion"])
    first = dataset[0]
    sent = multiprocessing.reduction.ForkingPickler.loads(multiprocessing.reduction.ForkingPickler.dumps(dataset))
    assert same(sent[0], first)


@pytest.mark.parametrize("method", ["fork", pytest.param("spawn", marks=pytest.mark.slow)])
def test_workers_give_what_the_main_process_gives(archive: Path, method: str) -> None:
    dataset = StudyDataset(archive, labels=["effusion", "edema"])
    expected = list(DataLoader(dataset, batch_size=3))
    got = list(DataLoader(dataset, batch_size=3, num_workers=2, multiprocessing_context=method))
    assert [batch.study_id for batch in got] == [batch.study_id for batch in expected]
    for a, b in zip(got, expected, strict=True):
        assert torch.equal(a.edge_index, b.edge_index)
        assert torch.equal(a.x, b.x)
