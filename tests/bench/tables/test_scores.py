"""Scores, targets, bytes and curves, by hand."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="the tables need the extra vlm")

from bench.tables.data import choose_labels
from bench.tables.gather import Sample
from bench.tables.measures import attention_by_rank, lesions_kept
from bench.tables.rates import DEFAULT, at_equal_bytes
from bench.tables.scoring import Truth, compared, macro, scored
from bench.tables.systems import System, listed
from bench.tables.targets import judged, targets
from bench.tables.written import repeats_itself, score_reports
from neuralgraph.tasks import Split


def truth(outcome, known=None):
    outcome = np.array(outcome, bool)
    known = np.ones_like(outcome) if known is None else np.array(known, bool)
    return Truth(labels=("a", "b")[: outcome.shape[1]], target="a", outcome=outcome, known=known)


def test_a_system_is_scored_where_the_outcome_is_known():
    outcomes = truth([[1, 1], [1, 0], [0, 1], [0, 0], [1, 0]], [[1, 1], [1, 1], [1, 1], [1, 1], [0, 1]])
    chance = np.array([[0.9, 0.9], [0.4, 0.2], [0.5, 0.8], [0.1, 0.1], [0.0, 0.3]])
    found = scored(outcomes, [chance])
    assert found["auc"]["value"] == pytest.approx(3 / 4)  # 0.9 > 0.5, 0.1; 0.4 > 0.1
    assert found["by_label"] == {"a": pytest.approx(3 / 4), "b": pytest.approx(1.0)}
    assert found["macro"]["value"] == pytest.approx(7 / 8)
    assert (found["auc"]["positives"], found["auc"]["negatives"]) == (2, 2)
    assert 0 <= found["calibration"]["brier"] <= 1


def test_the_prediction_is_the_mean_over_seeds():
    outcomes = truth([[1], [1], [0], [0]])
    runs = [np.array([[1.0], [0.0], [0.4], [0.0]]), np.array([[0.0], [1.0], [0.4], [0.0]])]
    found = scored(outcomes, runs)
    assert found["auc_by_seed"] == [pytest.approx(0.625)] * 2
    assert found["auc"]["value"] == 1


def test_differences_have_delongs_interval():
    outcomes = truth([[1], [1], [0], [0]])
    better, worse = np.array([[4.0], [3], [2], [1]]), np.array([[4.0], [1], [2], [3]])
    found = compared(outcomes, [better], [worse])
    assert found["difference"] == pytest.approx(0.5)
    assert found["high"] - found["difference"] == pytest.approx(found["difference"] - found["low"])
    assert found["macro"]["difference"] == pytest.approx(0.5)
    same = compared(outcomes, [better], [better])
    assert same["p_value"] == 1
    assert same["macro"] == {"difference": 0.0, "low": 0.0, "high": 0.0}


def test_macro_interval_holds_the_value():
    random = np.random.default_rng(0)
    outcome = random.random((200, 2)) < 0.3
    found = macro(truth(outcome), outcome + random.normal(0, 1, outcome.shape), resamples=100)
    assert found["low"] < found["value"] < found["high"]


@pytest.mark.parametrize(
    ("measured", "met", "settled"),
    [
        ((0.02, 0.0, 0.04), True, True),
        ((-0.005, -0.03, 0.02), True, False),
        ((-0.02, -0.04, 0.0), False, False),
        ((-0.05, -0.07, -0.03), False, True),
    ],
)
def test_a_target_is_met_by_the_value_and_settled_by_the_interval(measured, met, settled):
    difference, low, high = measured
    row = judged("x", -0.01, {"difference": difference, "low": low, "high": high})
    assert (row["met"], row["settled"]) == (met, settled)


def test_targets_take_what_there_is():
    row = {"difference": 0.0, "low": -0.1, "high": 0.1}
    equal = {"kind": "s", "codec": "JPEG", "picture": "JPEG q10", "study_bytes": 9.0, "picture_bytes": 10.0, **row}
    others = [{**equal, "codec": "JPEG XL"}, {**equal, "kind": "t"}]
    found = targets({"attention minus random": row}, [equal, *others], studies=("s",))
    assert [each["asked"] for each in found] == [0.1, 0.0]
    assert [each["met"] for each in found] == [False, True]


def test_the_picture_at_equal_bytes_is_the_next_larger():
    outcomes = truth([[1], [1], [0], [0]])
    scores = np.array([[4.0], [3], [2], [1]])

    def row(family, setting, size):
        return {
            "kind": "k",
            "family": family,
            "setting": setting,
            "name": f"{family} {setting}",
            "bytes": size,
            "_scores": scores,
        }

    rows = [row("ngr", DEFAULT, 100), row("ngr", "int8", 50), row("JPEG", "q50", 200), row("JPEG", "q10", 90)]
    rows += [row("JPEG at half size", "q50", 120), row("JPEG 2000", "1:80", 30), row("JPEG 2000", "1:40", 60)]
    found = {each["codec"]: each for each in at_equal_bytes(rows, outcomes)}
    assert found["JPEG"]["picture"] == "JPEG at half size q50"
    assert set(found) == {"JPEG"}  # every JPEG 2000 is smaller, and there is no JPEG XL
    assert found["JPEG"]["difference"] == 0


def test_attention_by_rank_of_a_peak_and_of_a_flat_map():
    peak = np.zeros(100, np.float32)
    peak[7] = 1
    found = attention_by_rank([peak], 0.023)
    assert found["mean"][0] == pytest.approx(100)
    assert found["mean"][1:] == [0] * 99
    assert found["held"] == 1
    flat = attention_by_rank([np.ones(100, np.float32)], 0.023)
    assert np.allclose(flat["mean"], 1)
    assert flat["held"] == pytest.approx(0.03)  # 3 of 100
    assert attention_by_rank([np.zeros(4, np.float32)], 0.5)["mean"] == []


def test_lesions_kept_by_hand():
    lesion = np.array([0, 0.6, 0.4, 0.05], np.float32)
    samples = [
        Sample(study_id="1", labels={}, truth="", lesion=lesion),
        Sample(study_id="2", labels={}, truth="", lesion=np.zeros(4, np.float32)),
    ]
    scores = {"good": [np.array([0, 3.0, 1, 2]), np.zeros(4)], "bad": [np.array([3.0, 0, 1, 2]), np.zeros(4)]}
    found = lesions_kept(samples, scores, 0.5)
    assert found["studies"] == 1
    assert found["lesion_patches"] == 0.5
    assert found["rankings"]["good"] == {
        "studies_with_one_kept": 1.0,
        "area_kept": pytest.approx(0.65 / 1.05),
    }
    assert found["rankings"]["bad"]["studies_with_one_kept"] == 0


def test_labels_without_enough_cases_are_left_out():
    split = Split(train=tuple(f"a{n}" for n in range(60)), validate=("b",), test=tuple(f"c{n}" for n in range(20)))
    outcome = np.zeros((81, 3), bool)
    outcome[:25, :2] = True
    outcome[61:64, 0] = True
    known = np.ones_like(outcome)
    assert choose_labels(outcome, known, ("x", "y", "z"), split) == ("x",)
    known[61:63, 0] = False
    assert choose_labels(outcome, known, ("x", "y", "z"), split) == ()


def test_systems_are_listed_once_and_fit_what_there_is():
    systems = listed(retain=0.1, retentions=[1.0, 0.1], rankings=["random", "centre"], written=True, words=True)
    assert len(systems) == len({system.name for system in systems}) == 4 + 2 + 3 + 3
    few = listed(retain=0.1, retentions=[0.1], rankings=[], written=False, words=False)
    assert {system.fusion for system in few} == {"edge", "none", "every pair"}
    assert all(system.text != "written" for system in few)
    assert System(retain=0.1).name == "retain 0.1, text none"


def test_reports_are_scored_against_the_first_way_and_a_stranger():
    pytest.importorskip("sacrebleu", reason="BLEU needs sacrebleu (extra bench)")
    truth = [
        "the lungs are clear today",
        "there is a large effusion",
        "the heart is enlarged now",
        "no nodule is seen here",
    ]
    found = score_reports(truth, {"all": truth, "kept": ["the lungs are clear today", *["nothing"] * 3]})
    ways = found["ways"]
    assert ways["all"]["bleu2"] == pytest.approx(1)
    assert ways["kept"]["bleu2"] < 0.5
    assert ways["report of another patient"]["bleu2"] < 0.5
    assert ways["all"]["words"] == found["words"] == 5
    assert ways["kept"]["words"] == 2
    assert "nrefs:1" in found["signature"]


def test_a_report_repeats_itself_from_the_third_time_on():
    assert not repeats_itself("FINDINGS: Large effusion. Clear.\nIMPRESSION: Large effusion.")
    assert repeats_itself("FINDINGS: Large effusion. Large effusion.\nIMPRESSION: Large effusion.")
    assert not repeats_itself("")
