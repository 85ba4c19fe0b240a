"""The right side of the picture: the concepts of the report and their relations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuralgraph.adapters.picture.layout import ConceptLayout, concept_layout, shown_concepts
from neuralgraph.adapters.picture.lettering import wrapped
from neuralgraph.adapters.picture.own_values import OwnValues
from neuralgraph.adapters.picture.relation_lines import draw_relations
from neuralgraph.graph.study import Study

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["MOST_CONCEPTS", "draw_graph", "graph_layout"]

MOST_CONCEPTS = 80
"""Concepts beyond this are left out, and the picture says so."""

# Polarity is told three times, by shape, colour and word. Colours: Okabe and Ito's set for all kinds of colour vision.
_POLARITY: dict[str, dict[str, Any]] = {
    "definitely present": {
        "word": "present",
        "box": "round,pad=0.35",
        "edge": "#0072b2",
        "face": "#e3f1fa",
        "line": "-",
    },
    "uncertain": {"word": "uncertain", "box": "sawtooth,pad=0.4", "edge": "#b36b00", "face": "#fdf1dc", "line": "-"},
    "definitely absent": {
        "word": "absent",
        "box": "square,pad=0.35",
        "edge": "#555555",
        "face": "#f2f2f2",
        "line": "--",
    },
}


def graph_layout(study: Study) -> tuple[list[int], ConceptLayout]:
    """The shown concepts, ascending, and their layout."""
    shown = shown_concepts(len(study.concepts), study.fusion, MOST_CONCEPTS)
    place = {concept: index for index, concept in enumerate(shown)}
    inside = [
        (place[int(h)], int(r), place[int(t)]) for h, r, t in study.triples if int(h) in place and int(t) in place
    ]
    triples = np.array(inside, np.int32).reshape(-1, 3)
    return shown, concept_layout([study.concepts[index] for index in shown], triples)


def draw_graph(
    axes: Axes, study: Study, shown: list[int], layout: ConceptLayout, values: OwnValues | None = None
) -> dict[int, Any]:
    """Draw the report graph into `axes`; concepts that have values of one's own take their colours.

    Returns
    -------
    The text artist of every shown concept, by its index in ``study.concepts``.
    """
    axes.set_axis_off()
    used = sorted(set(layout.column)) or [0]
    x_of = {column: float(place) for place, column in enumerate(used)}
    axes.set_xlim(-0.5, len(used) - 0.5)
    axes.set_ylim(max(layout.rows, 4) - 0.4, -0.9)
    if not shown:
        axes.text(0.5, 0.5, "no concepts of a report", transform=axes.transAxes, ha="center", va="center", fontsize=9)
        return {}
    titles = ("how", "observation", "anatomy", "where exactly")
    for column in used:
        axes.text(x_of[column], -0.75, titles[column], ha="center", va="center", fontsize=7, color="#555555")
    nodes: dict[int, Any] = {}
    for place, index in enumerate(shown):
        nodes[index] = _node(axes, study, index, x_of[layout.column[place]], layout.y[place])
    if values is not None and values.concepts is not None:
        _colour(nodes, values)
    triples = [(int(head), int(relation), int(tail)) for head, relation, tail in study.triples]
    draw_relations(axes, nodes, [each for each in triples if each[0] in nodes and each[2] in nodes])
    return nodes


def _colour(nodes: dict[int, Any], values: OwnValues) -> None:
    """Fill the boxes with the colours of the values, and keep their letters legible."""
    from matplotlib import colormaps

    assert values.concepts is not None
    for index, node in nodes.items():
        red, green, blue, _ = colormaps[values.colours](values.norm(values.concepts[index]))
        node.get_bbox_patch().set_facecolor((red, green, blue))
        node.set_color("black" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else "white")


def _node(axes: Axes, study: Study, index: int, x: float, y: float) -> Any:
    concept = study.concepts[index]
    style = _POLARITY[concept.label.rsplit("::", 1)[-1]]
    fused = study.fusion is not None and study.fusion[1] == index
    anatomy = concept.label.startswith("Anatomy")
    # Anatomy is nearly always simply there; the word is spent on observations and on the exceptions.
    word = "" if anatomy and style["word"] == "present" else f"\n({style['word']})"
    return axes.text(
        x,
        y,
        wrapped(concept.text, 18, lines=3) + word,
        ha="center",
        va="center",
        fontsize=7,
        fontweight="bold" if fused else "normal",
        parse_math=False,
        zorder=6,  # above every line
        gid=f"concept-{index}",
        bbox={
            "boxstyle": style["box"],
            "facecolor": style["face"],
            "edgecolor": style["edge"],
            "linestyle": style["line"],
            "linewidth": 2.0 if fused else 1.0,
        },
    )
