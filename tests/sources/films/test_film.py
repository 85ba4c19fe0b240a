import numpy as np
import pytest

from neuralgraph.errors import SourceError
from neuralgraph.sources import Film, FilmLimits, film_from_array

TINY = FilmLimits(min_side=1)


def code_of(call):
    with pytest.raises(SourceError) as caught:
        call()
    return caught.value.code


def test_integers_scale_by_the_range_of_their_type():
    film = film_from_array(np.array([[0, 51, 255]], np.uint8), limits=TINY)
    assert film.pixels.dtype == np.float32
    assert film.pixels.tolist() == [[0.0, np.float32(0.2), 1.0]]
    assert film_from_array(np.array([[0, 65535]], np.uint16), limits=TINY).pixels.tolist() == [[0.0, 1.0]]
    assert film.facts == {"format": "array", "quality": "doubtful", "grey_span": 1.0}
    assert film.position == "unknown"


def test_every_16_bit_value_stays_distinct():
    values = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    assert np.array_equal(np.rint(film_from_array(values).pixels * 65535), values)


def test_a_stated_range_maps_and_clips():
    film = film_from_array(np.array([[-5.0, 0.0, 10.0, 20.0, 99.0]]), value_range=(0, 20), limits=TINY)
    assert film.pixels.tolist() == [[0.0, 0.0, 0.5, 1.0, 1.0]]


def test_a_constant_image_over_its_own_range_is_black():
    image = np.full((16, 16), 7, np.uint8)
    assert not film_from_array(image, value_range=(image.min(), image.max())).pixels.any()


def test_the_pixels_are_a_copy():
    image = np.zeros((16, 16), np.float32)
    film = film_from_array(image)
    image[:] = 1
    assert not film.pixels.any()


@pytest.mark.parametrize(
    ("array", "code"),
    [
        (np.full((16, 16), np.nan), "E_SOURCE_KIND"),
        (np.full((16, 16), np.inf), "E_SOURCE_KIND"),
        (np.full((16, 16), 1.01), "E_SOURCE_KIND"),
        (np.full((16, 16), -0.01, np.float16), "E_SOURCE_KIND"),
        (np.zeros((16, 16), np.int32), "E_SOURCE_KIND"),
        (np.zeros((16, 16), bool), "E_SOURCE_KIND"),
        (np.zeros((16, 16), np.complex64), "E_SOURCE_KIND"),
        (np.zeros((16, 16, 3), np.uint8), "E_SOURCE_KIND"),
        ([[0.0] * 16] * 16, "E_SOURCE_KIND"),
        (np.zeros((15, 400), np.uint8), "E_SOURCE_SIZE"),
        (np.zeros((0, 16), np.uint8), "E_SOURCE_SIZE"),
    ],
)
def test_what_is_no_film_is_refused(array, code):
    assert code_of(lambda: film_from_array(array)) == code


@pytest.mark.parametrize("value_range", [(1, 0), (0, np.inf), (np.nan, 1), (-1e308, 1e308)])
def test_a_bad_range_is_refused(value_range):
    assert code_of(lambda: film_from_array(np.zeros((16, 16)), value_range=value_range)) == "E_SOURCE_KIND"


def test_too_many_pixels():
    limits = FilmLimits(max_pixels=256)
    assert film_from_array(np.zeros((16, 16)), limits=limits).pixels.shape == (16, 16)
    assert code_of(lambda: film_from_array(np.zeros((16, 17)), limits=limits)) == "E_SOURCE_SIZE"


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((2, 2)),
        np.zeros(4, np.float32),
        np.full((2, 2), np.nan, np.float32),
        np.full((2, 2), 1.5, np.float32),
        np.zeros((0, 2), np.float32),
    ],
)
def test_a_film_holds_only_good_pixels(pixels):
    assert code_of(lambda: Film(pixels)) == "E_SOURCE_KIND"


@pytest.mark.parametrize(
    "facts",
    [
        {"patient": "Doe"},
        {"sop_class": "1.2.840.10008.5.1.4.1.1.1"},
        {"body_part": "LEFT HAND OF J. DOE"},
        {"bits_stored": True},
        {"lossy": 1},
        {"lossy_ratio": ["Doe"]},
        {"lossy_method": ["J DOE"]},
        {"pixel_spacing": [0.0, 0.0]},
        {"pixel_spacing": (0.1, 0.1)},
    ],
)
def test_only_listed_facts_pass(facts):
    assert code_of(lambda: Film(np.zeros((2, 2), np.float32), "PA", facts)) == "E_SOURCE_KIND"


def test_positions_are_the_vocabulary():
    assert code_of(lambda: Film(np.zeros((2, 2), np.float32), "pa")) == "E_SOURCE_KIND"
    assert Film(np.zeros((2, 2), np.float32), "LL").position == "LL"
