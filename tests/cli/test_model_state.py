"""What ``ngr info`` and ``ngr doctor`` say of a model's folder."""

from __future__ import annotations

import json
import shutil

import pytest
from json_outputs import printed
from typer.testing import CliRunner

from neuralgraph.cli.main import application
from neuralgraph.cli.model_state import is_model, model_state, model_words
from neuralgraph.compressor.scorer import DEMO_DIRECTORY
from neuralgraph.errors import ModelError

VERDICT = {
    "before": {"area_kept": 0.1, "pointing": 0.4, "auc": 0.6, "bleu2": 0.3, "mean_map_area": 0.15},
    "after": {"area_kept": 0.2, "pointing": 0.7, "auc": 0.9, "bleu2": 0.5, "mean_map_area": 0.15},
    "steps": 1250,
}


def ngr(*arguments):
    return CliRunner().invoke(application(), [str(argument) for argument in arguments])


@pytest.fixture
def model(tmp_path):
    """The bundled model under another name, with a verdict."""
    folder = tmp_path / "m"
    shutil.copytree(DEMO_DIRECTORY, folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "name": "mine"}))
    (folder / "training.json").write_text(json.dumps({"verdict": VERDICT}))
    return folder


def test_info_repeats_the_verdict(model):
    assert is_model(str(model))
    result = ngr("info", model)
    assert result.exit_code == 0, result.stderr
    first, *lines = result.stdout.splitlines()
    assert "model mine" in first
    assert "trained in 1,250 updates" in first
    said = "\n".join(lines)
    for words in ("0.200, before 0.100", "0.700, before 0.400", "0.900, before 0.600", "0.500, before 0.300"):
        assert words in said
    assert "fixed map" in said
    assert printed("info", ngr("info", model, "--json").stdout)["verdict"] == VERDICT


def test_doctor_repeats_the_verdict(model):
    said = ngr("doctor", "--model", model).stdout
    assert "trained in 1,250 updates" in said
    assert "0.200, before 0.100" in said


def test_what_nobody_measured_is_said(model):
    (model / "training.json").unlink()
    assert model_words(model_state(str(model))) == "trained, what that gave is not known"


def test_a_damaged_model_has_a_code(model):
    (model / "config.json").write_text("{")
    caught = ngr("info", model).exception
    assert isinstance(caught, ModelError)
    assert caught.code == "E_MODEL"
