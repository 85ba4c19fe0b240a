"""Where a patch lies, told to the decoder: a learned 2-D signal that fits any grid."""

from __future__ import annotations

import math

import torch
from torch import nn

__all__ = ["PositionSignal"]


class PositionSignal(nn.Module):
    """A learned linear map of sines and cosines of the centre of each grid cell.

    Coordinates are fractions of the film, not cell numbers, so the same place in the chest has the same signal on a
    16 x 16 and on a 32 x 27 grid. The angles are half turns (pi k u, k = 1..K): with full turns the two opposite
    borders of a film would look alike. Swin itself only has relative positions inside a window.

    Parameters
    ----------
    frequencies : K, per axis.
    dimension : width of the decoder.
    """

    def __init__(self, frequencies: int, dimension: int) -> None:
        super().__init__()
        self.frequencies = frequencies
        self.linear = nn.Linear(4 * frequencies, dimension, bias=False)

    def forward(self, rows: int, cols: int) -> torch.Tensor:
        """The signal of every cell, float [rows * cols, dimension], row-major."""
        weight = self.linear.weight
        vertical = self._waves(rows, weight.device)[:, None, :].expand(rows, cols, -1)
        horizontal = self._waves(cols, weight.device)[None, :, :].expand(rows, cols, -1)
        waves = torch.cat([vertical, horizontal], dim=-1).reshape(rows * cols, -1)
        signal: torch.Tensor = self.linear(waves.to(weight.dtype))
        return signal

    def _waves(self, count: int, device: torch.device) -> torch.Tensor:
        """Sines and cosines of the cell centres along one axis, float32 [count, 2 * K]."""
        centre = (torch.arange(count, dtype=torch.float32, device=device) + 0.5) / count
        turn = math.pi * torch.arange(1, self.frequencies + 1, dtype=torch.float32, device=device)
        angle = centre[:, None] * turn[None, :]
        return torch.cat([angle.sin(), angle.cos()], dim=-1)
