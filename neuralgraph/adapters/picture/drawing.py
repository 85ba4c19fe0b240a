"""One figure of a study: film on the left, report graph on the right, the fusion edge across, a caption below."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuralgraph.adapters.picture.film_panel import checked_image, draw_film, patch_centre
from neuralgraph.adapters.picture.graph_panel import MOST_CONCEPTS, draw_graph, graph_layout
from neuralgraph.adapters.picture.lettering import FONT, legible, wrapped
from neuralgraph.adapters.picture.own_values import values_of
from neuralgraph.errors import StudyError, missing_extra
from neuralgraph.graph.carried import refuse_carried
from neuralgraph.graph.concepts import Concept, Mention
from neuralgraph.graph.origin import BUNDLED_WORDS, GENERATED, graph_origin
from neuralgraph.graph.sentences import SIGNS, polarity, sentence_around
from neuralgraph.graph.study import Study

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["STYLE", "caption", "draw_study", "draw_study_into", "is_synthetic", "mark_synthetic"]

STYLE: dict[str, Any] = {"font.family": [FONT], "svg.hashsalt": "neuralgraph", "svg.fonttype": "path"}
"""Settings on top of matplotlib's defaults; the user's own are not consulted, or pictures would differ."""

_FUSION = "#d55e00"
_WARNING = "#b30000"
_WIDTH = 14.0
_FILM_SHARE = 0.44
_FUSION_LAYER = 10
_LEAST, _ROW = 2.5, 0.6
"""Inches: the least height of the panels, and what a row of concepts needs with the name of a relation below it."""
_BELOW, _ABOVE = 1.5, 0.5
"""Inches kept free for the caption and the colour bar, and for the titles."""
_LINE = 0.14
"""Inches of a line of the caption."""
_MOST_SENTENCES = 60


def draw_study(
    study: Study,
    *,
    image: NDArray[np.float32] | None = None,
    view: int = 0,
    sizes: Mapping[str, int] | None = None,
    sentences: bool = False,
    values: ArrayLike | Mapping[str, Any] | None = None,
    label: str = "values",
) -> Figure:
    """Draw a study.

    Parameters
    ----------
    study : one without a film is drawn as the graph of its report alone.
    image : float32 [height, width], 0..1, bones bright: the film of the view, at any resolution; without it the grid of
        patches is drawn.
    view : which film to draw.
    sizes : bytes by name for the caption, e.g. {"source": 262144, "file": 9120}.
    sentences : below, each sentence of the stored report that says a concept, and what it says.
    values : one's own numbers in place of the attention: of the kept patches, of all nodes or of all cells, or by study
        id; ``own_values.values_of`` reads them.
    label : what they are, for the colour bar.

    Returns
    -------
    matplotlib Figure with its own Agg canvas; nothing is registered with pyplot. Data coordinates of its first axes
    are source pixels.

    Raises
    ------
    MissingExtraError (E_EXTRA) : matplotlib is not installed.
    SourceError (E_SOURCE_KIND, E_SOURCE_SIZE) : the image is not the study's film.
    StudyError (E_IDX) : the study has no such view.
    StudyError (E_STUDY) : the study carries a plain graph, or sentences are asked for and no report is stored.
    StudyError (E_NOT_FOUND, E_SIZE, E_NUM) : the values are not this study's.
    """
    try:
        from matplotlib import style
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise missing_extra("drawing a picture", extra="plot", library="matplotlib") from error
    refuse_carried(study, "picture")
    filmless = not study.views and view == 0 and image is None
    if not filmless and not 0 <= view < len(study.views):
        raise StudyError(f"the study has {len(study.views)} films, there is no film {view}", code="E_IDX", where="view")
    pixels = None if image is None else checked_image(image, study, view)
    own = None if values is None else values_of(study, values)
    shown, layout = graph_layout(study)
    film_height = _LEAST
    if not filmless:
        film = study.views[view]
        film_height = float(np.clip(_WIDTH * _FILM_SHARE * film.height / film.width, _LEAST, 11.0))
    said = _sentence_lines(study) if sentences else []
    below = _BELOW + _LINE * len(said)
    height = min(40.0 + _LINE * len(said), max(film_height, _ROW * (layout.rows + 1)) + below + _ABOVE)
    with style.context(["default", STYLE]):
        figure = Figure(figsize=(_WIDTH, height), facecolor="white")
        FigureCanvasAgg(figure)
        panels = (height - below - _ABOVE) / height
        left = figure.add_axes((0.02, below / height, _FILM_SHARE, panels))
        right = figure.add_axes((_FILM_SHARE + 0.05, below / height, 0.93 - _FILM_SHARE, panels))
        if filmless:
            left.set_axis_off()
            left.text(0.5, 0.5, "the study has no film", transform=left.transAxes, ha="center", fontsize=9)
        else:
            draw_film(left, study, view, pixels, values=own, label=label)
        nodes = draw_graph(right, study, shown, layout, own)
        # Between the panels: over the film, under the concepts.
        right.set_zorder(_FUSION_LAYER + 1)
        _titles(figure, study, view, height, what="attention" if own is None else legible(label))
        _fuse(figure, left, right, study, view, nodes)
        figure.text(
            0.02,
            (0.75 + below - _BELOW) / height,
            "\n".join([caption(study, view=view, sizes=sizes), *said]),
            fontsize=8,
            va="top",
            parse_math=False,
            gid="caption",
        )
    return figure


def draw_study_into(
    axes: Axes,
    study: Study,
    *,
    image: NDArray[np.float32] | None = None,
    view: int = 0,
    values: ArrayLike | Mapping[str, Any] | None = None,
    label: str = "values",
) -> Axes:
    """Draw one film of a study into axes that are there already, for a figure of one's own.

    Parameters
    ----------
    axes : of any figure; their data coordinates become source pixels. Everything else of the figure stays as it is.
    study, image, view, values, label : as for ``draw_study``.

    Returns
    -------
    The axes.

    Raises
    ------
    StudyError (E_IDX) : the study has no such view.
    SourceError, StudyError : as for ``draw_study``.
    """
    refuse_carried(study, "picture")
    if not 0 <= view < len(study.views):
        raise StudyError(f"the study has {len(study.views)} films, there is no film {view}", code="E_IDX", where="view")
    pixels = None if image is None else checked_image(image, study, view)
    own = None if values is None else values_of(study, values)
    draw_film(axes, study, view, pixels, values=own, label=label)
    notes = ["SYNTHETIC: not a patient"] if is_synthetic(study, view) else []
    axes.set_title("\n".join([wrapped(study.study_id, 34, lines=1), *notes]), fontsize=7, parse_math=False)
    return axes


def _sentence_lines(study: Study) -> list[str]:
    """Each sentence that says a concept, in the order of the report: + is there, - is not there, ? is in doubt.

    Raises
    ------
    StudyError (E_STUDY) : the report is not stored.
    """
    if study.report is None:
        raise StudyError(
            "the report is not stored; compress with --store-report to see its sentences",
            code="E_STUDY",
            where="report",
        )
    found: dict[str, list[str]] = {}
    places: list[Concept | Mention] = [*study.concepts, *study.mentions]
    for place in sorted(places, key=lambda place: (place.start, place.end)):
        if place.label.startswith("Observation"):
            text = place.text if isinstance(place, Concept) else study.concepts[place.concept].text
            sentence = sentence_around(study.report, place.start, place.end)
            found.setdefault(sentence, []).append(f"{SIGNS[polarity(place.label)]} {legible(text)}")
    quotes = "\N{LEFT DOUBLE QUOTATION MARK}", "\N{RIGHT DOUBLE QUOTATION MARK}"
    lines = [
        wrapped(f"{quotes[0]}{legible(sentence)}{quotes[1]}  {', '.join(said)}", 190, lines=1)
        for sentence, said in found.items()
    ]
    if len(lines) > _MOST_SENTENCES:
        lines = [*lines[:_MOST_SENTENCES], f"{_MOST_SENTENCES} of {len(lines)} sentences shown"]
    return lines


def is_synthetic(study: Study, view: int) -> bool:
    """Whether the film is a phantom's, as the provenance says."""
    films = study.provenance.get("films", [])
    facts = films[view] if view < len(films) else {}
    return isinstance(facts, Mapping) and facts.get("format") == "phantom"


def caption(study: Study, *, view: int = 0, sizes: Mapping[str, int] | None = None) -> str:
    """The lines under the picture: what it is, how it was made, what it weighs."""
    kept = len(study.patches)
    parts = [legible(study.study_id)]
    if not study.views:
        parts.append("no film")
    else:
        film = study.views[view]
        if len(study.views) > 1:
            parts.append(f"film {view + 1} of {len(study.views)} ({film.position})")
        parts += [
            f"film {film.width} x {film.height} px, grid {film.cols} x {film.rows} (width x height)",
            f"kept {kept} of {study.n_cells} patches ({kept / study.n_cells:.1%})",
        ]
    made = []
    model = study.provenance.get("model")
    if isinstance(model, Mapping):
        name = legible(str(model.get("name", "unnamed")))
        if model.get("trained") is False:
            made.append(f"untrained {name} model: its attention means nothing")
        else:
            made.append(BUNDLED_WORDS if name == "demo" else f"model {name}")
    if "report" in study.provenance:
        made.append(f"report {study.provenance['report']}")
    if study.fusion is None:
        made.append("no fusion edge")
    elif int(study.patches.view[study.fusion[0]]) != view:
        made.append("the fusion edge starts on another film of the study")
    if len(study.concepts) > MOST_CONCEPTS:
        made.append(f"{MOST_CONCEPTS} of {len(study.concepts)} concepts shown")
    weighs = [f"{legible(name)} {count:,} bytes" for name, count in (sizes or {}).items()]
    lines = [" · ".join(parts), " · ".join(made), " · ".join(weighs)]
    return "\n".join(wrapped(line, 190, lines=2) for line in lines if line)


def _titles(figure: Figure, study: Study, view: int, height: float, *, what: str) -> None:
    top = 1.0 - 0.16 / height
    figure.text(0.02, top, f"film, {what} and kept patches (numbered by rank)", fontsize=9, va="top")
    generated = graph_origin(study.provenance, len(study.concepts)) == "generated"
    title, colour = (f"report graph: {GENERATED}", _WARNING) if generated else ("report graph", "black")
    figure.text(_FILM_SHARE + 0.05, top, title, fontsize=9, va="top", color=colour, gid="graph-title")
    mark_synthetic(figure, study, view, height)


def mark_synthetic(figure: Figure, study: Study, view: int, height: float) -> None:
    """Say of a phantom's film, at the top right of a figure of this height in inches, that it is nobody's."""
    if is_synthetic(study, view):
        figure.text(
            0.98,
            1.0 - 0.16 / height,
            "SYNTHETIC: not a patient",
            fontsize=10,
            fontweight="bold",
            color="white",
            va="top",
            ha="right",
            gid="synthetic",
            bbox={"facecolor": "#b00020", "edgecolor": "none", "boxstyle": "square,pad=0.35"},
        )


def _fuse(figure: Figure, left: Axes, right: Axes, study: Study, view: int, nodes: Mapping[int, Any]) -> None:
    """Join patch and concept of the fusion edge across both panels, where this film has the patch."""
    from matplotlib.patches import ConnectionPatch
    from matplotlib.patheffects import Normal, Stroke

    if study.fusion is None or int(study.patches.view[study.fusion[0]]) != view:
        return
    patch, concept = study.fusion
    line = ConnectionPatch(
        xyA=patch_centre(study, patch),
        coordsA=left.transData,
        xyB=nodes[concept].get_position(),
        coordsB=right.transData,
        arrowstyle="-",
        connectionstyle="arc3,rad=-0.12",
        color=_FUSION,
        linewidth=1.8,
        alpha=0.9,
        zorder=_FUSION_LAYER,
        gid="fusion-edge",
    )
    line.set_path_effects([Stroke(linewidth=3.2, foreground="white"), Normal()])
    figure.add_artist(line)
    x, y = patch_centre(study, patch)
    left.plot([x], [y], marker="o", markersize=5, color=_FUSION, markeredgecolor="white", zorder=6)
