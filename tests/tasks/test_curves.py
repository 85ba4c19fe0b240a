"""Curves behind the scores: their ends, their areas, their intervals, and what is refused before training."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pytest

from neuralgraph.errors import StudyError
from neuralgraph.tasks import auc, read_splits, reliability, roc_curve
from tests.tasks.test_evaluation import run, system

pytest.importorskip("torch_geometric", reason="evaluation needs the extra pyg")


def predictions(n=400, seed=3):
    random = np.random.default_rng(seed)
    outcome = random.random(n) < 0.4
    chance = 1 / (1 + np.exp(-random.normal(np.where(outcome, 1.0, -1.0), 1.0)))
    return outcome, chance


def test_the_area_under_the_curve_is_the_auc():
    outcome, chance = predictions()
    curve = roc_curve(outcome, chance, resamples=100)
    assert np.trapezoid(curve.true_positive, curve.false_positive) == pytest.approx(
        auc(outcome, chance).value, abs=0.01
    )
    assert (curve.false_positive[0], curve.false_positive[-1], curve.true_positive[-1]) == (0, 1, 1)
    assert (np.diff(curve.true_positive) >= 0).all()
    low, middle, high = map(np.array, (curve.low, curve.true_positive, curve.high))
    assert (low <= middle + 1e-9).mean() > 0.95
    assert (middle <= high + 1e-9).mean() > 0.95
    assert roc_curve(outcome, chance, resamples=20) == roc_curve(outcome, chance, resamples=20)


def test_perfect_and_useless_scores():
    outcome = np.array([0, 0, 0, 1, 1, 1])
    # Without a single false positive all positives are found already.
    assert min(roc_curve(outcome, outcome, resamples=5).true_positive) == 1.0
    flat = roc_curve(outcome, np.zeros(6), resamples=5)
    assert np.allclose(flat.true_positive, flat.false_positive)
    with pytest.raises(StudyError) as caught:
        roc_curve([0, 0, 1], [0.1, 0.2, 0.3])
    assert caught.value.code == "E_SIZE"


def test_calibration_holds_the_share_observed_and_an_interval_around_it():
    random = np.random.default_rng(0)
    chance = random.random(5000)
    found = reliability(random.random(5000) < chance, chance)
    assert found.studies == [500] * 10
    for predicted, observed, low, high in zip(*found[:4], strict=True):
        assert low <= observed <= high
        assert abs(predicted - observed) < 0.08
    # Thirty studies fill three bins of ten, not ten of three.
    assert reliability([0, 1] * 15, np.linspace(0, 1, 30)).studies == [10, 10, 10]
    assert reliability([0, 1] * 15, np.linspace(0, 1, 30), bins=2).studies == [15, 15]
    assert reliability([1], [0.9]).high == [1.0]
    for wrong in (([], []), ([1], [1.5]), ([1, 0], [0.5])):
        with pytest.raises(StudyError) as caught:
            reliability(*wrong)
        assert caught.value.code == "E_NUM"


def test_what_cannot_be_measured_is_said_before_training(studies_folder, monkeypatch):
    from neuralgraph.tasks import evaluation

    monkeypatch.setattr(evaluation, "fit", lambda *_, **__: pytest.fail("nothing is trained"))
    split = read_splits(studies_folder / "studies.csv")
    few = replace(split, test=split.test[:3])
    with pytest.raises(StudyError, match=r"opacity in test: 1 present, 2 absent, 0 unknown") as caught:
        evaluation.evaluate([system(studies_folder)], few)
    assert caught.value.code == "E_SIZE"


def test_command_draws_curves_and_writes_their_numbers(studies_folder, tmp_path, capsys):
    pytest.importorskip("matplotlib", reason="pictures need the extra plot")
    given = (studies_folder, "--label", "opacity", "--seeds", 1, "--epochs", 2)
    code, _, said = run(capsys, *given, "--curves", tmp_path / "curves")
    assert code == 0, said
    assert (tmp_path / "curves" / "opacity.png").read_bytes().startswith(b"\x89PNG")
    rows = list(csv.DictReader((tmp_path / "curves" / "opacity.csv").open()))
    assert {row["system"] for row in rows} == {"stored patches, with report", "stored patches, image alone"}
    assert {row["curve"] for row in rows} == {"roc", "calibration"}
    assert sum(int(row["studies"] or 0) for row in rows) == 2 * 24
    code, _, _ = run(capsys, *given[:2], "a/b", "--curves", tmp_path / "curves")
    assert code == 2
