"""Ways of joining the two graphs, by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip("torch_geometric", reason="the tables need the extra pyg")

from bench.tables.graphs import lean, most_attended, system_graph, text_alone
from neuralgraph.tasks.graphs import without_report

FUSED = 1


def joined(graph):
    ends = graph.edge_index[:, graph.edge_type == FUSED].T.tolist()
    return sorted((a, b) for a, b in ends if a < b)


def test_every_way_of_fusing(whole):
    study = whole.prune(top_k=3)  # cells 1, 4, 6; concepts are nodes 3 and 4
    graphs = {
        way: system_graph(study, ("opacity",), report=True, fusion=way)
        for way in ("edge", "none", "every pair", "most attended")
    }
    patch, concept = study.fusion
    assert joined(graphs["edge"]) == [(patch, 3 + concept)]
    assert joined(graphs["none"]) == []
    assert joined(graphs["every pair"]) == [(p, c) for p in range(3) for c in (3, 4)]
    # "lung" looks at cell 6, the third patch; "opacity" looks at cell 0 most, which is not kept, then at cell 1.
    assert joined(graphs["most attended"]) == [(0, 4), (2, 3)]
    others = {way: int((graph.edge_type != FUSED).sum()) for way, graph in graphs.items()}
    assert len(set(others.values())) == 1
    for graph in graphs.values():
        assert graph.edge_index.shape[1] == len(graph.edge_type)


def test_without_a_report_there_is_nothing_to_join(whole):
    graph = system_graph(whole, ("opacity",), report=False, fusion="every pair")
    assert graph.num_nodes == 9
    assert joined(graph) == []


def test_words_are_needed_where_they_decide(whole):
    with pytest.raises(ValueError, match="attention of words"):
        most_attended(replace(whole, word_attention=None))
    assert most_attended(without_report(whole)).shape == (0,)


def test_the_text_alone(whole):
    graph = text_alone(system_graph(whole, ("opacity",), report=True))
    assert graph.num_nodes == 2
    assert graph.edge_index.T.tolist() == [[0, 1], [1, 0]]
    silent = text_alone(system_graph(whole, ("opacity",), report=False))
    assert silent.num_nodes == 1
    assert not silent.x.any()
    assert lean(silent).num_nodes == 1
