"""A study in a notebook: a small table with its attention map."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

import numpy as np

from neuralgraph.graph.carried import carried_facts
from neuralgraph.graph.origin import GENERATED, graph_origin
from neuralgraph.graph.study_fields import StudyFields
from neuralgraph.graph.view import View

__all__ = ["attention_svg", "study_html"]

_LEVELS = ("#00224e", "#233e6c", "#43506d", "#5d636e", "#7a7a78", "#98927a", "#b9a96d", "#dcc859", "#fee838")
"""Colour map cividis (Nuñez et al., PLOS ONE 2018), readable with every kind of colour vision."""
_MOST_CELLS = 20_000
"""Larger maps would make a notebook heavy."""


def study_html(study: StudyFields) -> str:
    """A table of sizes with the attention map of the first view; everything from the study is escaped.

    The study id is shown, because the archive chose it as a pseudonym. Labels, concepts and the report are not: a
    notebook is shared more readily than the file it looks at.
    """
    kept, cells = len(study.patches), study.n_cells
    whose = f": {GENERATED}" if graph_origin(study.provenance, len(study.concepts)) == "generated" else ""
    rows = [
        ("study", study.study_id),
        *((f"film {i + 1}", _sizes(v)) for i, v in enumerate(study.views)),
        ("kept", f"{kept} of {cells} patches" + (f" ({kept / cells:.1%})" if cells else "")),
        ("embedding", f"{study.patches.embedding.shape[1]} values each"),
        ("report graph", f"{len(study.concepts)} concepts, {len(study.triples)} triples{whose}"),
        ("fusion edge", "yes" if study.fusion else "none"),
        ("digest", study.digest[:16] + "…"),
    ]
    plain = carried_facts(study)
    if plain is not None:
        rows.append(("plain graph", ", ".join(f"{name} {value}" for name, value in plain.items())))
    model = study.provenance.get("model")
    if isinstance(model, Mapping) and model.get("trained") is False:
        rows.append(("attention", "of an UNTRAINED model: it means nothing"))
    left = 'style="text-align:left;padding-right:1em"'
    table = "".join(
        f"<tr><th {left}>{html.escape(name)}</th><td {left}>{html.escape(text)}</td></tr>" for name, text in rows
    )
    return (
        f'<div style="display:flex;gap:1em;align-items:flex-start">{attention_svg(study)}<table>{table}</table></div>'
    )


def _sizes(view: View) -> str:
    return f"{view.width} × {view.height} px, grid {view.cols} × {view.rows} (width × height)"


def attention_svg(study: StudyFields, view: int = 0, *, height: float = 160.0, film: str = "") -> str:
    """The attention of one film as SVG, kept patches outlined; "" without the view, or for a very large map.

    Parameters
    ----------
    study : the study.
    view : which of its films.
    height : of the picture, in pixels of a page; the width follows.
    film : a ``data:`` address of the film as a picture, to lie under the attention, which is then see-through. It is
        written as it is given.
    """
    if view >= len(study.views) or study.views[view].rows * study.views[view].cols > _MOST_CELLS:
        return ""
    place = study.views[view]
    paths = "".join(
        f'<path fill="{colour}"{_veil(level, film)} d="{_cells(np.argwhere(_level(place) == level))}"/>'
        for level, colour in enumerate(_LEVELS)
    )
    own = study.patches.view == view
    kept = np.stack([study.patches.row[own], study.patches.col[own]], axis=1)
    frames = _cells(kept)
    # White on black, to be seen on dark and on bright cells; one shape, drawn twice.
    outline = "".join(
        f'<path fill="none" stroke="{colour}" stroke-width="{width}" d="{frames}"/>'
        for colour, width in (("#000", 0.36), ("#fff", 0.16))
    )
    across, down = place.width / place.patch_width, place.height / place.patch_height
    under = (
        f'<image href="{film}" width="{across:.4f}" height="{down:.4f}" preserveAspectRatio="none"/>' if film else ""
    )
    return (
        f'<svg role="img" aria-label="attention map" width="{height * place.width / place.height:.0f}" '
        f'height="{height:.0f}" viewBox="0 0 {across:.4f} {down:.4f}" '
        f'preserveAspectRatio="none" shape-rendering="crispEdges">{under}{paths}{outline}</svg>'
    )


def _veil(level: int, film: str) -> str:
    """How much of the film a level of attention covers: little where it is weak."""
    return f' fill-opacity="{0.05 + 0.4 * level / (len(_LEVELS) - 1):.2f}"' if film else ""


def _level(view: View) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Colour of every cell: the stored code is the square root of attention already."""
    code = view.score_code.astype(np.int64)
    largest = max(int(code.max()), 1)
    return code * (len(_LEVELS) - 1) // largest


def _cells(places: np.ndarray[Any, Any]) -> str:
    return "".join(f"M{col} {row}h1v1h-1z" for row, col in places.tolist())
