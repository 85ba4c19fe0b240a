"""Films as another exposure, another position or another detector would show them, masks moving with them."""

from __future__ import annotations

import math

import numpy as np
import torch

__all__ = ["augmented", "moved"]

_SCALE, _TURN = 0.1, math.radians(6)
"""Most by which a film is made larger or smaller, and turned."""


def augmented(
    pixels: torch.Tensor,
    bits: torch.Tensor | None,
    rng: np.random.Generator,
    *,
    stride: int,
    mirrored: list[bool] | None = None,
    sides: tuple[tuple[int, float], ...] = (),
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Films varied.

    Each film is shifted by less than a patch, scaled and turned a little, and gets a gamma, a gain and an offset of its
    own; a quarter of the batches is softened, and a tenth (or those that ``sides`` says) reduced to a smaller grid.
    Left stays left, since reports name sides, unless the caller says that the film's report has its sides swapped too.

    Parameters
    ----------
    pixels : float32 [B, 1, H, W], 0 to 1, H and W multiples of the stride.
    bits : uint8 or float [B, planes, H, W], moved with the films.
    rng : source of the variation.
    stride : pixels per side of a patch.
    mirrored : which films are mirrored; None for none.
    sides : (longest side in pixels, weight), of which one is drawn for the batch; empty leaves the size to chance.

    Returns
    -------
    pixels : float32 [B, 1, H', W'], 0 to 1; H' and W' are multiples of the stride.
    bits : as given, [B, planes, H, W].
    """
    count, (height, width) = len(pixels), pixels.shape[2:]
    flipped = np.array(mirrored if mirrored is not None else [False] * count)
    reach = stride - 2 if stride > 2 else 0
    shifts = rng.uniform(-reach, reach, (count, 2)) * 2 / np.array([width, height])
    turns, scales = rng.uniform(-_TURN, _TURN, count), np.exp(rng.uniform(-_SCALE, _SCALE, count))
    across = np.where(flipped, -1.0, 1.0)
    film, bits = moved(pixels, bits, turns, scales, shifts, across)
    film = film.clamp(1e-3, 1)
    gamma, gain, offset = (
        torch.tensor(rng.uniform(low, high, (count, 1, 1, 1)), dtype=torch.float32)
        for low, high in ((0.8, 1.25), (0.8, 1.2), (-0.08, 0.08))
    )
    varied = ((film**gamma - 0.5) * gain + 0.5 + offset).clamp(0, 1)
    if rng.random() < 0.25:
        soft = torch.nn.functional.avg_pool2d(torch.nn.functional.pad(varied, (1, 1, 1, 1), mode="replicate"), 3, 1)
        varied = 0.6 * soft + 0.4 * varied
    share = _share(rng, max(height, width), sides)
    if share < 1:
        size = [max(stride, round(side * share / stride) * stride) for side in (height, width)]
        varied = torch.nn.functional.interpolate(varied, size=size, mode="bilinear", antialias=True)
    return varied, bits


def _share(rng: np.random.Generator, longest: int, sides: tuple[tuple[int, float], ...]) -> float:
    """By how much the films of a batch are reduced."""
    if sides:
        weights = np.array([weight for _, weight in sides])
        return min(1.0, float(rng.choice([side for side, _ in sides], p=weights / weights.sum())) / longest)
    return float(rng.choice([0.5, 0.75, 0.875])) if rng.random() < 0.1 else 1.0


def moved(
    pixels: torch.Tensor,
    bits: torch.Tensor | None,
    turns: np.ndarray,
    scales: np.ndarray,
    shifts: np.ndarray,
    sides: np.ndarray,
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Films and masks on turned, scaled, shifted and mirrored grids; edges are drawn out.

    Parameters
    ----------
    pixels : float32 [B, 1, H, W].
    bits : [B, planes, H, W], or None.
    turns : radians, [B].
    scales : more than 1 is larger, [B].
    shifts : x and y in half films, [B, 2].
    sides : -1 mirrors, 1 does not, [B].
    """
    height, width = pixels.shape[2:]
    cosine, sine = np.cos(turns) / scales, np.sin(turns) / scales
    # Turned as seen in pixels: the axes of the sampling grid are half films, of unequal length.
    theta = np.stack(
        [
            np.stack([sides * cosine, -sides * sine * height / width, shifts[:, 0]], axis=1),
            np.stack([sine * width / height, cosine, shifts[:, 1]], axis=1),
        ],
        axis=1,
    )
    matrix = torch.tensor(theta, dtype=torch.float32)
    grid = torch.nn.functional.affine_grid(matrix, [len(pixels), 1, height, width], align_corners=False)
    film = torch.nn.functional.grid_sample(pixels, grid, padding_mode="border", align_corners=False)
    if bits is None:
        return film, None
    # Bits of a byte are no numbers to interpolate; nearest takes them whole, and float32 holds a byte exactly.
    masks = torch.nn.functional.grid_sample(
        bits.float(), grid, mode="nearest", padding_mode="border", align_corners=False
    )
    return film, masks.to(bits.dtype)
