from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from neuralgraph.compressor.model.preprocess import Preprocessor
from neuralgraph.errors import ModelError

PREPROCESSOR = Preprocessor(stride=32, max_side=1024)


@pytest.mark.parametrize(
    ("height", "width", "rows", "cols", "patch_height", "patch_width"),
    [
        (960, 960, 30, 30, 32, 32),
        (200, 330, 7, 11, 32, 32),
        (1, 1, 1, 1, 32, 32),
        (1024, 1025, 32, 32, 32 * 1024 / 1023, 32 * 1025 / 1024),
        (2048, 1024, 32, 16, 64, 64),
        (10, 10240, 1, 32, 320, 320),
    ],
)
def test_the_grid(height, width, rows, cols, patch_height, patch_width):
    place = PREPROCESSOR.geometry(height, width)
    assert (place.rows, place.cols) == (rows, cols)
    assert (place.patch_height, place.patch_width) == pytest.approx((patch_height, patch_width))


@given(st.integers(1, 5000), st.integers(1, 5000))
def test_the_patches_cover_the_film_and_none_lies_outside(height, width):
    place = PREPROCESSOR.geometry(height, width)
    assert (place.rows - 1) * place.patch_height < height <= place.rows * place.patch_height + 1e-6
    assert (place.cols - 1) * place.patch_width < width <= place.cols * place.patch_width + 1e-6
    assert max(place.rows, place.cols) <= 32


def test_pixels_are_passed_on_and_the_border_repeated():
    film = np.linspace(0, 1, 40 * 33, dtype=np.float32).reshape(40, 33)
    before = film.copy()
    pixels = PREPROCESSOR(film)
    assert pixels.shape == (1, 64, 64)
    assert torch.equal(pixels[0, :40, :33], (torch.from_numpy(film) - 0.5) / 0.25)
    assert (pixels[0, 40:, :33] == pixels[0, 39, :33]).all()
    assert (pixels[0, :40, 33:] == pixels[0, :40, 32:33]).all()
    assert np.array_equal(film, before)


def test_large_films_are_averaged_not_sampled():
    film = np.zeros((512, 512), np.float32)
    film[::2, ::2] = 1
    pixels = Preprocessor(stride=32, max_side=128)(film)
    assert pixels.shape == (1, 128, 128)
    assert torch.allclose(pixels * 0.25 + 0.5, torch.tensor(0.25), atol=0.05)


def test_grey_is_repeated_for_models_of_colour():
    pixels = Preprocessor(stride=32, channels=3)(np.random.default_rng(0).random((32, 32)))
    assert pixels.shape == (3, 32, 32)
    assert pixels.dtype == torch.float32
    assert torch.equal(pixels[0], pixels[2])


def test_read_only_and_strided_films_are_taken():
    film = np.random.default_rng(0).random((64, 80), dtype=np.float32)
    film.setflags(write=False)
    assert torch.equal(PREPROCESSOR(film[:, ::-1]), PREPROCESSOR(film[:, ::-1].copy()))


def test_it_is_kept_in_a_file(tmp_path):
    made = Preprocessor(stride=16, channels=3, max_side=2048, mean=0.4, std=0.3)
    made.write(tmp_path)
    assert Preprocessor.read(tmp_path) == made


@pytest.mark.parametrize("change", [{"stride": 0}, {"max_side": 2.5}, {"channels": True}, {"std": 0}, {"mean": "x"}])
def test_settings_out_of_range_are_refused(change):
    with pytest.raises(ModelError, match=next(iter(change))):
        Preprocessor(**{"stride": 32, **change})
