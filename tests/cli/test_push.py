"""``ngr push`` sends what was asked for beside a study, and counts what failed."""

from __future__ import annotations

import json
from io import BytesIO

import pytest
from builders import build_study
from typer.testing import CliRunner

import neuralgraph as ng
from neuralgraph.cli.main import application

pytest.importorskip("pydicom", reason="the extra dicom is not installed")
pytest.importorskip("highdicom", reason="the extra pacs is not installed")

from pydicom import dcmread

from neuralgraph.pacs import ngr_bytes
from neuralgraph.pacs.multipart import single_part
from tests.pacs.conftest import film
from tests.pacs.toy_archive import Toy, reply, serving


def taking(objects):
    """An archive that takes some objects."""
    return Toy(faults=[("/studies", lambda handler: reply(handler, b"{}"))] * objects)


def push(*arguments):
    return CliRunner().invoke(application(["push", "info"]), ["push", *map(str, arguments)])


@pytest.fixture
def place(tmp_path):
    (tmp_path / "film.dcm").write_bytes(film())
    ng.save(build_study(), tmp_path / "study.ngr")
    return tmp_path


def test_a_study_and_its_patches(place):
    toy = taking(2)
    with serving(toy):
        run = push(place / "study.ngr", toy.url, "--source", place / "film.dcm", "--overlay")
    assert run.exit_code == 0, run.output
    assert run.stdout == "2 objects of 1 files sent, 0 failed\n"
    study, overlay = [dcmread(BytesIO(single_part(body, kind))) for kind, body in toy.posted]
    assert ngr_bytes(study) == (place / "study.ngr").read_bytes()
    assert overlay.Modality == "PR"


def test_a_folder_with_its_manifest(place):
    rows = [
        {"converted_as": "study", "image": [str(place / "film.dcm")]},
        {"converted_as": "gone", "image": []},
        {"converted_as": "broken", "image": [str(place / "film.dcm")]},
    ]
    (place / "manifest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (place / "broken.ngr").write_bytes(b"no study")
    toy = taking(1)
    with serving(toy):
        run = push(place, toy.url, "--manifest", place / "manifest.jsonl")
    assert run.exit_code == 1
    assert run.stdout == "1 objects of 1 files sent, 1 failed\n"
    assert "broken.ngr: E_SOURCE_DAMAGED" in run.stderr


def test_a_film_or_a_manifest_is_needed(place):
    assert push(place / "study.ngr", "http://127.0.0.1:1").exit_code == 2
