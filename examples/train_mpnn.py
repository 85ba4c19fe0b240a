"""Train a message-passing network of plain PyTorch Geometric from an archive.

    python examples/train_mpnn.py OUT

Nothing of the network is special: a study becomes a ``torch_geometric.data.Data`` and the usual loader batches it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from synthetic import studies
from torch import nn
from torch_geometric.loader import DataLoader
from torch_geometric.nn import GraphConv, global_max_pool

import neuralgraph as ng
from neuralgraph.adapters.pyg import to_data


class Classifier(nn.Module):
    """Two rounds of messages, the largest value of every feature, one logit."""

    def __init__(self, width: int, hidden: int = 32) -> None:
        super().__init__()
        self.first, self.second = GraphConv(width, hidden), GraphConv(hidden, hidden)
        self.last = nn.Linear(hidden, 1)

    def forward(self, data) -> torch.Tensor:
        """Logits [studies]."""
        x = self.first(data.x, data.edge_index).relu()
        x = self.second(x, data.edge_index).relu()
        return self.last(global_max_pool(x, data.batch)).squeeze(1)


def train(archive_path: Path, *, epochs: int = 12, seed: int = 0) -> float:
    """Share of the held-out quarter that is classified rightly."""
    torch.manual_seed(seed)
    with ng.open(archive_path) as archive:
        graphs = [to_data(study) for study in archive]
    cut = len(graphs) * 3 // 4
    loader = DataLoader(graphs[:cut], batch_size=16, shuffle=True)
    model = Classifier(graphs[0].x.shape[1])
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(epochs):
        for batch in loader:
            optimizer.zero_grad()
            nn.functional.binary_cross_entropy_with_logits(model(batch), batch.y[:, 0]).backward()
            optimizer.step()
    with torch.no_grad():
        held = next(iter(DataLoader(graphs[cut:], batch_size=len(graphs))))
        return float(((model(held) > 0) == (held.y[:, 0] > 0)).float().mean())


def main(folder: Path) -> float:
    """Make an archive, train from it, print the accuracy."""
    folder.mkdir(parents=True, exist_ok=True)
    ng.save(studies(96), folder / "archive.ngr", embedding="float16")
    accuracy = train(folder / "archive.ngr")
    print(f"accuracy on studies not trained on: {accuracy:.0%}")
    return accuracy


if __name__ == "__main__":
    main(Path(sys.argv[1]))
