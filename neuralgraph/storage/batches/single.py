"""The arrays of one graph that was read before: slices of columns, without the bookkeeping of a batch.

A batch of one costs nearly as many calls as one of sixty-four; whoever draws graphs one by one pays them for each.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuralgraph.graph.table import NO_FUSION, ragged
from neuralgraph.storage.batches.assembly import NO_PLACE, Allocate, targets

__all__ = ["SingleGraph", "single_graph"]


class SingleGraph(NamedTuple):
    """One graph."""

    arrays: dict[str, NDArray[Any]]
    """As ``assembly.GraphBatch`` has them."""
    n_nodes: int
    """Patches and concepts."""
    concept_features: str
    """Recipe of the features of its concepts."""
    study_id: str
    """Study id."""


def single_graph(
    columns: Mapping[str, NDArray[Any]],
    number: int,
    wanted: frozenset[str],
    width: int,
    label_place: NDArray[np.int64],
    n_labels: int,
    uncertain: str,
    allocate: Allocate,
) -> tuple[dict[str, NDArray[Any]], int, int]:
    """Arrays of one graph, without its embeddings: rows of ``x`` that belong to patches are left as they are.

    Parameters
    ----------
    columns : of a graphs section (FORMAT.md section 6.6), the rows of this graph proven.
    number : of the graph among those of the section.
    wanted, width, allocate : as for ``assembly.assemble``.
    label_place, n_labels : as for ``selection.select``.
    uncertain : as for ``assembly.targets``.

    Returns
    -------
    the arrays by name, with the shapes of a batch of one graph; the number of patches; the number of nodes.
    """
    arrays: dict[str, NDArray[Any]] = {}

    def rows(start: str) -> slice:
        first, end = columns[start][number : number + 2].tolist()
        return slice(first, end)

    def new(name: str, shape: tuple[int, ...], dtype: type[np.generic]) -> NDArray[Any]:
        arrays[name] = allocate(name, shape, dtype)
        return arrays[name]

    patches, concepts = rows("patch_start"), rows("concept_start")
    n_patches = patches.stop - patches.start
    n_nodes = n_patches + concepts.stop - concepts.start
    if "x" in wanted:
        x = new("x", (n_nodes, width), np.float32)
        x[n_patches:] = 0
        words = columns["concept_feature"][concepts].astype(np.int64)
        first = columns["feature_start"][words].astype(np.int64)
        count = columns["feature_start"][words + 1].astype(np.int64) - first
        features = ragged(first, count)
        place = np.arange(n_patches * width, n_nodes * width, width).repeat(count)
        place += columns["feature_place"][features]
        x.reshape(-1)[place] = columns["feature_value"][features]
    if not wanted.isdisjoint(("edge_index", "edge_type")):
        pairs = rows("pair_start")
        n_pairs = pairs.stop - pairs.start
        if "edge_index" in wanted:
            edge_index = new("edge_index", (2, n_pairs), np.int64)
            edge_index[0], edge_index[1] = columns["pair_source"][pairs], columns["pair_target"][pairs]
        if "edge_type" in wanted:
            new("edge_type", (n_pairs,), np.int64)[:] = columns["pair_type"][pairs]
    for name, column, rest, shape, dtype in (
        ("node_type", None, 1, (n_nodes,), np.int64),
        ("node_view", "patch_view", NO_PLACE, (n_nodes,), np.int64),
        ("pos", "patch_centre", NO_PLACE, (n_nodes, 2), np.float32),
        ("attention", "patch_score", 0, (n_nodes,), np.float32),
    ):
        if name in wanted:
            array = new(name, shape, dtype)
            array[:n_patches] = 0 if column is None else columns[column][patches]
            array[n_patches:] = rest
    if "fusion_edge_index" in wanted:
        patch, concept = int(columns["fusion_patch"][number]), int(columns["fusion_concept"][number])
        fused = patch != NO_FUSION
        ends = new("fusion_edge_index", (2, int(fused)), np.int64)
        if fused:
            ends[0, 0], ends[1, 0] = patch, concept + n_patches
    if not wanted.isdisjoint(("y", "y_mask")):
        labels = rows("label_start")
        row = np.full((1, n_labels), np.nan, np.float32)
        place = label_place[columns["label_number"][labels]]
        known = place >= 0
        row[0, place[known]] = columns["label_value"][labels][known]
        for name, values in zip(("y", "y_mask"), targets(row, uncertain), strict=True):
            if name in wanted:
                new(name, values.shape, values.dtype.type)[:] = values
    return arrays, n_patches, n_nodes
