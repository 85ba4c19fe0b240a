"""One film after the model."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["ScoredFilm", "WordMaps"]


class WordMaps(NamedTuple):
    """Where the decoder looked for each word of the report."""

    start: NDArray[np.int64]
    """int64 [w]: first code point of the word in the report; words ascend."""
    end: NDArray[np.int64]
    """int64 [w]: code point behind the word."""
    attention: NDArray[np.float32]
    """float32 [w, rows * cols]: attention summed over the tokens of the word."""


class ScoredFilm(NamedTuple):
    """What a scorer returns for one film."""

    embedding: NDArray[np.float32]
    """Patch embeddings, encoder output before projection: [rows * cols, d], row-major cells."""
    score: NDArray[np.float32]
    """Attention summed over the report's tokens, or what another rule makes of it: [rows * cols], not negative."""
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
    rule: str = "sum"
    """The rule that made the score; not always the one asked for, see ``neuralgraph.compressor.score_rules``."""
    words: WordMaps | None = None
    """Attention word by word, when it was asked for."""
