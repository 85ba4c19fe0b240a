"""Samples are the integers a file holds, and show as the film does."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest

from neuralgraph.errors import SourceError
from neuralgraph.sources import film_from_array
from neuralgraph.sources.films.samples import read_samples, samples_of_film

pytest.importorskip("PIL", reason="reading films needs Pillow: extra vlm")


def written(tmp_path, data):
    path = tmp_path / "film"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_png_samples_are_those_of_the_file(tmp_path, ramp, dtype):
    from PIL import Image

    stream = BytesIO()
    Image.fromarray(ramp(48, 40, dtype)).save(stream, "PNG")
    samples = read_samples(written(tmp_path, stream.getvalue()))
    assert samples.bits == 8 * np.dtype(dtype).itemsize
    assert samples.source_bytes == len(stream.getvalue())
    assert samples.values.dtype == dtype
    np.testing.assert_array_equal(samples.values, ramp(48, 40, dtype))
    np.testing.assert_array_equal(samples.shown(samples.values), samples.film.pixels)


def test_a_palette_counts_by_its_colours(tmp_path):
    from PIL import Image

    picture = Image.fromarray(np.tile(np.arange(4, dtype=np.uint8) * 80, (16, 8))).quantize(4)
    stream = BytesIO()
    picture.save(stream, "PNG", bits=2)
    samples = read_samples(written(tmp_path, stream.getvalue()))
    assert (samples.bits, samples.values.dtype) == (8, np.uint8)
    np.testing.assert_array_equal(samples.shown(samples.values), samples.film.pixels)


@pytest.mark.parametrize(
    ("dtype", "stored", "photometric"),
    [(np.uint16, 12, "MONOCHROME2"), (np.uint16, 16, "MONOCHROME1"), (np.int16, 12, "MONOCHROME2")],
)
def test_dicom_samples_are_the_stored_values(tmp_path, make_dicom, dtype, stored, photometric):
    pytest.importorskip("pydicom", reason="reading DICOM: extra dicom")
    signed = np.dtype(dtype).kind == "i"
    lowest = -(1 << (stored - 1)) if signed else 0
    values = np.linspace(lowest, lowest + (1 << stored) - 1, 32 * 24).round().astype(dtype).reshape(32, 24)
    data = make_dicom(
        values, BitsStored=stored, PhotometricInterpretation=photometric, WindowCenter=500, WindowWidth=900
    )
    samples = read_samples(written(tmp_path, data))
    assert (samples.bits, samples.values.dtype) == (stored, np.uint16)
    np.testing.assert_array_equal(samples.values.astype(np.int64) + lowest, values)
    np.testing.assert_array_equal(samples.shown(samples.values), samples.film.pixels)


def test_samples_of_an_array_keep_every_level():
    values = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)
    samples = samples_of_film(film_from_array(values, value_range=(0, 4095)), bits=12)
    np.testing.assert_array_equal(samples.values, values)
    with pytest.raises(SourceError, match="8 to 16 bits"):
        samples_of_film(samples.film, bits=7)
