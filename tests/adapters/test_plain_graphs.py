"""What ``ngr migrate`` takes over comes back as it was, or is refused; nothing turns it into an empty graph."""

from __future__ import annotations

import json
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from builders import build_study

import neuralgraph as ng
from neuralgraph import StudyError
from neuralgraph.cli.info import info
from neuralgraph.cli.migrate import migrate
from neuralgraph.graph.carried import CARRIED, carried_graph
from neuralgraph.wire.npz import write_npz

torch = pytest.importorskip("torch")
pytest.importorskip("torch_geometric")
from torch_geometric.data import Batch, Data  # noqa: E402

from neuralgraph.adapters.pyg import (  # noqa: E402
    ArchiveDataset,
    ArchiveLoader,
    StudyDatabase,
    StudyDataset,
    to_data,
    to_hetero_data,
)


def saved(number: int, **more: object) -> Data:
    """A graph as the published code saves it, with what changed versions add."""
    generator = torch.Generator().manual_seed(number)
    nodes, edges = 3 + number % 4, 2 + number % 3
    return Data(
        x=torch.randn(nodes, 5, generator=generator),
        edge_index=torch.randint(0, nodes, (2, edges), generator=generator),
        y=torch.tensor([number % 2]),
        **more,
    )


def changed(number: int, **attributes: object) -> Data:
    """A graph with other values of some attributes; None leaves one out."""
    data = saved(number)
    for name, value in attributes.items():
        if value is None:
            del data[name]
        else:
            data[name] = value
    return data


KINDS = {
    "as published": [saved(n) for n in range(7)],
    "targets of several values": [changed(n, y=torch.full((1, 3), 0.1 * n)) for n in range(5)],
    "no target": [changed(n, y=None) for n in range(3)],
    "a single number": [changed(n, y=torch.tensor(0.5 + n)) for n in range(3)],
    "halves": [changed(n, x=saved(n).x.half()) for n in range(3)],
    "bfloat16": [changed(n, x=saved(n).x.bfloat16()) for n in range(3)],
    "doubles": [changed(n, x=saved(n).x.double()) for n in range(3)],
    "no edges": [changed(n, edge_index=torch.empty(2, 0, dtype=torch.int64)) for n in range(3)],
    "more attributes": [
        saved(n, edge_attr=torch.rand(2 + n % 3, 2), pos=torch.rand(3 + n % 4, 2), y_mask=torch.tensor([True]))
        for n in range(4)
    ],
}


def same(one: Data, other: Data, names) -> None:
    for name in names:
        left, right = one[name], other[name]
        assert left.dtype == right.dtype, name
        assert left.shape == right.shape, name
        assert torch.equal(left, right), name


@pytest.fixture(params=KINDS.values(), ids=KINDS)
def graphs(request) -> list[Data]:
    return request.param


@pytest.fixture
def archive(graphs: list[Data], tmp_path: Path, capsys) -> Path:
    torch.save(graphs, tmp_path / "graphs.pt")
    migrate(tmp_path / "graphs.pt", tmp_path / "graphs.ngr")
    assert ng.validate(tmp_path / "graphs.ngr").ok
    capsys.readouterr()
    return tmp_path / "graphs.ngr"


def test_single_graphs_come_back(graphs: list[Data], archive: Path) -> None:
    names = graphs[0].keys()
    with ng.open(archive) as studies:
        for made in (
            [to_data(study) for study in studies],
            list(StudyDataset(archive)),
            [StudyDatabase(archive)[number] for number in range(len(graphs))],
            list(ArchiveDataset(archive)),
        ):
            assert len(made) == len(graphs)
            for number, (one, graph) in enumerate(zip(made, graphs, strict=True)):
                same(one, graph, names)
                assert one.study_id == f"graph-{number:07d}"
                assert one.num_nodes == graph.num_nodes
                assert set(one.keys()) == {*names, "study_id", "num_nodes"}


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_come_back(graphs: list[Data], archive: Path, workers: int) -> None:
    batches = list(ArchiveLoader(archive, batch_size=2, num_workers=workers))
    expected = [Batch.from_data_list(graphs[at : at + 2]) for at in range(0, len(graphs), 2)]
    for one, batch in zip(batches, expected, strict=True):
        same(one, batch, [*graphs[0].keys(), "batch", "ptr"])
        for graph, other in zip(one.to_data_list(), batch.to_data_list(), strict=True):
            same(graph, other, graphs[0].keys())


def test_named_labels_are_made_of_the_labels(tmp_path: Path, capsys) -> None:
    torch.save(KINDS["as published"], tmp_path / "graphs.pt")
    migrate(tmp_path / "graphs.pt", tmp_path / "graphs.ngr", label=["pneumonia"])
    (batch,) = ArchiveLoader(tmp_path / "graphs.ngr", batch_size=7, labels=("pneumonia", "edema"))
    assert batch.y.tolist() == [[number % 2, 0] for number in range(7)]
    assert batch.y_mask.tolist() == [[True, False]] * 7


def test_nodes_without_types_are_no_heterogeneous_graph(archive: Path) -> None:
    with ng.open(archive) as studies, pytest.raises(StudyError, match="to_data") as caught:
        to_hetero_data(studies[0])
    assert caught.value.code == "E_STUDY"
    with pytest.raises(StudyError, match="plain graph"):
        list(ArchiveLoader(archive, batch_size=2, heterogeneous=True))


@pytest.fixture
def plain(tmp_path: Path, capsys) -> Path:
    torch.save(KINDS["as published"][:1], tmp_path / "graphs.pt")
    migrate(tmp_path / "graphs.pt", tmp_path / "one.ngr")
    capsys.readouterr()
    return tmp_path / "one.ngr"


def test_what_needs_places_and_words_refuses(plain: Path) -> None:
    pytest.importorskip("matplotlib", reason="pictures need the extra plot")
    pytest.importorskip("networkx", reason="graphs of networkx need the extra networkx")
    from neuralgraph.adapters.graphml import to_graphml
    from neuralgraph.adapters.networkx import to_networkx
    from neuralgraph.adapters.radgraph import to_radgraph

    study = ng.load(plain)
    for work in (to_networkx, to_graphml, to_radgraph, ng.plot, lambda study: study.prune(top_k=1)):
        with pytest.raises(StudyError, match="plain graph") as caught:
            work(study)
        assert caught.value.code == "E_STUDY"
    for options in ({"retain": 0.5}, {"max_patches": 1}):
        with pytest.raises(StudyError, match="plain graph"):
            list(ArchiveLoader(plain, batch_size=1, **options))


def test_exports_that_hold_all_hold_the_graph(plain: Path) -> None:
    from neuralgraph.adapters.json import from_dict, to_json

    study = ng.load(plain)
    same(to_data(from_dict(json.loads(to_json(study)))), KINDS["as published"][0], ("x", "edge_index", "y"))


def test_plain_graphs_and_studies_form_no_batch(plain: Path, tmp_path: Path) -> None:
    ng.save([build_study(seed=1, dim=16), ng.load(plain)], tmp_path / "both.ngr")
    with pytest.raises(StudyError, match="plain graph") as caught:
        list(ArchiveLoader(tmp_path / "both.ngr", batch_size=2, labels=()))
    assert caught.value.code == "E_STUDY"
    assert [data.num_nodes for data in StudyDataset(tmp_path / "both.ngr", labels=())][1] == 3


def test_info_tells_plain_graphs_from_studies(plain: Path, tmp_path: Path, capsys) -> None:
    info(str(plain))
    out = capsys.readouterr().out
    assert "kind         plain graph" in out
    assert "nodes 3, edges 2, width 5" in out
    info(str(plain), json=True)
    assert json.loads(capsys.readouterr().out)["study"]["kind"] == "plain graph"
    ng.save([replace(ng.load(plain), study_id="a"), build_study(seed=1)], tmp_path / "both.ngr")
    info(str(tmp_path / "both.ngr"))
    assert "plain graphs 1 of 1 looked at" in capsys.readouterr().out
    ng.save(build_study(seed=1), tmp_path / "study.ngr")
    info(str(tmp_path / "study.ngr"), json=True)
    assert json.loads(capsys.readouterr().out)["study"]["kind"] == "study"
    assert "plain graph" in ng.load(plain)._repr_html_()


def packed(**arrays) -> bytes:
    stream = BytesIO()
    write_npz(stream, arrays.items())
    return stream.getvalue()


X, EDGES = np.zeros((3, 2), np.float32), np.array([[0], [1]])


def compressed() -> bytes:
    stream = BytesIO()
    np.savez_compressed(stream, x=np.zeros((3000, 200), np.float32), edge_index=EDGES)
    return stream.getvalue()


def absurd() -> bytes:
    """An array that says it has 2^40 values."""
    good = packed(x=X, edge_index=EDGES)
    return good.replace(b"(3, 2), }         ", b"(1099511627776, 2)}"[:18])


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"no zip",
        packed(x=X),
        packed(edge_index=EDGES),
        packed(x=X.astype(np.int32), edge_index=EDGES),
        packed(x=X[0], edge_index=EDGES),
        packed(x=X, edge_index=EDGES + 2),
        packed(x=X, edge_index=EDGES - 1),
        packed(x=X, edge_index=EDGES.T),
        packed(x=X, edge_index=EDGES, n_patches=np.array(4)),
        packed(x=X, edge_index=EDGES)[:-40],
        compressed(),
        absurd(),
    ],
)
def test_a_payload_that_is_no_graph_is_refused(plain: Path, payload: bytes) -> None:
    study = replace(ng.load(plain), extensions={CARRIED: payload})
    with pytest.raises(StudyError, match="does not hold a graph") as caught:
        to_data(study)
    assert caught.value.code == "E_STUDY"
    with pytest.raises(StudyError):
        carried_graph(study)
