"""Small multiples: the film once per word, with where the model looked for it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neuralgraph.adapters.picture.drawing import STYLE, caption, mark_synthetic
from neuralgraph.adapters.picture.film_panel import checked_image
from neuralgraph.adapters.picture.lettering import legible
from neuralgraph.errors import StudyError, missing_extra
from neuralgraph.graph.concepts import Concept
from neuralgraph.graph.sentences import polarity
from neuralgraph.graph.study import Study

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_words", "word_spans"]

_FEW, _FEW_COLUMNS, _COLUMNS = 12, 4, 6
"""Up to so many words in a row of few, else in a row of more."""
_WIDTH = 14.0
_MOST_WORDS = 48
_BELOW, _ABOVE = 0.9, 0.6
"""Inches kept free for the caption and for the titles."""
_COLOURS = "cividis"


def word_spans(study: Study, word: str | None = None) -> list[tuple[str, int, int]]:
    """(text, start, end) of what can be shown of a study with word attention.

    With the report stored, its words; without it, the concepts, whose texts a study has anyway.

    Parameters
    ----------
    study : with word attention.
    word : keep what holds this text, upper and lower case alike; everything when None. Of several words in a row the
        stored report is searched as it stands.

    Raises
    ------
    StudyError (E_STUDY) : the study has no word attention, or nothing with this text.
    """
    if study.word_attention is None:
        raise StudyError(
            "the study holds no attention of words; compress it with --words", code="E_STUDY", where="word_attention"
        )
    if study.report is None:
        found = [
            (_worded(concept), concept.start, concept.end)
            for concept in study.concepts
            if word is None or word.lower() in concept.text.lower()
        ]
    elif word is None:
        spans = zip(study.word_attention.start.tolist(), study.word_attention.end.tolist(), strict=True)
        found = [(study.report[start:end], start, end) for start, end in spans]
    else:
        low, found, at = study.report.lower(), [], 0
        while word and (at := low.find(word.lower(), at)) >= 0:
            found.append((study.report[at : at + len(word)], at, at + len(word)))
            at += len(word)
    if not found:
        where = "its concepts (the report is not stored)" if study.report is None else "its report"
        raise StudyError(f"the study has no {word!r} among {where}", code="E_STUDY", where="word")
    return found


def _worded(concept: Concept) -> str:
    """A concept with what the report says of it, where that is not simply that it is there."""
    said = polarity(concept.label)
    return concept.text if said == "present" else f"{concept.text} ({said})"


def draw_words(
    study: Study,
    *,
    word: str | None = None,
    image: NDArray[np.float32] | None = None,
    view: int = 0,
) -> Figure:
    """Draw where the model looked, word by word.

    Parameters
    ----------
    study : with word attention.
    word : which words; see ``word_spans``. The first 48 are drawn.
    image, view : as for ``draw_study``.

    Raises
    ------
    MissingExtraError (E_EXTRA), SourceError, StudyError : as for ``draw_study``; E_STUDY as for ``word_spans``.
    """
    try:
        from matplotlib import style
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise missing_extra("drawing a picture", extra="plot", library="matplotlib") from error
    if not 0 <= view < len(study.views):
        raise StudyError(f"the study has {len(study.views)} films, there is no film {view}", code="E_IDX", where="view")
    found = word_spans(study, word)
    shown = found[:_MOST_WORDS]
    pixels = None if image is None else checked_image(image, study, view)
    height = _height(study, view, shown)
    with style.context(["default", STYLE]):
        figure = Figure(figsize=(_WIDTH, height), facecolor="white")
        FigureCanvasAgg(figure)
        places = {"left": 0.02, "right": 0.98, "bottom": _BELOW / height, "top": 1.0 - _ABOVE / height}
        rows, columns = _arranged(len(shown))
        panels = figure.subplots(rows, columns, squeeze=False, gridspec_kw=places).ravel()
        _draw_panels(panels, study, view, shown, pixels)
        note = "where the model looked for each word; every panel has a scale of its own"
        if len(shown) < len(found):
            note += f" · {len(shown)} of {len(found)} words"
        text = f"{caption(study, view=view)}\n{note}"
        figure.text(0.02, (_BELOW - 0.1) / height, text, fontsize=8, va="top", parse_math=False, gid="caption")
        mark_synthetic(figure, study, view, height)
    return figure


def _draw_panels(
    panels: NDArray[Any],
    study: Study,
    view: int,
    shown: Sequence[tuple[str, int, int]],
    pixels: NDArray[np.float32] | None,
) -> None:
    """One film for each word, brightest where that word looked most."""
    film = study.views[view]
    first = sum(each.rows * each.cols for each in study.views[:view])
    assert study.word_attention is not None  # word_spans refuses a study without
    for axes in panels:
        axes.set_axis_off()
    for axes, (text, start, end) in zip(panels, shown, strict=False):
        cells = study.word_attention.within(start, end)[first : first + film.rows * film.cols]
        attention = cells.reshape(film.rows, film.cols)
        share = attention / (float(attention.max()) or 1.0)
        if pixels is not None:
            axes.imshow(pixels, cmap="gray", vmin=0, vmax=1, extent=(0, film.width, film.height, 0))
        reach = (0, film.cols * film.patch_width, film.rows * film.patch_height, 0)
        alpha = np.ones_like(share) if pixels is None else 0.1 + 0.6 * share
        axes.imshow(share, cmap=_COLOURS, vmin=0, vmax=1, alpha=alpha, extent=reach, interpolation="nearest")
        axes.set_xlim(0, film.width)
        axes.set_ylim(film.height, 0)
        axes.set_title(legible(text), fontsize=8, parse_math=False)


def _arranged(words: int) -> tuple[int, int]:
    """Rows and columns for so many words."""
    columns = min(words, _FEW_COLUMNS if words <= _FEW else _COLUMNS)
    return math.ceil(words / columns), columns


def _height(study: Study, view: int, shown: Sequence[tuple[str, int, int]]) -> float:
    # One word alone need not fill the page.
    film, (rows, columns) = study.views[view], _arranged(len(shown))
    panel = min(0.96 * _WIDTH / max(2, columns) * film.height / film.width, 11.0)
    return float(np.clip(rows * (panel + 0.3), 2.0, 100.0)) + _BELOW + _ABOVE
