"""Studies with the statistics of a trained encoder's embeddings, and their graphs.

No trained weights are at hand, so the embeddings are made: a latent of the study and one of each patch, both of low
rank, noise of full rank, log-normal channel scales, six outlier channels, then a layer norm and a random affine. The
measured figures of such data (kurtosis, cosine of patches of one study, rank) are in the results.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from neuralgraph import Concept, Patches, Study, View
from neuralgraph.graph.adjacency import grid_edges

ROWS = COLS = 30
KEPT, WIDTH, RANK, SIDE = 20, 1024, 48, 32
LABELS = tuple(f"finding {number:02d}" for number in range(14))
_PARTS = ("right", "left", "upper", "lower", "basal", "apical", "small", "large", "mild", "moderate", "new", "stable")
_THINGS = (
    "effusion", "opacity", "consolidation", "atelectasis", "pneumothorax", "oedema", "nodule", "mass", "fracture",
    "cardiomegaly", "hilum", "lung", "pleura", "diaphragm", "mediastinum", "heart", "rib", "spine", "catheter", "tube",
)  # fmt: skip
_STATES = (
    "Anatomy::definitely present", "Observation::definitely present",
    "Observation::definitely absent", "Observation::uncertain",
)  # fmt: skip


class Encoder:
    """The fixed part of the made-up encoder."""

    def __init__(self, random: np.random.Generator) -> None:
        self.mixing = random.normal(size=(RANK, WIDTH)).astype(np.float32) / np.sqrt(RANK)
        self.channel = np.exp(0.5 * random.normal(size=WIDTH)).astype(np.float32)
        self.channel[random.choice(WIDTH, 6, replace=False)] *= random.uniform(15, 40, 6).astype(np.float32)
        self.gamma = np.exp(0.3 * random.normal(size=WIDTH)).astype(np.float32)
        self.beta = (0.3 * random.normal(size=WIDTH)).astype(np.float32)

    def embed(self, random: np.random.Generator) -> np.ndarray:
        """float32 [KEPT, WIDTH]."""
        latent = random.normal(size=RANK).astype(np.float32) + random.normal(size=(KEPT, RANK)).astype(np.float32)
        noise = random.standard_normal((KEPT, WIDTH), dtype=np.float32)
        values = np.tanh(latent @ self.mixing + 0.35 * noise) * self.channel
        values = (values - values.mean(axis=1, keepdims=True)) / values.std(axis=1, keepdims=True)
        return values * self.gamma + self.beta


def studies(count: int, seed: int) -> Iterator[Study]:
    """``count`` studies: a clustered choice of 20 of 900 patches, 8 to 25 concepts, triples, 14 labels."""
    random = np.random.default_rng(seed)
    encoder = Encoder(np.random.default_rng([seed, 1]))
    words = np.random.default_rng([seed, 2])
    phrases = [f"{words.choice(_PARTS)} {thing}" for thing in _THINGS for _ in range(60)] + list(_THINGS)
    popularity = 1 / np.arange(1, len(phrases) + 1) ** 0.7
    popularity /= popularity.sum()
    shuffled = words.permutation(len(phrases))
    y, x = np.mgrid[0:ROWS, 0:COLS]
    for number in range(count):
        score = random.random((ROWS, COLS)).astype(np.float32) * 0.05
        for _ in range(3):
            row, col = random.uniform(3, 27, 2)
            score += np.exp(-((y - row) ** 2 + (x - col) ** 2) / 6).astype(np.float32)
        order = np.argsort(-score.ravel(), kind="stable")[:KEPT]
        row, col = np.divmod(order, COLS)
        n = int(random.integers(8, 26))
        chosen = shuffled[random.choice(len(phrases), n, p=popularity)]
        state = random.integers(0, len(_STATES), n)
        concepts = tuple(
            Concept(phrases[c], _STATES[s], 12 * i, 12 * i + 9)
            for i, (c, s) in enumerate(zip(chosen, state, strict=True))
        )
        heads, tails = random.integers(0, n, 24), random.integers(0, n, 24)
        kinds = random.integers(0, 3, 24)
        triples = sorted({(int(h), int(k), int(t)) for h, k, t in zip(heads, kinds, tails, strict=True) if h != t})
        patches = Patches(row, col, score.ravel()[order], encoder.embed(random))
        assert len(grid_edges(patches.view, patches.row, patches.col)) > 0
        values = random.choice([0.0, 1.0, -1.0], len(LABELS), p=[0.7, 0.25, 0.05])
        known = random.random(len(LABELS)) < 0.8
        yield Study(
            study_id=f"study-{number:07d}",
            views=(View.from_scores(score, height=960, width=960, patch_height=SIDE, patch_width=SIDE),),
            patches=patches,
            concepts=concepts,
            triples=np.array(triples, np.int32).reshape(-1, 3),
            fusion=(0, int(random.integers(0, n))),
            labels={name: float(v) for name, v, k in zip(LABELS, values, known, strict=True) if k},
            provenance={"report": "given"},
        )


def statistics(sample: list[Study]) -> dict[str, Any]:
    """What the embeddings look like."""
    values = np.stack([study.patches.embedding for study in sample])
    flat = values.reshape(-1, WIDTH)
    centred = flat - flat.mean(axis=0)
    spectrum = np.linalg.svd(centred, compute_uv=False) ** 2
    unit = values / np.linalg.norm(values, axis=2, keepdims=True)
    within = np.einsum("spd,sqd->spq", unit, unit)[:, ~np.eye(KEPT, dtype=bool)]

    def kurtosis(data: np.ndarray) -> float:
        return float((((data - data.mean()) / data.std()) ** 4).mean())

    return {
        "kurtosis": kurtosis(flat),
        "kurtosis_per_channel": float(np.median([kurtosis(flat[:, c]) for c in range(0, WIDTH, 16)])),
        "cosine_within_a_study": float(within.mean()),
        "rank_for_90_percent_of_variance": int(np.searchsorted(np.cumsum(spectrum) / spectrum.sum(), 0.9) + 1),
        "nodes": float(np.mean([len(s.patches) + len(s.concepts) for s in sample])),
        "edges": float(np.mean([len(s.edges) + len(s.triples) + 1 for s in sample])),
    }
