"""Vessel markings of the lungs: a tree per side that forks from the hilum to the periphery."""

from __future__ import annotations

import numpy as np

from neuralgraph.phantoms.canvas import Line, Strokes
from neuralgraph.phantoms.habitus import Habitus, Pose

__all__ = ["draw_vessels"]

_LEVELS = 5
_NODES = 14
"""Nodes per branch; fixed, so that the tree is the same at every film size."""


def draw_vessels(strokes: Strokes, habitus: Habitus, pose: Pose) -> None:
    """Add both trees to `strokes`: tubes whose thickness is that of blood, drawn over the whole lung and beyond.

    The caller masks them with the lung's air: a vessel is seen only where air surrounds it.
    """
    for sign in (-1.0, 1.0):
        rng = np.random.default_rng([habitus.vessels_seed, 0 if sign < 0 else 1])
        hilum_x = sign * 0.165 + 0.6 * pose.turn
        hilum_y = -0.03 if sign < 0 else -0.075
        _tree(strokes, rng, habitus, sign, hilum_x, hilum_y)


def _tree(strokes: Strokes, rng: np.random.Generator, habitus: Habitus, sign: float, x: float, y: float) -> None:
    # Directions are measured from straight down, outwards positive; few vessels go to the apex, many to the base.
    heading = np.concatenate([rng.uniform(0.1, 1.2, 7), rng.uniform(1.2, 2.1, 5), rng.uniform(2.1, 2.9, 5)])
    start_x = x + rng.normal(0.0, 0.015, heading.size)
    start_y = y + 0.10 * np.cos(heading) + rng.normal(0.0, 0.02, heading.size)
    radius = rng.uniform(0.014, 0.026, heading.size)
    length = rng.uniform(0.15, 0.27, heading.size)
    steps = np.linspace(0.0, 1.0, _NODES)
    for level in range(_LEVELS):
        bend = rng.normal(0.0, 0.35, heading.size)
        angles = heading[:, None] + bend[:, None] * steps[None, :]
        dx = sign * np.sin(angles) * (length / (_NODES - 1))[:, None]
        dy = np.cos(angles) * (length / (_NODES - 1))[:, None]
        path_x = start_x[:, None] + np.cumsum(dx, axis=1) - dx[:, :1]
        path_y = start_y[:, None] + np.cumsum(dy, axis=1) - dy[:, :1]
        taper = radius[:, None] * (1.0 - 0.3 * steps)[None, :]
        # One unit is 18 cm, so a tube of radius r is up to 36 r thick; drawn stronger, as contrast against air is.
        strokes.bands(path_x, path_y, taper, habitus.bronchovascular * 62.0 * taper, _chord)
        fork = rng.uniform(0.25, 0.55, (heading.size, 2)) * np.array([-1.0, 1.0])
        keep = rng.random((heading.size, 2)) < (0.95 if level < 3 else 0.8)
        heading = (angles[:, -1:] + fork)[keep]
        start_x, start_y = np.repeat(path_x[:, -1:], 2, 1)[keep], np.repeat(path_y[:, -1:], 2, 1)[keep]
        radius = (np.repeat(radius[:, None], 2, 1) * rng.uniform(0.60, 0.80, fork.shape))[keep]
        length = (np.repeat(length[:, None], 2, 1) * rng.uniform(0.65, 1.0, fork.shape))[keep]


def _chord(across: Line) -> Line:
    return np.sqrt(1.0 - across**2)
