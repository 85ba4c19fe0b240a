"""Six phantom patients at 64 pixels and a model that fits them: a training run of seconds."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def quick():
    """A recipe of seconds that leaves the encoder as it is and looks at nothing but whole films."""
    from neuralgraph.compressor.training.recipe import Recipe

    return Recipe(
        steps=30,
        batch_size=4,
        vision_rate=0,
        bridge_rate=1e-2,
        text_rate=1e-2,
        warmup=1,
        validate_every=10,
        precision="float32",
        longest_report=200,
        pruned_weight=0.0,
    )


@pytest.fixture(scope="session")
def preprocessor():
    from neuralgraph.compressor.model.preprocess import Preprocessor

    return Preprocessor(stride=8, max_side=64)


@pytest.fixture(scope="session")
def examples(tmp_path_factory, preprocessor):
    from neuralgraph.compressor.training.examples import ExampleSet, write_examples
    from neuralgraph.compressor.training.phantom_films import phantom_tasks, prepare_phantom

    folder = tmp_path_factory.mktemp("films")
    assert write_examples(folder, phantom_tasks(6, preprocessor, side=64), prepare_phantom) == {}
    return ExampleSet(folder)


@pytest.fixture
def start(preprocessor, tokenizer):
    """A function () -> a fresh tiny model with its parts, always the same."""
    from neuralgraph.compressor.model.configuration import NeuralGraphConfig
    from neuralgraph.compressor.training.train import fresh_start

    def make():
        config = NeuralGraphConfig(
            name="tiny",
            labels=("nodule", "pneumonia"),
            vision={"patch_size": 4, "embed_dim": 8, "depths": [1, 1], "num_heads": [1, 2], "window_size": 4},
            text={"vocab_size": 2048, "d_model": 16, "d_kv": 8, "d_ff": 16, "num_layers": 1, "num_heads": 2},
        )
        return fresh_start(config, tokenizer, preprocessor, seed=3)

    return make
