"""Things that are seen but are not findings: wires, tubes, pacemakers, old fractures, calcified granulomas."""

from __future__ import annotations

import numpy as np

from neuralgraph.phantoms.anatomy import lung_outline
from neuralgraph.phantoms.canvas import Line, Strokes
from neuralgraph.phantoms.habitus import Habitus, Pose
from neuralgraph.phantoms.skeleton import rib_curve

__all__ = ["DISTRACTORS", "LASTING", "draw_distractor", "draw_distractors"]

DISTRACTORS: tuple[str, ...] = (
    "leads",
    "pacemaker",
    "port",
    "endotracheal tube",
    "nasogastric tube",
    "central line",
    "sternal wires",
    "rib fracture",
    "degenerative change",
    "granuloma",
)
"""Names of everything that may distract from the findings."""

LASTING: tuple[str, ...] = ("pacemaker", "port", "sternal wires", "rib fracture", "degenerative change", "granuloma")
"""Those a patient keeps; the others come and go with the study."""

_CHANCE = {
    "leads": 0.15,
    "pacemaker": 0.05,
    "port": 0.05,
    "endotracheal tube": 0.05,
    "nasogastric tube": 0.05,
    "central line": 0.06,
    "sternal wires": 0.07,
    "rib fracture": 0.06,
    "degenerative change": 0.15,
    "granuloma": 0.06,
}
# Pacemakers sit mostly on the left, ports and lines mostly on the right.
_RIGHT = {"pacemaker": 0.15, "port": 0.8, "central line": 0.8}


def draw_distractors(rng: np.random.Generator) -> dict[str, str]:
    """Which distractors there are, with the patient's side of each, in the order of DISTRACTORS."""
    chance, sides = rng.random(len(DISTRACTORS)), rng.random(len(DISTRACTORS))
    return {
        name: "right" if side < _RIGHT.get(name, 0.5) else "left"
        for name, drawn, side in zip(DISTRACTORS, chance, sides, strict=True)
        if drawn < _CHANCE[name]
    }


def draw_distractor(
    strokes: Strokes, habitus: Habitus, pose: Pose, name: str, side: str, rng: np.random.Generator
) -> None:
    """Add one distractor to `strokes`; `side` is the patient's, for those that have one."""
    sign = -1.0 if side == "right" else 1.0
    if name == "leads":
        _leads(strokes, rng)
    elif name == "pacemaker":
        _pacemaker(strokes, habitus, pose, sign, rng)
    elif name == "port":
        _port(strokes, habitus, pose, sign, rng)
    elif name == "endotracheal tube":
        tip = -0.30 + float(rng.uniform(-0.06, 0.05))
        _tube(strokes, [-0.01 + pose.turn, pose.turn, -0.01 + pose.turn], [-1.6, -0.8, tip], 0.018, 1.8)
    elif name == "nasogastric tube":
        end = habitus.dome_left + 0.22
        _tube(strokes, [0.01, 0.0, 0.03, 0.12, 0.32], [-1.6, -0.6, 0.15, end - 0.12, end], 0.008, 3.0)
    elif name == "central line":
        start = habitus.apex + 0.22
        way_x = [sign * (habitus.half_width + 0.15), sign * 0.5, sign * 0.2, -0.09, -0.10, -0.10]
        _tube(strokes, way_x, [start, start - 0.16, start - 0.12, -0.46, -0.3, -0.1], 0.007, 3.0)
    elif name == "sternal wires":
        _sternal_wires(strokes, pose, rng)
    elif name == "rib fracture":
        _callus(strokes, habitus, pose, sign, rng)
    elif name == "degenerative change":
        _osteophytes(strokes, rng)
    elif name == "granuloma":
        at = float(rng.uniform(0.3, 0.7)), float(rng.uniform(0.25, 0.6))
        x, y = lung_outline(habitus, pose, sign, *at)
        _disc(strokes, x, y, 0.014, 6.0)


def _disc(strokes: Strokes, x: float, y: float, radius: float, thickness: float) -> None:
    down = np.linspace(-0.99, 0.99, 12) * radius
    strokes.band(np.full(12, x), y + down, np.sqrt(radius**2 - down**2), thickness, np.ones_like)


def _round(across: Line) -> Line:
    return np.sqrt(1.0 - across**2)


def _wall(across: Line) -> Line:
    """A hollow tube: mostly its two walls, and the opaque stripe of one of them."""
    return 0.35 + 0.8 * np.exp(-(((np.abs(across) - 0.85) / 0.2) ** 2)) + 0.5 * (across > 0.7)


def _smooth(x: list[float], y: list[float]) -> tuple[Line, Line]:
    """A curve through the nodes, without corners: repeated corner cutting that keeps both ends."""
    points = np.stack([np.array(x), np.array(y)])
    for _ in range(4):
        near, far = points[:, :-1], points[:, 1:]
        cut = np.stack([0.75 * near + 0.25 * far, 0.25 * near + 0.75 * far], axis=2).reshape(2, -1)
        points = np.concatenate([points[:, :1], cut, points[:, -1:]], axis=1)
    return points[0], points[1]


def _tube(strokes: Strokes, x: list[float], y: list[float], half: float, thickness: float) -> None:
    curve_x, curve_y = _smooth(x, y)
    strokes.band(curve_x, curve_y, half, thickness, _wall if half > 0.012 else _round)


def _leads(strokes: Strokes, rng: np.random.Generator) -> None:
    """Adhesive electrodes with their wires leaving the film."""
    places = [(-0.62, -0.45), (0.62, -0.45), (0.66, 0.35), (-0.64, 0.38)]
    for x, y in places[: int(rng.integers(2, 5))]:
        x, y = x + float(rng.normal(0.0, 0.05)), y + float(rng.normal(0.0, 0.06))
        _disc(strokes, x, y, 0.024, 4.0)
        _disc(strokes, x, y, 0.010, 6.0)
        bend = [float(v) for v in rng.normal(0.0, 0.12, 4)]
        side = 1.0 if x > 0 else -1.0
        end = [x + side * 0.45 + bend[2], 1.8] if y > 0 else [x * 0.6 + bend[2], -1.6]
        _tube(
            strokes,
            [x, x + 0.3 * (end[0] - x) + bend[0], x + 0.7 * (end[0] - x) + bend[1], end[0]],
            [y, y + 0.3 * (end[1] - y) + bend[3], y + 0.7 * (end[1] - y), end[1]],
            0.0055,
            2.6,
        )


def _pacemaker(strokes: Strokes, habitus: Habitus, pose: Pose, sign: float, rng: np.random.Generator) -> None:
    x, y = sign * (habitus.half_width - 0.17), habitus.apex + 0.24 + float(rng.uniform(-0.04, 0.05))
    down = np.linspace(-0.085, 0.085, 24)
    half = 0.095 * (1.0 - 0.55 * np.abs(down / 0.09) ** 3)
    strokes.band(np.full(24, x), y + down, half, 9.0, np.ones_like)
    base = (habitus.dome_left + habitus.dome_right) / 2 + pose.inspiration
    for tip_x, tip_y in ((-0.13, base - 0.22), (0.24, base - 0.06)):
        _tube(
            strokes,
            [x, sign * 0.32, sign * 0.12, -0.10, -0.11, tip_x],
            [y - 0.07, habitus.apex + 0.02, -0.5, -0.36, base - 0.30, tip_y],
            0.006,
            4.0,
        )


def _port(strokes: Strokes, habitus: Habitus, pose: Pose, sign: float, rng: np.random.Generator) -> None:
    x, y = sign * (habitus.half_width - 0.24), habitus.apex + 0.30 + float(rng.uniform(-0.04, 0.06))
    ring = np.linspace(0.0, 2.0 * np.pi, 40)
    strokes.band(x + 0.042 * np.cos(ring), y + 0.034 * np.sin(ring), 0.008, 4.5, _round)
    _disc(strokes, x, y, 0.034, 2.5)
    _tube(
        strokes,
        [x, x - sign * 0.05, sign * 0.28, -0.09 + pose.turn, -0.10 + pose.turn],
        [y, y - 0.22, habitus.apex - 0.02, -0.45, -0.15],
        0.006,
        3.0,
    )


def _sternal_wires(strokes: Strokes, pose: Pose, rng: np.random.Generator) -> None:
    ring = np.linspace(0.0, 2.0 * np.pi, 32)
    for number in range(int(rng.integers(4, 7))):
        y = -0.42 + 0.125 * number
        tilt = float(rng.normal(0.0, 0.15))
        x = pose.turn + 0.034 * np.cos(ring)
        strokes.band(x, y + 0.022 * np.sin(ring) + tilt * 0.03 * np.cos(ring), 0.0045, 6.5, _round)


def _callus(strokes: Strokes, habitus: Habitus, pose: Pose, sign: float, rng: np.random.Generator) -> None:
    """An old, healed fracture: a thickening of one rib at the side."""
    x, y, _ = rib_curve(habitus, pose, sign, int(rng.integers(4, 9)))
    middle = int(rng.integers(34, 50))
    part = slice(middle - 4, middle + 5)
    bulge = habitus.rib_half_width * (0.9 + 0.9 * np.exp(-(np.linspace(-2.0, 2.0, 9) ** 2)))
    strokes.band(x[part], y[part], bulge, 2.4, _round)


def _osteophytes(strokes: Strokes, rng: np.random.Generator) -> None:
    for y in np.arange(-0.1, 0.9, 0.125):
        for sign in (-1.0, 1.0):
            if rng.random() < 0.6:
                size = float(rng.uniform(0.025, 0.05))
                at = np.linspace(0.0, 1.0, 8)
                strokes.band(sign * (0.088 + size * at), y + 0.012 * at**2, 0.014 * (1.05 - at), 2.6, _round)
