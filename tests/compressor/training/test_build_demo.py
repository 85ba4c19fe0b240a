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
    DEMO_PATIENTS,
    DEMO_PREPROCESSOR,
    DEMO_RECIPE,
    build_demo,
)
from neuralgraph.sources.phantom import phantom, phantom_cohort

FILES = [
    "config.json",
    "mean_attention.safetensors",
    "model.safetensors",
    "preprocessor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "training.json",
]


def test_the_bundled_model_is_small_and_carries_no_code(demo_directory):
    assert sorted(path.name for path in demo_directory.iterdir()) == FILES
    assert sum(path.stat().st_size for path in demo_directory.iterdir()) <= 8_000_000


def test_the_bundled_model_is_that_of_the_committed_recipe(demo_directory):
    stored = NeuralGraphConfig.read(demo_directory).to_dict()
    opening = ReportTokenizer.read(demo_directory).encode("FINDINGS:")
    assert stored == {**DEMO_CONFIG.to_dict(), "trained": True, "opening": opening}
    assert Preprocessor.read(demo_directory) == DEMO_PREPROCESSOR
    record = json.loads((demo_directory / "training.json").read_text())
    # It was built before some settings were there; what was recorded is what is set today.
    assert record["recipe"] == {name: DEMO_RECIPE.record[name] for name in record["recipe"]}
    assert record["begun_with"] == "fresh"
    assert record["films"]["train"] > DEMO_PATIENTS
    weights = safetensors.torch.load_file(demo_directory / "model.safetensors")
    assert {tensor.dtype for tensor in weights.values()} == {torch.float16}
    assert all(tensor.isfinite().all() for tensor in weights.values())


def test_words_of_reports_are_few_tokens_and_any_text_comes_back(demo_directory):
    tokenizer = ReportTokenizer.read(demo_directory)
    report = phantom(3, height=32, width=32).report
    assert len(tokenizer.encode(report)) < 1.6 * len(report.split())
    for text in (report, "Ängström ☢ 3.5 cm, s/p CABG"):
        assert tokenizer.decode(tokenizer.encode(text)) == text


def test_the_bundled_model_writes_no_history_and_sees_devices():
    from neuralgraph.compressor import Compressor
    from neuralgraph.compressor.generation import ReportWriter

    compressor, writer = Compressor.from_pretrained("demo", report_graph="none"), ReportWriter.from_pretrained("demo")
    named = []
    for made in phantom_cohort(4711, 40, height=256, width=256):
        words = {"pacemaker": "acemaker", "nasogastric tube": "asogastric"}
        devices = [words[name] for name in made.distractors if name in words]
        if devices:
            written = writer(compressor(made.pixels, made.report))
            assert written.startswith("FINDINGS:")
            named += [word in written for word in devices]
    assert len(named) >= 5
    assert np.mean(named) >= 0.5


@pytest.mark.slow
def test_the_command_makes_the_same_model_twice(tmp_path):
    recipe = dataclasses.replace(
        DEMO_RECIPE, first_steps=2, steps=2, batch_size=2, validate_every=2, precision="float32"
    )
    one, again = (build_demo(tmp_path / name, patients=48, recipe=recipe) for name in ("one", "again"))
    assert one.digest == again.digest == model_digest(tmp_path / "again")
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == FILES


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
