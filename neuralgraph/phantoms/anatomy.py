"""Soft tissue and air: body outline, lungs, heart, mediastinum, trachea, diaphragm, stomach bubble.

A film is a map of what the rays cross. Here every structure is a path length in centimetres of water equivalent; lungs
and airways take tissue away, the heart takes its place back, and film.py turns the sum into brightness.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from neuralgraph.phantoms.canvas import Canvas, FloatMap, Line, smooth_noise, smooth_step
from neuralgraph.phantoms.habitus import Habitus, Pose

__all__ = ["Chest", "Lung", "build_chest", "lung_outline", "outer_border"]

_LUNG_SHARE = 0.74
"""Share of a lung's path that is air rather than tissue."""


@dataclasses.dataclass(kw_only=True)
class Lung:
    """One lung as projected on the film; `side` is the patient's."""

    side: str
    sign: float
    """-1 for the right lung (image left), 1 for the left."""
    lateral: FloatMap
    """Position between the mediastinum (0) and the chest wall (1), unclipped."""
    descent: FloatMap
    """Position between the apex (0) and the diaphragm (1), unclipped."""
    field: npt.NDArray[np.bool_]
    """Pixels where the lung is seen above the diaphragm, the part before the heart included."""
    air: FloatMap
    """Path through air, centimetres."""


@dataclasses.dataclass(kw_only=True)
class Chest:
    """Everything but bones, vessels and devices; the findings change it before the film is developed."""

    habitus: Habitus
    pose: Pose
    canvas: Canvas
    body: FloatMap
    """Front-to-back extent of the body, centimetres."""
    right: Lung
    left: Lung
    heart: FloatMap
    """Share of the lung path the heart and the great vessels take, 0..1."""
    silhouette: npt.NDArray[np.bool_]
    """The heart's outline."""
    extra: FloatMap
    """Water equivalent added by tissue, bones and devices, centimetres."""

    def lung(self, side: str) -> Lung:
        """The lung of the patient's "right" or "left" side."""
        return self.right if side == "right" else self.left


def outer_border(habitus: Habitus, sign: float, y: Line) -> Line:
    """Distance of the chest wall from the midline at height y; 0 above the apex."""
    widest = 0.50
    half = habitus.half_width * (1.0 - sign * habitus.asymmetry)
    rise = np.clip((widest - y) / (widest - habitus.apex), 0.0, 1.0)
    above = half * (1.0 - rise**2.9) ** 0.47
    return np.where(y > widest, half + 0.02 * (y - widest), np.where(y < habitus.apex, 0.0, above))


def _inner_border(habitus: Habitus, sign: float, y: Line) -> Line:
    """Distance of the mediastinal border of the lung from the midline at height y."""
    rise = np.clip((-0.2 - y) / (-0.2 - habitus.apex), 0.0, 1.2)
    waist = habitus.mediastinum * (0.92 - 0.12 * np.exp(-(((y + 0.12) / 0.14) ** 2)))
    return waist + 0.15 * rise**5 + (0.01 if sign > 0 else 0.0)


def dome(habitus: Habitus, pose: Pose, sign: float, x: Line) -> Line:
    """The y of the diaphragm at distance x (positive) from the midline of one side."""
    top = (habitus.dome_right if sign < 0 else habitus.dome_left) + pose.inspiration
    half = habitus.half_width * (1.0 - sign * habitus.asymmetry)
    at = np.clip((x / half - 0.48) / 0.54, -1.0, 1.1)
    fall = habitus.angle + pose.inspiration - top
    outer = fall * (0.30 * at**2 + 0.20 * at**4 + 0.5 * np.abs(at) ** 9)
    return top + np.where(at > 0, outer, 0.35 * fall * at**2)


def lung_outline(habitus: Habitus, pose: Pose, sign: float, lateral: float, descent: float) -> tuple[float, float]:
    """Body coordinates (x, y) of a place in a lung given by its two fractions (see Lung.lateral, Lung.descent)."""
    half = habitus.half_width * (1.0 - sign * habitus.asymmetry)
    y = 0.0
    x = half * 0.5
    # Both borders depend on the other coordinate; a few rounds settle it to well below a pixel.
    for _ in range(12):
        bottom = float(dome(habitus, pose, sign, np.array([x]))[0])
        y = habitus.apex + descent * (bottom - habitus.apex)
        inner = float(_inner_border(habitus, sign, np.array([y]))[0])
        outer = float(outer_border(habitus, sign, np.array([y]))[0])
        x = inner + lateral * (outer - inner)
    return sign * x, y


def build_chest(canvas: Canvas, habitus: Habitus, pose: Pose, *, heart_ratio: float, seed: int) -> Chest:
    """The healthy chest of one patient on one film.

    Parameters
    ----------
    heart_ratio : cardiothoracic ratio to draw, before the magnification of the view.
    seed : of the clouds that keep large areas from being flat.
    """
    rng = np.random.default_rng(seed)
    x, y = canvas.x, canvas.y
    body = _body(canvas, habitus)
    heart, silhouette = _heart(canvas, habitus, pose, heart_ratio * pose.magnification)
    depth = np.float32(0.80) * body
    lungs = [_lung(canvas, habitus, pose, side, depth, heart) for side in ("right", "left")]
    extra = np.float32(0.35) * smooth_noise(rng, canvas, 0.35, octaves=3)
    extra *= np.minimum(body * np.float32(0.1), 1)
    extra -= _trachea(canvas, pose)
    extra += _hila(canvas, pose)
    # Thin extra density of the mediastinum: great vessels and hila lie closer together than fat.
    extra += np.float32(1.0) * smooth_step((habitus.mediastinum + 0.03 - np.abs(x - pose.turn)) / np.float32(0.05))
    # The liver is denser than the gas-filled left upper abdomen.
    extra += np.float32(1.3) * smooth_step((np.float32(0.35) - x) / 0.7) * smooth_step((y - habitus.dome_right) / 0.25)
    if habitus.female:
        extra += _breasts(canvas, habitus)
    if habitus.bubble > 0:
        extra -= _bubble(canvas, habitus, pose, rng)
    return Chest(
        habitus=habitus,
        pose=pose,
        canvas=canvas,
        body=body,
        right=lungs[0],
        left=lungs[1],
        heart=heart,
        silhouette=silhouette,
        extra=extra,
    )


def _body(canvas: Canvas, habitus: Habitus) -> FloatMap:
    """Trunk and neck as one elliptic column, shoulders and arms as a thinner plate behind it."""
    s, deep, low = habitus.shoulder, habitus.thickness, habitus.waist
    trunk = habitus.half_width + 0.24
    heights = np.array([-3.0, s - 0.35, s - 0.15, s, s + 0.25, 0.1, 0.7, 1.2, 3.0])
    widths = np.array([0.25, 0.26, 0.33, 0.72, trunk + 0.06, trunk, low + 0.04, low, low + 0.1])
    depths = np.array([0.62, 0.62, 0.60, 0.62, 0.84, 0.97, 1.03, 1.08, 1.1]) * deep
    width = canvas.along_y(lambda v: np.interp(v, heights, widths))
    depth = canvas.along_y(lambda v: np.interp(v, heights, depths))
    far = np.abs(canvas.x)
    ratio = np.minimum(far / width, np.float32(1.0))
    column = depth * np.sqrt(1 - ratio * ratio * ratio)
    slope = canvas.along_y(lambda v: np.interp(v, [s - 0.3, s - 0.14, s, s + 0.1], [0.26, 0.42, 1.05, 1.6]))
    fade = canvas.along_y(lambda v: np.interp(v, [-0.6, 0.55], [0.66 * deep, 0.12 * deep]))
    rim = np.sqrt(np.clip((slope - far) / np.float32(0.3), 0, 1))
    reach = canvas.along_y(lambda v: np.interp(v, [-0.45, 0.3], [2.0, 1.15]))
    arm = smooth_step((reach - far) / np.float32(0.4))
    plate = fade * rim * arm
    # A smooth maximum: where trunk and plate meet there is a fold of skin, not a step.
    thick: FloatMap = np.sqrt(np.maximum(column, plate) ** 2 + np.float32(0.25) * np.minimum(column, plate) ** 2)
    return thick


def _heart(canvas: Canvas, habitus: Habitus, pose: Pose, ratio: float) -> tuple[FloatMap, npt.NDArray[np.bool_]]:
    """Depth of heart and great vessels between a right and a left border, and the outline of the heart alone."""
    across = ratio * 2.0 * habitus.half_width
    # About a third of the heart's width lies right of the midline.
    right, left = across * 0.33 - pose.turn, across * 0.67 + pose.turn
    floor = (habitus.dome_right + habitus.dome_left) / 2.0 + pose.inspiration
    top, middle = -0.17, habitus.mediastinum

    def left_border(y: Line) -> Line:
        fall = np.clip((y - top) / (floor - 0.06 - top), 0.0, 1.25)
        # A steep heart fills late, a lying one early; the apex is rounded.
        ventricle = np.sin(np.minimum(fall, 1.0) * np.pi / 2.0) ** (0.7 + 0.7 * habitus.heart_tilt)
        apex = np.sqrt(np.maximum(1.0 - (np.maximum(fall - 0.82, 0.0) / 0.55) ** 2, 0.0))
        border = middle * 0.75 + (left - middle * 0.75) * ventricle * apex
        knob = (middle + 0.8 * habitus.knob) * np.sqrt(np.maximum(1.0 - ((y + 0.33) / (1.25 * habitus.knob)) ** 2, 0))
        trunk = (middle + 0.035) * np.sqrt(np.maximum(1.0 - ((y + 0.12) / 0.13) ** 2, 0.0))
        return np.maximum(np.maximum(border, knob + pose.turn), np.maximum(trunk + pose.turn, 0.6 * middle))

    def right_border(y: Line) -> Line:
        fall = np.clip((y - top - 0.06) / (floor + 0.10 - top), 0.0, 1.0)
        atrium = right * np.sin(fall * np.pi) ** 0.38
        return np.maximum(atrium, middle * 0.95 - pose.turn)

    far_left, far_right = canvas.along_y(left_border), canvas.along_y(right_border)
    half = (far_left + far_right) * np.float32(0.5)
    ratio_across = (canvas.x - (far_left - far_right) * np.float32(0.5)) / half
    rest = np.maximum(1 - ratio_across * ratio_across, 0)
    depth = np.float32(0.95) * np.sqrt(np.sqrt(rest))
    depth *= canvas.along_y(lambda y: np.interp(y, [-0.52, -0.38], [0.0, 1.0]))
    inside = (rest > 0) & (canvas.y > top + 0.10) & (canvas.y < floor + 0.05)
    return depth, inside


def _lung(canvas: Canvas, habitus: Habitus, pose: Pose, side: str, depth: FloatMap, heart: FloatMap) -> Lung:
    sign = -1.0 if side == "right" else 1.0
    out = canvas.x * np.float32(sign)
    outer = canvas.along_y(lambda y: outer_border(habitus, sign, y))
    inner = canvas.along_y(lambda y: _inner_border(habitus, sign, y))
    inner = inner + np.float32(sign * pose.turn * 0.6)
    bottom = canvas.along_x(lambda x: dome(habitus, pose, sign, np.maximum(x * sign, 0.0)))
    lateral = (out - inner) / np.maximum(outer - inner, np.float32(0.02))
    descent = (canvas.y - np.float32(habitus.apex)) / (bottom - np.float32(habitus.apex))
    ratio = np.clip(out / np.maximum(outer, np.float32(1e-3)), 0, 1)
    ratio *= ratio
    chord = np.sqrt(1 - ratio * ratio)
    edge = smooth_step((out - inner) / np.float32(0.035))
    apex = np.sqrt(np.clip((canvas.y - np.float32(habitus.apex)) / np.float32(0.42), 0, 1))
    above = smooth_step((bottom - canvas.y) / np.float32(0.014) + np.float32(0.5))
    # Behind the dome the posterior recess still holds some lung.
    recess = np.float32(0.16) * np.clip(1 - (canvas.y - bottom) / np.float32(0.16), 0, 1)
    whole = depth * chord * edge * apex
    air = whole * (above + (1 - above) * recess) * (1 - np.float32(0.93) * heart)
    inside = (out > inner) & (out < outer) & (canvas.y < bottom) & (canvas.y > habitus.apex)
    return Lung(
        side=side,
        sign=sign,
        lateral=lateral,
        descent=descent,
        field=inside,
        air=air * np.float32(_LUNG_SHARE),
    )


def _hila(canvas: Canvas, pose: Pose) -> FloatMap:
    """The soft density where arteries, veins and bronchi meet, centimetres."""
    total = np.zeros_like(canvas.x)
    for x, y in ((-0.195, -0.02), (0.195, -0.075)):
        rows, columns = canvas.window(x, y, 0.3)
        dx = (canvas.x[rows, columns] - np.float32(x + 0.6 * pose.turn)) / np.float32(0.055)
        dy = (canvas.y[rows, columns] - np.float32(y)) / np.float32(0.095)
        total[rows, columns] += np.float32(3.2) * np.exp(-dx * dx - dy * dy)
    return total


def _trachea(canvas: Canvas, pose: Pose) -> FloatMap:
    """Air column of the trachea and the main bronchi, centimetres."""
    lean = 0.012
    carina = -0.16
    x = canvas.x - np.float32(pose.turn * 0.8)
    centre = -np.float32(lean) * smooth_step((canvas.y + 0.6) / 0.4)
    ratio = (x - centre) / np.float32(0.048)
    column = np.sqrt(np.maximum(1 - ratio * ratio, 0)) * smooth_step((carina - canvas.y) / np.float32(0.04))
    total = np.float32(4.2) * column
    for sign, slope in ((-1.0, 0.75), (1.0, 1.25)):
        rows, columns = canvas.window(sign * 0.08, carina + 0.05, 0.16)
        dx = np.float32(sign) * (x[rows, columns] + np.float32(lean))
        dy = canvas.y[rows, columns] - np.float32(carina - 0.03)
        norm = math.hypot(slope, 1.0)
        fall, drift = np.float32(1.0 / norm), np.float32(slope / norm)
        along = np.asarray(dx * drift + dy * fall, np.float32)
        across = (dx * fall - dy * drift) / np.float32(0.030)
        part: FloatMap = np.sqrt(np.maximum(1 - across * across, 0))
        part *= smooth_step(along / np.float32(0.04)) * (1 - smooth_step((along - np.float32(0.11)) / np.float32(0.06)))
        total[rows, columns] += np.float32(2.2) * part
    return total


def _breasts(canvas: Canvas, habitus: Habitus) -> FloatMap:
    """Soft half-moons over the lower lungs with a visible lower border, centimetres."""
    total = np.zeros_like(canvas.x)
    for sign in (-1.0, 1.0):
        size = habitus.breast * (1.0 + 0.08 * sign * habitus.asymmetry * 10)
        dx = (canvas.x - np.float32(sign * 0.47)) / np.float32(0.95 * size + 0.06)
        dy = (canvas.y - np.float32(0.30 + 0.25 * size)) / np.float32(size)
        low = np.maximum(1 - dx * dx - dy * dy, 0)
        fade = smooth_step((dy + np.float32(1.0)) / np.float32(1.3))
        total += np.sqrt(low) * fade * np.float32(7.0 * habitus.breast)
    return total


def _bubble(canvas: Canvas, habitus: Habitus, pose: Pose, rng: np.random.Generator) -> FloatMap:
    """Gas under the left dome, with a level when the patient stands, centimetres."""
    size = habitus.bubble
    x, y = 0.33 + float(rng.uniform(-0.06, 0.06)), habitus.dome_left + pose.inspiration + 0.05 + size * 0.75
    dx, dy = (canvas.x - np.float32(x)) / np.float32(1.35 * size), (canvas.y - np.float32(y)) / np.float32(size * 0.8)
    cloud = np.float32(0.12) * smooth_noise(rng, canvas, 0.12, octaves=1)
    gas = np.sqrt(np.maximum(1 - dx * dx - dy * dy + cloud, 0))
    if pose.view == "PA":
        gas *= smooth_step((np.float32(y + 0.35 * size) - canvas.y) / np.float32(0.012))
    total: FloatMap = np.float32(3.2) * gas
    for _ in range(int(rng.integers(0, 3))):
        bx, by, r = float(rng.uniform(0.15, 0.65)), float(rng.uniform(0.82, 1.1)), float(rng.uniform(0.05, 0.1))
        rows, columns = canvas.window(bx, by, 1.3 * r)
        u, v = (canvas.x[rows, columns] - bx) / np.float32(r * 1.2), (canvas.y[rows, columns] - by) / np.float32(r)
        part = np.maximum(1 - u * u - v * v + 2 * cloud[rows, columns], 0)
        total[rows, columns] += np.float32(1.6) * np.sqrt(part)
    return total
