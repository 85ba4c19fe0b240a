"""Arrays of a study that belong together: the kept patches, and stored features of concepts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neuralgraph.graph.frozen import Immutable, frozen_array

__all__ = ["ConceptVectors", "Patches"]


@dataclass(frozen=True, eq=False)
class Patches(Immutable):
    """The kept patches, in descending order of score (ties: lower cell first)."""

    row: NDArray[np.int32]
    """int32 [n]: grid row."""
    col: NDArray[np.int32]
    """int32 [n]: grid column."""
    score: NDArray[np.float32]
    """float32 [n]: attention the patch received, summed over the tokens of the report."""
    embedding: NDArray[np.float32]
    """float32 [n, d]: output of the vision encoder at the patch, before projection."""
    view: NDArray[np.int32] = None  # type: ignore[assignment]  # filled with zeros below
    """int32 [n]: which film of the study."""

    def __post_init__(self) -> None:
        """Fix dtypes and shapes."""
        n = len(np.asarray(self.row))
        view = np.zeros(n, np.int32) if self.view is None else self.view
        object.__setattr__(self, "row", frozen_array(self.row, "i4", (n,), where="patches.row"))
        object.__setattr__(self, "col", frozen_array(self.col, "i4", (n,), where="patches.col"))
        object.__setattr__(self, "view", frozen_array(view, "i4", (n,), where="patches.view"))
        object.__setattr__(self, "score", frozen_array(self.score, "f4", (n,), where="patches.score"))
        object.__setattr__(self, "embedding", frozen_array(self.embedding, "f4", (n, -1), where="patches.embedding"))

    def __len__(self) -> int:
        """Number of kept patches."""
        return len(self.row)

    def first(self, n: int) -> Patches:
        """The ``n`` most attended patches."""
        return Patches(self.row[:n], self.col[:n], self.score[:n], self.embedding[:n], self.view[:n])


@dataclass(frozen=True, eq=False)
class ConceptVectors(Immutable):
    """Feature vectors of concepts, one per distinct concept."""

    index: NDArray[np.int32]
    """int32 [n_concepts]: row of ``vector`` for each concept."""
    vector: NDArray[np.float32]
    """float32 [m, w]."""

    def __post_init__(self) -> None:
        """Fix dtypes and shapes."""
        object.__setattr__(self, "index", frozen_array(self.index, "i4", (-1,), where="concept_vectors.index"))
        object.__setattr__(self, "vector", frozen_array(self.vector, "f4", (-1, -1), where="concept_vectors.vector"))
