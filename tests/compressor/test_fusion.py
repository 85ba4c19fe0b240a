"""Fusion of large graphs: rustworkx agrees with the definition and with networkx."""

from __future__ import annotations

import networkx
import numpy as np
import pytest

from neuralgraph.compressor.fusion import fast_betweenness, fusion
from neuralgraph.graph.adjacency import grid_edges
from neuralgraph.graph.fusion import betweenness, fusion_edge, most_central


def kept(seed: int, n: int, side: int) -> np.ndarray:
    place = np.random.default_rng(seed).choice(side * side, n, replace=False)
    row, col = np.divmod(place, side)
    return grid_edges(np.zeros(n, np.int32), row.astype(np.int32), col.astype(np.int32))


@pytest.mark.parametrize("seed", range(6))
def test_three_implementations_agree(seed):
    n = 150
    edges = kept(seed, n, 15)
    graph = networkx.Graph()
    graph.add_nodes_from(range(n))
    graph.add_edges_from(edges.tolist())
    reference = networkx.betweenness_centrality(graph, normalized=False)
    expected = [reference[node] for node in range(n)]
    assert betweenness(n, edges) == pytest.approx(expected)
    assert fast_betweenness(n, edges) == pytest.approx(expected)
    assert most_central(fast_betweenness(n, edges)) == most_central(betweenness(n, edges))


def test_whole_grid_is_decided_the_same_way():
    row, col = np.divmod(np.arange(100), 10)
    edges = grid_edges(np.zeros(100, np.int32), row.astype(np.int32), col.astype(np.int32))
    # By symmetry the four cells around the centre tie; the lowest number wins.
    assert fusion(100, edges, 1, np.empty((0, 3), np.int32)) == (44, 0)
    assert fusion_edge(100, edges, 1, np.empty((0, 3), np.int32)) == (44, 0)


def test_empty_side_means_no_edge():
    assert fusion(0, np.empty((0, 2), np.int32), 3, np.empty((0, 3), np.int32)) is None
    assert fusion(3, np.empty((0, 2), np.int32), 0, np.empty((0, 3), np.int32)) is None
