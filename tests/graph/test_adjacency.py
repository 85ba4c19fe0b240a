"""Grid edges against a brute-force definition."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuralgraph.graph import adjacency
from neuralgraph.graph.adjacency import grid_edges

places = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 6), st.integers(0, 6)), max_size=80, unique=True)


def edges_of(points):
    view, row, col = np.array(points, np.int32).reshape(-1, 3).T
    return grid_edges(view, row, col)


def touching(a, b):
    return a[0] == b[0] and abs(a[1] - b[1]) + abs(a[2] - b[2]) == 1


@given(places)
def test_edges_are_the_pairs_at_distance_one_in_order(points):
    edges = edges_of(points)
    expected = [pair for pair in combinations(range(len(points)), 2) if touching(points[pair[0]], points[pair[1]])]
    assert edges.tolist() == [list(pair) for pair in expected]
    assert edges.dtype == np.int32
    assert edges.shape == (len(expected), 2)


@given(places)
def test_few_patches_have_the_edges_that_many_have(points):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(adjacency, "_FEW", 0)
        many = edges_of(points)
    assert np.array_equal(edges_of(points), many)


def test_a_full_grid_has_every_edge():
    points = [(0, row, col) for row in range(30) for col in range(30)]
    assert len(edges_of(points)) == 2 * 30 * 29


def test_the_end_of_a_row_does_not_touch_the_start_of_the_next():
    assert edges_of([(0, 0, 4), (0, 1, 0)]).tolist() == []
    assert edges_of([(0, 4, 0), (1, 0, 0)]).tolist() == []


def test_neighbours_by_hand():
    #  3 .
    #  0 2
    #  . 1
    assert edges_of([(0, 1, 0), (0, 2, 1), (0, 1, 1), (0, 0, 0)]).tolist() == [[0, 2], [0, 3], [1, 2]]


def test_large_coordinates_do_not_overflow():
    far = 65_534
    assert edges_of([(254, far, far), (254, far, far - 1), (0, far, far)]).tolist() == [[0, 1]]
