from dataclasses import replace

import pytest

from neuralgraph.sources.layouts import COHORTS, DroppedRow, ManifestImage, ManifestRow, Selection, select
from neuralgraph.sources.layouts.selection import share_of, split_of


@pytest.fixture
def row(tmp_path):
    film = tmp_path / "film.png"
    film.write_bytes(b"x")

    def make(study, patient="", *, order="", **labels):
        return ManifestRow(study, patient, (ManifestImage(str(film), "PA"),), "Clear.", None, labels, order=order)

    return make


def keys(manifest):
    return [study.study_key for study in manifest.rows]


def test_one_per_patient_takes_a_whole_row(row):
    # Filling column by column would give patient p the label pneumonia = 1 with edema = 1: no study of hers has both.
    rows = [row("s1", "p", order="2", pneumonia=1.0), row("s2", "p", order="1", edema=1.0)]
    first = select(rows, Selection(one_per_patient="first"), layout="manifest")
    assert [(study.study_key, study.labels) for study in first.rows] == [("s2", {"edema": 1.0})]
    assert first.dropped == (DroppedRow("s1", "duplicate_patient"),)
    last = select(rows, Selection(one_per_patient="last"), layout="manifest")
    assert [(study.study_key, study.labels) for study in last.rows] == [("s1", {"pneumonia": 1.0})]


def test_studies_without_a_patient_are_their_own(row):
    rows = [row("s1"), row("s2"), row("s3", "s1")]
    assert keys(select(rows, Selection(one_per_patient="first"), layout="x")) == ["s1", "s2", "s3"]


def test_random_choice_depends_on_the_seed_only(row):
    rows = [row(f"s{number}", f"p{number % 20}") for number in range(200)]
    chosen = keys(select(rows, Selection(one_per_patient="random", seed=1), layout="x"))
    assert chosen == keys(select(rows[::-1], Selection(one_per_patient="random", seed=1), layout="x"))
    assert len(chosen) == 20
    assert chosen != keys(select(rows, Selection(one_per_patient="random", seed=2), layout="x"))


def test_the_label_is_judged_before_the_patient(row):
    rows = [
        row("s1", "p", order="1"),
        row("s2", "p", order="2", pneumonia=-1.0),
        row("s3", "p", order="3", pneumonia=0.0),
    ]
    manifest = select(rows, Selection(definite_label="pneumonia", one_per_patient="first"), layout="x")
    assert keys(manifest) == ["s3"]
    assert manifest.dropped == (DroppedRow("s1", "label_missing"), DroppedRow("s2", "label_uncertain"))


def test_split_by_patient_never_moves(row):
    rows = [row(f"s{number}", f"p{number % 1000}") for number in range(2000)]
    few = {study.study_key: study.split for study in select(rows[:300], Selection(own_split=True), layout="x").rows}
    many = select(rows, Selection(own_split=True), layout="x").rows
    assert few.items() <= {study.study_key: study.split for study in many}.items()
    by_patient = {}
    for study in many:
        assert by_patient.setdefault(study.patient_key, study.split) == study.split
    shares = [list(by_patient.values()).count(name) / 1000 for name in ("train", "validate", "test")]
    assert shares == pytest.approx([0.70, 0.15, 0.15], abs=0.04)
    assert split_of("patient p1", 0) in ("train", "validate", "test")


def test_shares_are_these():
    # Computed with another program: openssl dgst -sha256 -mac HMAC -macopt key:"neuralgraph split 0".
    assert share_of("patient p1", "split", 0) == (0x0CC8483D5336A1C2 >> 11) / 2**53
    assert 0 <= share_of("\ud800", "split", 0) < 1


def test_prevalence(row):
    rows = [row(f"s{number}", f"p{number}", pneumonia=float(number % 10 == 0)) for number in range(500)]
    wanted = Selection(definite_label="pneumonia", prevalence=0.25)
    manifest = select(rows, wanted, layout="x")
    values = [study.labels["pneumonia"] for study in manifest.rows]
    assert (values.count(1.0), values.count(0.0)) == (50, 150)
    assert manifest.counts == {"sampled_out": 300}
    fewer_negatives = select(rows, replace(wanted, prevalence=0.05), layout="x")
    values = [study.labels["pneumonia"] for study in fewer_negatives.rows]
    assert (values.count(1.0), values.count(0.0)) == (24, 450)
    more = [*rows, *(row(f"t{number}", f"q{number}", pneumonia=0.0) for number in range(10))]
    kept = {study.study_key for study in manifest.rows if study.labels["pneumonia"] == 0.0}
    still = {study.study_key for study in select(more, wanted, layout="x").rows}
    assert len(kept - still) <= 10


@pytest.mark.parametrize("name", COHORTS)
def test_cohorts(name, row):
    rows = [
        row(f"s{number}-{visit}", f"p{number}", order=str(visit), pneumonia=float((number + visit) % 3 == 0))
        for number in range(300)
        for visit in (1, 2)
    ]
    rows += [row("u", "pu", pneumonia=-1.0), row("b", "pb")]
    manifest = select(rows, replace(Selection(), **COHORTS[name]), layout="x")
    assert len({study.patient_key for study in manifest.rows}) == len(manifest.rows)
    assert {study.split for study in manifest.rows} == {"train", "validate", "test"}
    positive = sum(study.labels["pneumonia"] for study in manifest.rows)
    assert (positive, len(manifest.rows)) == {"neural-mimic": (100, 200), "neural-chexpert": (100, 300)}[name]
    assert len(manifest.rows) + len(manifest.dropped) == len(rows)
    assert keys(manifest) == keys(select(rows[::-1], replace(Selection(), **COHORTS[name]), layout="x"))


def test_splits_of_the_data_set(row):
    rows = [replace(row("s1"), split="train"), replace(row("s2"), split="test"), row("s3")]
    manifest = select(rows, Selection(splits=("test",)), layout="x")
    assert keys(manifest) == ["s2"]
    assert manifest.counts == {"split_not_wanted": 2}


def test_a_key_that_comes_twice_is_nobody(row):
    manifest = select([row("s1", "p"), row("s1", "q"), row("s2")], Selection(), layout="x")
    assert keys(manifest) == ["s2"]
    assert manifest.counts == {"conflicting_rows": 1}
