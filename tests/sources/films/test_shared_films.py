"""The real films and reports, where they are on this machine."""

import csv

import numpy as np
import pytest
from PIL import Image

from neuralgraph.sources import read_film, read_report
from neuralgraph.sources.films.dicom import read_dicom_film


@pytest.fixture(scope="module")
def table(shared):
    with open(shared / "cxr" / "manifest.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_image_is_a_film(shared, table):
    assert len(table) == 25
    for row in table:
        film = read_film(shared / "cxr" / row["image"])
        assert min(film.pixels.shape) > 250
        # Against a second way; none of these films carries an orientation.
        with Image.open(shared / "cxr" / row["image"]) as image:
            expected = np.asarray(image.convert("L"))
        assert np.abs(film.pixels * 255 - expected).max() <= 1
        assert film.facts["format"] == ("png" if row["image"].endswith("png") else "jpeg")


def test_every_report_is_text(shared, table):
    reports = [read_report(shared / "cxr" / row["report"]) for row in table if row["report"]]
    assert len(reports) == 9
    assert all(len(text.split()) > 3 for text in reports)


def test_the_jpeg_film(shared):
    film = read_film(shared / "dicom" / "rsna_cxr.dcm")
    assert film.pixels.shape == (1024, 1024)
    assert film.position == "PA"
    assert film.facts == {
        "format": "dicom",
        "bits_stored": 8,
        "photometric": "MONOCHROME2",
        "sop_class": "SC",
        "modality": "CR",
        "voi": "none",
        "body_part": "chest",
        "pixel_spacing": [0.168, 0.168],
        "lossy": True,
        "lossy_method": ["ISO_10918_1"],
        "quality": "good",
        "grey_span": 0.898,
    }
    assert_bones_bright(film.pixels)


def test_the_windowed_monochrome1_film(shared):
    film = read_film(shared / "dicom" / "rg1_cr_monochrome1.dcm")
    assert film.pixels.shape == (1955, 1841)
    assert film.position == "PA"
    assert film.facts == {
        "format": "dicom",
        "bits_stored": 15,
        "photometric": "MONOCHROME1",
        "sop_class": "CR",
        "modality": "CR",
        "voi": "linear",
        "body_part": "chest",
        "lossy": True,
        "lossy_ratio": [10.0],
        "quality": "good",
        "grey_span": 0.734,
    }
    assert_bones_bright(film.pixels)
    # More than 8 bits survive.
    assert len(np.unique(film.pixels)) > 10_000


def assert_bones_bright(pixels):
    """The spine, low between the lungs, is brighter than the middle of both lungs."""
    height, width = pixels.shape
    rows = slice(int(height * 0.42), int(height * 0.55))
    spine = pixels[rows, int(width * 0.46) : int(width * 0.54)].mean()
    for left, right in ((0.22, 0.36), (0.66, 0.78)):
        assert spine > pixels[rows, int(width * left) : int(width * right)].mean() + 0.05


def test_the_film_is_what_the_standard_says(shared):
    """Against a second way: pydicom's own window on the decoded values, then the inversion."""
    pydicom = pytest.importorskip("pydicom")
    from pydicom.pixels import apply_windowing

    path = shared / "dicom" / "rg1_cr_monochrome1.dcm"
    dataset = pydicom.dcmread(path)
    windowed = apply_windowing(dataset.pixel_array, dataset)
    expected = 1 - windowed / (2**15 - 1)
    assert np.abs(read_dicom_film(path.read_bytes()).pixels - expected).max() < 1e-4


@pytest.mark.parametrize("name", ["rsna_cxr.dcm", "rg1_cr_monochrome1.dcm"])
def test_real_films_cut_short_are_refused(shared, name):
    from neuralgraph.errors import SourceError

    data = (shared / "dicom" / name).read_bytes()
    for share in (0.001, 0.01, 0.1, 0.5, 0.9, 0.999):
        with pytest.raises(SourceError):
            read_dicom_film(data[: int(len(data) * share)])
    with pytest.raises(SourceError):
        read_dicom_film(data[:-10])
