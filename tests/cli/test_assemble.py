"""``ngr assemble`` joins a file of weights and the bundled decoder; the function it calls has tests of its own."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from neuralgraph.cli.main import application

timm = pytest.importorskip("timm", reason="the extra vlm is not installed")


def test_a_model_of_two_checkpoints(tmp_path):
    from safetensors.torch import save_file

    from neuralgraph.compressor.scorer import load_scorer

    weights = timm.create_model("test_resnet", pretrained=False).state_dict()
    save_file({name: value.contiguous() for name, value in weights.items()}, tmp_path / "weights.safetensors")
    given = ["--vision", tmp_path / "weights.safetensors", "--architecture", "test_resnet", "--text", "demo"]
    given += ["--output", tmp_path / "model", "--name", "tiny", "--label", "nodule", "--offline", "--json"]
    run = CliRunner().invoke(application(["assemble", "info"]), ["assemble", *map(str, given)])
    assert run.exit_code == 0, run.output
    made = load_scorer(tmp_path / "model")
    assert json.loads(run.stdout) == {
        "output": str(tmp_path / "model"),
        "model": made.digest,
        "model_trained": False,
    }
    assert (made.name, made.trained) == ("tiny", False)
