"""Bones: ribs as tilted rings, clavicles, spine, shoulder blades and humeral heads."""

from __future__ import annotations

import numpy as np

from neuralgraph.phantoms.anatomy import outer_border
from neuralgraph.phantoms.canvas import Line, Strokes
from neuralgraph.phantoms.habitus import Habitus, Pose

__all__ = ["draw_skeleton", "rib_curve"]

_POSTERIOR_END = 0.5
"""Share of a rib ring's half turn that lies behind."""


def rib_curve(habitus: Habitus, pose: Pose, sign: float, rib: int) -> tuple[Line, Line, Line]:
    """One rib from the spine round the side to its cartilage.

    Parameters
    ----------
    sign : -1 for the patient's right, 1 for the left.
    rib : 1..11, from the top.

    Returns
    -------
    x, y : body units, [96].
    turn : angle along the ring, 0 at the spine, pi at the breastbone, [96].
    """
    end = {1: 0.74, 2: 0.80, 3: 0.83, 4: 0.83, 5: 0.82, 6: 0.80, 7: 0.76, 8: 0.70, 9: 0.64, 10: 0.50}.get(rib, 0.30)
    turn = np.linspace(0.0, end * np.pi, 96)
    spine = habitus.apex - 0.045 + habitus.rib_spacing * (rib - 1) * (0.93 + 0.008 * rib)
    fall = habitus.rib_slope * float(np.interp(rib, [1, 2, 4, 7, 11], [0.20, 0.30, 0.44, 0.54, 0.56]))
    drop = fall * (1.0 - np.cos(turn)) / 2.0
    # Leaving the spine a rib first climbs a little, then curves down; lower ribs fall at once.
    hump = 0.045 * np.sin(turn * 2.0) * np.exp(-turn) * float(np.interp(rib, [1, 4, 9, 11], [0.8, 1.0, 0.3, -0.9]))
    y = spine + drop - hump
    side = spine + fall / 2.0
    reach = float(outer_border(habitus, sign, np.array([max(side, habitus.apex + 0.05 + 0.03 * rib)]))[0]) + 0.014
    neck = 0.055
    x = neck + (reach - neck) * np.abs(np.sin(np.minimum(turn, np.pi))) ** 0.82
    # In front the ring closes more slowly than it opened behind; the front moves with the patient's turn.
    front = np.clip((turn / np.pi - _POSTERIOR_END) / 0.5, 0.0, 1.0)
    x = np.where(turn > np.pi / 2, reach - (reach - x) * (1.0 - 0.12 * front), x)
    return sign * x + pose.turn * front, y, turn


def draw_skeleton(strokes: Strokes, habitus: Habitus, pose: Pose, rng: np.random.Generator) -> None:
    """Add all bones to `strokes`; `rng` gives each bone its own density."""
    _spine(strokes, rng)
    for sign in (-1.0, 1.0):
        for rib in range(1, 12):
            _rib(strokes, habitus, pose, sign, rib, float(rng.uniform(0.88, 1.12)))
        _clavicle(strokes, habitus, pose, sign)
        _shoulder(strokes, habitus, pose, sign, float(rng.uniform(-0.03, 0.03)))


def _cortex(across: Line) -> Line:
    """A bone tube: a thin shell that brightens towards its borders around a soft core."""
    return 0.55 * np.sqrt(1.0 - 0.9 * across**2) + 0.75 * np.exp(-(((np.abs(across) - 0.86) / 0.13) ** 2))


def _flat(across: Line) -> Line:
    return np.sqrt(1.0 - 0.95 * across**2)


def _lower_border(across: Line) -> Line:
    """A rib behind: brighter upper border, thin lower one with the vessel groove."""
    return _cortex(across) * (1.0 + 0.22 * across)


def _rib(strokes: Strokes, habitus: Habitus, pose: Pose, sign: float, rib: int, density: float) -> None:
    x, y, turn = rib_curve(habitus, pose, sign, rib)
    behind = turn <= np.pi * 0.5
    density *= float(np.interp(rib, [8, 11], [1.0, 0.6]))
    half = habitus.rib_half_width * float(np.interp(rib, [1, 3, 8, 11], [1.12, 1.0, 1.0, 0.8]))
    share = turn / np.pi
    width = half * np.interp(share, [0.0, 0.08, 0.35, 0.5, 0.8], [0.8, 0.95, 1.0, 0.85, 1.35])
    # At the side the rib runs along the ray and looks denser than its wall is thick.
    thick = density * np.interp(share, [0.0, 0.1, 0.35, 0.5, 0.62, 0.85], [1.5, 1.9, 1.75, 2.1, 1.35, 0.75])
    cut = int(behind.sum())
    strokes.band(x[:cut], y[:cut], width[:cut], thick[:cut], _lower_border)
    if cut < x.size:
        strokes.band(x[cut - 1 :], y[cut - 1 :], width[cut - 1 :], thick[cut - 1 :], _cortex)


def _clavicle(strokes: Strokes, habitus: Habitus, pose: Pose, sign: float) -> None:
    at = np.linspace(0.0, 1.0, 64)
    start = habitus.apex + 0.13
    x = sign * (0.075 + (habitus.half_width * 1.24 - 0.075) * at) + pose.turn
    y = start - habitus.clavicle_rise * at + 0.045 * np.sin(at * 2.0 * np.pi) - 0.05 * at
    width = np.interp(at, [0.0, 0.12, 0.5, 1.0], [0.042, 0.032, 0.026, 0.034])
    strokes.band(x, y, width, np.interp(at, [0.0, 0.15, 1.0], [1.5, 2.2, 2.4]), _cortex)


def _shoulder(strokes: Strokes, habitus: Habitus, pose: Pose, sign: float, shrug: float) -> None:
    """Blade with its borders, spine and the head of the humerus; on AP films the blades lie over the lungs."""
    inward = 0.14 if pose.view == "AP" else 0.0
    half = habitus.half_width
    top = habitus.apex + 0.10 + shrug
    at = np.linspace(0.0, 1.0, 48)
    glenoid_x, tip_x, tip_y = half * 1.27, half * 0.99 - inward, top + 0.74
    medial = half * 0.80 - inward
    outer_x = glenoid_x + (tip_x - glenoid_x) * at**0.8 - 0.035 * np.sin(at * np.pi)
    outer_y = top + 0.13 + (tip_y - top - 0.13) * at
    strokes.band(sign * outer_x, outer_y, np.interp(at, [0, 0.3, 1], [0.030, 0.018, 0.010]), 0.9, _flat)
    inner_x = medial + 0.02 * np.sin(at * np.pi) + (tip_x - medial) * at**3
    inner_y = top + 0.02 + (tip_y - top - 0.02) * at
    strokes.band(sign * inner_x, inner_y, 0.008, 0.5, _flat)
    plate_x = (outer_x + np.interp(outer_y, inner_y, inner_x)) / 2.0
    plate_half = np.abs(outer_x - np.interp(outer_y, inner_y, inner_x)) / 2.0 + 0.004
    strokes.band(sign * plate_x, outer_y, plate_half, 0.35, lambda across: np.ones_like(across))
    ridge_x = medial + 0.02 + (half * 1.36 - medial) * at
    ridge_y = top + 0.10 - 0.20 * at + 0.04 * np.sin(at * np.pi)
    strokes.band(sign * ridge_x, ridge_y, np.interp(at, [0, 1], [0.012, 0.034]), 0.9, _cortex)
    down = np.linspace(-0.139, 0.139, 40)
    head = np.sqrt(0.14**2 - down**2)
    middle = half * 1.27 + 0.15
    strokes.band(sign * np.full(40, middle), top + 0.10 + down, head, 1.8, _flat)
    shaft = np.linspace(0.1, 1.1, 40)
    strokes.band(sign * (middle + 0.02 + 0.12 * shaft), top + 0.10 + shaft, 0.078, 2.0, _cortex)


def _spine(strokes: Strokes, rng: np.random.Generator) -> None:
    """Vertebral bodies with discs between them, pedicles, transverse and spinous processes."""
    lean = float(rng.normal(0.0, 0.008))
    heights = [-1.35]
    while heights[-1] < 1.35:
        heights.append(heights[-1] + float(np.interp(heights[-1], [-1.2, 0.0, 1.2], [0.085, 0.112, 0.15])))
    y = np.array(heights)[:, None]
    size = np.interp(y, [-1.2, 0.0, 1.2], [0.085, 0.112, 0.15])
    half = np.interp(y, [-1.2, -0.5, 0.5, 1.2], [0.075, 0.085, 0.10, 0.12])
    x = lean * np.sin(2.2 * y) + rng.normal(0.0, 0.002, y.shape)
    edge = np.linspace(-1.0, 1.0, 12)
    same = np.ones((y.size, edge.size))
    strokes.bands(x * same, y + edge * size * 0.43, half * (0.93 + 0.07 * edge**2), 1.25 * same, _plate)
    for end in (-1.0, 1.0):
        strokes.bands(x + half * edge, (y + end * size * 0.43) * same, 0.006 * same, 0.8 * same, _flat)
        ring = edge * np.pi
        pedicle_x, pedicle_y = x + end * half * 0.62 + 0.012 * np.cos(ring), y - size * 0.08 + 0.019 * np.sin(ring)
        strokes.bands(pedicle_x, pedicle_y, 0.005 * same, 1.1 * same, _flat)
        wing = half * (1.22 + 0.33 * edge)
        strokes.bands(x + end * wing, (y - 0.02) * same, 0.014 * same, 0.8 * same, _flat)
    drop = 0.325 + 0.275 * edge
    strokes.bands(x * same, y + drop * size, (0.008 + 0.005 * (edge + 1.0)) * same, same, _flat)


def _plate(across: Line) -> Line:
    return 0.8 + 0.35 * np.exp(-(((np.abs(across) - 0.93) / 0.08) ** 2))
