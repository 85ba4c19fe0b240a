"""The fusion edge: the most central patch joined to the most central concept (paper section 2).

Ties are the rule on small grids, so the choice is defined to the last one: within 1e-9 (relative) of the largest
centrality the lowest index wins, and since patches are in descending order of attention and concepts in order of their
span, that is the strongest patch and the earliest concept.

Betweenness (Brandes 2001) is computed in numpy: many sources at a time, one step of all their searches at once. Graphs
of a few nodes, which reports and pruned films usually are, are searched in plain Python: there numpy is slower.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "EXACT_NODES",
    "PIVOTS",
    "TIE_TOLERANCE",
    "Centrality",
    "betweenness",
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

_STATES = 1 << 20
"""Sources times nodes that are searched together: what bounds the memory, not the result."""
_FEW = 200
"""Nodes times pairs up to which plain Python is done before numpy."""
_MANY_PATHS = 1e300
"""A node may be reached by more paths than a float can count; ratios beyond this are no longer exact."""


def betweenness(
    n_nodes: int, pairs: Iterable[Sequence[int]], sources: NDArray[np.int64] | None = None
) -> NDArray[np.float64]:
    """Betweenness centrality, not normalised, of an undirected simple graph.

    Parameters
    ----------
    n_nodes : number of nodes.
    pairs : node pairs; direction, repetition and self-loops do not matter.
    sources : int64 [k], the nodes whose shortest paths are followed; all of them when None. Centralities of a sample
        are scaled by n_nodes / k: the estimate of Brandes and Pich (2007).

    Returns
    -------
    float64 [n_nodes] : the sum, over unordered pairs of other nodes, of the share of their shortest paths through the
    node.
    """
    centrality = np.zeros(n_nodes, np.float64)
    if n_nodes == 0:
        return centrality
    given = np.asarray(pairs if isinstance(pairs, np.ndarray) else list(pairs), np.int64).reshape(-1, 2)
    if sources is None and n_nodes * len(given) <= _FEW:
        return np.array(_of_few(n_nodes, given.tolist()), np.float64)
    first, neighbour = _neighbours(n_nodes, given)
    chosen = np.arange(n_nodes) if sources is None else sources
    together = max(1, _STATES // n_nodes)
    for start in range(0, len(chosen), together):
        centrality += _dependencies(n_nodes, first, neighbour, chosen[start : start + together])
    return centrality * (n_nodes / len(chosen) / 2)


def _of_few(n_nodes: int, pairs: list[list[int]]) -> list[float]:
    """The same for a small graph, from one source after another."""
    neighbours: dict[int, set[int]] = {}
    for one, other in pairs:
        if one != other:
            neighbours.setdefault(one, set()).add(other)
            neighbours.setdefault(other, set()).add(one)
    centrality = [0.0] * n_nodes
    for source in sorted(neighbours):
        distance, paths, reached = {source: 0}, {source: 1}, [source]
        for node in reached:
            for other in sorted(neighbours[node]):
                if other not in distance:
                    distance[other], paths[other] = distance[node] + 1, 0
                    reached.append(other)
                if distance[other] > distance[node]:
                    paths[other] += paths[node]
        dependency = dict.fromkeys(reached, 0.0)
        for node in reversed(reached[1:]):
            centrality[node] += dependency[node] / 2
            for other in neighbours[node]:
                if distance[other] < distance[node]:
                    dependency[other] += paths[other] / paths[node] * (1 + dependency[node])
    return centrality


def _neighbours(n_nodes: int, given: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Neighbours of node v, ascending: ``neighbour[first[v]:first[v + 1]]``."""
    given = given[given[:, 0] != given[:, 1]]
    # One number for each direction of a pair: numpy.unique is far quicker on numbers than on rows.
    codes = np.unique(np.concatenate([given @ (n_nodes, 1), given @ (1, n_nodes)]))
    node, neighbour = np.divmod(codes, n_nodes)
    return np.searchsorted(node, np.arange(n_nodes + 1)), neighbour


def _dependencies(
    n_nodes: int, first: NDArray[np.int64], neighbour: NDArray[np.int64], sources: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Dependencies of some sources on every node, summed over the sources: float64 [n_nodes].

    A state is a source and a node, numbered ``source * n_nodes + node``. Forwards the searches go one step at a time
    and count paths; backwards the same steps hand dependencies on.
    """
    states = len(sources) * n_nodes
    distance = np.full(states, -1, np.int32)
    paths = np.zeros(states, np.float64)
    frontier = np.arange(len(sources)) * n_nodes + sources
    distance[frontier], paths[frontier] = 0, 1.0
    steps: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
    while frontier.size:
        node = frontier % n_nodes
        degree = first[node + 1] - first[node]
        origin = np.repeat(frontier, degree)
        within = np.arange(len(origin)) - np.repeat(np.cumsum(degree) - degree, degree)
        target = origin - np.repeat(node, degree) + neighbour[np.repeat(first[node], degree) + within]
        ahead = (distance[target] < 0) | (distance[target] > distance[origin])
        origin, target = origin[ahead], target[ahead]
        frontier = np.unique(target)
        distance[frontier] = len(steps) + 1
        np.add.at(paths, target, paths[origin])
        paths[frontier] = np.minimum(paths[frontier], _MANY_PATHS)
        steps.append((origin, target))
    dependency = np.zeros(states, np.float64)
    for origin, target in reversed(steps):
        np.add.at(dependency, origin, paths[origin] / paths[target] * (1 + dependency[target]))
    dependency[np.arange(len(sources)) * n_nodes + sources] = 0
    total: NDArray[np.float64] = dependency.reshape(len(sources), n_nodes).sum(axis=0)
    return total


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
