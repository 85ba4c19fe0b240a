"""Every file that ships inside pydicom: a film, or one reason. Nothing is downloaded."""

import socket
import time
from collections import Counter
from pathlib import Path

import pydicom
import pytest

from neuralgraph.errors import SourceError
from neuralgraph.sources import read_film

FOLDER = Path(pydicom.__file__).parent / "data" / "test_files"
FILES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file())

FILMS = {
    "dicomdirtests/77654033/CR1/6154": "LL",
    "dicomdirtests/77654033/CR2/6247": "AP",
    "dicomdirtests/77654033/CR3/6278": "AP",
    "image_dfl.dcm": "unknown",
}
# By the beginning of the name; what is not listed is another kind of DICOM object (E_SOURCE_KIND).
REASONS = {
    "ExplVR_BigEndNoMeta.dcm": "E_SOURCE_TYPE",
    "ExplVR_LitEndNoMeta.dcm": "E_SOURCE_TYPE",
    # Pictures in colour count as films where they are grey in truth; these are not even that far.
    "GDCMJ2K_TextGBR.dcm": "E_SOURCE_DAMAGED",
    "SC_jpeg_no_color_transform.dcm": "E_SOURCE_BLANK",
    "SC_jpeg_no_color_transform_2.dcm": "E_SOURCE_BLANK",
    "SC_rgb_jpeg.dcm": "E_SOURCE_BLANK",
    "SC_rgb_jpeg_app14_dcmd.dcm": "E_SOURCE_BLANK",
    "SC_rgb_jpeg_dcmd.dcm": "E_SOURCE_BLANK",
    "SC_rgb_rle_32bit.dcm": "E_SOURCE_ENCODING",
    "SC_rgb_small_odd.dcm": "E_SOURCE_SIZE",
    "SC_rgb_small_odd_big_endian.dcm": "E_SOURCE_SIZE",
    "SC_rgb_small_odd_jpeg.dcm": "E_SOURCE_SIZE",
    "JPEGLSNearLossless_08.dcm": "E_SOURCE_SIZE",
    "JPEGLSNearLossless_16.dcm": "E_SOURCE_SIZE",
    "README.txt": "E_SOURCE_TYPE",
    "crayons.icc": "E_SOURCE_TYPE",
    "dicomdirtests/README.txt": "E_SOURCE_TYPE",
    "dicomdirtests/TINY_ALPHA/README": "E_SOURCE_TYPE",
    "meta_missing_tsyntax.dcm": "E_SOURCE_DAMAGED",
    "no_meta.dcm": "E_SOURCE_TYPE",
    "rtplan.dump": "E_SOURCE_TYPE",
    "rtplan_truncated.dcm": "E_SOURCE_DAMAGED",
    "rtstruct.dcm": "E_SOURCE_TYPE",
    "rtstruct.dump": "E_SOURCE_TYPE",
    "test1.json": "E_SOURCE_TYPE",
    "test_PN.json": "E_SOURCE_TYPE",
    "zipMR.gz": "E_SOURCE_TYPE",
}


@pytest.fixture(autouse=True)
def _no_network(monkeypatch):
    def refuse(*args, **options):
        raise AssertionError("a test tried to reach the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.parametrize("name", FILES)
def test_a_film_or_the_right_reason(name, capfd):
    start = time.process_time()
    if name in FILMS:
        assert read_film(FOLDER / name).position == FILMS[name]
    else:
        with pytest.raises(SourceError) as caught:
            read_film(FOLDER / name)
        assert caught.value.code == REASONS.get(name, "E_SOURCE_KIND")
        assert "\n" not in str(caught.value)
    assert time.process_time() - start < 3
    assert capfd.readouterr() == ("", "")


def test_the_table_is_not_empty():
    assert len(FILES) > 150
    assert not set(FILMS) - set(FILES)


@pytest.mark.parametrize(
    "name",
    [
        "693_J2KI.dcm",
        "CT_small.dcm",
        "J2K_pixelrep_mismatch.dcm",
        "JPEG2000.dcm",
        "JPEGLSNearLossless_08.dcm",
        "JPEGLSNearLossless_16.dcm",
        "MR_small.dcm",
        "MR_small_RLE.dcm",
        "MR_small_bigendian.dcm",
        "MR_small_implicit.dcm",
        "MR_small_jp2klossless.dcm",
        "MR_small_jpeg_ls_lossless.dcm",
        "MR_small_padded.dcm",
        "examples_overlay.dcm",
        "image_dfl.dcm",
    ],
)
def test_stored_values_are_those_of_pydicom(name):
    # Other kinds than radiographs, but their pixels are stored in the same ways.
    from neuralgraph.sources import FilmLimits
    from neuralgraph.sources.films.deflated import inflated_file
    from neuralgraph.sources.films.dicom_header import quiet_pydicom, read_dicom_header
    from neuralgraph.sources.films.dicom_pixels import PixelFormat, read_stored_values

    data = inflated_file((FOLDER / name).read_bytes(), FilmLimits())
    header = read_dicom_header(data)
    layout = PixelFormat(
        header.integer("Rows"),
        header.integer("Columns"),
        header.integer("BitsAllocated"),
        header.integer("BitsStored"),
        header.integer("PixelRepresentation") == 1,
    )
    stored = read_stored_values(data, header, layout)
    with quiet_pydicom("the reference"):
        expected = pydicom.dcmread(FOLDER / name).pixel_array
    assert (stored == expected).all()


def test_short_pixel_data_is_damage():
    from neuralgraph.sources.films.dicom_header import read_dicom_header
    from neuralgraph.sources.films.dicom_pixels import PixelFormat, read_stored_values

    data = (FOLDER / "MR_truncated.dcm").read_bytes()
    with pytest.raises(SourceError) as caught:
        read_stored_values(data, read_dicom_header(data), PixelFormat(64, 64, 16, 16, True))
    assert caught.value.code == "E_SOURCE_DAMAGED"


def test_outcomes_in_short():
    outcomes = Counter()
    for name in FILES:
        try:
            read_film(FOLDER / name)
            outcomes["film"] += 1
        except SourceError as error:
            outcomes[error.code] += 1
    assert outcomes["film"] == len(FILMS)
    assert outcomes["E_SOURCE_KIND"] == len(FILES) - len(FILMS) - len(REASONS)
