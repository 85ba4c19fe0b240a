"""The relations of the report graph: arrows that go around what stands between, and names that cover nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from neuralgraph.wire.vocabulary import RELATIONS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.transforms import Bbox

__all__ = ["draw_relations"]

_LINE = {"modify": ":", "located_at": "-", "suggestive_of": "--"}
_ALONG = (0.5, 0.36, 0.64, 0.24, 0.76)
"""Where along its arrow a name may stand, best place first."""
_NEAREST, _FURTHER, _FURTHEST = 0.14, 0.05, 0.34
"""How far an arrow within a column leaves it, in columns: to the next row, for every row more, and at most."""


def draw_relations(axes: Axes, nodes: Mapping[int, Any], triples: Sequence[tuple[int, int, int]]) -> None:
    """Draw the relations between concepts that stand in `axes`, whose unit is a column across and a row down.

    Parameters
    ----------
    nodes : the text artist of every concept, with its box.
    triples : head, relation, tail; head and tail are keys of ``nodes``.
    """
    renderer = axes.figure.canvas.get_renderer()  # type: ignore[attr-defined]  # draw_study gives the figure an Agg canvas
    boxes = {index: _extent(node, renderer) for index, node in nodes.items()}
    taken = list(boxes.values())
    for head, relation, tail in triples:
        same = nodes[head].get_position()[0] == nodes[tail].get_position()[0]
        rows = abs(nodes[head].get_position()[1] - nodes[tail].get_position()[1])
        ends = boxes[head], boxes[tail]
        curve = _within(axes, *ends, rows=rows) if same else _across(axes, *ends)
        name = RELATIONS[relation]
        axes.annotate(
            "",
            xy=curve["end"],
            xytext=curve["start"],
            arrowprops={
                "arrowstyle": "-|>",
                "mutation_scale": 8,
                "color": "#444444",
                "linewidth": 0.8,
                "linestyle": _LINE[name],
                "connectionstyle": f"arc3,rad={curve['bend']}",
                "shrinkA": 0,
                "shrinkB": 0,
            },
            zorder=3,
        )
        taken.append(_name(axes, curve, name, taken, renderer))


def _extent(node: Any, renderer: Any) -> Bbox:
    """The box of a concept on the screen."""
    node.update_bbox_position_size(renderer)
    box: Bbox = node.get_bbox_patch().get_window_extent(renderer)
    return box


def _across(axes: Axes, head: Bbox, tail: Bbox) -> dict[str, Any]:
    """From middle to middle, as far as the boxes leave it to be seen."""
    to_data = axes.transData.inverted()
    start, end = _leaving(head, tail), _leaving(tail, head)
    return {"start": to_data.transform(start), "end": to_data.transform(end), "bend": 0.0}


def _leaving(box: Bbox, other: Bbox) -> tuple[float, float]:
    """Where the line from the middle of a box to the middle of another leaves it."""
    (x, y), (to_x, to_y) = _middle(box), _middle(other)
    across, up = to_x - x, to_y - y
    # Ends are places, not boxes for matplotlib to cut at: those are where they belong only once they have been drawn.
    reach = min(
        box.width / 2.0 / abs(across) if across else 1.0,
        box.height / 2.0 / abs(up) if up else 1.0,
        0.5,
    )
    return x + across * reach, y + up * reach


def _middle(box: Bbox) -> tuple[float, float]:
    return float(box.x0 + box.x1) / 2.0, float(box.y0 + box.y1) / 2.0


def _within(axes: Axes, head: Bbox, tail: Bbox, *, rows: float) -> dict[str, Any]:
    """From the right side of a box to the right side of another of its column, around those between."""
    to_data = axes.transData.inverted()
    start, end = ((box.x1, _middle(box)[1]) for box in (head, tail))
    (left, _), (right, _) = axes.transData.transform([(0.0, 0.0), (1.0, 0.0)])
    out = (right - left) * min(_NEAREST + _FURTHER * max(rows - 1.0, 0.0), _FURTHEST)
    # An arc bends by its share of the distance, to the right of one that goes up.
    rise = end[1] - start[1]
    bend = 2.0 * out / rise if rise else 0.0
    return {"start": to_data.transform(start), "end": to_data.transform(end), "bend": bend}


def _name(axes: Axes, curve: Mapping[str, Any], name: str, taken: Sequence[Bbox], renderer: Any) -> Bbox:
    """Write the name of a relation on its arrow where it covers least; returns its place on the screen."""
    text = axes.text(
        0.0,
        0.0,
        name,
        ha="center",
        va="center",
        fontsize=5.5,
        color="#333333",
        zorder=4,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.85},
    )
    tried = []
    for along in _ALONG:
        text.set_position(_point(axes, curve, along))
        place = text.get_window_extent(renderer)
        covered = sum(_overlap(place, other) for other in taken)
        tried.append((covered, along, place))
        if covered == 0.0:
            break
    _, along, place = min(tried, key=lambda each: each[0])
    text.set_position(_point(axes, curve, along))
    return place


def _point(axes: Axes, curve: Mapping[str, Any], along: float) -> tuple[float, float]:
    """A point of an arc, in the space where it is bent: the screen's."""
    (x0, y0), (x1, y1) = axes.transData.transform([curve["start"], curve["end"]])
    bend = curve["bend"]
    xm, ym = (x0 + x1) / 2.0 + bend * (y1 - y0), (y0 + y1) / 2.0 - bend * (x1 - x0)
    a, b, c = (1.0 - along) ** 2, 2.0 * along * (1.0 - along), along**2
    x, y = axes.transData.inverted().transform((a * x0 + b * xm + c * x1, a * y0 + b * ym + c * y1))
    return float(x), float(y)


def _overlap(one: Bbox, other: Bbox) -> float:
    """Area that two boxes share."""
    width = min(one.x1, other.x1) - max(one.x0, other.x0)
    height = min(one.y1, other.y1) - max(one.y0, other.y0)
    return float(width * height) if width > 0 and height > 0 else 0.0
