"""Patients and cohorts: stable when they grow, disjoint by number, one body over time."""

from __future__ import annotations

import numpy as np

from neuralgraph.phantoms import patient, phantom, phantom_cohort


def _same(a, b):
    return (
        a.study_id == b.study_id
        and a.report == b.report
        and np.array_equal(a.pixels, b.pixels)
        and all(np.array_equal(x.mask, y.mask) for x, y in zip(a.findings, b.findings, strict=True))
    )


def test_a_larger_cohort_starts_with_the_smaller_one():
    small = list(phantom_cohort(7, 4, height=32, width=32))
    large = list(phantom_cohort(7, 6, height=32, width=32))
    assert len(large) > len(small)
    assert all(_same(a, b) for a, b in zip(small, large, strict=False))


def test_a_patient_is_the_same_alone_and_in_the_cohort():
    cohort = [s for s in phantom_cohort(7, 2, first=5, height=32, width=32) if s.patient_id.endswith("-000006")]
    alone = patient(7, 6, height=32, width=32)
    assert [s.study_id for s in cohort] == [s.study_id for s in alone]
    assert all(_same(a, b) for a, b in zip(cohort, alone, strict=True))


def test_more_studies_do_not_change_earlier_ones():
    few, many = patient(1, 3, height=32, width=32, studies=2), patient(1, 3, height=32, width=32, studies=4)
    assert all(_same(a, b) for a, b in zip(few, many[:2], strict=True))


def test_ids_are_unique_and_name_the_patient():
    studies = list(phantom_cohort(0, 12, height=32, width=32)) + list(phantom_cohort(1, 5, height=32, width=32))
    studies += [phantom(seed, height=32, width=32) for seed in range(5)]
    ids = [s.study_id for s in studies]
    assert len(set(ids)) == len(ids)
    assert all(s.study_id.startswith(s.patient_id + "-") for s in studies)
    assert len({s.patient_id for s in studies}) == 22
    assert studies[0].patient_id == "phantom-000-000000"
    assert studies[-1].patient_id == "phantom-000004"


def test_held_out_patients_are_not_training_patients():
    train = {s.patient_id for s in phantom_cohort(0, 8, height=32, width=32)}
    held_out = {s.patient_id for s in phantom_cohort(0, 8, first=8, height=32, width=32)}
    assert len(train) == len(held_out) == 8
    assert not train & held_out


def test_studies_of_one_patient_look_alike():
    healthy = dict.fromkeys(
        ("opacity", "consolidation", "pleural effusion", "nodule", "cardiomegaly", "pneumothorax", "atelectasis"), 0.0
    )
    people = [
        [s.pixels for s in patient(3, number, height=64, width=64, studies=3, prevalence=healthy)]
        for number in range(6)
    ]

    def likeness(a, b):
        return np.corrcoef(a.ravel(), b.ravel())[0, 1]

    within = np.mean([likeness(p[i], p[j]) for p in people for i in range(3) for j in range(i)])
    between = np.mean([likeness(p[0], q[0]) for i, p in enumerate(people) for q in people[:i]])
    assert within > between


def test_lasting_findings_stay_where_they_were():
    seen = 0
    for number in range(8):
        studies = patient(5, number, height=64, width=64, studies=3, prevalence={"nodule": 1.0})
        places = {(f.side, f.zone, f.severity) for s in studies for f in s.findings if f.name == "nodule" and f.present}
        assert len(places) == 1
        seen += 1
    assert seen == 8


def test_follow_ups_compare_and_say_what_resolved():
    texts = [s for number in range(18) for s in patient(9, number, height=32, width=32, studies=3, variety=1.0)]
    first, later = texts[0::3], texts[1::3] + texts[2::3]
    assert all("since the prior study" not in s.report for s in first)
    assert all("COMPARISON: " in s.report for s in later)
    assert any("has resolved" in s.report or "no longer seen" in s.report for s in later)
    assert any("increased" in s.report or "worse" in s.report for s in later)


def test_prevalence_is_respected():
    counts = [
        phantom(seed, height=32, width=32, prevalence={"nodule": 1.0, "opacity": 0.0}).labels for seed in range(25)
    ]
    assert all(labels["nodule"] == 1.0 and labels["opacity"] == 0.0 for labels in counts)
    share = np.mean([labels["pleural effusion"] for labels in counts])
    assert 0.02 < share < 0.45
