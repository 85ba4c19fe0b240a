"""The left side of the picture: the film, the attention of every cell, and the kept patches with their ranks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neuralgraph.adapters.picture.lettering import legible
from neuralgraph.adapters.picture.own_values import OwnValues
from neuralgraph.errors import SourceError
from neuralgraph.graph.study import Study

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["checked_image", "draw_film", "patch_centre"]

_MOST_NUMBERS = 60
"""Ranks beyond this are outlined, not numbered: numbers would cover the film."""
_ATTENTION = "attention per patch, summed over the report's tokens"
_OUTLINE, _HALO = "#ffffff", "#000000"
_COLOURS = "cividis"
"""Colour map readable with every kind of colour vision (Nuñez et al., PLOS ONE 2018)."""


def checked_image(image: NDArray[Any], study: Study, view: int) -> NDArray[np.float32]:
    """The film to draw as float32 [height, width] in 0..1.

    Raises
    ------
    SourceError (E_SOURCE_KIND) : it is not a grey image.
    SourceError (E_SOURCE_SIZE) : its shape is not that of the study's film. Another resolution is accepted, other
        proportions are not.
    """
    pixels = np.asarray(image, np.float32)
    if pixels.ndim != 2 or 0 in pixels.shape or not np.isfinite(pixels).all():
        raise SourceError(
            "the film to draw on must be a grey image of finite values", code="E_SOURCE_KIND", where="image"
        )
    film = study.views[view]
    # The share by which the picture's height would be wrong, had it the film's width.
    if abs(pixels.shape[0] * film.width / (pixels.shape[1] * film.height) - 1.0) > 0.01:
        raise SourceError(
            f"the image has {pixels.shape[1]} x {pixels.shape[0]} pixels (width x height), the study was made of "
            f"a film of {film.width} x {film.height}; give the same film",
            code="E_SOURCE_SIZE",
            where="image",
        )
    return np.clip(pixels, 0.0, 1.0)


def patch_centre(study: Study, patch: int) -> tuple[float, float]:
    """(x, y) of the middle of a kept patch, source pixels of its own film."""
    view = study.views[int(study.patches.view[patch])]
    top, left, bottom, right = view.box(int(study.patches.row[patch]), int(study.patches.col[patch]))
    return (left + right) / 2.0, (top + bottom) / 2.0


def draw_film(
    axes: Axes,
    study: Study,
    view: int,
    image: NDArray[np.float32] | None,
    *,
    small: bool = False,
    values: OwnValues | None = None,
    label: str = "values",
) -> None:
    """Draw one view into `axes`, whose data coordinates become source pixels: x to the right, y downwards.

    A `small` one has neither ranks nor a colour bar. `values` take the place of the attention, under the name `label`.
    """
    from matplotlib.colors import Normalize, PowerNorm

    film = study.views[view]
    axes.set_xlim(0, film.width)
    axes.set_ylim(film.height, 0)
    axes.set_aspect("equal", anchor="N")
    axes.set_xticks([])
    axes.set_yticks([])
    norm: Normalize
    if values is None:
        cell_values, colours = film.attention, _COLOURS
        # A square root spreads the weak cells; a map without any attention stays dark.
        norm = PowerNorm(0.5, vmin=0.0, vmax=float(cell_values.max()) or 1.0)
        strength = np.asarray(norm(cell_values), np.float64).clip(0.0, 1.0)
    else:
        cell_values, colours, norm = values.of_view(study, view), values.colours, values.norm
        strength = np.abs(np.nan_to_num(cell_values)) / float(norm.vmax or 1.0)
        label = legible(label)
    alpha = np.ones(cell_values.shape) if image is None else 0.10 + 0.45 * strength
    if values is not None:
        # Where nothing was said of a cell nothing lies on the film.
        alpha = np.where(np.isnan(cell_values), 0.0, 0.35 + 0.35 * strength if image is not None else 1.0)
        if image is None:
            axes.set_facecolor("#444444")
    if image is not None:
        axes.imshow(image, cmap="gray", vmin=0, vmax=1, extent=(0, film.width, film.height, 0), zorder=0)
    reach = (0, film.cols * film.patch_width, film.rows * film.patch_height, 0)
    cells = axes.imshow(
        cell_values, cmap=colours, norm=norm, alpha=alpha, extent=reach, interpolation="nearest", zorder=1
    )
    # imshow moves the limits to its extent; the grid may reach beyond the film, the picture must not.
    axes.set_xlim(0, film.width)
    axes.set_ylim(film.height, 0)
    if image is None:
        _grid(axes, study, view)
    _kept(axes, study, view, most_numbers=0 if small else _MOST_NUMBERS)
    if small:
        return
    # The bar is as thick on a wide film as on a tall one.
    thick = 0.028 * film.width / film.height
    bar = axes.figure.colorbar(
        cells, cax=axes.inset_axes((0.15, -1.8 * thick, 0.7, thick)), orientation="horizontal", alpha=1.0
    )
    bar.set_label(_ATTENTION if values is None else label, fontsize=7)
    bar.ax.tick_params(labelsize=6)
    bar.ax.locator_params(nbins=5)


def _grid(axes: Axes, study: Study, view: int) -> None:
    film = study.views[view]
    xs = np.minimum(np.arange(film.cols + 1) * film.patch_width, film.width)
    ys = np.minimum(np.arange(film.rows + 1) * film.patch_height, film.height)
    axes.vlines(xs, 0, film.height, color=_OUTLINE, linewidth=0.3, alpha=0.4, zorder=2)
    axes.hlines(ys, 0, film.width, color=_OUTLINE, linewidth=0.3, alpha=0.4, zorder=2)


def _kept(axes: Axes, study: Study, view: int, *, most_numbers: int) -> None:
    """Outline the kept patches of this view, join grid neighbours, number them by rank over all views."""
    from matplotlib.collections import LineCollection, PatchCollection
    from matplotlib.patches import Rectangle
    from matplotlib.patheffects import Normal, Stroke

    film, patches = study.views[view], study.patches
    here = [index for index in range(len(patches)) if patches.view[index] == view]
    boxes = []
    for index in here:
        top, left, bottom, right = film.box(int(patches.row[index]), int(patches.col[index]))
        boxes.append(Rectangle((left, top), right - left, bottom - top))
    halo = [Stroke(linewidth=2.2, foreground=_HALO), Normal()]
    outlines = PatchCollection(boxes, facecolor="none", edgecolor=_OUTLINE, linewidth=1.0, zorder=4)
    outlines.set_path_effects(halo)
    outlines.set_gid("kept-patches")
    axes.add_collection(outlines)
    lines = [[patch_centre(study, a), patch_centre(study, b)] for a, b in study.edges if patches.view[a] == view]
    if lines:
        axes.add_collection(LineCollection(lines, colors=_OUTLINE, linewidths=0.6, alpha=0.8, zorder=3))
    for index in here:
        if index >= most_numbers:
            break
        top, left, _, _ = film.box(int(patches.row[index]), int(patches.col[index]))
        axes.text(
            left + 0.06 * film.patch_width,
            top + 0.06 * film.patch_height,
            str(index + 1),
            color=_OUTLINE,
            fontsize=6.5,
            fontweight="bold",
            va="top",
            ha="left",
            zorder=5,
            path_effects=[Stroke(linewidth=1.5, foreground=_HALO), Normal()],
        )
