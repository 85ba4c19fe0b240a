from __future__ import annotations

import stat

import numpy as np
import pytest

from neuralgraph.compressor.training.examples import ExampleSet, Prepared, split_by_patient, write_examples
from neuralgraph.compressor.training.manifest_films import manifest_tasks, prepare_row
from neuralgraph.compressor.training.phantom_films import TAUGHT, phantom_tasks, prepare_phantom
from neuralgraph.phantoms import FINDINGS, patient
from neuralgraph.sources.layouts import ManifestImage, ManifestRow


def numbered(task):
    if task == 3:
        return [Prepared(failure="E_SOURCE_READ")]
    pixels = np.full((8, 16), task * 1000, np.uint16)
    return [Prepared(pixels=pixels, report=f"film {task}", patient=f"patient {task % 4}", split="")]


def test_the_same_files_with_any_number_of_workers(tmp_path):
    done = []
    assert write_examples(tmp_path / "a", range(12), numbered, progress=lambda *counts: done.append(counts)) == {
        "E_SOURCE_READ": 1
    }
    write_examples(tmp_path / "b", range(12), numbered, workers=2)
    assert done[-1] == (12, 12)
    for name in ("films.bin", "examples.jsonl"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
        assert stat.S_IMODE((tmp_path / "a" / name).stat().st_mode) == 0o600
    examples = ExampleSet(tmp_path / "a")
    assert len(examples) == 11
    assert examples[3].pixels.tolist() == [[4000] * 16] * 8
    assert examples[3].masks is None
    assert examples.annotated == []
    assert examples.shape(3) == (8, 16)


def test_no_patient_is_on_both_sides(examples):
    learn, check = split_by_patient(examples, share=0.4, seed=0)
    ours, theirs = ({part[number].patient for number in range(len(part))} for part in (learn, check))
    assert ours
    assert theirs
    assert not ours & theirs
    assert len(learn) + len(check) == len(examples)


def test_the_split_of_the_source_is_kept_and_its_test_part_left_alone(examples, monkeypatch):
    patients = sorted({examples[number].patient for number in range(len(examples))})
    splits = dict(zip(patients, ["train", "validate", "test", "train", "", "train"], strict=True))
    for row in examples._rows:
        monkeypatch.setitem(row, "split", splits[row["patient"]])
    learn, check = split_by_patient(examples, share=0.4, seed=0)
    assert {learn[number].patient for number in range(len(learn))} == {patients[n] for n in (0, 3, 4, 5)}
    assert {check[number].patient for number in range(len(check))} == {patients[1]}


def test_a_phantom_keeps_film_report_labels_and_masks(preprocessor):
    (task,) = phantom_tasks(1, preprocessor, side=64, first=4)
    made = prepare_phantom(task)
    studies = patient(1, 4, height=64, width=64, prevalence=None, studies=len(made))
    assert len(made) == len(studies)
    for one, study in zip(made, studies, strict=True):
        assert one.pixels.shape == (64, 64)
        assert one.masks.shape == (3, 64, 64)
        shown = {name for k, name in enumerate(TAUGHT) if (one.masks[k // 8] >> k % 8 & 1).any()}
        assert ("lesion" in shown) == bool(shown & set(FINDINGS) - {"cardiomegaly"})
        shown -= {"lesion"}
        assert shown & set(FINDINGS) == {name for name in FINDINGS if one.labels[name] == 1}
        assert shown - set(FINDINGS) == {name for name, mask in study.distractor_masks.items() if mask.any()}
        assert "IMPRESSION" in one.report or "FINDINGS" in one.report


def test_a_row_becomes_an_example_for_each_film_and_says_what_failed(tmp_path, preprocessor):
    pillow = pytest.importorskip("PIL.Image")
    pillow.linear_gradient("L").resize((50, 40)).save(tmp_path / "good.png")
    (tmp_path / "bad.png").write_bytes(b"no image")
    images = tuple(ManifestImage(str(tmp_path / name)) for name in ("good.png", "bad.png"))
    row = ManifestRow(
        study_key="s", patient_key="p", images=images, report="Normal.", labels={"a": 1.0, "b": -1.0, "c": 0.0}
    )
    silent = ManifestRow(study_key="t", images=images, report=None)
    whole, broken, *rest = [one for task in manifest_tasks([row, silent], preprocessor) for one in prepare_row(task)]
    assert whole.pixels.shape == (40, 56)
    assert (np.diff(whole.pixels[:, 0].astype(int)) > 0).all()
    assert whole.labels == {"a": 1.0, "c": 0.0}
    assert whole.patient == "patient p"
    assert broken.failure.startswith("E_SOURCE")
    assert [one.failure for one in rest] == ["E_SOURCE_EMPTY"]
