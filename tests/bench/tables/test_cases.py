"""Which studies a run is made of."""

from __future__ import annotations

import csv

import numpy as np
import pytest

pytest.importorskip("torch_geometric", reason="the tables need the extra pyg")
pytest.importorskip("PIL", reason="films need the extra vlm")

from PIL import Image

from bench.tables.cases import manifest_cases, phantom_cases
from bench.tables.data import is_archive
from bench.tables.gather import with_written_report
from bench.tables.stored import split_of
from neuralgraph.compressor.report_graph import extractor
from neuralgraph.compressor.training.phantom_films import TRAINING_SEED
from neuralgraph.errors import SourceError, StudyError


def test_phantoms_are_one_study_each_of_patients_nobody_learnt_from():
    found = phantom_cases(40, side=64)
    assert len({case.study_id for case in found.cases}) == 40
    assert set(found.split.every) == {case.study_id for case in found.cases}
    assert found.facts["cohort_seed"] not in (TRAINING_SEED, 2026)
    assert "synthetic" in found.facts["note"]
    case = found.cases[3]
    loaded = case.load()
    assert loaded.pixels.shape == (64, 64)
    assert np.array_equal(loaded.pixels, case.load().pixels)
    assert loaded.labels["pneumonia"] in (0.0, 1.0)
    # A patient's part does not depend on how many there are.
    assert set(phantom_cases(20, side=64).split.test) <= set(found.split.test)


@pytest.fixture
def films(tmp_path):
    """A data set of ten patients with two studies each; the first study of patient 0 has no report."""
    Image.fromarray(np.arange(1024, dtype=np.uint8).reshape(32, 32)).save(tmp_path / "film.png")
    with open(tmp_path / "manifest.csv", "w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["study_id", "patient_id", "image", "report", "order", "split", "label.pneumonia"])
        for patient in range(10):
            for order in (1, 2):
                report = "" if (patient, order) == (0, 1) else f"FINDINGS: study {order}."
                part = ("train", "train", "val", "test", "test")[patient % 5]
                table.writerow([f"s{patient}-{order}", f"p{patient}", "film.png", report, order, part, patient % 2])
    return tmp_path


def test_a_data_set_gives_the_first_usable_study_of_each_patient_and_its_own_split(films):
    found = manifest_cases(films)
    assert len(found.cases) == 10
    reports = [case.load().report for case in found.cases]
    assert reports == ["FINDINGS: study 2."] + ["FINDINGS: study 1."] * 9
    assert [len(part) for part in (found.split.train, found.split.validate, found.split.test)] == [4, 2, 4]
    assert found.facts["split_by"] == "the source"
    assert found.cases[1].load().labels == {"pneumonia": 1.0}
    assert found.cases[1].load().masks is None
    assert not any("s1" in case.study_id or "p1" in case.study_id for case in found.cases)
    assert len(manifest_cases(films, limit=10).cases) == 10


def test_a_data_set_without_reports_is_refused(films):
    (films / "manifest.csv").write_text("image\nfilm.png\n")
    with pytest.raises(SourceError, match="no study has both"):
        manifest_cases(films)


def test_archives_are_told_from_films_and_need_a_split(films, tmp_path):
    assert not is_archive(films)
    archive = tmp_path / "studies.ngr"
    assert is_archive(archive)
    with pytest.raises(StudyError, match="--splits"):
        split_of(archive, None)
    (tmp_path / "studies.csv").write_text("study_id,split\na,train\nb,val\nc,test\n")
    assert split_of(archive, None).test == ("c",)


def test_a_written_report_replaces_the_graph(whole):
    study = whole.prune(top_k=3)
    reader = extractor("rules")
    found = with_written_report(study, "FINDINGS: There is a right pleural effusion.", reader)
    assert "effusion" in " ".join(concept.text for concept in found.concepts).lower()
    assert found.fusion is not None
    assert found.provenance["report"] == "generated"
    silent = with_written_report(study, "", reader)
    assert (silent.concepts, silent.mentions, silent.fusion, len(silent.triples)) == ((), (), None, 0)
