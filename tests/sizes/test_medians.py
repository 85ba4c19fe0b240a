"""Median and range of films, worked out by hand; and the chart of them."""

from __future__ import annotations

import numpy as np
import pytest

from neuralgraph.errors import OutputError, StudyError
from neuralgraph.sizes import FilmSizes, Row, summarise
from neuralgraph.sizes.chart import check_chart, draw_chart, save_chart


def film(source: int, png: int, jpeg_xl: int | None, ngr: int, *, psnr: float | None = 40.0) -> FilmSizes:
    pictures = [Row(coding="PNG", kind="picture", bytes=png, bits=8, lossless=True)]
    if jpeg_xl is not None:
        pictures.append(Row(coding="JPEG XL", kind="picture", bytes=jpeg_xl, bits=8, lossless=True))
    return FilmSizes(
        films=1,
        source={"format": "png", "height": 10, "width": 10, "bits": 8},
        ngr={"patches": 2, "cells": 100, "retention": 0.02, "report": "given"},
        rows=(
            Row(coding="source file", kind="source", bytes=source, bits=8),
            *pictures,
            Row(coding="JPEG q90", kind="picture", bytes=50, bits=8, psnr_db=psnr),
            Row(coding=".ngr exact", kind="ngr", bytes=ngr, embedding_rmse=0.0),
        ),
    )


@pytest.fixture(scope="module")
def summary():
    return summarise(
        [
            film(1000, 500, 400, 10),
            film(100, 200, 250, 20),
            film(2000, 800, None, 12),
            film(300, 600, 500, 30, psnr=None),
        ]
    )


def test_median_and_range_are_of_single_films(summary):
    source = summary.coding("source file")
    assert (source.bytes.median, source.bytes.least, source.bytes.most) == (650, 100, 2000)
    png = summary.coding("PNG")
    # 0.5, 2, 0.4, 2
    assert (png.share_of_source_file.median, png.share_of_source_file.least, png.share_of_source_file.most) == (
        1.25,
        0.4,
        2,
    )
    # of 400, 200, 800, 500: 1.25, 1, 1, 1.2
    assert png.share_of_smallest_lossless.median == pytest.approx(1.1)
    ngr = summary.coding(".ngr exact")
    assert ngr.bytes.median == 16
    # 1/40, 1/10, 3/200, 3/50
    assert ngr.share_of_smallest_lossless.median == pytest.approx((1 / 40 + 3 / 50) / 2)


def test_the_smallest_lossless_is_each_films_own(summary):
    assert summary.smallest == {"JPEG XL": 2, "PNG": 2}
    row = summary.smallest_lossless
    assert (row.bytes.least, row.bytes.median, row.bytes.most) == (200, 450, 800)
    assert row.share_of_smallest_lossless.least == row.share_of_smallest_lossless.most == 1
    assert [coding.coding for coding in summary.codings][:3] == ["source file", "smallest lossless", "PNG"]


def test_a_coding_that_some_films_lack_is_kept_and_says_of_how_many_it_speaks(summary):
    assert summary.coding("JPEG XL").films == 3
    assert summary.coding("JPEG q90").psnr_db.record() == {"median": 40, "least": 40, "most": 40}
    assert summary.coding("PNG").psnr_db is None


def test_it_is_plain_data(summary):
    record = summary.record()
    assert record["films"] == 4
    assert record["ngr"]["is_image"] is False
    assert record["ngr"]["reports"] == {"given": 4}
    assert record["codings"][0]["bytes"] == {"median": 650, "least": 100, "most": 2000}


def test_no_film_is_no_summary():
    with pytest.raises(StudyError, match="at least one film"):
        summarise([])


def test_a_chart_has_a_line_for_every_coding_and_the_same_bytes_twice(summary, tmp_path):
    pytest.importorskip("matplotlib", reason="drawing needs the extra plot")
    axes = draw_chart(summary, title="four films").axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "source file",
        "PNG",
        "JPEG XL",
        "JPEG q90",
        ".ngr exact",
    ]
    lines = axes.get_lines()
    np.testing.assert_array_equal(lines[0].get_xdata(), [100, 2000])
    np.testing.assert_array_equal(lines[1].get_xdata(), [650])
    for name in ("one.png", "two.png"):
        save_chart(summary, tmp_path / name, title="four films")
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    with pytest.raises(OutputError, match=r"\.png"):
        check_chart(tmp_path / "chart.svg")
