"""From path lengths to a film: noise, unsharpness, exposure, processing and collimation."""

from __future__ import annotations

import numpy as np

from neuralgraph.phantoms.anatomy import Chest
from neuralgraph.phantoms.canvas import FloatMap, box_blur, soften

__all__ = ["develop"]


def develop(chest: Chest, vessels: FloatMap, *, noise_seed: int) -> FloatMap:
    """The film of a chest.

    Parameters
    ----------
    vessels : thickness of the vessel trees, centimetres, float32 [height, width]; shown where there is air.
    noise_seed : of the quantum noise.

    Returns
    -------
    float32 [height, width], 0 black .. 1 white, bones bright.
    """
    pose, canvas = chest.pose, chest.canvas
    air = chest.right.air + chest.left.air
    seen = np.minimum(air * np.float32(0.2), 1)
    path = chest.body - air + chest.extra + vessels * seen
    np.maximum(path, 0, out=path)
    scale = min(canvas.height, canvas.width) / 512.0
    path = soften(path, min(1.2, pose.blur * max(0.6, scale)))
    path += _quantum_noise(path, pose.noise * float(np.clip(scale, 0.5, 1.5)), noise_seed)
    path -= np.float32(pose.equalisation) * (_coarse(path) - np.float32(14.0))
    shown = np.clip((path - np.float32(pose.dark)) / np.float32(pose.light - pose.dark), 0, 1)
    # A gentle shoulder and toe, as film and its digital successors have.
    shown = np.float32(0.35) * shown + np.float32(0.65) * shown * shown * (3 - 2 * shown)
    return _collimated(shown ** np.float32(pose.gamma), pose.collimation)


def _quantum_noise(path: FloatMap, level: float, seed: int) -> FloatMap:
    """Noise of the logarithm of a photon count: it grows with the root of the attenuation."""
    rng = np.random.default_rng(seed)
    grain = rng.standard_normal(path.shape, dtype=np.float32)
    grain = np.float32(0.7) * grain + np.float32(0.6) * soften(grain, 0.7)
    noise: FloatMap = grain * np.exp(path * np.float32(0.055)) * np.float32(level * 0.7)
    return noise


def _coarse(path: FloatMap) -> FloatMap:
    """The large-scale brightness, float32 [height, width], from a thinned copy."""
    height, width = path.shape
    step = max(1, min(height, width) // 64)
    thin = box_blur(box_blur(np.ascontiguousarray(path[::step, ::step]), 5), 5)
    rows, columns = np.arange(height) / step, np.arange(width) / step
    top = np.minimum(rows.astype(np.intp), thin.shape[0] - 1)
    left = np.minimum(columns.astype(np.intp), thin.shape[1] - 1)
    low, right = np.minimum(top + 1, thin.shape[0] - 1), np.minimum(left + 1, thin.shape[1] - 1)
    down, across = (rows - top).astype(np.float32)[:, None], (columns - left).astype(np.float32)[None, :]
    tall = thin[top] * (1 - down) + thin[low] * down
    return np.asarray(tall[:, left] * (1 - across) + tall[:, right] * across, np.float32)


def _collimated(film: FloatMap, borders: tuple[float, float, float, float]) -> FloatMap:
    height, width = film.shape
    top, right, bottom, left = borders
    film[: int(top * height)] = 0
    film[height - int(bottom * height) :] = 0
    film[:, : int(left * width)] = 0
    film[:, width - int(right * width) :] = 0
    return film
