"""The fusion edge: the most central patch joined to the most central concept (paper section 2).

Ties are the rule on small grids, so the choice is defined to the last one: within 1e-9 (relative) of the largest
centrality the lowest index wins, and since patches are in descending order of attention and concepts in order of their
span, that is the strongest patch and the earliest concept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from neuralgraph.graph.centrality import betweenness

__all__ = [
    "EXACT_NODES",
    "PIVOTS",
    "TIE_TOLERANCE",
    "Centrality",
    "fusion_edge",
    "fusion_record",
    "most_central",
]

TIE_TOLERANCE = 1e-9
"""Relative difference below which two centralities count as equal."""

EXACT_NODES = 2048
"""Up to this many nodes centrality is exact; in larger graphs it is estimated from ``PIVOTS`` nodes."""

PIVOTS = 256
"""Nodes whose shortest paths stand for those of all in a larger graph (Brandes and Pich 2007), evenly spaced: patches
are numbered by attention and not by place, so these lie all over the film, and are the same every time."""


def most_central(centrality: NDArray[np.float64]) -> int:
    """Lowest index whose centrality is within ``TIE_TOLERANCE`` of the largest; 0 when all are zero."""
    largest = float(centrality.max())
    return int(np.argmax(centrality >= largest - TIE_TOLERANCE * largest))


Centrality: TypeAlias = Callable[[int, Iterable[Sequence[int]]], NDArray[np.float64]]
"""Node count and node pairs to one number per node, like ``betweenness``."""


def fusion_record(n_patches: int, n_concepts: int) -> dict[str, Any]:
    """What provenance says of the choice: nothing when it is exact, else ``{"fusion": {"rule", "pivots"}}``."""
    estimated = n_patches > 0 and n_concepts > 0 and max(n_patches, n_concepts) > EXACT_NODES
    return {"fusion": {"rule": "betweenness", "pivots": PIVOTS}} if estimated else {}


def fusion_edge(
    n_patches: int,
    edges: NDArray[np.int32],
    n_concepts: int,
    triples: NDArray[np.int32],
    *,
    centrality: Centrality = betweenness,
) -> tuple[int, int] | None:
    """Patch and concept to join, or None when either side is empty.

    Parameters
    ----------
    n_patches : kept patches, in descending order of attention.
    edges : int32 [m, 2], grid edges between them.
    n_concepts : concepts, in order of their span.
    triples : int32 [t, 3], head, relation, tail; read as undirected.
    centrality : an equivalent of ``betweenness`` for graphs of up to ``EXACT_NODES`` nodes.
    """
    if n_patches == 0 or n_concepts == 0:
        return None
    ends = []
    for n_nodes, pairs in ((n_patches, edges), (n_concepts, triples[:, [0, 2]])):
        if n_nodes <= EXACT_NODES:
            found = centrality(n_nodes, pairs)
        else:
            found = betweenness(n_nodes, pairs, np.arange(PIVOTS, dtype=np.int64) * n_nodes // PIVOTS)
        ends.append(most_central(found))
    return ends[0], ends[1]
