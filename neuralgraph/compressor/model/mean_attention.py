"""The model's mean attention map: where it looks on average, whatever the film and the report.

Kept beside the weights as ``mean_attention.safetensors``, one tensor ``mean_attention``, float32 [rows, cols], mean 1.
The score rule ``contrast`` divides by it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import safetensors
import safetensors.numpy
import torch
from numpy.typing import NDArray

from neuralgraph.compressor.model.files import MEAN_ATTENTION_NAME
from neuralgraph.compressor.scored_film import ScoredFilm
from neuralgraph.errors import ModelError

__all__ = ["mean_attention_map", "read_mean_attention", "relative_to_mean", "write_mean_attention"]

_FLOOR = 0.1
"""Share of the mean below which the map is not believed: a place that is never looked at would divide by nothing."""


def mean_attention_map(scored: Iterable[ScoredFilm], *, rows: int, cols: int) -> NDArray[np.float32]:
    """The mean map of films that a scorer has scored by the rule ``sum``.

    Every film counts the same, however long its report: its map is scaled to mean 1 and resized first.

    Parameters
    ----------
    scored : at least one film, of any grids; films of the training set, never of the test set.
    rows, cols : grid of the mean map.

    Returns
    -------
    float32 [rows, cols], mean 1.

    Raises
    ------
    ModelError (E_MODEL) : there is no film with any attention.
    """
    total, films = np.zeros((rows, cols), np.float64), 0
    for film in scored:
        if film.score.any():
            total += _resized(film.score.reshape(film.rows, film.cols), rows, cols)
            films += 1
    if not films:
        raise ModelError("a mean attention map needs at least one film", code="E_MODEL", where=MEAN_ATTENTION_NAME)
    mean: NDArray[np.float32] = (total / total.mean()).astype(np.float32)
    return mean


def write_mean_attention(directory: Path, mean: NDArray[np.float32]) -> None:
    """Write the map into the directory of its model."""
    content = safetensors.numpy.save({"mean_attention": np.ascontiguousarray(mean, np.float32)})
    (directory / MEAN_ATTENTION_NAME).write_bytes(content)


def read_mean_attention(directory: Path) -> NDArray[np.float32] | None:
    """The map of a model, float32 [rows, cols], or None when it has none.

    Raises
    ------
    ModelError (E_MODEL) : the file is not such a map.
    """
    path = directory / MEAN_ATTENTION_NAME
    if not path.is_file():
        return None
    try:
        tensors = safetensors.numpy.load(path.read_bytes())
    except (safetensors.SafetensorError, OSError, ValueError) as error:
        raise ModelError("the file is damaged or not safetensors", code="E_MODEL", where=MEAN_ATTENTION_NAME) from error
    mean = tensors.get("mean_attention")
    if mean is None or mean.dtype != np.float32 or mean.ndim != 2 or mean.size == 0:
        raise ModelError("must hold mean_attention, float32 [rows, cols]", code="E_MODEL", where=MEAN_ATTENTION_NAME)
    if not np.isfinite(mean).all() or (mean < 0).any() or not mean.any():
        raise ModelError("must hold finite numbers that are not negative", code="E_MODEL", where=MEAN_ATTENTION_NAME)
    checked: NDArray[np.float32] = mean
    return checked


def relative_to_mean(score: NDArray[np.float32], mean: NDArray[np.float32]) -> NDArray[np.float32]:
    """A score map divided by the mean map, resized to its grid.

    Parameters
    ----------
    score : float32 [rows, cols].
    mean : float32 [r, c], of any grid: places are shares of the film.

    Returns
    -------
    float32 [rows, cols], in units of the score: 1 unit at a place of average attention stays 1.
    """
    expected = _resized(mean, *score.shape)
    return (score / np.maximum(expected, _FLOOR)).astype(np.float32)


def _resized(values: NDArray[np.float32], rows: int, cols: int) -> NDArray[np.float64]:
    """Bilinear, averaging where it reduces, scaled to mean 1."""
    tensor = torch.from_numpy(np.ascontiguousarray(values, np.float64))[None, None]
    fitted = torch.nn.functional.interpolate(
        tensor, size=(rows, cols), mode="bilinear", antialias=True, align_corners=False
    )[0, 0].numpy()
    result: NDArray[np.float64] = fitted / fitted.mean()
    return result
