"""Betweenness against networkx and hand-made truths; ties to the last one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuralgraph.graph import fusion
from neuralgraph.graph.adjacency import grid_edges
from neuralgraph.graph.fusion import TIE_TOLERANCE, betweenness, fusion_edge, most_central

graphs = st.integers(1, 25).flatmap(
    lambda n: st.tuples(st.just(n), st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=3 * n))
)


@given(graphs)
def test_betweenness_is_that_of_networkx(graph):
    networkx = pytest.importorskip("networkx")
    n, pairs = graph
    theirs = networkx.Graph()
    theirs.add_nodes_from(range(n))
    theirs.add_edges_from(pairs)
    theirs.remove_edges_from(list(networkx.selfloop_edges(theirs)))
    expected = networkx.betweenness_centrality(theirs, normalized=False)
    assert np.allclose(betweenness(n, pairs), [expected[node] for node in range(n)], rtol=1e-12, atol=1e-12)


@given(graphs)
def test_few_nodes_are_decided_as_many_are(graph):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fusion, "_FEW", -1)
        many = betweenness(*graph)
        patch.setattr(fusion, "_FEW", 1 << 30)
        few = betweenness(*graph)
    assert np.allclose(few, many, rtol=1e-12, atol=1e-12)
    assert most_central(few) == most_central(many)


def test_a_path_by_hand():
    # On a path of 5 the node at distance i from the end lies between i * (4 - i) pairs.
    assert betweenness(5, [(0, 1), (1, 2), (2, 3), (3, 4)]).tolist() == [0, 3, 4, 3, 0]


def test_a_star_by_hand():
    assert betweenness(5, [(2, 0), (2, 1), (2, 3), (2, 4)]).tolist() == [0, 0, 6, 0, 0]


def test_shares_of_several_shortest_paths_by_hand():
    # A square: each pair of opposite corners has two paths, so every corner carries half of one pair.
    assert betweenness(4, [(0, 1), (1, 2), (2, 3), (3, 0)]).tolist() == [0.5] * 4
    # A bridge between two triangles: 2 and 3 lie between {0, 1} x {3, 4, 5} and {0, 1, 2} x {4, 5}.
    assert betweenness(6, [(0, 1), (1, 2), (0, 2), (2, 3), (3, 4), (4, 5), (3, 5)]).tolist() == [0, 0, 6, 6, 0, 0]


def test_direction_repetition_and_self_loops_do_not_matter():
    plain = betweenness(4, [(0, 1), (1, 2), (2, 3)])
    assert betweenness(4, [(1, 0), (0, 1), (2, 1), (3, 2), (2, 3), (1, 1)]).tolist() == plain.tolist()


def test_unconnected_nodes_have_none():
    assert betweenness(3, []).tolist() == [0, 0, 0]
    assert betweenness(0, []).tolist() == []


def test_numbers_of_paths_beyond_2_to_64_are_exact():
    # A chain of 80 diamonds has 2^80 shortest paths from end to end; the middle joint lies on all of them, and on half
    # of those between the two sides of either diamond beside it.
    pairs = [
        pair
        for k in range(80)
        for pair in ((3 * k, 3 * k + 1), (3 * k, 3 * k + 2), (3 * k + 1, 3 * k + 3), (3 * k + 2, 3 * k + 3))
    ]
    centrality = betweenness(241, pairs)
    assert centrality[120] == 120 * 120 + 0.5 + 0.5
    assert centrality[1] == centrality[2]


@pytest.mark.parametrize(
    ("centrality", "chosen"),
    [
        ([0, 0, 0], 0),
        ([1, 3, 2], 1),
        ([2, 3, 3], 1),
        ([3, 3 * (1 + TIE_TOLERANCE / 2)], 0),
        ([3, 3 * (1 + TIE_TOLERANCE * 2)], 1),
        ([1 / 3 + 1 / 3 + 1 / 3, 1.0], 0),
        ([5], 0),
    ],
)
def test_ties_go_to_the_lowest_index(centrality, chosen):
    assert most_central(np.array(centrality, np.float64)) == chosen


def test_tied_patches_the_stronger_wins_tied_concepts_the_earlier():
    row, col = np.array([0, 0, 0, 0], np.int32), np.array([1, 2, 0, 3], np.int32)
    edges = grid_edges(np.zeros(4, np.int32), row, col)
    # A path 2-0-1-3: patches 0 and 1 tie, 0 is stronger. Concepts: the path 1-3-0-2, where 3 and 0 tie.
    triples = np.array([[0, 0, 2], [1, 0, 3], [3, 1, 0]], np.int32)
    assert fusion_edge(4, edges, 4, triples) == (0, 0)
    # One more concept behind 1 makes the path 4-1-3-0-2, whose middle is 3.
    triples = np.array([[0, 0, 2], [1, 0, 3], [1, 0, 4], [3, 1, 0]], np.int32)
    assert fusion_edge(4, edges, 5, triples) == (0, 3)


def test_graphs_without_edges_join_their_first_nodes():
    nothing = np.empty((0, 2), np.int32), np.empty((0, 3), np.int32)
    assert fusion_edge(3, nothing[0], 2, nothing[1]) == (0, 0)


def test_an_empty_side_has_no_fusion_edge():
    nothing = np.empty((0, 2), np.int32), np.empty((0, 3), np.int32)
    assert fusion_edge(0, nothing[0], 2, nothing[1]) is None
    assert fusion_edge(3, nothing[0], 0, nothing[1]) is None


def test_another_centrality_may_be_given():
    def last(n, pairs):
        return np.arange(n, dtype=np.float64)

    nothing = np.empty((0, 2), np.int32), np.empty((0, 3), np.int32)
    assert fusion_edge(3, nothing[0], 4, nothing[1], centrality=last) == (2, 3)
