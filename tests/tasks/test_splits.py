import pytest

from neuralgraph.errors import SourceError, StudyError
from neuralgraph.tasks.splits import Split, read_splits, split_by_hash, with_prevalence

PATIENTS = {f"study-{number:04d}": f"patient-{number // 2}" for number in range(2000)}


def test_patients_are_never_divided():
    split = split_by_hash(PATIENTS)
    parts = [{PATIENTS[study] for study in ids} for ids in (split.train, split.validate, split.test)]
    assert not parts[0] & parts[1]
    assert not parts[1] & parts[2]
    assert not parts[0] & parts[2]
    assert sum(map(len, parts)) == 1000
    assert len(parts[0]) == pytest.approx(700, abs=45)
    assert len(parts[1]) == pytest.approx(150, abs=35)


def test_a_patient_stays_when_others_come():
    before = split_by_hash(dict(list(PATIENTS.items())[:500]))
    after = split_by_hash(PATIENTS)
    assert set(before.train) <= set(after.train)
    assert set(before.test) <= set(after.test)
    assert split_by_hash(PATIENTS, seed=1) != after
    assert split_by_hash(dict(reversed(PATIENTS.items()))) == after


def test_a_study_belongs_to_one_part():
    with pytest.raises(StudyError, match="two parts"):
        Split(("a", "b"), ("c",), ("a",))
    with pytest.raises(StudyError, match="'test'"):
        Split(("a",), ("b",), ())


@pytest.mark.parametrize("share", [0.15, 0.5, 0.9])
def test_prevalence(share):
    outcome = {study: number % 3 == 0 for number, study in enumerate(PATIENTS)}
    chosen = with_prevalence(PATIENTS, outcome, share)
    positives = sum(outcome[study] for study in chosen)
    assert positives / len(chosen) == pytest.approx(share, abs=0.002)
    # The largest such subset: one of the two sides is used up.
    assert positives >= 666 or len(chosen) - positives >= 1332
    assert chosen == with_prevalence(reversed(list(PATIENTS)), outcome, share)


def test_prevalence_needs_both_sides():
    with pytest.raises(StudyError, match="positive and negative"):
        with_prevalence(["a", "b"], {"a": True, "b": True}, 0.15)
    with pytest.raises(StudyError, match="between 0 and 1"):
        with_prevalence(["a"], {"a": True}, 1.5)


def test_table_of_a_converted_folder(tmp_path):
    table = tmp_path / "studies.csv"
    table.write_text("study_id,split,file\nb,train,x\na,train,x\nc,val,x\nd,TEST,x\ne,,x\nf,other,x\n")
    assert read_splits(table) == Split(("a", "b"), ("c",), ("d",))


def test_table_that_cannot_be_used(tmp_path):
    table = tmp_path / "studies.csv"
    with pytest.raises(SourceError, match="cannot be read"):
        read_splits(table)
    table.write_text("study,split\na,train\n")
    with pytest.raises(SourceError, match="'study_id'"):
        read_splits(table)
