"""Networks over fused graphs. ``forward`` takes tensors in fixed places, so that PyG's Explainer can call it."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn
from torch_geometric.nn import GCNConv, HeteroConv, SAGEConv, global_mean_pool

from neuralgraph.adapters.pyg import HETERO_EDGE_TYPES, NODE_TYPES

__all__ = ["MPNN", "HeteroMPNN"]


class MPNN(nn.Module):
    """The paper's downstream model: two GCN layers, the mean over nodes, one linear layer.

    Parameters
    ----------
    width : d of the nodes.
    outputs : logits per graph, one per label.
    hidden : width between the layers.
    dropout : after each layer, in training.
    """

    def __init__(self, width: int, outputs: int, *, hidden: int = 64, dropout: float = 0.2) -> None:
        super().__init__()
        self.first = GCNConv(width, hidden)
        self.second = GCNConv(hidden, hidden)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(hidden, outputs)

    def forward(self, x: torch.Tensor, edge_index: torch.Tensor, batch: torch.Tensor | None = None) -> torch.Tensor:
        """Logits float [B, outputs].

        Parameters
        ----------
        x : float [n, width], nodes of all graphs.
        edge_index : int64 [2, e], both directions.
        batch : int64 [n], graph of each node; None is one graph.
        """
        x = self.dropout(self.first(x, edge_index).relu())
        x = self.dropout(self.second(x, edge_index).relu())
        logits: torch.Tensor = self.classifier(global_mean_pool(x, batch))
        return logits


class HeteroMPNN(nn.Module):
    """The same depth with a weight of its own for every type of edge; patches and concepts are pooled apart.

    Parameters
    ----------
    patch_width, concept_width : of the nodes.
    outputs, hidden, dropout : as for ``MPNN``.
    """

    def __init__(
        self, patch_width: int, concept_width: int, outputs: int, *, hidden: int = 64, dropout: float = 0.2
    ) -> None:
        super().__init__()
        widths = {"patch": patch_width, "concept": concept_width}
        self.enter = nn.ModuleDict({kind: nn.Linear(width, hidden) for kind, width in widths.items()})
        self.layers = nn.ModuleList(
            HeteroConv({kind: SAGEConv((hidden, hidden), hidden) for kind in HETERO_EDGE_TYPES}, aggr="sum")
            for _ in range(2)
        )
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(len(NODE_TYPES) * hidden, outputs)

    def forward(
        self,
        x_dict: Mapping[str, torch.Tensor],
        edge_index_dict: Mapping[tuple[str, str, str], torch.Tensor],
        batch_dict: Mapping[str, torch.Tensor] | None = None,
        size: int | None = None,
    ) -> torch.Tensor:
        """Logits float [B, outputs].

        Parameters
        ----------
        x_dict, edge_index_dict : by node and edge type, as in ``to_hetero_data``; types may be empty.
        batch_dict : int64, graph of each node by node type; None is one graph.
        size : number of graphs B: with nodes of one type missing at the end of a batch it cannot be counted.
        """
        x = {kind: self.enter[kind](x_dict[kind]).relu() for kind in NODE_TYPES}
        for layer in self.layers:
            passed = layer(x, edge_index_dict)
            # A node that nothing points to still has itself.
            x = {kind: self.dropout((x[kind] + passed[kind]).relu() if kind in passed else x[kind]) for kind in x}
        graphs = {kind: None if batch_dict is None else batch_dict[kind] for kind in NODE_TYPES}
        count = 1 if batch_dict is None else size
        pooled = [global_mean_pool(x[kind], graphs[kind], count) for kind in NODE_TYPES]
        logits: torch.Tensor = self.classifier(torch.cat(pooled, dim=1))
        return logits
