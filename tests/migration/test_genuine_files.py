"""Files that torch and PyG themselves wrote give the numbers that went in."""

from __future__ import annotations

import numpy as np
import pytest

from neuralgraph.errors import SourceError
from neuralgraph.migration import open_reference
from neuralgraph.migration.arrays import numbered_graphs

torch = pytest.importorskip("torch")
data_module = pytest.importorskip("torch_geometric.data")
Data = data_module.Data


def saved(tmp_path, graphs, **options):
    torch.save(graphs, tmp_path / "graphs.pt", **options)
    return tmp_path / "graphs.pt"


def fused(n_patches, n_concepts, row, *, seed=0):
    """A graph as the published code makes it: patches in a chain, concepts all connected, the fusion edge last."""
    x = torch.randn(n_patches, len(row), generator=torch.Generator().manual_seed(seed))
    edges = [(i, i + 1) for i in range(n_patches - 1)]
    edges += [(n_patches + a, n_patches + b) for a in range(n_concepts) for b in range(n_concepts) if a != b]
    edges += [(0, n_patches)] if n_concepts else []
    edge_index = torch.tensor(edges, dtype=torch.long).reshape(-1, 2).t().contiguous()
    return Data(x=torch.cat([x, row.expand(n_concepts, -1)]), edge_index=edge_index, y=torch.tensor([1.0]))


def read(path, **options):
    with open_reference(path, **options) as file:
        return list(file)


def test_numbers_are_those_that_were_saved(tmp_path):
    graphs = [fused(3, 2, torch.arange(5.0), seed=1), fused(1, 0, torch.arange(5.0), seed=2)]
    for found, graph in zip(read(saved(tmp_path, graphs)), graphs, strict=True):
        assert set(found.arrays) == {"x", "edge_index", "y"}
        for name, array in found.arrays.items():
            np.testing.assert_array_equal(array, graph[name].numpy())
            assert array.dtype == graph[name].numpy().dtype
        assert found.left_behind == ()


@pytest.mark.parametrize(
    "dtype", ["float32", "float64", "float16", "int64", "int32", "int16", "int8", "uint8", "bool", "bfloat16"]
)
def test_every_kind_of_number(tmp_path, dtype):
    values = torch.tensor([0, 1, 3.5, 100], dtype=getattr(torch, dtype))
    graph = Data(x=torch.zeros(1, 1), edge_index=torch.empty(2, 0, dtype=torch.long), y=values)
    (found,) = read(saved(tmp_path, [graph]))
    expected = values.float() if dtype == "bfloat16" else values
    np.testing.assert_array_equal(found.arrays["y"], expected.numpy())
    assert found.arrays["y"].dtype == expected.numpy().dtype


def test_views_share_a_storage(tmp_path):
    whole = torch.arange(24.0).reshape(4, 6)
    pairs = torch.tensor([[0, 1], [1, 0]])
    graphs = [
        Data(x=whole[1:3], edge_index=pairs),
        Data(x=whole[:, ::2].t(), edge_index=pairs),
        Data(x=whole, edge_index=pairs),
    ]
    for found, graph in zip(read(saved(tmp_path, graphs)), graphs, strict=True):
        np.testing.assert_array_equal(found.arrays["x"], graph.x.numpy())
        assert found.arrays["x"].flags.c_contiguous


def test_more_than_a_thousand_graphs_and_a_single_one(tmp_path):
    graph = fused(1, 0, torch.zeros(2))
    assert len(read(saved(tmp_path, [graph.clone() for _ in range(1001)]))) == 1001
    assert len(read(saved(tmp_path, graph))) == 1


def test_unknown_attributes_stay_behind_unless_asked_for(tmp_path):
    graph = fused(2, 0, torch.zeros(2))
    graph.patient, graph.age, graph.path, graph.sure, graph.words = "Bob", 71, None, True, ["a"]
    path = saved(tmp_path, [graph])
    (found,) = read(path)
    assert set(found.left_behind) == {"patient", "age", "sure", "words"}
    assert set(found.arrays) == {"x", "edge_index", "y"}
    (found,) = read(path, keep=["patient", "age", "sure", "words", "absent"])
    assert (found.arrays["patient"], found.arrays["age"], found.arrays["sure"]) == ("Bob", 71, True)
    assert found.left_behind == ("words",)


def counts(path):
    with open_reference(path) as file:
        return [int(arrays["n_patches"]) if "n_patches" in arrays else None for _, arrays in numbered_graphs(file)]


def test_patches_are_told_from_concepts_where_it_can_be_proven(tmp_path):
    row = torch.arange(4.0)
    graphs = [fused(3, 2, row, seed=1), fused(2, 1, row, seed=2), fused(4, 0, row, seed=3)]
    assert counts(saved(tmp_path, graphs)) == [3, 2, 4]
    # One concept in each: nothing shows that its row is not that of a patch.
    assert counts(saved(tmp_path, [graphs[1], graphs[2]])) == [None, None]
    # Two runs in one file have two constants.
    assert counts(saved(tmp_path, [graphs[0], fused(3, 2, row + 1)])) == [None, None]
    # The edge between the parts is not the last, or not the only one.
    changed = fused(3, 2, row)
    changed.edge_index = changed.edge_index.flip(1)
    assert counts(saved(tmp_path, [changed, graphs[0]])) == [None, 3]


@pytest.mark.parametrize("content", [{"a": 1}, [], [1], torch.zeros(2), "text", [[]], ({}, {})])
def test_other_content_is_refused(tmp_path, content):
    with pytest.raises(SourceError) as caught:
        read(saved(tmp_path, content))
    assert caught.value.code == "E_SOURCE_CONTENT"


@pytest.mark.parametrize(
    ("options", "code"),
    [({"_use_new_zipfile_serialization": False}, "E_SOURCE_TYPE"), ({"pickle_protocol": 4}, "E_SOURCE_CONTENT")],
)
def test_other_forms_are_refused_clearly(tmp_path, options, code):
    with pytest.raises(SourceError) as caught:
        read(saved(tmp_path, [fused(1, 0, torch.zeros(2))], **options))
    assert caught.value.code == code


@pytest.mark.parametrize(
    "change", [{"x": None}, {"edge_index": None}, {"x": torch.zeros(3)}, {"edge_index": torch.tensor([[0], [9]])}]
)
def test_a_graph_needs_nodes_and_edges_between_them(tmp_path, change):
    graph = fused(2, 0, torch.zeros(2))
    graph.update(change)
    with pytest.raises(SourceError, match=r"graph\[0\]"):
        read(saved(tmp_path, [graph]))
