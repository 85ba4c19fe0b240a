"""Codings give back what they promise, and shares name what they are of."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from builders import build_study

from neuralgraph.errors import MissingExtraError
from neuralgraph.phantoms import phantom
from neuralgraph.sizes import PICTURE_CODINGS, RATES, embedding_settings, measure_film, total
from neuralgraph.sources import film_from_array
from neuralgraph.sources.films.samples import samples_of_film

pytest.importorskip("PIL", reason="PNG and JPEG need Pillow: extra vlm")
pytest.importorskip("jpeg_ls", reason="JPEG-LS: extra dicom")
pytest.importorskip("openjpeg", reason="JPEG 2000: extra dicom")

LOSSLESS = ("PNG", "JPEG-LS", "JPEG 2000", "HTJ2K", "JPEG XL")


@pytest.fixture(scope="module", params=[8, 12, 16])
def samples(request):
    top = (1 << request.param) - 1
    values = np.rint(phantom(3, height=96, width=80).pixels * top).astype(np.uint16)
    return samples_of_film(film_from_array(values, value_range=(0, top)), bits=request.param, source_bytes=10_000)


@pytest.mark.parametrize("coding", PICTURE_CODINGS, ids=lambda coding: coding.name)
def test_a_coding_is_measured_on_what_comes_back(coding, samples):
    if coding.library == "imagecodecs":
        pytest.importorskip("imagecodecs", reason="HTJ2K and JPEG XL: extra dicom")
    coded = coding(samples)
    assert 0 < len(coded.data) < samples.values.nbytes + 1_000
    assert coded.bits == (8 if coding.only_8_bits else samples.bits)
    if coding.name in LOSSLESS:
        assert coded.lossless
        assert coded.psnr_db is None
    else:
        assert not coded.lossless
        assert 15 < coded.psnr_db < 70


def test_what_the_grey_of_a_film_in_colour_was_rounded_by_is_no_loss_of_a_coding():
    grey = phantom(3, height=96, width=80).pixels * np.float32(0.999)
    rounded = samples_of_film(film_from_array(grey, value_range=(0, 1)), bits=8)
    assert not np.array_equal(rounded.film.pixels, rounded.shown(rounded.values))
    coded = PICTURE_CODINGS[0](rounded)
    assert (coded.lossless, coded.psnr_db) == (True, None)


def test_worse_qualities_take_fewer_bytes_and_lose_more(samples):
    jpegs = [coding(samples) for coding in PICTURE_CODINGS if coding.only_8_bits]
    sizes, psnr = [len(coded.data) for coded in jpegs], [coded.psnr_db for coded in jpegs]
    assert sizes == sorted(sizes, reverse=True)
    assert psnr == sorted(psnr, reverse=True)


@pytest.fixture(scope="module")
def measured(samples):
    return measure_film(samples, build_study(seed=1, rows=12, cols=10, patches=3, dim=32))


def test_shares_name_their_denominators(measured):
    record = measured.record()
    by_name = {row["coding"]: row for row in record["codings"]}
    reference = record["smallest_lossless"]
    assert reference["bytes"] == min(row["bytes"] for row in by_name.values() if row.get("lossless"))
    assert by_name[reference["coding"]]["share_of_smallest_lossless"] == 1
    assert by_name["source file"]["share_of_source_file"] == 1
    png = by_name["PNG"]
    assert png["share_of_source_file"] == pytest.approx(png["bytes"] / 10_000)
    assert png["share_of_smallest_lossless"] == pytest.approx(png["bytes"] / reference["bytes"])
    assert png["seconds"]["64 kbit/s"] == pytest.approx(png["bytes"] * 8 / 64_000)
    assert set(png["seconds"]) == set(RATES)


def test_a_ngr_states_retention_and_that_it_is_no_image(measured):
    record = measured.record()
    assert record["ngr"]["is_image"] is False
    assert record["ngr"]["retention"] == 3 / 120
    rows = {row["coding"]: row for row in record["codings"] if row["kind"] == "ngr"}
    assert set(rows) == {f".ngr {setting}" for setting in embedding_settings()}
    assert rows[".ngr float32"]["embedding_rmse"] == 0
    assert 0.005 < rows[".ngr svd"]["embedding_rmse"] <= 0.0111
    assert all("psnr_db" not in row and "lossless" not in row for row in rows.values())


def test_settings_are_those_the_measurement_of_forms_has():
    measurement = pytest.importorskip("bench.rate_distortion", reason="needs the extras vlm and text")
    assert {name.replace("svd:0.011", "svd") for name in measurement.SETTINGS} == set(embedding_settings()) - {"exact"}


def test_what_is_not_installed_says_how_to_get_it(samples, monkeypatch):
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    sizes = measure_film(samples, build_study(seed=1), settings=["bfloat16"])
    advice = "not installed: pip install '.[dicom]' in a checkout of neuralgraph"
    assert sizes.absent == dict.fromkeys(("HTJ2K", "JPEG XL", "JPEG XL d1"), advice)
    for library in ("PIL", "jpeg_ls", "openjpeg", "openjpeg.utils"):
        monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtraError, match="pip install"):
        measure_film(samples, build_study(seed=1), settings=["bfloat16"])


def test_totals_are_sums_of_what_all_films_have(samples):
    few = measure_film(samples, build_study(seed=1, rows=12, cols=12, patches=4), settings=["float32"])
    many = measure_film(samples, build_study(seed=2, rows=12, cols=12, patches=8), settings=["float32", "int8"])
    both = total([few, many])
    assert (both.films, both.ngr["patches"], both.ngr["cells"]) == (2, 12, 288)
    rows = {row.coding: row for row in both.rows}
    assert ".ngr int8" not in rows
    assert both.source_bytes == 20_000
    assert rows["PNG"].bytes == 2 * next(row.bytes for row in few.rows if row.coding == "PNG")
    assert both.source["bits"] == samples.bits
    assert total([few]).record() == few.record()
