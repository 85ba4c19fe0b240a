"""Archives of this project in several profiles."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from torch_geometric.data import Data

import neuralgraph as ng
from bench.loaders.stores import Store
from neuralgraph.adapters.pyg.batch import Batcher
from neuralgraph.batches.reader import BatchReader


class Archive(Store):
    """An archive; written from studies, not from graphs."""

    embedding, profile = "exact", "compact"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.path = folder / "a.ngr"

    def write(self, graphs: list[ng.Study]) -> None:  # type: ignore[override]
        ng.save(graphs, self.path, embedding=self.embedding, profile=self.profile)

    def open(self) -> None:
        self._batcher = Batcher(BatchReader(self.path))

    def get(self, position: int) -> Data:
        return self._batcher.data(position)

    def batches(self, order: np.ndarray, size: int) -> Iterator[Any]:
        for start in range(0, len(order), size):
            yield self._batcher.batch(order[start : start + size])


def _archive(name: str, embedding: str, profile: str) -> type[Archive]:
    return type("Archive", (Archive,), {"name": name, "embedding": embedding, "profile": profile})


OURS = (
    _archive("ngr train, float32", "float32", "train"),
    _archive("ngr train, bfloat16", "bfloat16", "train"),
    _archive("ngr train, int8", "int8", "train"),
    _archive("ngr compact, exact (default)", "exact", "compact"),
    _archive("ngr compact, bfloat16", "bfloat16", "compact"),
)
