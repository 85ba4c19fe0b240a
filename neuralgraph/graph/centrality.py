"""Betweenness centrality (Brandes 2001) in numpy: many sources at a time, one step of all their searches at once.

Graphs of a few nodes, which reports and pruned films usually are, are searched in plain Python: there numpy spends its
time on calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["betweenness"]

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
