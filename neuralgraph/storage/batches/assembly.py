"""From the light columns of a batch to the arrays of one large graph (the attributes of ``adapters.pyg.to_data``)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuralgraph.graph.table import NO_FUSION, ragged, starts
from neuralgraph.storage.batches.selection import Selection

__all__ = ["ATTRIBUTES", "NO_PLACE", "Allocate", "GraphBatch", "assemble", "targets"]

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
"""Arrays of a batch; see ``adapters.pyg.to_data`` for the meaning of each."""

Allocate = Callable[[str, tuple[int, ...], type[np.generic]], NDArray[Any]]
"""Name of an attribute, shape and dtype to an array for it, whose values do not matter."""

NO_PLACE = -1
"""View and centre of a node that is no patch."""


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
    n_patches: NDArray[np.int64]
    """int64 [B]: patches of each graph, its first nodes."""
    concept_features: list[str]
    """Recipe of each graph's concept features."""
    study_id: list[str]
    """Study id of each graph."""


def assemble(
    chosen: Selection, wanted: frozenset[str], width: int, allocate: Allocate
) -> tuple[dict[str, NDArray[Any]], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Arrays of a batch, without the embeddings: rows of ``x`` that belong to patches are left as they are.

    Returns
    -------
    the arrays by name; starts of nodes, pairs and fusion edges, int64 [B + 1]; graph of each node, int64 [nodes].
    """
    n_patches = chosen.n_patches
    n_nodes = n_patches + chosen.n_concepts
    node_start, pair_start = starts(n_nodes), starts(chosen.n_pairs)
    first, total = node_start[:-1], int(node_start[-1])
    graph = np.arange(len(chosen)).repeat(n_nodes)
    fused = chosen.fusion_patch != NO_FUSION
    arrays: dict[str, NDArray[Any]] = {}

    def new(name: str, shape: tuple[int, ...], dtype: type[np.generic]) -> NDArray[Any]:
        arrays[name] = allocate(name, shape, dtype)
        return arrays[name]

    patch_node = ragged(first, n_patches)
    if "x" in wanted:
        _features(chosen, first, new("x", (total, width), np.float32))
    if "edge_index" in wanted:
        edge_index = new("edge_index", (2, int(pair_start[-1])), np.int64)
        shift = first.repeat(chosen.n_pairs)
        np.add(chosen.pair_source, shift, out=edge_index[0])
        np.add(chosen.pair_target, shift, out=edge_index[1])
    if "edge_type" in wanted:
        new("edge_type", (int(pair_start[-1]),), np.int64)[:] = chosen.pair_type
    if "node_type" in wanted:
        node_type = new("node_type", (total,), np.int64)
        node_type[:] = 1
        node_type[patch_node] = 0
    for name, column, rest, shape, dtype in (
        ("node_view", chosen.patch_view, NO_PLACE, (total,), np.int64),
        ("pos", chosen.patch_centre, NO_PLACE, (total, 2), np.float32),
        ("attention", chosen.patch_score, 0, (total,), np.float32),
    ):
        if name in wanted:
            array = new(name, shape, dtype)
            array[:] = rest
            array[patch_node] = column
    if "fusion_edge_index" in wanted:
        ends = new("fusion_edge_index", (2, int(fused.sum())), np.int64)
        np.add(chosen.fusion_patch[fused], first[fused], out=ends[0])
        np.add(chosen.fusion_concept[fused], (first + n_patches)[fused], out=ends[1])
    return arrays, node_start, pair_start, starts(fused.astype(np.int64)), graph


def _features(chosen: Selection, first: NDArray[np.int64], x: NDArray[np.float32]) -> None:
    """Rows of ``x`` that belong to concepts: zero but for the places of their features."""
    begin = first + chosen.n_patches
    for start, end in zip(begin.tolist(), (begin + chosen.n_concepts).tolist(), strict=True):
        x[start:end] = 0
    place = (ragged(begin, chosen.n_concepts) * x.shape[1]).repeat(chosen.n_places)
    place += chosen.feature_place
    x.reshape(-1)[place] = chosen.feature_value


def targets(label: NDArray[np.float32], uncertain: str) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """``graph.targets.target_row`` of every row of a label matrix that has NaN where nothing is known."""
    mask = ~np.isnan(label)
    values = np.where(mask, label, np.float32(0))
    doubtful = values == -1
    if uncertain == "mask":
        mask &= ~doubtful
    if uncertain != "keep":
        values[doubtful] = 1.0 if uncertain == "ones" else 0.0
    return values, mask
