"""Every way to look grey levels up gives the pixels of the plain one."""

from __future__ import annotations

import numpy as np
import pytest

from neuralgraph.sources.films import grey_levels as module
from neuralgraph.sources.films.dicom import read_dicom_film, read_stored_film
from neuralgraph.sources.films.grey_levels import grey_levels

RANDOM = np.random.default_rng(7)
LARGE = 520


def window(entries):
    return np.clip((np.arange(entries) - 0.2 * entries) / (0.55 * entries), 0, 1).astype(np.float32)


def whole_range(entries):
    return (np.arange(entries) / (entries - 1)).astype(np.float32)


@pytest.fixture
def ways(monkeypatch):
    """Which of the quicker ways were taken."""
    taken = []
    pairs = module._by_pairs
    monkeypatch.setattr(module, "_by_pairs", lambda *args: taken.append("pairs") or pairs(*args))
    return taken


def check(table, stored, lowest=0):
    found = grey_levels(table, stored, lowest)
    assert found.dtype == np.float32
    assert found.flags.c_contiguous
    assert np.array_equal(found, table[stored.astype(np.int64) - lowest])


@pytest.mark.parametrize("shape", [(LARGE, LARGE), (LARGE, LARGE + 1), (LARGE + 1, LARGE + 1), (3, 100_001)])
@pytest.mark.parametrize("table", [window(256), whole_range(256)[::-1].copy(), np.zeros(256, np.float32)])
def test_large_films_of_one_byte_go_by_pairs(shape, table, ways):
    check(table, RANDOM.integers(0, 256, shape, np.uint8))
    assert ways == ["pairs"]


def test_tables_take_turns():
    stored = RANDOM.integers(0, 256, (LARGE, LARGE), np.uint8)
    for shift in (0, 1, 2, 3, 0, 1):
        check(np.roll(window(256), shift), stored)


def test_small_signed_and_deep_films_do_not_go_by_pairs(ways):
    check(window(256), RANDOM.integers(0, 256, (17, 19), np.uint8))
    check(window(256), RANDOM.integers(-128, 128, (LARGE, LARGE), np.int8), lowest=-128)
    check(window(4096), RANDOM.integers(-2048, 2048, (LARGE, LARGE), np.int16), lowest=-2048)
    check(window(4096), RANDOM.integers(0, 4096, (LARGE, LARGE), np.uint16))
    check(window(256), RANDOM.integers(0, 256, (LARGE, LARGE), np.uint16))
    # Of a lossy codec's making, as ``Samples.shown`` passes them.
    check(window(256), RANDOM.integers(0, 256, (LARGE, LARGE), np.int64))
    check(window(256), RANDOM.integers(0, 256, (LARGE, LARGE), np.uint8).T)
    assert not ways


def test_rows_that_do_not_begin_at_even_addresses():
    data = RANDOM.integers(0, 256, LARGE * LARGE + 1, np.uint8).tobytes()
    check(window(256), np.frombuffer(data, np.uint8, offset=1).reshape(LARGE, LARGE))


@pytest.mark.parametrize(("bits", "dtype"), [(8, np.uint8), (10, np.uint16), (12, np.uint16), (16, np.uint16)])
def test_a_table_that_is_the_whole_range_is_a_division(bits, dtype, ways):
    every_value = np.arange(1 << bits).astype(dtype).reshape(16, -1)
    check(whole_range(1 << bits), np.tile(every_value, (1, 1 << max(0, 18 - bits))))
    nearly = whole_range(1 << bits)
    nearly[1] = nearly[2]
    check(nearly, every_value)
    assert not ways


@pytest.mark.parametrize("elements", [{}, {"WindowCenter": 100, "WindowWidth": 90}, {"WindowCenter": 0.5}])
@pytest.mark.parametrize("shape", [(LARGE, LARGE + 1), (LARGE + 1, LARGE + 1), (40, 31)])
def test_films_look_as_their_table_says(make_dicom, shape, elements):
    data = make_dicom(RANDOM.integers(0, 256, shape, np.uint8), **elements)
    stored = read_stored_film(data)
    assert np.array_equal(read_dicom_film(data).pixels, stored.shown_by.table[stored.values])
