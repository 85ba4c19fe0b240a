"""Saved graphs as a NumPy archive that ``numpy.load`` reads as it is, without ``allow_pickle``.

For the graph of number i (seven digits) it holds ``i/x``, ``i/edge_index``, ``i/y`` and whatever else was carried over,
in the dtypes of the source, and ``i/n_patches`` where patches and concepts can be told apart: the first nodes are the
patches.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuralgraph.migration.roles import concept_row, patch_count
from neuralgraph.migration.saved_graphs import ReferenceFile, ReferenceGraph

__all__ = ["graph_arrays", "numbered_graphs"]


def numbered_graphs(file: ReferenceFile) -> Iterator[tuple[ReferenceGraph, dict[str, NDArray[Any]]]]:
    """The graphs of a file in order, each with its arrays and, where it is known, ``n_patches``."""
    row = concept_row(file)
    for graph in file:
        yield graph, graph_arrays(graph, patch_count(graph, row))


def graph_arrays(graph: ReferenceGraph, n_patches: int | None) -> dict[str, NDArray[Any]]:
    """Arrays of a graph by name, with ``n_patches`` (int64, no dimensions) where it is known."""
    return graph.arrays if n_patches is None else {**graph.arrays, "n_patches": np.array(n_patches, np.int64)}
