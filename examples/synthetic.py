"""Synthetic studies for the examples: made without a model, so that every example runs in seconds.

The attention is drawn so that it says something: studies with the label have a bright spot, studies without have none.
Embeddings follow the attention. Nothing here comes from a person.
"""

from __future__ import annotations

import numpy as np

import neuralgraph as ng

ROWS, COLS, PATCH, WIDTH = 8, 8, 32, 16


def study(seed: int, *, kept: int = 10) -> ng.Study:
    """A study that is the same for the same seed; its label is ``seed % 2``."""
    random = np.random.default_rng(seed)
    present = seed % 2
    scores = random.random((ROWS, COLS)).astype(np.float32)
    row, col = random.integers(1, ROWS - 1), random.integers(1, COLS - 1)
    scores[row - 1 : row + 2, col - 1 : col + 2] += 2.0 * present
    view = ng.View.from_scores(scores, height=ROWS * PATCH, width=COLS * PATCH, patch_height=PATCH, patch_width=PATCH)
    # A score and the map say the same: take the scores as the map stores them, brightest first.
    flat = view.attention.ravel()
    order = np.argsort(-flat, kind="stable")[:kept]
    embedding = random.normal(size=(kept, WIDTH)) * 0.3 + flat[order, None]
    patches = ng.Patches(order // COLS, order % COLS, flat[order], embedding.astype(np.float16))
    kind = "Observation::definitely present" if present else "Observation::definitely absent"
    concepts = (ng.Concept("opacity", kind, 0, 7), ng.Concept("lung", "Anatomy::definitely present", 15, 19))
    return ng.Study(
        f"synthetic-{seed:04d}", (view,), patches, concepts, [[0, 1, 1]], (0, 0), {"opacity": float(present)}
    )


def studies(count: int, *, first: int = 0) -> list[ng.Study]:
    """``count`` studies, half of them with the label."""
    return [study(seed) for seed in range(first, first + count)]
