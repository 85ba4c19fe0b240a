"""``ngr generate``: a report from stored patches."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from json_outputs import printed
from typer.testing import CliRunner

import neuralgraph as ng
from neuralgraph.cli.main import application

REPORT = "FINDINGS: Small consolidation in the right lower lobe.\nIMPRESSION: Small consolidation."


def ngr(*arguments):
    return CliRunner().invoke(application(), [*map(str, arguments)])


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    from neuralgraph.compressor import Compressor, TopFraction
    from neuralgraph.phantoms import phantom

    folder = tmp_path_factory.mktemp("generate")
    compressor = Compressor.from_pretrained("demo", policy=TopFraction(1.0))
    studies = [
        compressor(phantom(seed, height=128, width=128).pixels, REPORT, study_id=f"study-{seed}") for seed in (1, 2)
    ]
    for study in studies:
        ng.save(study, folder / f"{study.study_id}.ngr")
    other = {**studies[0].provenance, "model": {**studies[0].provenance["model"], "digest": "0" * 16}}
    ng.save(replace(studies[0], provenance=other), folder / "other-model.ngr")
    return folder


def test_a_report_has_its_lines(files):
    result = ngr("generate", files / "study-1.ngr", "--beams", 1)
    assert result.exit_code == 0
    assert [line.split(":")[0] for line in result.stdout.splitlines()] == ["FINDINGS", "IMPRESSION"]
    assert "no diagnostic device" in result.stderr


def test_json_says_what_it_was_written_from(files):
    result = ngr("generate", files / "study-1.ngr", "--beams", 1, "--json")
    record = printed("generate", result.stdout)
    assert record["report"].splitlines() == ngr("generate", files / "study-1.ngr", "--beams", 1).stdout.splitlines()
    assert (record["study"], record["patches"], record["cells"]) == ("study-1", 64, 64)
    assert record["model_trained"] is True


def test_of_several_studies_one_is_named(files):
    assert ngr("generate", files).exit_code == 2
    assert json.loads(ngr("generate", files / "study-2.ngr", "--beams", 1, "--json").stdout)["study"] == "study-2"


def test_embeddings_of_another_model_are_refused_unless_meant(files):
    refused = ngr("generate", files / "other-model.ngr", "--beams", 1)
    assert refused.exit_code != 0
    assert not refused.stdout
    assert ngr("generate", files / "other-model.ngr", "--beams", 1, "--any-model").exit_code == 0
