"""Fusion of large graphs: rustworkx agrees with the definition and with networkx."""

from __future__ import annotations

import networkx
import numpy as np
import pytest

from neuralgraph.compressor.fusion import fast_betweenness, fusion
from neuralgraph.graph.adjacency import grid_edges
from neuralgraph.graph.fusion import EXACT_NODES, PIVOTS, betweenness, fusion_edge, fusion_record, most_central


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


def whole_grid(side: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Edges of all cells of a square grid, numbered at random as scores would, and where the cells are."""
    order = np.random.default_rng(side).permutation(side * side)
    row, col = np.divmod(order, side)
    return grid_edges(np.zeros(side * side, np.int32), row.astype(np.int32), col.astype(np.int32)), row, col


def test_an_estimate_finds_a_node_that_is_nearly_the_most_central():
    n, (edges, _, _) = 40 * 40, whole_grid(40)
    exact = fast_betweenness(n, edges)
    estimate = betweenness(n, edges, np.arange(PIVOTS) * n // PIVOTS)
    assert exact[most_central(estimate)] > 0.9 * exact.max()
    assert np.corrcoef(exact, estimate)[0, 1] > 0.95


def test_small_graphs_are_exact_and_say_nothing():
    assert fusion_record(EXACT_NODES, 5) == {}
    assert fusion_record(0, EXACT_NODES + 1) == {}


def test_an_unpruned_grid_of_30000_nodes_ends_and_says_that_it_is_an_estimate():
    side = 173
    edges, row, col = whole_grid(side)
    found = fusion(side * side, edges, 1, np.empty((0, 3), np.int32))
    assert found == fusion_edge(side * side, edges, 1, np.empty((0, 3), np.int32))
    # The exact answer is the middle; the estimate is somewhere around it.
    assert max(abs(row[found[0]] - side // 2), abs(col[found[0]] - side // 2)) < side // 4
    assert fusion_record(side * side, 1) == {"fusion": {"rule": "betweenness", "pivots": PIVOTS}}
