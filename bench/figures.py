"""Figures of the documents."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from neuralgraph.compressor.scored_film import ScoredFilm
from neuralgraph.phantoms import PhantomStudy

__all__ = ["draw_attention"]

_COLUMNS = 5
_SHOWN = ("nodule", "consolidation", "pleural effusion", "pneumothorax", "atelectasis")


def draw_attention(path: Path, studies: list[PhantomStudy], scored: list[ScoredFilm], *, share: float) -> None:
    """One held-out film per finding: the kept patches above, where the words of its phrase look below.

    The films are the first ones of the cohort that show each finding, not chosen ones.

    Parameters
    ----------
    path : of the PNG file.
    studies, scored : as many films and their scores, with words.
    share : of the patches that are kept.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    figure = Figure(figsize=(3 * _COLUMNS, 6.6), dpi=80, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, _COLUMNS)
    for column, name in enumerate(_SHOWN):
        number, finding = next(
            (number, finding)
            for number, study in enumerate(studies)
            for finding in study.findings
            if finding.present and finding.name == name
        )
        study, film = studies[number], scored[number]
        height, width = study.pixels.shape
        start, end = finding.phrases[0]
        for row in range(2):
            axis = axes[row, column]
            axis.imshow(study.pixels, cmap="gray", vmin=0, vmax=1)
            axis.contour(finding.mask, levels=[0.5], colors="#ffd000", linewidths=1)
            axis.set_xticks([])
            axis.set_yticks([])
        keep = np.argsort(-film.score, kind="stable")[: math.ceil(share * len(film.score))]
        for cell in keep:
            corner = (cell % film.cols * film.patch_width, cell // film.cols * film.patch_height)
            axes[0, column].add_patch(
                Rectangle(corner, film.patch_width, film.patch_height, fill=False, edgecolor="#00d0ff", linewidth=1.5)
            )
        words = film.words
        if words is None:
            raise AssertionError("the figure needs the attention of words")
        inside = (words.start < end) & (words.end > start)
        looked = words.attention[inside].sum(axis=0).reshape(film.rows, film.cols)
        extent = (0, film.cols * film.patch_width, film.rows * film.patch_height, 0)
        axes[1, column].imshow(looked, cmap="inferno", alpha=0.55, extent=extent, interpolation="nearest")
        axes[1, column].set_xlim(0, width)
        axes[1, column].set_ylim(height, 0)
        axes[0, column].set_title(f"{name}: {len(keep)} of {len(film.score)} patches kept", fontsize=9)
        axes[1, column].set_title(f'"{study.report[start:end]}"', fontsize=8)
    figure.savefig(path)
