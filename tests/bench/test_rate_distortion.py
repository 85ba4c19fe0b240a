"""The probe and the Pareto front, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from bench.probe import Probe, auc, macro_auc


def test_auc_by_hand():
    labels = np.array([1, 0, 1, 0])
    assert auc(labels, np.array([4.0, 1, 3, 2])) == 1
    assert auc(labels, np.array([1.0, 4, 2, 3])) == 0
    # Pairs (1, 0): 3 > 2, 3 > 1, 2 = 2, 2 > 1: three and a half of four.
    assert auc(labels, np.array([3.0, 2, 2, 1])) == pytest.approx(3.5 / 4)


def test_macro_auc_leaves_out_findings_of_one_class():
    labels = np.array([[1, 0], [0, 0]])
    assert macro_auc(labels, np.array([[2.0, 1], [1, 2]])) == 1


def test_the_probe_finds_what_is_there_and_splits_by_patient():
    pytest.importorskip("sklearn", reason="the probe needs scikit-learn (extra bench)")
    random = np.random.default_rng(0)
    patients = [f"p{number // 2}" for number in range(120)]
    labels = random.integers(0, 2, (120, 2)).astype(np.float64)
    features = np.concatenate([labels + random.normal(0, 0.2, labels.shape), random.normal(0, 1, (120, 3))], axis=1)
    probe = Probe(labels, patients)
    before = probe.scores(features)
    for tested, _ in before:
        outside = {patients[i] for i in set(range(120)) - set(tested.tolist())}
        assert not outside & {patients[i] for i in tested}
    assert all(macro_auc(labels[tested], scores) > 0.95 for tested, scores in before)
    assert probe.drift(before, before) == {"auc_drift": 0.0, "auc_drift_low": 0.0, "auc_drift_high": 0.0}
    noise = probe.drift(before, probe.scores(random.normal(0, 1, features.shape)))
    assert noise["auc_drift_low"] > 0.2


def test_the_front_by_hand():
    rate_distortion = pytest.importorskip("bench.rate_distortion", reason="needs the extras vlm and text")
    rows = [
        {"setting": name, "file_bytes": size, "rmse": error}
        for name, size, error in (("a", 10, 0.0), ("b", 5, 0.1), ("c", 6, 0.2), ("d", 2, 0.5))
    ]
    assert rate_distortion.pareto(rows, "rmse") == {"a", "b", "d"}
