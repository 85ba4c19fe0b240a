"""From training a small graph network to a picture of why it decides: GNNExplainer's importances on the film.

    python examples/explain.py OUT

An explainer gives one number for each node of ``to_data``; ``neuralgraph.plot(study, values=...)`` takes them as they
are.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from synthetic import studies
from torch import nn
from torch_geometric.explain import Explainer, GNNExplainer
from torch_geometric.loader import DataLoader
from torch_geometric.nn import GraphConv, global_max_pool

import neuralgraph as ng
from neuralgraph.adapters.pyg import to_data


class Classifier(nn.Module):
    """One round of messages, the largest value of every feature, one logit."""

    def __init__(self, width: int, hidden: int = 16) -> None:
        super().__init__()
        self.messages, self.last = GraphConv(width, hidden), nn.Linear(hidden, 1)

    def forward(self, x, edge_index, batch) -> torch.Tensor:
        """Logits [studies, 1]."""
        return self.last(global_max_pool(self.messages(x, edge_index).relu(), batch))


def train(graphs, *, epochs: int = 10) -> Classifier:
    """A classifier of the first label."""
    torch.manual_seed(0)
    model = Classifier(graphs[0].x.shape[1])
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(epochs):
        for batch in DataLoader(graphs, batch_size=16, shuffle=True):
            optimizer.zero_grad()
            logits = model(batch.x, batch.edge_index, batch.batch)[:, 0]
            nn.functional.binary_cross_entropy_with_logits(logits, batch.y[:, 0]).backward()
            optimizer.step()
    return model.eval()


def importances(model: Classifier, graph) -> np.ndarray:
    """Importance of every node, float32 [nodes]."""
    explainer = Explainer(
        model,
        GNNExplainer(epochs=100),
        explanation_type="model",
        node_mask_type="object",
        edge_mask_type="object",
        model_config={"mode": "binary_classification", "task_level": "graph", "return_type": "raw"},
    )
    found = explainer(graph.x, graph.edge_index, batch=torch.zeros(len(graph.x), dtype=torch.long))
    return found.node_mask[:, 0].numpy()


def main(folder: Path) -> tuple[ng.Study, np.ndarray]:
    """Train, explain one study, write its values and its picture."""
    folder.mkdir(parents=True, exist_ok=True)
    ng.save(studies(64), folder / "archive.ngr", embedding="float16")
    with ng.open(folder / "archive.ngr") as archive:
        graphs = [to_data(study) for study in archive]
        study = archive["synthetic-0063"]
    values = importances(train(graphs), to_data(study))
    np.savez(folder / "importances.npz", **{study.study_id: values})
    ng.plot(study, values=values, label="importance by GNNExplainer").savefig(folder / "why.png")
    print(f"{folder / 'why.png'}: why the network decides as it does on {study.study_id}")
    return study, values


if __name__ == "__main__":
    main(Path(sys.argv[1]))
