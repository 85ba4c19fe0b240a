"""Several studies on one page: the films with their kept patches, side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from neuralgraph.adapters.picture.drawing import STYLE, is_synthetic
from neuralgraph.adapters.picture.film_panel import draw_film
from neuralgraph.adapters.picture.lettering import wrapped
from neuralgraph.errors import StudyError, missing_extra
from neuralgraph.graph.origin import graph_origin
from neuralgraph.graph.study import Study

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["MOST_STUDIES", "draw_sheet"]

MOST_STUDIES = 48
"""More on one page cannot be told apart."""
_COLUMNS = 6
_CELL_WIDTH, _CELL_HEIGHT, _MARGIN, _LINES = 2.4, 2.4, 0.25, 0.62
"""Inches: a film's place, the space around it, and the lines below it."""


def draw_sheet(studies: Sequence[Study], *, total: int | None = None, columns: int = _COLUMNS) -> Figure:
    """Draw the first film of every study, in order, with id, what was kept and the number of concepts.

    Parameters
    ----------
    studies : 1 to 48 of them; one without a film leaves its place empty.
    total : how many there are in all, when these are only the first.
    columns : films in a row.

    Returns
    -------
    matplotlib Figure with its own canvas; axes number i shows study i, its data coordinates are source pixels.

    Raises
    ------
    MissingExtraError (E_EXTRA) : matplotlib is not installed.
    StudyError (E_IDX) : no study, or too many.
    """
    try:
        from matplotlib import style
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise missing_extra("drawing a picture", extra="plot", library="matplotlib") from error
    if not 1 <= len(studies) <= MOST_STUDIES:
        reason = f"a contact sheet shows 1 to {MOST_STUDIES} studies, not {len(studies)}"
        raise StudyError(reason, code="E_IDX", where="studies")
    across = min(columns, len(studies))
    down = math.ceil(len(studies) / across)
    width = across * (_CELL_WIDTH + _MARGIN) + _MARGIN
    height = down * (_CELL_HEIGHT + _LINES) + _MARGIN + 0.3
    with style.context(["default", STYLE]):
        figure = Figure(figsize=(width, height), facecolor="white")
        FigureCanvasAgg(figure)
        for number, study in enumerate(studies):
            row, column = divmod(number, across)
            left = _MARGIN + column * (_CELL_WIDTH + _MARGIN)
            bottom = height - _MARGIN - row * (_CELL_HEIGHT + _LINES) - _CELL_HEIGHT
            place = (left / width, bottom / height, _CELL_WIDTH / width, _CELL_HEIGHT / height)
            axes = figure.add_axes(place)
            if study.views:
                draw_film(axes, study, 0, None, small=True)
                axes.set_anchor("NW")  # above its words
            else:
                axes.set_axis_off()
            figure.text(left / width, (bottom - 0.05) / height, _words(study), fontsize=6.5, va="top", parse_math=False)
        shown = f"{len(studies)} of {total} studies" if total and total > len(studies) else f"{len(studies)} studies"
        note = f"{shown} · first film of each · bright: more attention, outlined: kept"
        figure.text(_MARGIN / width, 0.12 / height, note, fontsize=7, gid="caption", parse_math=False)
    return figure


def _words(study: Study) -> str:
    kept = f"{len(study.patches)} of {study.n_cells} patches"
    films = f", {len(study.views)} films" if len(study.views) > 1 else ""
    lines = [wrapped(study.study_id, 34, lines=1), f"{kept}{films}", f"{len(study.concepts)} concepts"]
    if graph_origin(study.provenance, len(study.concepts)) == "generated":
        lines[-1] += " by the model"
    if study.views and is_synthetic(study, 0):
        lines[-1] += " · SYNTHETIC"
    return "\n".join(lines)
