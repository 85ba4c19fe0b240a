"""Many graphs as one: which arrays there are, and where each graph begins in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuralgraph.errors import StudyError

__all__ = ["ATTRIBUTES", "NO_PLACE", "Allocate", "GraphBatch", "chosen_attributes", "starts", "width_error"]

ATTRIBUTES: tuple[str, ...] = (
    "x",
    "edge_index",
    "edge_type",
    "node_type",
    "node_view",
    "pos",
    "attention",
    "fusion_edge_index",
    "y",
    "y_mask",
)
"""Arrays of a graph; see ``adapters.pyg.to_data`` for the meaning of each."""

NO_PLACE = -1
"""View and centre of a node that is no patch."""

Allocate = Callable[[str, tuple[int, ...], type[np.generic]], NDArray[Any]]
"""Name of an attribute, shape and dtype to a contiguous array for it, whose values do not matter."""


@dataclass
class GraphBatch:
    """B graphs as one graph without edges between them."""

    arrays: dict[str, NDArray[Any]]
    """The ``ATTRIBUTES`` that were asked for."""
    node_start: NDArray[np.int64]
    """int64 [B + 1]: first node of each graph, then the number of all nodes."""
    pair_start: NDArray[np.int64]
    """int64 [B + 1]: first edge of each graph, likewise."""
    fusion_start: NDArray[np.int64]
    """int64 [B + 1]: first fusion edge of each graph, likewise."""
    graph: NDArray[np.int64]
    """int64 [nodes]: the graph that each node belongs to."""
    concept_features: list[str]
    """Where each graph's concept features come from."""
    study_id: list[str]
    """Study id of each graph."""


def starts(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """int64 [n + 1]: where each of n runs of ``counts`` rows begins, and where the last one ends."""
    out = np.zeros(len(counts) + 1, np.int64)
    counts.cumsum(out=out[1:])
    return out


def chosen_attributes(columns: Iterable[str] | None) -> frozenset[str]:
    """The attributes asked for; None asks for all.

    Raises
    ------
    StudyError (E_IDX) : one is not among ``ATTRIBUTES``.
    """
    chosen = frozenset(ATTRIBUTES if columns is None else columns)
    for name in sorted(chosen - set(ATTRIBUTES)):
        raise StudyError(f"{name!r} is none of {', '.join(ATTRIBUTES)}", code="E_IDX", where="columns")
    return chosen


def width_error(width: int, others: int, study_id: str) -> StudyError:
    """The error for a study whose embedding fits no batch of the others."""
    reason = f"an embedding of width {width} among those of width {others}: no batch has both"
    return StudyError(reason, code="E_SIZE", where=study_id)
