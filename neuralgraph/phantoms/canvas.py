"""The film as a canvas: body coordinates per pixel, strokes drawn as thickness, smooth noise, blurs.

Body coordinates are dimensionless: x grows to the image right (the patient's left), y grows downwards, the origin is
the centre of the chest and one unit is half the shorter side of a film taken without zoom (about 18 cm of body).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

__all__ = ["Canvas", "FloatMap", "Line", "Strokes", "box_blur", "smooth_noise", "smooth_step", "soften"]

FloatMap = npt.NDArray[np.float32]
"""A float32 array, mostly [height, width] over the pixels of one film."""
Line = npt.NDArray[np.float64]
"""A float64 array [n]: the points of a curve or the nodes of a table."""

_TABLE_STEP = 0.25
"""Spacing of lookup tables in pixels; finer than any edge the film resolves after its blur."""


class Canvas:
    """Body coordinates of every pixel of one film.

    Parameters
    ----------
    height, width : pixels.
    zoom : magnification; 1.0 shows two body units along the shorter side.
    rotation : radians, counter-clockwise as seen on the film.
    shift : (x, y) of the body point at the centre of the film, body units.
    """

    def __init__(
        self,
        height: int,
        width: int,
        *,
        zoom: float = 1.0,
        rotation: float = 0.0,
        shift: tuple[float, float] = (0.0, 0.0),
    ) -> None:
        self.height, self.width = height, width
        self.unit = min(height, width) / 2.0 * zoom
        """Pixels per body unit."""
        self._cos, self._sin, self._shift = math.cos(rotation), math.sin(rotation), shift
        across = ((np.arange(width) + 0.5 - width / 2.0) / self.unit).astype(np.float32)[None, :]
        down = ((np.arange(height) + 0.5 - height / 2.0) / self.unit).astype(np.float32)[:, None]
        cos, sin = np.float32(self._cos), np.float32(self._sin)
        self.x: FloatMap = cos * across + sin * down + np.float32(shift[0])
        self.y: FloatMap = cos * down - sin * across + np.float32(shift[1])
        step = _TABLE_STEP / self.unit
        self._x_nodes, self._x_index = _table(self.x, step)
        self._y_nodes, self._y_index = _table(self.y, step)

    def along_x(self, curve: Callable[[Line], Line]) -> FloatMap:
        """A function of x alone, evaluated once per table node and looked up per pixel: float32 [height, width]."""
        return _looked_up(curve(self._x_nodes), self._x_index)

    def along_y(self, curve: Callable[[Line], Line]) -> FloatMap:
        """A function of y alone, evaluated once per table node and looked up per pixel: float32 [height, width]."""
        return _looked_up(curve(self._y_nodes), self._y_index)

    def pixel_of(self, x: Line, y: Line) -> tuple[Line, Line]:
        """Fractional (row, column) of body points; pixel centres are whole numbers."""
        x, y = x - self._shift[0], y - self._shift[1]
        across, down = self._cos * x - self._sin * y, self._sin * x + self._cos * y
        return down * self.unit + self.height / 2.0 - 0.5, across * self.unit + self.width / 2.0 - 0.5

    def window(self, x: float, y: float, reach: float) -> tuple[slice, slice]:
        """Rows and columns that hold every pixel within `reach` (body units) of a body point; may be empty."""
        row, column = self.pixel_of(np.array([x]), np.array([y]))
        extent = reach * self.unit + 1.0
        top, left = max(0, math.floor(row[0] - extent)), max(0, math.floor(column[0] - extent))
        bottom, right = max(top, math.ceil(row[0] + extent) + 1), max(left, math.ceil(column[0] + extent) + 1)
        return slice(min(top, self.height), min(bottom, self.height)), slice(
            min(left, self.width), min(right, self.width)
        )


class Strokes:
    """Curved bands gathered point by point and rendered at once as a thickness map.

    Every band is sampled about once per pixel along and across; each sample carries thickness x area, so the sum per
    pixel is the thickness the ray crosses there, at any film size.
    """

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas
        self._x: list[Line] = []
        self._y: list[Line] = []
        self._weight: list[Line] = []

    def band(
        self,
        x: Line,
        y: Line,
        half_width: float | Line,
        thickness: float | Line,
        profile: Callable[[Line], Line],
    ) -> None:
        """Draw a band along a curve.

        Parameters
        ----------
        x, y : nodes of the curve, body units, [n].
        half_width : body units, scalar or [n].
        thickness : centimetres of water equivalent at profile 1, scalar or [n].
        profile : relative thickness over the width, from -1 (left border) to 1.
        """
        pixel = 1.0 / self._canvas.unit
        steps = np.hypot(np.diff(x), np.diff(y))
        arc = np.concatenate([[0.0], np.cumsum(steps)])
        count = max(2, math.ceil(arc[-1] / pixel))
        # Samples sit in the middle of equal arc pieces, so that their lengths add up to the curve's.
        at = (np.arange(count) + 0.5) * (arc[-1] / count)
        along_x, along_y = np.interp(at, arc, x), np.interp(at, arc, y)
        tangent_x, tangent_y = np.gradient(along_x), np.gradient(along_y)
        norm = np.hypot(tangent_x, tangent_y) + 1e-12
        half = np.interp(at, arc, half_width) if isinstance(half_width, np.ndarray) else np.full(count, half_width)
        thick = np.interp(at, arc, thickness) if isinstance(thickness, np.ndarray) else np.full(count, thickness)
        lanes = max(1, math.ceil(2.0 * float(half.max()) / (0.9 * pixel)))
        across = (np.arange(lanes) + 0.5) / lanes * 2.0 - 1.0
        offset = half[:, None] * across[None, :]
        area = (arc[-1] / count) * (2.0 * half / lanes) / pixel**2
        self._x.append((along_x[:, None] - (tangent_y / norm)[:, None] * offset).ravel())
        self._y.append((along_y[:, None] + (tangent_x / norm)[:, None] * offset).ravel())
        self._weight.append(((thick * area)[:, None] * profile(across)[None, :]).ravel())

    def bands(self, x: Line, y: Line, half_width: Line, thickness: Line, profile: Callable[[Line], Line]) -> None:
        """Draw many similar bands at once.

        Parameters
        ----------
        x, y : nodes of the curves, body units, [bands, nodes].
        half_width : body units, [bands, nodes].
        thickness : centimetres of water equivalent at profile 1, [bands, nodes].
        profile : as in band().
        """
        pixel = 1.0 / self._canvas.unit
        nodes = x.shape[1]
        longest = float(np.hypot(np.diff(x, axis=1), np.diff(y, axis=1)).sum(axis=1).max())
        count = max(2, math.ceil(longest / pixel))
        at = (np.arange(count) + 0.5) / count * (nodes - 1)
        low = np.minimum(at.astype(np.intp), nodes - 2)
        part = at - low
        along_x, along_y, half, thick = (
            values[:, low] * (1.0 - part) + values[:, low + 1] * part for values in (x, y, half_width, thickness)
        )
        tangent_x, tangent_y = np.gradient(along_x, axis=1), np.gradient(along_y, axis=1)
        norm = np.hypot(tangent_x, tangent_y) + 1e-12
        lanes = max(1, math.ceil(2.0 * float(half.max()) / (0.9 * pixel)))
        across = (np.arange(lanes) + 0.5) / lanes * 2.0 - 1.0
        area = norm * (2.0 * half / lanes) / pixel**2
        offset = half[:, :, None] * across
        self._x.append((along_x[:, :, None] - (tangent_y / norm)[:, :, None] * offset).ravel())
        self._y.append((along_y[:, :, None] + (tangent_x / norm)[:, :, None] * offset).ravel())
        self._weight.append(((thick * area)[:, :, None] * profile(across)).ravel())

    def render(self) -> FloatMap:
        """The thickness of all bands, centimetres of water equivalent, float32 [height, width]."""
        height, width = self._canvas.height, self._canvas.width
        if not self._x:
            return np.zeros((height, width), np.float32)
        row, column = self._canvas.pixel_of(np.concatenate(self._x), np.concatenate(self._y))
        weight = np.concatenate(self._weight)
        near = (row > -1.0) & (row < height) & (column > -1.0) & (column < width)
        row, column, weight = row[near], column[near], weight[near]
        top, left = np.floor(row), np.floor(column)
        down, right = row - top, column - left
        # One pixel of margin takes what bilinear sharing pushes over the border.
        flat = ((top + 1.0) * (width + 2) + left + 1.0).astype(np.intp)
        size = (height + 2) * (width + 2)
        upper, lower = weight * (1.0 - down), weight * down
        total = np.bincount(flat, upper * (1.0 - right), size)
        total += np.bincount(flat + 1, upper * right, size)
        total += np.bincount(flat + width + 2, lower * (1.0 - right), size)
        total += np.bincount(flat + width + 3, lower * right, size)
        return total.reshape(height + 2, width + 2)[1:-1, 1:-1].astype(np.float32)


def smooth_step(value: FloatMap) -> FloatMap:
    """Clip to 0..1 and ease both ends (3t^2 - 2t^3), float32."""
    t = np.clip(value, np.float32(0.0), np.float32(1.0))
    return t * t * (np.float32(3.0) - np.float32(2.0) * t)


def smooth_noise(rng: np.random.Generator, canvas: Canvas, cell: float, *, octaves: int = 2) -> FloatMap:
    """Cloudy noise with mean 0 and standard deviation about 1, float32 [height, width].

    `cell` is the size of the largest clouds in body units; every further octave halves it. The clouds are fixed in film
    coordinates and scale with the film.
    """
    total = np.zeros((canvas.height, canvas.width), np.float32)
    norm = 0.0
    for octave in range(octaves):
        size = cell / 2.0**octave * canvas.unit
        # The lattice depends on the shape of the film, not on its resolution.
        rows, columns = math.ceil(canvas.height / size) + 2, math.ceil(canvas.width / size) + 2
        lattice = rng.standard_normal((rows, columns), dtype=np.float32)
        total += np.float32(0.6**octave) * _stretched(lattice, canvas.height, canvas.width, size)
        norm += 0.36**octave * 0.5
    return total / np.float32(math.sqrt(norm))


def soften(image: FloatMap, sigma: float) -> FloatMap:
    """Blur by a separable 3- or 5-tap binomial-like kernel whose variance is sigma^2 pixels; sigma up to about 1.2."""
    if sigma < 0.05:
        return image
    passes = 1 if sigma <= 0.7 else 2
    side = np.float32(min(0.33, sigma * sigma / passes / 2.0))
    for _ in range(passes):
        for axis in (0, 1):
            image = _three_taps(image, side, axis)
    return image


def box_blur(image: FloatMap, radius: int) -> FloatMap:
    """Mean over a (2 radius + 1)^2 window, edges extended, float32."""
    for axis in (0, 1):
        pad = [(0, 0), (0, 0)]
        pad[axis] = (radius + 1, radius)
        summed = np.cumsum(np.pad(image, pad, mode="edge"), axis=axis, dtype=np.float64)
        width = 2 * radius + 1
        if axis == 0:
            image = ((summed[width:] - summed[:-width]) / width).astype(np.float32)
        else:
            image = ((summed[:, width:] - summed[:, :-width]) / width).astype(np.float32)
    return image


def _table(values: FloatMap, step: float) -> tuple[Line, npt.NDArray[np.int32]]:
    low = float(values.min())
    nodes: Line = low + step * np.arange(0.0, math.ceil((float(values.max()) - low) / step) + 2)
    return nodes, ((values - np.float32(low)) * np.float32(1.0 / step) + np.float32(0.5)).astype(np.int32)


def _looked_up(table: Line, index: npt.NDArray[np.int32]) -> FloatMap:
    return np.take(table.astype(np.float32), index)


def _three_taps(image: FloatMap, side: np.float32, axis: int) -> FloatMap:
    out = image * (np.float32(1.0) - np.float32(2.0) * side)
    if axis == 0:
        out[1:] += side * image[:-1]
        out[:-1] += side * image[1:]
        out[0] += side * image[0]
        out[-1] += side * image[-1]
    else:
        out[:, 1:] += side * image[:, :-1]
        out[:, :-1] += side * image[:, 1:]
        out[:, 0] += side * image[:, 0]
        out[:, -1] += side * image[:, -1]
    return out


def _stretched(lattice: FloatMap, height: int, width: int, cell: float) -> FloatMap:
    rows, columns = np.arange(height) / cell, np.arange(width) / cell
    top, left = rows.astype(np.intp), columns.astype(np.intp)
    down = smooth_step((rows - top).astype(np.float32))[:, None]
    right = smooth_step((columns - left).astype(np.float32))[None, :]
    tall = lattice[top] * (1 - down) + lattice[top + 1] * down
    return np.asarray(tall[:, left] * (1 - right) + tall[:, left + 1] * right, np.float32)
