"""Where the concepts of a report stand in the picture: four columns, read like a sentence; no randomness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neuralgraph.graph.concepts import Concept
from neuralgraph.wire.vocabulary import RELATIONS

__all__ = ["ConceptLayout", "concept_layout", "shown_concepts"]

_MODIFY = RELATIONS.index("modify")
_HEADS, _PLACES = 1, 2


@dataclass(frozen=True)
class ConceptLayout:
    """Positions of concepts."""

    column: tuple[int, ...]
    """0 modifiers of observations, 1 observations, 2 anatomy, 3 modifiers of anatomy."""
    y: tuple[float, ...]
    """Height of the middle in rows, 0 at the top; nodes of one column are at least one row apart."""

    @property
    def rows(self) -> int:
        """Rows the graph needs."""
        return 1 + int(np.ceil(max(self.y, default=0.0)))


def shown_concepts(n_concepts: int, fusion: tuple[int, int] | None, limit: int) -> list[int]:
    """The concepts a picture has room for: the first of the report, and always the fused one."""
    shown = list(range(min(n_concepts, limit)))
    if fusion is not None and fusion[1] >= limit > 0:
        shown[-1] = fusion[1]
    return shown


def concept_layout(concepts: Sequence[Concept], triples: NDArray[np.int32]) -> ConceptLayout:
    """Columns by role, heights by the report's order and by what a concept is joined to.

    Observations stand in the order of the report; every other concept stands as near as it can to the mean height of
    the concepts it is joined to.

    Parameters
    ----------
    concepts : in order of their spans.
    triples : int32 [m, 3], head, relation, tail; indices into ``concepts``.
    """
    modifiers = {int(head) for head, relation, _ in triples if relation == _MODIFY}
    column = []
    for index, concept in enumerate(concepts):
        anatomy = concept.label.startswith("Anatomy")
        column.append((3 if anatomy else 0) if index in modifiers else (_PLACES if anatomy else _HEADS))
    members = {number: [i for i, c in enumerate(column) if c == number] for number in range(4)}
    y: dict[int, float] = {}
    first = _HEADS if members[_HEADS] else _PLACES
    for place, index in enumerate(members[first]):
        y[index] = float(place)
    for number in (_HEADS, _PLACES, 0, 3):
        if number != first:
            _stack(members[number], y, triples)
    # Columns that are longer than the first one are centred on it; nothing may rise above the top.
    top = min(y.values(), default=0.0)
    return ConceptLayout(tuple(column), tuple(y[index] - top for index in range(len(concepts))))


def _stack(members: list[int], y: dict[int, float], triples: NDArray[np.int32]) -> None:
    """Give the members of one column heights at least one apart, as near as possible to their neighbours."""
    wanted: dict[int, float] = {}
    for index in members:
        near = [y[b] for a, b in _pairs(triples) if a == index and b in y]
        near += [y[a] for a, b in _pairs(triples) if b == index and a in y]
        wanted[index] = sum(near) / len(near) if near else float(len(wanted))
    order = sorted(members, key=lambda index: (wanted[index], index))
    # Neighbours that want the same place share it: blocks grow until they no longer overlap, each around its mean.
    blocks: list[list[int]] = []
    middles: list[float] = []
    for index in order:
        blocks.append([index])
        middles.append(wanted[index])
        while len(blocks) > 1 and middles[-1] - middles[-2] < (len(blocks[-1]) + len(blocks[-2])) / 2:
            last, middle = blocks.pop(), middles.pop()
            total = len(blocks[-1]) + len(last)
            middles[-1] = (middles[-1] * len(blocks[-1]) + middle * len(last)) / total
            blocks[-1] += last
    for block, middle in zip(blocks, middles, strict=True):
        for place, index in enumerate(block):
            y[index] = middle + place - (len(block) - 1) / 2


def _pairs(triples: NDArray[np.int32]) -> list[tuple[int, int]]:
    return [(int(head), int(tail)) for head, _, tail in triples]
