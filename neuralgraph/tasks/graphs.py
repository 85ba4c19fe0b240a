"""Graphs for a task: a study at a retention, with or without what its report says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch_geometric.data import Data, HeteroData

from neuralgraph.adapters.pyg import NODE_TYPES, to_data, to_hetero_data
from neuralgraph.errors import StudyError
from neuralgraph.graph.retention import kept_patches
from neuralgraph.graph.study import Study

__all__ = ["GraphSettings", "Standardise", "n_patches", "standardised", "study_graph", "without_report"]

_LEAST_SPREAD = 1e-6


@dataclass(frozen=True, kw_only=True)
class GraphSettings:
    """How a study becomes a graph."""

    labels: tuple[str, ...]
    """Names of the columns of ``y``."""
    retain: float | None = None
    """Share of the grid's cells to keep; None keeps what the file holds."""
    report: bool = True
    """Keep the concepts, triples and the fusion edge; without, the graph is that of the image alone."""
    heterogeneous: bool = False
    """Node and edge types of their own (``to_hetero_data``) instead of one graph (``to_data``)."""
    uncertain: str = "mask"
    """What becomes of labels of -1, see ``to_data``."""


def study_graph(study: Study, settings: GraphSettings) -> Data | HeteroData:
    """The graph of a study.

    Raises
    ------
    StudyError (E_STUDY) : the file holds fewer patches than ``retain`` asks for: what was pruned cannot come back.
    """
    if settings.retain is not None:
        kept = study.prune(retain=settings.retain)
        wanted = kept_patches(settings.retain, study.n_cells)
        if len(kept.patches) < wanted:
            reason = (
                f"holds {len(kept.patches)} patches, {settings.retain:.3g} of its grid are {wanted}; compress it anew"
            )
            raise StudyError(reason, code="E_STUDY", where=f"study {study.study_id}")
        study = kept
    if not settings.report:
        study = without_report(study)
    convert = to_hetero_data if settings.heterogeneous else to_data
    return convert(study, labels=settings.labels, uncertain=settings.uncertain)


def without_report(study: Study) -> Study:
    """The study of its films alone: no report, no graph of one, and nothing that speaks of either."""
    return replace(
        study,
        concepts=(),
        mentions=(),
        triples=np.empty((0, 3), np.int32),
        fusion=None,
        concept_vectors=None,
        report=None,
        word_attention=None,
        provenance={key: value for key, value in study.provenance.items() if key != "fusion"},
    )


class Standardise:
    """Patches to mean 0 and standard deviation 1 per channel of the training patches; concepts to the same length.

    Embeddings and concept vectors come from different worlds: rows of the one have a length of about the square root of
    their width, of the other 1. Left so, whichever is longer drowns the other in the first layer.

    Parameters
    ----------
    mean, spread : float32 [d], of the training patches.
    """

    def __init__(self, mean: torch.Tensor, spread: torch.Tensor) -> None:
        self.mean = mean
        self.spread = spread.clamp(min=_LEAST_SPREAD)

    @classmethod
    def of(cls, graphs: Iterable[Data | HeteroData]) -> Standardise:
        """The scale of the patches of training graphs.

        Raises
        ------
        StudyError (E_SIZE) : there is no patch, or patches are of several widths.
        """
        patches = [_patches(graph) for graph in graphs]
        widths = {part.shape[1] for part in patches if len(part)}
        if len(widths) != 1:
            reason = f"embeddings have the widths {sorted(widths)}, one is needed" if widths else "there is no patch"
            raise StudyError(reason, code="E_SIZE", where="embedding")
        rows = torch.cat([part for part in patches if len(part)])
        return cls(rows.mean(dim=0), rows.std(dim=0, correction=0))

    def __call__(self, graph: Any) -> Any:
        """A copy of the graph with standardised features."""
        graph = graph.clone()
        if isinstance(graph, HeteroData):
            graph["patch"].x = self._patches(graph["patch"].x)
            graph["concept"].x = graph["concept"].x * graph["concept"].x.shape[1] ** 0.5
        else:
            is_patch = (graph.node_type == NODE_TYPES.index("patch"))[:, None]
            graph.x = torch.where(is_patch, self._patches(graph.x), graph.x * graph.x.shape[1] ** 0.5)
        return graph

    def _patches(self, x: torch.Tensor) -> torch.Tensor:
        return (x - self.mean) / self.spread


def _patches(graph: Data | HeteroData) -> torch.Tensor:
    if isinstance(graph, HeteroData):
        rows: torch.Tensor = graph["patch"].x
    else:
        rows = graph.x[graph.node_type == NODE_TYPES.index("patch")]
    return rows


def n_patches(graph: Data | HeteroData) -> int:
    """Patches of a graph."""
    return len(_patches(graph))


def standardised(
    train: Sequence[Data | HeteroData], *others: Sequence[Data | HeteroData]
) -> list[list[Data | HeteroData]]:
    """Training graphs and others, all on the scale of the training graphs."""
    scale = Standardise.of(train)
    return [[scale(graph) for graph in part] for part in (train, *others)]
