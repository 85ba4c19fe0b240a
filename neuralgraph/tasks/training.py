"""Fit a graph network and predict with it: full determinism under a seed, early stop on the validation loss."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch_geometric.data import HeteroData
from torch_geometric.loader import DataLoader

from neuralgraph.errors import StudyError
from neuralgraph.tasks.models import MPNN, HeteroMPNN

__all__ = ["Fitted", "TrainingSettings", "fit", "predict"]


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """How a network is fitted."""

    epochs: int = 60
    """At most."""
    patience: int = 10
    """Epochs without a better validation loss after which it ends."""
    batch_size: int = 32
    """Graphs."""
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    """Of AdamW."""
    hidden: int = 64
    dropout: float = 0.2
    """Of the network."""


@dataclass(frozen=True)
class Fitted:
    """A network at the epoch of its lowest validation loss."""

    model: nn.Module
    epochs: int
    """Run, not kept."""
    validation_loss: float


def fit(
    train: Sequence[Any], validate: Sequence[Any], settings: TrainingSettings | None = None, *, seed: int = 0
) -> Fitted:
    """A network for these graphs: ``MPNN`` for ``Data``, ``HeteroMPNN`` for ``HeteroData``.

    The loss is binary cross-entropy over the labels that are known; the caller's random state is left alone.

    Parameters
    ----------
    train, validate : graphs with ``y`` and ``y_mask``, standardised alike.
    settings : how.
    seed : of weights, order and dropout.

    Raises
    ------
    StudyError (E_SIZE) : there is nothing to train on or to validate with.
    """
    settings = settings or TrainingSettings()
    if not train or not validate:
        raise StudyError("training needs graphs to train on and to validate with", code="E_SIZE", where="fit")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = _network(train[0], settings)
        optimiser = torch.optim.AdamW(model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
        loader = DataLoader(list(train), batch_size=settings.batch_size, shuffle=True)
        best, kept, since, epochs = float("inf"), copy.deepcopy(model.state_dict()), 0, 0
        while epochs < settings.epochs and since < settings.patience:
            epochs += 1
            model.train()
            for batch in loader:
                optimiser.zero_grad()
                _loss(_logits(model, batch), batch).backward()  # type: ignore[no-untyped-call]  # of torch
                optimiser.step()
            loss = _mean_loss(model, validate, settings.batch_size)
            since += 1
            if loss < best:
                best, kept, since = loss, copy.deepcopy(model.state_dict()), 0
    model.load_state_dict(kept)
    return Fitted(model.eval(), epochs, best)


@torch.no_grad()
def predict(model: nn.Module, graphs: Sequence[Any], *, batch_size: int = 64) -> NDArray[np.float32]:
    """Chances float32 [len(graphs), labels], in the order of the graphs."""
    model.eval()
    parts = [_logits(model, batch).sigmoid() for batch in DataLoader(list(graphs), batch_size=batch_size)]
    return torch.cat(parts).numpy().astype(np.float32)


def _network(graph: Any, settings: TrainingSettings) -> nn.Module:
    outputs = graph.y.shape[1]
    hidden, dropout = settings.hidden, settings.dropout
    if isinstance(graph, HeteroData):
        widths = graph["patch"].x.shape[1], graph["concept"].x.shape[1]
        return HeteroMPNN(*widths, outputs, hidden=hidden, dropout=dropout)
    return MPNN(graph.x.shape[1], outputs, hidden=hidden, dropout=dropout)


def _logits(model: nn.Module, batch: Any) -> torch.Tensor:
    if isinstance(batch, HeteroData):
        logits: torch.Tensor = model(batch.x_dict, batch.edge_index_dict, batch.batch_dict, batch.num_graphs)
    else:
        logits = model(batch.x, batch.edge_index, batch.batch)
    return logits


def _loss(logits: torch.Tensor, batch: Any) -> torch.Tensor:
    loss = nn.functional.binary_cross_entropy_with_logits(logits, batch.y, reduction="none")
    mean: torch.Tensor = (loss * batch.y_mask).sum() / batch.y_mask.sum().clamp(min=1)
    return mean


@torch.no_grad()
def _mean_loss(model: nn.Module, graphs: Sequence[Any], batch_size: int) -> float:
    model.eval()
    total, known = 0.0, 0
    for batch in DataLoader(list(graphs), batch_size=batch_size):
        n = int(batch.y_mask.sum())
        total += float(_loss(_logits(model, batch), batch)) * n
        known += n
    return total / max(known, 1)
