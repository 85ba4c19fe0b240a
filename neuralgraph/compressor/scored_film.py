"""One film after the model."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["ScoredFilm"]


class ScoredFilm(NamedTuple):
    """What a scorer returns for one film."""

    embedding: NDArray[np.float32]
    """Patch embeddings, encoder output before projection: [rows * cols, d], row-major cells."""
    score: NDArray[np.float32]
    """Attention summed over the report's tokens: [rows * cols]."""
    rows: int
    cols: int
    patch_height: float
    """In pixels of the film: patch (r, c) covers [r * patch_height, (r + 1) * patch_height), clipped to the film."""
    patch_width: float
    text: str
    """The report the scores belong to."""
    generated: bool
    """True when no report was given and the decoder wrote the text."""
    tokens: int
    """Tokens summed. 0 says that the decoder wrote nothing and the scores are the attention of its start token."""
