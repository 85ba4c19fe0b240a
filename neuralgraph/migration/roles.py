"""Which nodes of a saved graph are patches and which are concepts, where that can be proven.

The file does not say. But the published code gives every concept of every graph of one run the same feature row (one
projection of the constant 1), puts concepts after patches, and writes the fusion edge last. So a row that ends several
graphs more than once is that constant, and a graph whose only edge between the two parts is its last one fits.
Anything else stays undecided.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from neuralgraph.migration.saved_graphs import ReferenceGraph

__all__ = ["concept_row", "patch_count"]


def concept_row(graphs: Iterable[ReferenceGraph]) -> bytes | None:
    """The feature row that all concepts of a file share, as bytes; None when there is none, or more than one."""
    found: set[bytes] = set()
    for graph in graphs:
        x = graph.arrays["x"]
        if len(x) > 1 and x[-1].tobytes() == x[-2].tobytes():
            found.add(x[-1].tobytes())
            if len(found) > 1:
                return None
    return found.pop() if found else None


def patch_count(graph: ReferenceGraph, row: bytes | None) -> int | None:
    """Patches of a graph: the nodes before its concepts; None when the graph does not prove it.

    Parameters
    ----------
    graph : a graph of the file.
    row : ``concept_row`` of all graphs of the file.
    """
    if row is None:
        return None
    x, edges = graph.arrays["x"], graph.arrays["edge_index"]
    n_patches = len(x)
    while n_patches and x[n_patches - 1].tobytes() == row:
        n_patches -= 1
    if n_patches == len(x):
        return n_patches
    crossing = (edges < n_patches).sum(axis=0) == 1
    is_last = bool(edges.size) and np.flatnonzero(crossing).tolist() == [edges.shape[1] - 1]
    return n_patches if n_patches and is_last else None
