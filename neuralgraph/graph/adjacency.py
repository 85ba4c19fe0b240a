"""Edges of the visual graph: kept patches that are 4-neighbours on the grid (paper section 2)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["grid_edges"]

_FEW = 64
"""Patches up to which plain Python is done before numpy."""


def grid_edges(view: NDArray[np.int32], row: NDArray[np.int32], col: NDArray[np.int32]) -> NDArray[np.int32]:
    """Each pair of kept patches that touch along a side, once.

    Parameters
    ----------
    view, row, col : int [n], the place of each kept patch; no place twice.

    Returns
    -------
    int32 [m, 2] : patch indices (a, b) with a < b, sorted by a, then b. Patches of different views never touch.
    """
    n = len(row)
    if n < 2:
        return np.empty((0, 2), np.int32)
    if n <= _FEW:
        return _of_few(view.tolist(), row.tolist(), col.tolist())
    # One padding column keeps the last patch of a row from touching the first of the next.
    width = int(col.max()) + 2
    height = int(row.max()) + 2
    place = (view.astype(np.int64) * height + row) * width + col
    order = np.argsort(place, kind="stable")
    ordered = place[order]
    pairs = []
    for step in (1, width):
        position = np.searchsorted(ordered, ordered + step).clip(max=n - 1)
        touching = ordered[position] == ordered + step
        pairs.append(np.stack([order[touching], order[position[touching]]], axis=1))
    edges = np.sort(np.concatenate(pairs), axis=1)
    return edges[np.lexsort((edges[:, 1], edges[:, 0]))].astype(np.int32)


def _of_few(view: list[int], row: list[int], col: list[int]) -> NDArray[np.int32]:
    """The same for a few patches."""
    number = {place: i for i, place in enumerate(zip(view, row, col, strict=True))}
    edges = []
    for (film, down, right), i in number.items():
        for place in ((film, down, right + 1), (film, down + 1, right)):
            j = number.get(place)
            if j is not None:
                edges.append((i, j) if i < j else (j, i))
    return np.array(sorted(edges), np.int32).reshape(-1, 2)
