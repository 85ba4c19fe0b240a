"""The fusion edge: the most central patch joined to the most central concept (paper section 2).

Ties are the rule on small grids, so the choice is defined to the last one: within 1e-9 (relative) of the largest
centrality the lowest index wins, and since patches are in descending order of attention and concepts in order of their
span, that is the strongest patch and the earliest concept.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["TIE_TOLERANCE", "Centrality", "betweenness", "fusion_edge", "most_central"]

TIE_TOLERANCE = 1e-9
"""Relative difference below which two centralities count as equal."""


def betweenness(n_nodes: int, pairs: Iterable[Sequence[int]]) -> NDArray[np.float64]:
    """Betweenness centrality, not normalised, of an undirected simple graph (Brandes 2001).

    Parameters
    ----------
    n_nodes : number of nodes.
    pairs : node pairs; direction, repetition and self-loops do not matter.

    Returns
    -------
    float64 [n_nodes] : the sum, over unordered pairs of other nodes, of the share of their shortest paths through the
    node.
    """
    neighbours: list[list[int]] = [[] for _ in range(n_nodes)]
    for a, b in sorted({(min(int(a), int(b)), max(int(a), int(b))) for a, b in pairs}):
        if a != b:
            neighbours[a].append(b)
            neighbours[b].append(a)
    centrality = [0.0] * n_nodes
    for source in range(n_nodes):
        distance = [-1] * n_nodes
        paths = [0] * n_nodes
        predecessors: list[list[int]] = [[] for _ in range(n_nodes)]
        distance[source], paths[source] = 0, 1
        queue, visited = deque([source]), []
        while queue:
            node = queue.popleft()
            visited.append(node)
            for other in neighbours[node]:
                if distance[other] < 0:
                    distance[other] = distance[node] + 1
                    queue.append(other)
                if distance[other] == distance[node] + 1:
                    paths[other] += paths[node]
                    predecessors[other].append(node)
        dependency = [0.0] * n_nodes
        for node in reversed(visited):
            for earlier in predecessors[node]:
                dependency[earlier] += paths[earlier] / paths[node] * (1 + dependency[node])
            if node != source:
                centrality[node] += dependency[node] / 2
    return np.array(centrality, np.float64)


def most_central(centrality: NDArray[np.float64]) -> int:
    """Lowest index whose centrality is within ``TIE_TOLERANCE`` of the largest; 0 when all are zero."""
    largest = float(centrality.max())
    return int(np.argmax(centrality >= largest - TIE_TOLERANCE * largest))


Centrality: TypeAlias = Callable[[int, Iterable[Sequence[int]]], NDArray[np.float64]]
"""Node count and node pairs to one number per node, like ``betweenness``."""


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
    centrality : an equivalent of ``betweenness``, for graphs that are too large for it.
    """
    if n_patches == 0 or n_concepts == 0:
        return None
    patch = most_central(centrality(n_patches, edges))
    concept = most_central(centrality(n_concepts, triples[:, [0, 2]]))
    return patch, concept
