"""A model small enough to build in a blink, with the bundled tokenizer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

DEMO = Path(__file__).parents[2] / "neuralgraph" / "compressor" / "demo"


@pytest.fixture(scope="session")
def demo_directory():
    return DEMO


@pytest.fixture(scope="session")
def tokenizer():
    from neuralgraph.compressor.model.tokenizer import ReportTokenizer

    return ReportTokenizer.read(DEMO)


@pytest.fixture
def tiny_model():
    """Seeded, stride 8, three decoder layers, freshly built: a test may break it."""
    import torch

    from neuralgraph.compressor.model.configuration import NeuralGraphConfig
    from neuralgraph.compressor.model.model import NeuralGraphModel

    config = NeuralGraphConfig(
        name="tiny",
        labels=("pneumonia", "effusion"),
        vision={"patch_size": 4, "embed_dim": 8, "depths": [1, 2], "num_heads": [1, 2], "window_size": 4},
        text={"vocab_size": 2048, "d_model": 24, "d_kv": 8, "d_ff": 32, "num_layers": 3, "num_heads": 3},
        max_report_tokens=400,
        max_generated_tokens=12,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        return NeuralGraphModel(config).eval()


@pytest.fixture
def film():
    """A function (height, width, seed) -> float32 film."""

    def make(height, width, seed=0):
        return np.random.default_rng(seed).random((height, width), dtype=np.float32)

    return make
