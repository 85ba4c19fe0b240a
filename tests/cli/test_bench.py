"""``ngr bench``: every film of the user's, every coding, and nothing of the header."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from json_outputs import printed
from PIL import Image

from neuralgraph.cli.bench_films import chosen_films
from neuralgraph.phantoms import phantom
from neuralgraph.sizes import PICTURE_CODINGS, embedding_settings

pytest.importorskip("timm", reason="a .ngr is made by the model: extra vlm")
pytest.importorskip("pydicom", reason="one film is DICOM: extra dicom")

ROOT = Path(__file__).parents[2]


def ngr(*arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    command = [sys.executable, "-m", "neuralgraph", "bench", *map(str, arguments)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    place = tmp_path_factory.mktemp("bench")
    made = phantom(4, height=128, width=96)
    Image.fromarray(np.rint(made.pixels * 255).astype(np.uint8)).save(place / "film.png")
    (place / "film.txt").write_text(made.report, encoding="utf-8")
    (place / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno")
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"
    meta.MediaStorageSOPInstanceUID = "2.25.4711"
    dicom = FileDataset(str(place / "film.dcm"), {}, file_meta=meta, preamble=b"\0" * 128)
    dicom.SOPClassUID, dicom.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    dicom.PatientName, dicom.PatientID, dicom.StudyDate = "Doe^Jane", "MRN-0815", "20200101"
    dicom.Modality, dicom.ViewPosition, dicom.PresentationIntentType = "DX", "PA", "FOR PRESENTATION"
    dicom.Rows, dicom.Columns = 128, 96
    dicom.SamplesPerPixel, dicom.PhotometricInterpretation = 1, "MONOCHROME2"
    dicom.BitsAllocated, dicom.BitsStored, dicom.HighBit, dicom.PixelRepresentation = 16, 12, 11, 0
    dicom.PixelData = np.rint(made.pixels * 4095).astype("<u2").tobytes()
    dicom.save_as(place / "film.dcm", enforce_file_format=True)
    return place


@pytest.fixture(scope="module")
def told(folder):
    return ngr("film.png", "film.dcm", "--reports", "--json", folder=folder)


def test_every_film_in_every_coding_and_the_total(told, folder):
    assert told.returncode == 0, told.stderr
    result = printed("bench", told.stdout)
    assert [film["file"] for film in result["films"]] == ["film.png", "film.dcm"]
    assert [film["source"]["bits"] for film in result["films"]] == [8, 12]
    names = {coding.name for coding in PICTURE_CODINGS} | {f".ngr {setting}" for setting in embedding_settings()}
    for film in result["films"]:
        assert {row["coding"] for row in film["codings"]} | set(film["absent"]) == {"source file", *names}
        assert film["source"]["bytes"] == (folder / film["file"]).stat().st_size
        assert film["ngr"]["report"] == "given"
    sums = {row["coding"]: row["bytes"] for row in result["total"]["codings"]}
    for name, size in sums.items():
        assert size == sum(row["bytes"] for film in result["films"] for row in film["codings"] if row["coding"] == name)
    jpeg = next(row for row in result["films"][1]["codings"] if row["coding"] == "JPEG q90")
    assert (jpeg["bits"], jpeg["lossless"]) == (8, False)


def test_nothing_of_the_header_is_told(told):
    for secret in ("Doe", "Jane", "MRN-0815", "20200101", "2.25.4711"):
        assert secret not in told.stdout + told.stderr


def test_what_cannot_be_read_is_named_and_the_rest_measured(folder):
    run = ngr("broken.png", "film.png", "missing.dcm", folder=folder)
    assert run.returncode == 1
    assert "film.png: png, 96 x 128 pixels (width x height), 8 bits" in run.stdout
    assert "no image" in run.stdout
    assert "Traceback" not in run.stderr
    assert "broken.png: E_SOURCE_DAMAGED" in run.stderr
    assert "missing.dcm: E_SOURCE_READ" in run.stderr


def test_nothing_is_measured_when_nothing_can_be_read(folder):
    run = ngr("missing.dcm", "--json", folder=folder)
    assert run.returncode == 1
    assert printed("bench", run.stdout)["total"] is None
    assert ngr("film.png", "--retain", "7", folder=folder).returncode == 2


def test_of_a_folder_a_sample_that_is_the_same_every_time(tmp_path):
    for number in range(30):
        (tmp_path / f"{number:02}.png").write_bytes(b"x")
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "one.dcm").write_bytes(b"x")
    (tmp_path / "notes.txt").write_bytes(b"x")
    chosen = chosen_films([tmp_path], most=5)
    assert (len(chosen.paths), chosen.found) == (5, 31)
    assert chosen_films([tmp_path], most=5) == chosen
    assert len(chosen_films([tmp_path], most=None).paths) == 31
    first = tmp_path / "00.png"
    both = chosen_films([first, tmp_path, first], most=None)
    assert (len(both.paths), both.found, both.paths[0]) == (31, 31, first)


def test_a_folder_without_films_is_named(tmp_path):
    (tmp_path / "notes.txt").write_bytes(b"x")
    chosen = chosen_films([tmp_path], most=5)
    assert chosen.paths == ()
    assert [(failure["file"], failure["code"]) for failure in chosen.refused] == [(str(tmp_path), "E_SOURCE_READ")]


def test_a_folder_gives_three_lines_first_the_rest_on_request_and_a_chart(folder):
    pytest.importorskip("matplotlib", reason="the chart needs the extra plot")
    run = ngr(".", "--chart", "chart.png", "--full", "--each", folder=folder)
    assert run.returncode == 1, run.stderr
    assert "broken.png: E_SOURCE_DAMAGED" in run.stderr
    lines = run.stdout.splitlines()
    assert lines[0].startswith("2 films measured of 3, 1 cannot be measured; ")
    assert " s a film, model and every coding together" in lines[0]
    assert [line.split("  ")[1] for line in lines[2:5]] == ["source file", "smallest lossless", ".ngr exact"]
    assert "every coding, film by film:" in lines
    assert "film.dcm: dicom, 96 x 128 pixels (width x height), 12 bits" in run.stdout
    assert (folder / "chart.png").read_bytes().startswith(b"\x89PNG")
    again = ngr("film.png", "--chart", "chart.png", folder=folder)
    assert again.returncode == 2
    assert "exists already" in again.stderr
    (folder / "chart.png").unlink()


def test_the_summary_is_data_too(told):
    result = printed("bench", told.stdout)
    assert (result["found"], result["chosen"], result["stopped_before"]) == (2, 2, 0)
    summary = result["summary"]
    assert summary["films"] == 2
    assert summary["seconds_per_film"] > 0
    sizes = [film["source"]["bytes"] for film in result["films"]]
    spread = summary["codings"][0]["bytes"]
    assert spread == {"median": sum(sizes) / 2, "least": min(sizes), "most": max(sizes)}
