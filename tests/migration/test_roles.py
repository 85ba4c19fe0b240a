"""Patches and concepts are told apart only where the file proves it."""

from __future__ import annotations

import numpy as np
import pytest

from neuralgraph.migration.roles import concept_row, patch_count
from neuralgraph.migration.saved_graphs import ReferenceGraph

ROW = np.float32([7, 7])


def graph(patches: int, concepts: int, edges: list[list[int]], row: np.ndarray = ROW) -> ReferenceGraph:
    x = np.concatenate([np.arange(2 * patches, dtype=np.float32).reshape(patches, 2), np.tile(row, (concepts, 1))])
    return ReferenceGraph({"x": x, "edge_index": np.array(edges, np.int64).reshape(-1, 2).T}, ())


def test_the_row_that_all_concepts_share():
    assert concept_row([graph(3, 2, []), graph(4, 1, []), graph(2, 3, [])]) == ROW.tobytes()
    assert concept_row([graph(3, 1, [])]) is None
    assert concept_row([graph(3, 2, []), graph(3, 2, [], ROW + 1)]) is None
    assert concept_row([]) is None


@pytest.mark.parametrize(
    ("edges", "count"),
    [
        ([[0, 1], [3, 4], [0, 3]], 3),
        ([[0, 3], [0, 1]], None),
        ([[0, 3], [1, 4]], None),
        ([[0, 1], [3, 4]], None),
        ([], None),
    ],
    ids=["last", "not last", "two", "none", "no edges"],
)
def test_one_edge_between_the_parts_and_it_is_the_last(edges, count):
    assert patch_count(graph(3, 2, edges), ROW.tobytes()) == count


def test_graphs_of_one_part():
    assert patch_count(graph(3, 0, [[0, 1]]), ROW.tobytes()) == 3
    assert patch_count(graph(0, 2, [[0, 1]]), ROW.tobytes()) is None
    assert patch_count(graph(3, 2, [[0, 3]]), None) is None
