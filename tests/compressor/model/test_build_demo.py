from __future__ import annotations

import json

import safetensors.torch
import torch

from neuralgraph.compressor.model.build_demo import build_demo
from neuralgraph.compressor.model.files import model_digest

FILES = ["config.json", "model.safetensors", "preprocessor_config.json", "tokenizer.json", "tokenizer_config.json"]


def test_the_bundled_model_is_small_and_carries_no_code(demo_directory):
    assert sorted(path.name for path in demo_directory.iterdir()) == FILES
    assert sum(path.stat().st_size for path in demo_directory.iterdir()) <= 3_000_000


def test_the_command_rebuilds_what_is_bundled(demo_directory, tmp_path):
    assert build_demo(tmp_path) == model_digest(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == FILES
    for name in FILES:
        if name.endswith(".json"):
            assert json.loads((tmp_path / name).read_text()) == json.loads((demo_directory / name).read_text()), name
    built, bundled = (
        safetensors.torch.load_file(directory / "model.safetensors") for directory in (tmp_path, demo_directory)
    )
    assert built.keys() == bundled.keys()
    # Other processors may round the last bit of a random number differently.
    assert all(torch.allclose(built[name], bundled[name], rtol=1e-3, atol=1e-6) for name in built)
