"""``ngr info`` of archives, folders and collections."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from builders import build_study
from json_outputs import printed
from typer.testing import CliRunner

import neuralgraph as ng
from neuralgraph.cli.main import application
from neuralgraph.errors import StudyNotFoundError
from neuralgraph.wire.vocabulary import RELATIONS


def ngr(*arguments):
    return CliRunner().invoke(application(["info", "collection"]), [str(each) for each in arguments])


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "folder"
    place.mkdir()
    given = [build_study(seed=seed, study_id=f"{seed}-given") for seed in range(10, 14)]
    written = build_study(seed=20, study_id="20-written", provenance={"report": "generated"}, labels={"age": 61.0})
    ng.save(given, place / "a.ngr")
    ng.save(written, place / "b.ngr", embedding="int8")
    return place


def facts(*arguments):
    run = ngr("info", *arguments, "--json")
    assert run.exit_code == 0, run.output
    return printed("info", run.stdout)


def test_a_folder_at_a_glance(folder):
    found = facts(folder)
    assert (found["n_studies"], found["archives"]) == (5, 2)
    overview = found["overview"]
    assert overview["reports"] == {"generated": 1, "given": 4}
    assert overview["labels"] == {
        "age": {"other": 1},
        "effusion": {"negative": 4},
        "pneumonia": {"positive": 4},
    }
    assert overview["embedding_loss"]["studies"] == 1
    assert overview["embedding_loss"]["largest_rmse"] > 0
    assert overview["denominators"]["film_pixels_8_bit"] == 5 * 192 * 160
    assert {model["studies"] for model in overview["models"]} == {4, 1}
    text = ngr("info", folder).stdout
    assert "given 4 (80.0%)" in text
    assert "the films' pixels at one byte each" in text
    assert "overview" not in facts(folder, "--brief")


def test_a_collection_says_the_same_and_when(folder, tmp_path):
    pytest.importorskip("duckdb", reason="the extra catalog is not installed")
    place = tmp_path / "collection"
    assert ngr("collection", "create", place).exit_code == 0
    assert ngr("collection", "add", place, folder).exit_code == 0
    found = facts(place)
    assert found["overview"] == facts(folder)["overview"]
    assert [commit["operation"] for commit in found["commits"]] == ["create", "add"]
    assert found["commits"][1]["program"] == ng.__version__


def test_what_only_modifies_a_finding_is_none(tmp_path):
    pytest.importorskip("duckdb", reason="the extra catalog is not installed")
    present = "Observation::definitely present"
    said = (
        ng.Concept("large", present, 0, 5),
        ng.Concept("effusion", present, 6, 14),
        ng.Concept("base", "Anatomy::definitely present", 20, 24),
    )
    located, modify = RELATIONS.index("located_at"), RELATIONS.index("modify")
    triples = np.array(sorted([(0, modify, 1), (1, located, 2)]), np.int32)
    without = np.zeros((0, 3), np.int32)
    studies = [
        replace(build_study(seed=seed, study_id=f"{seed}"), concepts=said, mentions=(), triples=each, fusion=None)
        for seed, each in enumerate((triples, triples, without))
    ]
    ng.save(studies, tmp_path / "a.ngr")
    expected = [{"name": "effusion", "present": 3}, {"name": "large", "present": 1}]
    assert facts(tmp_path / "a.ngr")["overview"]["findings"] == expected
    for arguments in (["create", tmp_path / "c"], ["add", tmp_path / "c", tmp_path / "a.ngr"]):
        assert ngr("collection", *arguments).exit_code == 0
    assert facts(tmp_path / "c")["overview"]["findings"] == expected


def test_what_a_collection_no_longer_counts_is_not_counted(folder, tmp_path):
    pytest.importorskip("duckdb", reason="the extra catalog is not installed")
    (tmp_path / "data").mkdir()
    place = tmp_path / "data" / "collection"
    for arguments in (["create", place], ["add", place, folder], ["remove", place, "--id", "11-given"]):
        assert ngr("collection", *arguments).exit_code == 0
    assert len(list((place / "archives").iterdir())) == 2
    for path in (tmp_path / "data", place, place / "archives"):
        found = facts(path)
        assert (found["n_studies"], found["archives"], found["overview"]["studies"]) == (4, 1, 4)


def test_a_model_without_a_digest_leaves_no_blank(tmp_path):
    studies = [build_study(seed=seed, provenance={"model": {"name": "ours"}}) for seed in range(2)]
    ng.save(studies[0], tmp_path / "one.ngr")
    ng.save(studies, tmp_path / "two.ngr")
    for name, line in (("one.ngr", "  model        ours"), ("two.ngr", "  model        ours: 2 (100.0%)")):
        lines = ngr("info", tmp_path / name).stdout.splitlines()
        assert line in lines
        assert [each for each in lines if each != each.rstrip()] == []


def test_a_prefix_names_a_study(folder):
    assert facts(folder, "--study", "20")["study"]["id"] == "20-written"
    assert facts(folder, "--study", "11-given")["study"]["id"] == "11-given"
    for prefix in ("1", "x"):
        run = ngr("info", folder, "--study", prefix)
        assert isinstance(run.exception, StudyNotFoundError)


def test_the_shell_completes_ids(folder):
    from types import SimpleNamespace

    from neuralgraph.cli.completion import study_ids

    assert study_ids(SimpleNamespace(params={"path": str(folder)}), "1") == [f"{n}-given" for n in range(10, 14)]
    assert study_ids(SimpleNamespace(params={"place": str(folder / "nothing")}), "") == []
    assert study_ids(SimpleNamespace(params={}), "") == []
