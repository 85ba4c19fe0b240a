"""A picture of the bytes of films: every coding a line from its smallest film to its largest, its median a dot."""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from neuralgraph.errors import OutputError, missing_extra
from neuralgraph.sizes.medians import SMALLEST, CodingSummary, Summary
from neuralgraph.storage.atomic import atomic_file, check_writable
from neuralgraph.storage.lossy import embedding_forms

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["check_chart", "draw_chart", "save_chart"]

_COLOURS = {"source": "#555555", "lossless": "#0072b2", "lossy": "#b35900", "ngr": "#008060"}
"""Of Okabe and Ito, two of them darker: told apart by people who do not see colours alike, and named in the margin."""
_WORDS = {
    "source": "the file as it is",
    "lossless": "picture, lossless",
    "lossy": "picture, lossy",
    "ngr": "no picture: kept patches and graph",
}
_DOTS_PER_INCH = 150


def check_chart(path: str | os.PathLike[str]) -> None:
    """Refuse, before anything is measured, what could not be written or drawn at the end.

    Raises
    ------
    OutputError (E_OUTPUT) : the name does not end in .png, or there is no place for it.
    MissingExtraError (E_EXTRA) : matplotlib is not installed.
    """
    if Path(path).suffix.lower() != ".png":
        raise OutputError("charts are written as .png, give such a name", code="E_OUTPUT", where=str(path))
    check_writable(path)
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise missing_extra("drawing charts", extra="plot", library="matplotlib") from error


def draw_chart(summary: Summary, *, title: str) -> Figure:
    """Bytes of every coding on a logarithmic axis; of .ngr the named forms, not each loss of ``svd``.

    Parameters
    ----------
    summary : of the films.
    title : what was measured.

    Raises
    ------
    MissingExtraError (E_EXTRA) : matplotlib is not installed.
    """
    try:
        from matplotlib import style
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise missing_extra("drawing charts", extra="plot", library="matplotlib") from error
    shown = {f".ngr {form}" for form in embedding_forms()}
    rows = [row for row in summary.codings if row.coding != SMALLEST and (row.kind != "ngr" or row.coding in shown)]
    with style.context("default"):
        figure = Figure(figsize=(10, 0.9 + 0.3 * len(rows)), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots()
        axes.set_title(title, fontsize=10, loc="left", parse_math=False)
        for place, row in enumerate(rows):
            colour = _COLOURS[_family(row)]
            axes.plot([row.bytes.least, row.bytes.most], [place, place], color=colour, linewidth=4, alpha=0.35)
            axes.plot(row.bytes.median, place, "o", color=colour, markersize=6)
        axes.set_xscale("log")
        axes.set_yticks(range(len(rows)), [row.coding for row in rows])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_xlabel("bytes of one film, logarithmic; dot: median, line: smallest to largest film", fontsize=9)
        axes.grid(axis="x", color="#dddddd", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(axis="y", length=0)
        margin = axes.secondary_yaxis("right")
        margin.set_yticks(range(len(rows)), [_said(row) for row in rows])
        margin.tick_params(length=0, labelsize=8)
        margin.spines["right"].set_visible(False)
        for label, row in zip(margin.get_yticklabels(), rows, strict=True):
            label.set_color(_COLOURS[_family(row)])
    return figure


def save_chart(summary: Summary, path: str | os.PathLike[str], *, title: str) -> None:
    """Draw and write it; parameters as ``draw_chart``.

    Parameters
    ----------
    path : ends in .png, 150 dots per inch.

    Raises
    ------
    OutputError (E_OUTPUT, E_WRITE) : the name has another ending, or the file cannot be written.
    MissingExtraError (E_EXTRA) : matplotlib is not installed.
    """
    check_chart(path)
    figure = draw_chart(summary, title=title)
    buffer = BytesIO()
    # Nothing about time, machine or library version may enter the file.
    figure.savefig(buffer, format="png", dpi=_DOTS_PER_INCH, metadata={"Software": None})
    with atomic_file(path) as stream:
        stream.write(buffer.getvalue())


def _family(row: CodingSummary) -> str:
    if row.kind == "picture":
        return "lossless" if row.lossless else "lossy"
    return row.kind


def _said(row: CodingSummary) -> str:
    fidelity = f", PSNR {row.psnr_db.median:.1f} dB" if row.psnr_db is not None else ""
    return f"{row.bytes.median:,.0f}  {_WORDS[_family(row)]}{fidelity}"
