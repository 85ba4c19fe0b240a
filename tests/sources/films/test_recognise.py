import os
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from neuralgraph.errors import SourceError
from neuralgraph.sources import FilmLimits, read_film


def error_of(path, **options):
    with pytest.raises(SourceError) as caught:
        read_film(path, **options)
    return caught.value


def encoded(image, file_format):
    out = BytesIO()
    image.save(out, file_format)
    return out.getvalue()


@pytest.fixture
def grey(ramp):
    return Image.fromarray(ramp(32, 20, np.uint8))


def test_content_decides_not_the_extension(tmp_path, grey, make_dicom, ramp):
    for data, expected in [
        (encoded(grey, "PNG"), "png"),
        (encoded(grey, "JPEG"), "jpeg"),
        (make_dicom(ramp(32, 20, np.uint16)), "dicom"),
    ]:
        path = tmp_path / "film.txt"
        path.write_bytes(data)
        assert read_film(path).facts["format"] == expected
        assert read_film(str(path)).facts["format"] == expected


def test_places_that_hold_no_file(tmp_path):
    assert error_of(tmp_path / "none").code == "E_SOURCE_READ"
    assert error_of(tmp_path).code == "E_SOURCE_READ"
    assert "folder" in error_of(tmp_path).message
    assert error_of(tmp_path / ("x" * 5000)).code == "E_SOURCE_READ"
    assert error_of("a\0b").code == "E_SOURCE_READ"


def test_a_pipe_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert error_of(tmp_path / "pipe").code == "E_SOURCE_READ"


def test_empty_and_too_large(tmp_path, grey):
    path = tmp_path / "film"
    path.write_bytes(b"")
    assert error_of(path).code == "E_SOURCE_EMPTY"
    data = encoded(grey, "PNG")
    path.write_bytes(data)
    assert read_film(path, limits=FilmLimits(max_file_bytes=len(data))).pixels.shape == (32, 20)
    assert error_of(path, limits=FilmLimits(max_file_bytes=len(data) - 1)).code == "E_SOURCE_SIZE"


@pytest.mark.parametrize("file_format", ["TIFF", "GIF", "BMP", "WEBP", "JPEG2000", "PDF"])
def test_other_formats_are_named(tmp_path, grey, file_format):
    path = tmp_path / "film"
    path.write_bytes(encoded(grey, file_format))
    error = error_of(path)
    assert error.code == "E_SOURCE_TYPE"
    assert file_format.removesuffix("2000")[:4].lower() in error.message.lower()


def test_text_and_bare_dicom(tmp_path, make_dicom):
    path = tmp_path / "film.dcm"
    path.write_bytes(b"PatientName = Doe")
    error = error_of(path)
    assert error.code == "E_SOURCE_TYPE"
    assert "Doe" not in str(error)
    assert "film" not in str(error).replace("DICOM film", "")
    path.write_bytes(make_dicom()[132:])
    assert "preamble" in error_of(path).message


def test_the_switches_reach_the_dicom_reader(tmp_path, make_dicom, ramp):
    path = tmp_path / "film"
    processing = "1.2.840.10008.5.1.4.1.1.1.1.1"
    path.write_bytes(make_dicom(ramp(32, 20, np.uint16), BurnedInAnnotation="YES", SOPClassUID=processing))
    assert error_of(path).code == "E_SOURCE_KIND"
    assert error_of(path, accept_for_processing=True).code == "E_SOURCE_KIND"
    film = read_film(path, accept_for_processing=True, accept_burned_in=True)
    assert film.facts["burned_in"] is True
    assert film.facts["sop_class"] == "DX for processing"
