"""``ngr bench``: every film of the user's, every coding, and nothing of the header."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from neuralgraph.sizes import PICTURE_CODINGS, embedding_settings
from neuralgraph.sources.phantom import phantom

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
    result = json.loads(told.stdout)
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
    assert json.loads(run.stdout)["total"] is None
    assert ngr("film.png", "--retain", "7", folder=folder).returncode == 2
