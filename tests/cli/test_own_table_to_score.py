"""From a table of one's own to a score: train, convert and evaluate fit, nobody tests on whom a model learnt from."""

import csv
import json

import numpy as np
import pytest
from typer.testing import CliRunner

from neuralgraph.bulk.learnt import Learnt, hashed_patients, model_key
from neuralgraph.bulk.pseudonyms import Pseudonyms
from neuralgraph.cli.main import application
from neuralgraph.compressor.model.learnt_from import (
    PATIENTS_KEY_NAME,
    PATIENTS_NAME,
    LearntFrom,
    read_learnt_from,
    write_learnt_from,
)
from neuralgraph.errors import ModelError, StudyError
from neuralgraph.sources.layouts.manifest import ManifestRow
from neuralgraph.sources.layouts.selection import split_of
from neuralgraph.tasks.splits import Split, check_not_learnt

QUICK = ["--steps", "1", "--validate-every", "1", "--batch-size", "4", "--workers", "1", "--precision", "float32"]
PATIENTS = [f"MRN{number:04d}" for number in range(24)]


def ngr(*words, code=0):
    result = CliRunner().invoke(application(), [str(word) for word in words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result


@pytest.fixture
def table(tmp_path):
    """One small film for each patient; no split."""
    pillow = pytest.importorskip("PIL.Image")
    lines = ["image,patient_id,findings,impression,label.nodule"]
    for number, patient in enumerate(PATIENTS):
        pixels = np.random.default_rng(number).integers(0, 256, (48, 64), np.uint8)
        pillow.fromarray(pixels).save(tmp_path / f"{number}.png")
        said = "Small nodule." if number % 2 else "Lungs are clear."
        lines.append(f"{number}.png,{patient},{said},{said},{number % 2}")
    path = tmp_path / "cohort.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def rows(path):
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_from_a_table_to_a_score_without_glue(table, tmp_path):
    model, studies = tmp_path / "model", tmp_path / "studies"
    ngr("train", table, "-o", model, *QUICK)
    noted = (model / PATIENTS_NAME).read_text()
    assert not any(patient in noted for patient in PATIENTS)
    assert (model / PATIENTS_KEY_NAME).stat().st_mode & 0o77 == 0
    learnt_from = [patient for patient in PATIENTS if split_of(f"patient {patient}", 0) != "test"]
    assert len(read_learnt_from(model)[0].patients) == len(learnt_from)
    manifest = tmp_path / "manifest.jsonl"
    ngr("convert", table, studies, "--model", model, "--workers", "1", "--manifest", manifest)
    lines = [json.loads(line) for line in manifest.read_text().splitlines()]
    patient_of = {line["converted_as"]: line["patient_id"] for line in lines}
    for row in rows(studies / "studies.csv"):
        patient = patient_of[row["study_id"]]
        assert row["split"] == split_of(f"patient {patient}", 0)
        assert row["learnt"] == ("no" if row["split"] == "test" else "yes")
    result = ngr(
        "evaluate", studies, "--label", "nodule", "--epochs", "1", "--seeds", "1", "--text", "without", "--json"
    )
    assert json.loads(result.stdout)["split"]["test"] == sum(
        r["split"] == "test" for r in rows(studies / "studies.csv")
    )
    # The same patients under another split: whom the model learnt from would be tested on.
    other = tmp_path / "other.csv"
    lines = table.read_text().splitlines()
    parts = [("test", "train", "validate")[number % 3] for number in range(len(PATIENTS))]
    other.write_text(
        "\n".join([f"{lines[0]},split", *(f"{a},{b}" for a, b in zip(lines[1:], parts, strict=True))]) + "\n"
    )
    ngr("convert", other, tmp_path / "again", "--model", model, "--workers", "1")
    assert {row["split"] for row in rows(tmp_path / "again" / "studies.csv")} == {"train", "validate", "test"}
    with pytest.raises(StudyError, match="learnt from the patients of"):
        ngr("evaluate", tmp_path / "again", "--label", "nodule", "--epochs", "1", "--seeds", "1")
    # Not even with a table of one's own beside them.
    with pytest.raises(StudyError, match="learnt from the patients of"):
        ngr("evaluate", tmp_path / "again", "--label", "nodule", "--splits", own_splits(tmp_path / "again"))


def own_splits(folder):
    path = folder.parent / "own.csv"
    path.write_text(
        "study_id,split\n" + "".join(f"{row['study_id']},{row['split']}\n" for row in rows(folder / "studies.csv"))
    )
    return path


def test_a_model_remembers_whom_those_before_it_learnt_from(tmp_path):
    keys = [Pseudonyms(bytes([n]) * 32) for n in range(2)]
    first, second = hashed_patients(["patient a"], keys[0]), hashed_patients(["patient b"], keys[1])
    write_learnt_from(tmp_path, [first, second, hashed_patients(["patient c"], keys[0])])
    trainings = read_learnt_from(tmp_path)
    assert sorted(len(one.patients) for one in trainings) == [1, 2]

    def said(*at_hand):
        learnt = Learnt(trainings, at_hand)
        rows = (ManifestRow("s", patient_key=patient) for patient in ("a", "b", "c", "d"))
        return [learnt(row) for row in rows], learnt.unreadable

    assert said(*keys) == (["yes", "yes", "yes", "no"], 0)
    assert said(keys[0]) == (["yes", "unknown", "yes", "unknown"], 1)
    assert said() == (["unknown"] * 4, 3)
    assert Learnt((), keys)(ManifestRow("s", patient_key="a")) == ""
    # A study without a patient is asked for itself, and is no patient of that name.
    alone = Learnt([hashed_patients(["study s"], keys[0])], keys)
    assert (alone(ManifestRow("s")), alone(ManifestRow("t", patient_key="s"))) == ("yes", "no")


def test_records_that_cannot_be_read(tmp_path):
    assert read_learnt_from(tmp_path) == ()
    assert model_key(tmp_path) is None
    for content in ("{", "3", '[{"key": "x"}]', "[1]"):
        (tmp_path / PATIENTS_NAME).write_text(content)
        with pytest.raises(ModelError, match=r"patients\.json"):
            read_learnt_from(tmp_path)


def test_the_key_of_a_site_tells_without_the_key_of_the_model(tmp_path):
    key = Pseudonyms(b"0123456789abcdef")
    write_learnt_from(tmp_path, [hashed_patients(["patient a"], key), LearntFrom("other", ("x",))])
    assert Learnt(read_learnt_from(tmp_path), [key])(ManifestRow("s", patient_key="a")) == "yes"


def test_tables_without_the_column_say_nothing(tmp_path):
    split = Split(("a",), ("b",), ("c", "d"))
    (tmp_path / "old.csv").write_text("study_id,split\nc,test\n")
    (tmp_path / "new.csv").write_text("study_id,learnt\na,yes\nc,unknown\nd,no\n")
    assert check_not_learnt(split, [tmp_path / "old.csv", tmp_path / "new.csv"]) == 1
    (tmp_path / "new.csv").write_text("study_id,learnt\nd,yes\n")
    with pytest.raises(StudyError, match="1 of the 2 test studies"):
        check_not_learnt(split, [tmp_path / "new.csv"])
