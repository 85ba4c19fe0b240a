"""A small neck between a pretrained backbone and the decoder: what a patch shows, where it lies, on which film."""

from __future__ import annotations

import torch
from torch import nn

from neuralgraph.compressor.model.position import PositionSignal

__all__ = ["Neck"]

_FREQUENCIES = 8
"""Waves per axis of the place signal: half of what the decoder reads, since a patch sees its neighbours anyway."""


class Neck(nn.Module):
    """Feature map of a backbone to patch embeddings.

    A convolution is blind to place, and the lower a map is cut, the less of the film a patch sees. So every patch is
    told its place and the mean of the film (brighter than the rest, or only a bright film?), and looks at its eight
    neighbours once.

    Parameters
    ----------
    width : channels of the backbone's map.
    dimension : width d of an embedding.
    """

    def __init__(self, width: int, dimension: int) -> None:
        super().__init__()
        self.patch = nn.Linear(width, dimension)
        self.film = nn.Linear(width, dimension, bias=False)
        self.place = PositionSignal(_FREQUENCIES, dimension)
        self.near = nn.Conv2d(dimension, dimension, 3, padding=1)
        self.mix = nn.Linear(dimension, dimension)
        self.before = nn.LayerNorm(dimension)
        self.after = nn.LayerNorm(dimension)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Float [B, rows, cols, width] to [B, rows, cols, dimension]."""
        rows, cols = features.shape[1:3]
        place = self.place(rows, cols).reshape(rows, cols, -1)
        seen = self.patch(features) + self.film(features.mean(dim=(1, 2), keepdim=True)) + place
        inner = nn.functional.gelu(self.before(seen))
        around = self.near(inner.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        mixed: torch.Tensor = self.after(seen + self.mix(nn.functional.gelu(around)))
        return mixed
