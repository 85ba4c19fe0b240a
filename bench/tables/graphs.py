"""Graphs of the systems: the fused graph of the paper, and what changes when a part of it is left out or replaced."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch_geometric.data import Data

from bench.tables.ranking import cells_of
from neuralgraph.adapters.pyg import EDGE_TYPES, NODE_TYPES
from neuralgraph.graph.study import Study
from neuralgraph.tasks import GraphSettings, study_graph

__all__ = ["FUSIONS", "Fusion", "lean", "most_attended", "system_graph", "text_alone"]

Fusion = Literal["edge", "none", "every pair", "most attended"]
"""How patches and concepts are joined: the paper's one edge; not at all; each with each; or each concept with the kept
patch that its own words attend to most."""
FUSIONS: tuple[Fusion, ...] = get_args(Fusion)

_FUSED, _CONCEPT = EDGE_TYPES.index("fused"), NODE_TYPES.index("concept")


def system_graph(study: Study, labels: tuple[str, ...], *, report: bool, fusion: Fusion = "edge") -> Data:
    """The graph of a study that is pruned already.

    Raises
    ------
    ValueError : "most attended" without the attention of words.
    """
    graph = study_graph(study, GraphSettings(labels=labels, report=report))
    if fusion == "edge" or not report:
        return graph
    n_patches, n_concepts = len(study.patches), len(study.concepts)
    pairs = np.empty((0, 2), np.int64)
    if fusion == "every pair":
        pairs = np.stack(np.meshgrid(np.arange(n_patches), np.arange(n_concepts), indexing="ij"), axis=-1).reshape(
            -1, 2
        )
    elif fusion == "most attended":
        pairs = np.stack([most_attended(study), np.arange(n_concepts)], axis=1)
    kept = graph.edge_type != _FUSED
    ends = torch.from_numpy(pairs + np.array([0, n_patches])).T
    graph.edge_index = torch.cat([graph.edge_index[:, kept], ends, ends.flip(0)], dim=1)
    graph.edge_type = torch.cat([graph.edge_type[kept], torch.full((2 * len(pairs),), _FUSED)])
    return graph


def most_attended(study: Study) -> NDArray[np.int64]:
    """int64 [n_concepts]: the kept patch that the words of each concept attend to most; the earlier one of equals.

    Raises
    ------
    ValueError : the study does not hold the attention of words.
    """
    words = study.word_attention
    if words is None:
        if study.concepts:
            raise ValueError("the study does not hold the attention of words")
        return np.empty(0, np.int64)
    cells = cells_of(study)
    best = [int(words.within(concept.start, concept.end)[cells].argmax()) for concept in study.concepts]
    return np.array(best, np.int64)


def text_alone(graph: Data) -> Data:
    """The concepts of a graph without its patches; one node of zeros where there is no concept."""
    concepts = graph.node_type == _CONCEPT
    if bool(concepts.any()):
        return graph.subgraph(concepts)
    empty = graph.subgraph(torch.arange(graph.num_nodes) == 0)
    empty.x = torch.zeros_like(empty.x)
    return empty


def lean(graph: Data) -> Data:
    """What a network reads of a graph: joining graphs to batches takes time for every attribute."""
    return Data(
        x=graph.x, edge_index=graph.edge_index, y=graph.y, y_mask=graph.y_mask, num_nodes=int(graph.num_nodes or 0)
    )
