"""Where the findings lie: sides are the patient's, zones are thirds of the lung."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from neuralgraph.phantoms import FINDINGS, SEVERITIES, phantom
from neuralgraph.phantoms.findings import draw_lesion, heart_ratio

_SIDED = [name for name in FINDINGS if name != "cardiomegaly"]


def _present(name, seed, size=128):
    study = phantom(seed, height=size, width=size, findings=[name])
    (finding,) = [f for f in study.findings if f.present]
    return finding


@pytest.mark.parametrize("name", _SIDED)
def test_masks_lie_on_the_side_they_name(name):
    sides = set()
    for seed in range(12):
        finding = _present(name, seed)
        columns = np.nonzero(finding.mask)[1]
        left_of_image = (columns < 64).mean()
        sides.add(finding.side)
        # The patient's right lung is on the image left. The midline may be shifted by a few pixels.
        if finding.side == "right":
            assert left_of_image > 0.9
        elif finding.side == "left":
            assert left_of_image < 0.1
        else:
            assert 0.2 < left_of_image < 0.8
    assert {"right", "left"} <= sides


@pytest.mark.parametrize("name", _SIDED)
def test_zones_are_ordered_from_top_to_bottom(name):
    heights = {}
    for seed in range(20):
        finding = _present(name, seed, size=64)
        heights.setdefault(finding.zone, []).append(np.nonzero(finding.mask)[0].mean() / 64)
    means = {zone: np.mean(values) for zone, values in heights.items()}
    ordered = [means[zone] for zone in ("upper", "mid", "lower") if zone in means]
    assert ordered == sorted(ordered)
    # On a film without zoom the lungs reach from about 0.15 to 0.8 of the height.
    for zone, (low, high) in {"upper": (0.15, 0.48), "mid": (0.36, 0.58), "lower": (0.48, 0.85)}.items():
        for value in heights.get(zone, []):
            assert low < value < high


def test_effusions_are_at_the_base_and_pneumothoraces_at_the_apex():
    assert {_present("pleural effusion", seed, 32).zone for seed in range(8)} == {"lower"}
    assert {_present("pneumothorax", seed, 32).zone for seed in range(8)} == {"upper"}


@pytest.mark.parametrize("name", ["opacity", "consolidation", "pleural effusion", "nodule", "pneumothorax"])
def test_severe_is_larger_than_mild(name):
    areas = {severity: [] for severity in SEVERITIES}
    for seed in range(24):
        finding = _present(name, seed, size=48)
        sides = 2 if finding.side == "bilateral" else 1
        areas[finding.severity].append(finding.mask.mean() / sides)
    assert np.mean(areas["mild"]) < np.mean(areas["moderate"]) < np.mean(areas["severe"])


def test_the_heart_grows_with_severity():
    lesion = draw_lesion("cardiomegaly", np.random.default_rng(0))
    ratios = [heart_ratio(0.44, dataclasses.replace(lesion, severity=severity)) for severity in SEVERITIES]
    assert 0.5 < ratios[0] < ratios[1] < ratios[2] < 0.75
    # A heart that is large in health still grows when it falls ill.
    assert heart_ratio(0.6, dataclasses.replace(lesion, severity="mild")) > 0.6


def test_lesions_lie_within_the_lungs_and_off_the_stamp():
    for seed in range(10):
        study = phantom(seed, height=128, width=128, findings=["opacity", "nodule"])
        for finding in study.findings:
            assert not finding.mask[:8].any()
            assert not finding.mask[-12:].any()


def test_an_enlarged_heart_is_wider_than_half_the_chest():
    for seed in range(10):
        mask = _present("cardiomegaly", seed, size=128).mask
        columns = np.nonzero(mask.any(axis=0))[0]
        # The inner chest is at most 2 x 0.82 x 1.08 units of 64 pixels wide, and at least 2 x 0.63 x 0.95.
        assert columns[-1] - columns[0] > 0.5 * 2 * 0.63 * 0.95 * 64


def test_several_findings_of_one_lung_do_not_share_a_zone():
    for seed in range(15):
        study = phantom(seed, height=32, width=32, findings=["consolidation", "nodule"])
        a, b = (f for f in study.findings if f.present)
        assert (a.side, a.zone) != (b.side, b.zone)
