"""The benchmark on films of people: its statistics, its folds, its page."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from bench.real.films import fold_of, learnt_from, marked_of, prepared_films
from bench.real.measure import measures
from bench.real.statistics import interval, paired
from neuralgraph.compressor.model.preprocess import Preprocessor
from neuralgraph.compressor.training.nih_films import MARKED, nih_rows


def test_intervals_are_over_patients():
    same = interval([0.2, 0.2, 0.8], ["a", "a", "b"])
    assert (same["films"], same["mean"]) == (3, 0.4)
    assert (same["low"], same["high"]) == (0.2, 0.8)
    assert interval([float("nan")], ["a"]) == {"films": 0}
    difference = paired([0.5, 0.6, float("nan")], [0.1, 0.2, 0.3], ["a", "b", "c"])
    assert (difference["films"], difference["low"], difference["high"]) == (2, 0.4, 0.4)


def test_a_ranking_is_measured_against_the_lesion():
    coverage = np.zeros((10, 10), np.float32)
    coverage[5, 5] = 1
    values = measures(coverage, coverage)
    assert {values[name] for name in ("area 0.023", "hit 0.1", "pointing", "patch_auc")} == {1.0}
    assert measures(-coverage, coverage)["pointing"] == 0


@pytest.fixture
def films(tmp_path):
    """Twelve films of six patients: half of them marked, a third of these by NIH alone."""
    pillow = pytest.importorskip("PIL.Image")
    folder = tmp_path / "nih"
    (folder / "films").mkdir(parents=True)
    with (folder / "manifest.csv").open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["image", "width", "height", "patient_id", "view", "labels", "boxes", "mask"])
        for number in range(12):
            pixels = np.random.default_rng(number).integers(0, 256, (64, 64), np.uint8)
            pillow.fromarray(pixels).save(folder / "films" / f"{number}.png")
            source = "nih" if number % 3 == 0 else "chestxdet"
            box = {"label": "Effusion", "x": 4.0 + 30 * (number % 4 == 0), "y": 40, "w": 20, "h": 20, "source": source}
            boxes = json.dumps([box]) if number % 2 == 0 else ""
            table.writerow([f"films/{number}.png", 64, 64, f"p{number // 2}", "PA", "No Finding", boxes, ""])
    return folder


def test_texts_say_what_is_marked_and_what_is_unknown(films):
    marked, normal = nih_rows(films, texts=2)
    assert (len(marked), len(normal)) == (12, 6)
    for row in marked:
        (image,) = row.images
        (mark,) = image.marks
        assert ("left" if mark.box[0] > 30 else "right") in row.report.lower()
        assert mark.phrase in row.report
        number = int(row.images[0].path.split("/")[-1].split(".")[0])
        assert image.marked == (() if number % 3 == 0 else ("*",))
    assert all(row.images[0].marked == ("*",) and not row.images[0].marks for row in normal)


def test_nobody_is_learnt_from_and_measured(films, tmp_path):
    examples = prepared_films(tmp_path / "kept", films, Preprocessor(stride=16, channels=3, max_side=64), 8)
    measured: list[str] = []
    for fold in range(3):
        learn, check = learnt_from(examples, fold, 3)
        test = marked_of(examples, fold, 3)
        ours = {learn.patient(number) for number in range(len(learn))}
        theirs = [test.patient(number) for number in range(len(test))]
        assert not ours & set(theirs)
        assert all(fold_of(patient, 3) == fold for patient in theirs)
        assert all(check.source(number) == "phantom" for number in range(len(check)))
        measured += theirs
    # Every marked film once, though it has several texts.
    assert len(measured) == 6
    assert len([n for n in range(len(examples)) if examples.source(n) == MARKED]) == 24
