"""Several studies on one page: the films with their kept patches, side by side."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from neuralgraph.adapters.picture.drawing import STYLE, is_synthetic
from neuralgraph.adapters.picture.film_panel import checked_image, draw_film
from neuralgraph.adapters.picture.lettering import wrapped
from neuralgraph.adapters.picture.sheet_words import findings_words, labels_words
from neuralgraph.errors import SourceError, StudyError, missing_extra
from neuralgraph.graph.origin import graph_origin
from neuralgraph.graph.study import Study

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["MOST_STUDIES", "draw_sheet"]

MOST_STUDIES = 48
"""More on one page cannot be told apart."""
_COLUMNS = 6
_CELL_WIDTH, _CELL_HEIGHT, _MARGIN, _LINES = 2.4, 2.4, 0.25, 1.32
"""Inches: a film's place, the space around it, and the lines below it."""
_MOST_LINES = 3
"""Lines of labels, and of findings."""


def draw_sheet(
    studies: Sequence[Study],
    *,
    total: int | None = None,
    columns: int = _COLUMNS,
    films: Callable[[str, int], NDArray[np.float32] | None] | None = None,
    scores: Mapping[str, float] | None = None,
    first: int = 0,
    order: str = "",
) -> Figure:
    """Draw the first film of every study, in order, with id, what was kept, labels and findings.

    A finding that the report graph holds several times stands once, with how often.

    Parameters
    ----------
    studies : 1 to 48 of them; one without a film leaves its place empty.
    total : how many there are in all, when these are only the first.
    columns : films in a row.
    films : gives the film of a study by its id and view (float32 [height, width] in 0..1), or None, where they are at
        hand; one of other proportions than the study's is not drawn.
    scores : a number of a model of one's own by study id, written under its film.
    first : how many studies come before these, on other pages.
    order : in words, how they are sorted, for the last line.

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
                draw_film(axes, study, 0, _film(study, films), small=True)
                axes.set_anchor("NW")  # above its words
            else:
                axes.set_axis_off()
            words = _words(study, scores)
            figure.text(left / width, (bottom - 0.05) / height, words, fontsize=6.5, va="top", parse_math=False)
        shown = f"{len(studies)} of {total} studies" if total and total > len(studies) else f"{len(studies)} studies"
        if first:
            shown = f"studies {first + 1} to {first + len(studies)} of {total or first + len(studies)}"
        note = f"{shown} · first film of each · bright: more attention, outlined: kept"
        note += f" · {order}" if order else ""
        figure.text(_MARGIN / width, 0.12 / height, note, fontsize=7, gid="caption", parse_math=False)
    return figure


def _film(study: Study, films: Callable[[str, int], NDArray[np.float32] | None] | None) -> NDArray[np.float32] | None:
    pixels = None if films is None else films(study.study_id, 0)
    if pixels is None:
        return None
    try:
        return checked_image(pixels, study, 0)
    except SourceError:
        # Another film of the same name; the grid is drawn instead.
        return None


def _words(study: Study, scores: Mapping[str, float] | None) -> str:
    kept = f"{len(study.patches)} of {study.n_cells} patches"
    films = f", {len(study.views)} films" if len(study.views) > 1 else ""
    lines = [wrapped(study.study_id, 34, lines=1), f"{kept}{films}", f"{len(study.concepts)} concepts"]
    if graph_origin(study.provenance, len(study.concepts)) == "generated":
        lines[-1] += " by the model"
    if study.views and is_synthetic(study, 0):
        lines[-1] += " · SYNTHETIC"
    if scores is not None:
        score = scores.get(study.study_id)
        lines[-1] += " · no score" if score is None else f" · score {score:.3g}"
    for kind, words in (("labels", labels_words(study)), ("report", findings_words(study))):
        if words:
            lines.append(wrapped(f"{kind}: {words}", 46, lines=_MOST_LINES))
    return "\n".join(lines)
