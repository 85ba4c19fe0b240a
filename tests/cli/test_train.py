from __future__ import annotations

import json
import re

import numpy as np
import pytest
from json_outputs import printed
from typer.testing import CliRunner

from neuralgraph.cli.main import application
from neuralgraph.errors import NeuralGraphError

QUICK = ["--steps", "2", "--validate-every", "1", "--batch-size", "4", "--workers", "1", "--precision", "float32"]


@pytest.fixture
def ngr():
    def run(*words):
        return CliRunner().invoke(application(), ["train", *map(str, words)])

    return run


@pytest.fixture
def manifest(tmp_path):
    """Eight tiny films of eight patients, one report missing, one film damaged."""
    pillow = pytest.importorskip("PIL.Image")
    lines = ["study_id,patient_id,image,report,label.nodule,split"]
    for number in range(8):
        path = tmp_path / f"{number}.png"
        pixels = np.random.default_rng(number).integers(0, 256, (48, 64), np.uint8)
        pillow.fromarray(pixels).save(path) if number != 6 else path.write_bytes(b"no film")
        report = "" if number == 7 else "IMPRESSION: Small nodule." if number % 2 else "IMPRESSION: Normal chest."
        split = "validate" if number in (4, 5) else "train"
        lines.append(f"s{number},p{number},{path.name},{report},{number % 2},{split}")
    path = tmp_path / "cohort.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_fine_tunes_the_demo_on_a_manifest_and_the_result_compresses(ngr, manifest, tmp_path):
    result = ngr(manifest, "-o", tmp_path / "model", *QUICK, "--json")
    assert result.exit_code == 0, result.output
    told = printed("train", result.stdout)
    assert told["films"] == {"train": 4, "validate": 2}
    assert sum(told["failures"].values()) == 1
    assert told["validation"]["generation_loss"] > 0
    record = (tmp_path / "model" / "training.json").read_text()
    assert str(tmp_path) not in record
    assert "nodule." not in record
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    assert (config["name"], config["labels"], config["trained"]) == ("model", ["nodule"], True)
    made = CliRunner().invoke(
        application(),
        ["compress", str(tmp_path / "0.png"), "-o", str(tmp_path / "a.ngr"), "--model", str(tmp_path / "model")],
    )
    assert made.exit_code == 0, made.output
    assert "SYNTHETIC" not in made.stderr


def test_learns_from_phantoms_without_any_data(ngr, tmp_path):
    words = ["phantom", "-o", tmp_path / "demo", "--patients", "8", "--start", "fresh", "--first-steps", "1"]
    result = ngr(*words, *QUICK, "--half")
    assert result.exit_code == 0, result.output
    assert "learnt from" in result.stdout
    assert re.search(r"about \d+ s for what is to be learnt, validations not counted", result.stderr)
    # The bundled model's name stands for what it learnt from.
    assert json.loads((tmp_path / "demo" / "config.json").read_text())["name"] == "demo-own"


def test_what_cannot_work_is_refused_before_anything_is_read(ngr, manifest, tmp_path):
    assert ngr("-o", tmp_path / "m").exit_code == 2
    assert ngr(manifest, "-o", tmp_path / "m", "--weight", "1", "--weight", "2").exit_code == 2
    assert ngr(manifest, "-o", tmp_path / "m", "--precision", "float8").exit_code == 2
    for words, code in (
        ([manifest, "-o", manifest, *QUICK], "E_OUTPUT"),
        ([tmp_path / "nothing", "-o", tmp_path / "m", *QUICK], "E_SOURCE_READ"),
        ([manifest, "-o", tmp_path / "m", "--start", tmp_path / "nothing", *QUICK], "E_MODEL"),
        ([manifest, "-o", tmp_path / "m", "--first-steps", "5", *QUICK], "E_MODEL"),
    ):
        error = ngr(*words).exception
        assert isinstance(error, NeuralGraphError)
        assert error.code == code


def test_sources_are_mixed_marks_are_read_and_the_verdict_is_told_again(ngr, manifest, tmp_path):
    boxes = {
        "images": [{"id": 1, "file_name": "1.jpg"}],
        "categories": [{"id": 7, "name": "Nodule"}],
        "annotations": [{"image_id": 1, "category_id": 7, "bbox": [4, 5, 20, 20], "label_text": "Small nodule"}],
    }
    (tmp_path / "boxes.json").write_text(json.dumps(boxes))
    words = ["--source", manifest, "--weight", "3", "--source", "phantom", "--weight", "1", "--patients", "4"]
    log = tmp_path / "log.csv"
    result = ngr(*words, "-o", tmp_path / "m", "--marks", tmp_path / "boxes.json", "--log-to", log, *QUICK)
    assert result.exit_code == 0, result.output
    assert "boxes.json: marks of 1 films" in result.stderr
    assert "2 updates" in result.stderr
    assert "2 of 2" in result.stderr
    assert log.read_text().startswith("step,name,value")
    assert "eval_loss" in log.read_text()
    assert "BLEU-2" in result.stdout
    record = json.loads((tmp_path / "m" / "training.json").read_text())
    assert record["recipe"]["source_weights"] == [["source 1", 3.0], ["source 2", 1.0]]
    assert record["marked_films"]["train"] >= 1
    told = CliRunner().invoke(application(), ["doctor", "--model", str(tmp_path / "m")])
    assert "updates" in told.stdout
    assert "BLEU-2" in told.stdout
