"""Writing a picture: PNG or SVG, the same bytes for the same study, whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuralgraph.adapters.picture.drawing import STYLE, draw_study
from neuralgraph.adapters.picture.sheet import draw_sheet
from neuralgraph.adapters.picture.word_panels import draw_words
from neuralgraph.errors import OutputError
from neuralgraph.graph.study import Study
from neuralgraph.storage.atomic import atomic_file, check_writable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["save_picture", "save_sheet", "save_words"]

_DOTS_PER_INCH = 150
# Nothing about time, machine or library version may enter the file.
_METADATA: dict[str, dict[str, str | None]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None, "Format": None, "Type": None},
}


def save_picture(
    study: Study,
    path: str | os.PathLike[str],
    *,
    image: NDArray[np.float32] | None = None,
    view: int = 0,
    sizes: Mapping[str, int] | None = None,
    sentences: bool = False,
    values: ArrayLike | Mapping[str, Any] | None = None,
    label: str = "values",
) -> None:
    """Draw a study and write it; see draw_study for the parameters.

    Parameters
    ----------
    path : ends in .png (150 dots per inch) or .svg.

    Raises
    ------
    OutputError (E_OUTPUT, E_WRITE) : the name has another ending, or the file cannot be written.
    MissingExtraError, SourceError, StudyError : as for draw_study.
    """
    options: dict[str, Any] = {"sizes": sizes, "sentences": sentences, "values": values, "label": label}
    _write(path, lambda: draw_study(study, image=image, view=view, **options))


def save_words(
    study: Study,
    path: str | os.PathLike[str],
    *,
    word: str | None = None,
    image: NDArray[np.float32] | None = None,
    view: int = 0,
) -> None:
    """Draw where the model looked for the words of a report and write it; parameters and errors as ``draw_words``.

    Parameters
    ----------
    path : ends in .png (150 dots per inch) or .svg.
    """
    _write(path, lambda: draw_words(study, word=word, image=image, view=view))


def save_sheet(
    studies: Sequence[Study], path: str | os.PathLike[str], *, total: int | None = None, **options: Any
) -> None:
    """Draw a contact sheet and write it; see draw_sheet for the parameters, save_picture for the errors."""
    _write(path, lambda: draw_sheet(studies, total=total, **options))


def _write(path: str | os.PathLike[str], draw: Callable[[], Figure]) -> None:
    kind = Path(path).suffix.lower().lstrip(".")
    if kind not in _METADATA:
        raise OutputError("pictures are written as .png or .svg, give such a name", code="E_OUTPUT", where=str(path))
    check_writable(path)
    figure = draw()
    from matplotlib import style

    buffer = BytesIO()
    with style.context(["default", STYLE]):
        figure.savefig(buffer, format=kind, dpi=_DOTS_PER_INCH, metadata=_METADATA[kind])
    with atomic_file(path) as stream:
        stream.write(buffer.getvalue())
