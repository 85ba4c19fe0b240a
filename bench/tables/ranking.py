"""Other orders of the patches than the decoder's attention, and a study pruned by them at the same retention."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuralgraph.compressor.model.mean_attention import relative_to_mean
from neuralgraph.graph.patches import Patches
from neuralgraph.graph.study import Study
from neuralgraph.graph.view import View

__all__ = [
    "attention_of",
    "cells_of",
    "centre_scores",
    "contrast_scores",
    "coverage",
    "random_scores",
    "ranked_by",
    "variance_scores",
]

Scores = NDArray[np.float32]
"""float32 [n_cells], cells of all films one after another, each row by row; higher is kept first."""


def cells_of(study: Study) -> NDArray[np.int64]:
    """Cell number of every patch, in the order of the patches."""
    sizes = np.array([view.rows * view.cols for view in study.views])
    first = np.cumsum(sizes) - sizes
    cols = np.array([view.cols for view in study.views])
    patches = study.patches
    return (first[patches.view] + patches.row * cols[patches.view] + patches.col).astype(np.int64)


def attention_of(study: Study) -> Scores:
    """The scores a whole study was ranked by, in cell order.

    Raises
    ------
    ValueError : the study does not hold all its patches.
    """
    if len(study.patches) != study.n_cells:
        raise ValueError(f"the study holds {len(study.patches)} of {study.n_cells} patches, all are needed")
    scores = np.empty(study.n_cells, np.float32)
    scores[cells_of(study)] = study.patches.score
    return scores


def random_scores(study: Study, *, seed: int = 0) -> Scores:
    """Another order for every study and seed, the same on every machine."""
    digest = hashlib.sha256(f"{seed}:{study.study_id}".encode()).digest()
    return np.random.default_rng(list(digest)).permutation(study.n_cells).astype(np.float32)


def centre_scores(study: Study) -> Scores:
    """The nearer to the middle of its film, the higher."""
    parts = []
    for view in study.views:
        rows = (np.arange(view.rows) + 0.5) * view.patch_height / view.height - 0.5
        cols = (np.arange(view.cols) + 0.5) * view.patch_width / view.width - 0.5
        parts.append(-np.hypot(rows[:, None], cols[None, :]).ravel())
    return np.concatenate(parts).astype(np.float32)


def contrast_scores(study: Study, mean: NDArray[np.float32]) -> Scores:
    """Attention divided by the model's mean map: the score rule ``contrast``."""
    scores, parts, start = attention_of(study), [], 0
    for view in study.views:
        n = view.rows * view.cols
        parts.append(relative_to_mean(scores[start : start + n].reshape(view.rows, view.cols), mean).ravel())
        start += n
    return np.concatenate(parts)


def variance_scores(
    pixels: NDArray[np.floating], patch_height: float, patch_width: float, grid: tuple[int, int]
) -> Scores:
    """Variance of the pixels of each patch; parts of a patch that lie outside the film do not count."""
    scores = np.zeros(grid)
    for row, col in np.ndindex(*grid):
        box = pixels[_span(row, patch_height), _span(col, patch_width)]
        scores[row, col] = box.var(dtype=np.float64) if box.size else 0.0
    return scores.ravel().astype(np.float32)


def coverage(mask: NDArray[np.bool_], patch_height: float, patch_width: float, grid: tuple[int, int]) -> Scores:
    """Share of each patch that a mask covers."""
    share = np.zeros(grid)
    for row, col in np.ndindex(*grid):
        share[row, col] = mask[_span(row, patch_height), _span(col, patch_width)].sum() / (patch_height * patch_width)
    return share.ravel().astype(np.float32)


def ranked_by(study: Study, scores: ArrayLike) -> Study:
    """A whole study as if ``scores`` had been its attention: order of the patches, their scores and the maps.

    Equal scores keep the lower cell first, as the compressor does. Scores are shifted to begin at 0, which no attention
    is below.
    """
    values = np.asarray(scores, np.float32)
    values = values - min(0.0, float(values.min()))
    by_cell = np.argsort(cells_of(study))
    order = by_cell[np.argsort(-values, kind="stable")]
    patches, start, views = study.patches, 0, []
    for view in study.views:
        n = view.rows * view.cols
        views.append(
            View.from_scores(
                values[start : start + n].reshape(view.rows, view.cols),
                height=view.height,
                width=view.width,
                patch_height=view.patch_height,
                patch_width=view.patch_width,
                position=view.position,
            )
        )
        start += n
    return replace(
        study,
        views=tuple(views),
        patches=Patches(
            row=patches.row[order],
            col=patches.col[order],
            score=np.sort(values)[::-1],
            embedding=patches.embedding[order],
            view=patches.view[order],
        ),
        # The fusion edge joins the most central patch, which is another one in another order; prune chooses it anew.
        fusion=(0, study.fusion[1]) if study.fusion else None,
        pixels=None,
    )


def _span(number: int, size: float) -> slice:
    return slice(round(number * size), round((number + 1) * size))
