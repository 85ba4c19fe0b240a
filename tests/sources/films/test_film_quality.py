"""Films that say nothing: rescued where the header or the format leaves room, else marked or refused."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset

from neuralgraph.errors import SourceError
from neuralgraph.sources import film_from_array
from neuralgraph.sources.films.quality import grey_use, grey_use_of_pixels, is_doubtful
from neuralgraph.sources.films.recognise import film_of_bytes
from neuralgraph.sources.films.samples import samples_of_film

HEIGHT, WIDTH = 128, 96


def scene(low=200, high=1468, dtype=np.uint16):
    """A slope from ``low`` to ``high``."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    slope = (rows / (HEIGHT - 1) + columns / (WIDTH - 1)) / 2
    return np.rint(low + slope * (high - low)).astype(dtype)


def table(entries, bits, first=0):
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [len(entries), first, bits])
    item.add_new("LUTData", "OW", np.array(entries, "<u2").tobytes())
    return item


@pytest.fixture
def read(make_dicom):
    def read(values, **elements):
        return film_of_bytes(make_dicom(values, **{"BitsStored": 12, **elements}))

    return read


def ends(film):
    return float(film.pixels[0, 0]), float(film.pixels[-1, -1])


def outcome(film):
    return film.facts["quality"], film.facts.get("rescue", "")


@pytest.mark.parametrize(
    ("elements", "rescue", "low", "high"),
    [
        # Windows of nothing, of width 0 and 1, and of another picture.
        ({"WindowCenter": 0, "WindowWidth": 1}, "no window", 200 / 4095, 1468 / 4095),
        ({"WindowCenter": 30000, "WindowWidth": 2000}, "no window", 200 / 4095, 1468 / 4095),
        ({"WindowCenter": 32768, "WindowWidth": 65536}, "no window", 200 / 4095, 1468 / 4095),
        ({"WindowCenter": 835, "WindowWidth": 0}, "no window", 200 / 4095, 1468 / 4095),
        ({"WindowCenter": 835, "WindowWidth": 1}, "no window", 200 / 4095, 1468 / 4095),
        ({"WindowCenter": [0, 835], "WindowWidth": [1, 1270]}, "another window", 0, 1268.5 / 1269 - 0.0005),
        ({"WindowCenter": [835, 835], "WindowWidth": [0, 1270]}, "another window", 0, 1268.5 / 1269 - 0.0005),
        # Tables that declare more bits than they use.
        ({"VOILUTSequence": [table(range(4096), 16)]}, "bits used", 200 / 4095, 1468 / 4095),
        (
            {"VOILUTSequence": [table(range(4096), 16)], "WindowCenter": 835, "WindowWidth": 1270},
            "another window",
            0,
            1268.5 / 1269 - 0.0005,
        ),
        (
            {"ModalityLUTSequence": [table(np.arange(4096) // 4, 16)]},
            "bits used",
            50 / 1023,
            367 / 1023,
        ),
        ({"VOILUTSequence": [table(60000 + np.arange(4096), 16)]}, "no window", 200 / 4095, 1468 / 4095),
        (
            {"VOILUTSequence": [table(np.zeros(4096, int), 16), table(np.arange(4096) * 16, 16)]},
            "another table",
            3200 / 65535,
            1468 * 16 / 65535,
        ),
    ],
)
@pytest.mark.parametrize("photometric", ["MONOCHROME2", "MONOCHROME1"])
def test_what_a_header_loses_is_found_again(read, elements, rescue, low, high, photometric):
    film = read(scene(), PhotometricInterpretation=photometric, **elements)
    assert outcome(film) == ("rescued", rescue)
    expected = (low, high) if photometric == "MONOCHROME2" else (1 - low, 1 - high)
    assert ends(film) == pytest.approx(expected, abs=1e-3)
    assert is_doubtful(film.facts)


@pytest.mark.parametrize(
    ("values", "elements", "low", "high"),
    [
        (scene(0, 4095), {"BitsStored": 16}, 0, 1),
        (scene(0, 1023), {"BitsStored": 16}, 0, 1),
        (scene(0, 16383), {"BitsStored": 16}, 0, 1),
        (scene(-2048, 2047, np.int16), {"BitsStored": 16}, 0, 1),
        (scene(0, 4095, np.int16), {"BitsStored": 16}, 0, 1),
        (scene(0, 4095), {"BitsStored": 16, "RescaleSlope": -1, "RescaleIntercept": 65535}, 1, 0),
        (scene(0, 4095), {"BitsStored": 16, "RescaleSlope": 2, "RescaleIntercept": -1024}, 0, 1),
    ],
)
def test_fewer_bits_than_declared(read, values, elements, low, high):
    film = read(values, **elements)
    assert outcome(film) == ("rescued", "bits used")
    assert ends(film) == pytest.approx((low, high), abs=1e-4)


def test_a_marker_of_full_depth_or_padding_does_not_hide_the_bits_used(read):
    values = scene(0, 4095)
    values[:4, :10] = 65535
    film = read(values, BitsStored=16)
    assert outcome(film) == ("rescued", "bits used")
    assert film.pixels[0, 0] == 1
    assert film.pixels[-1, -1] == pytest.approx(1, abs=1e-3)
    values[:50] = 65535
    assert outcome(read(values, BitsStored=16, PixelPaddingValue=65535)) == ("rescued", "bits used")


def test_what_is_good_is_left_alone(read):
    film = read(scene(0, 4095), WindowCenter=[2048, 0], WindowWidth=[4096, 1])
    assert outcome(film) == ("good", "")
    assert film.facts["grey_span"] > 0.85
    film = read(scene(0, 255, np.uint8), BitsStored=8)
    assert outcome(film) == ("good", "")
    # A picture that uses a third of what can be stored is dark, not lost.
    assert outcome(read(scene())) == ("good", "")


@pytest.mark.parametrize(
    ("values", "elements"),
    [
        (np.zeros((HEIGHT, WIDTH), np.uint16), {}),
        (np.full((HEIGHT, WIDTH), 4095, np.uint16), {}),
        (np.full((HEIGHT, WIDTH), 4095, np.uint16), {"PhotometricInterpretation": "MONOCHROME1"}),
        (scene(2000, 2008), {}),
        (scene(500, 503), {"WindowCenter": 0, "WindowWidth": 1}),
        (np.full((HEIGHT, WIDTH), 700, np.uint16), {"PixelPaddingValue": 700}),
    ],
)
def test_a_film_of_one_grey_is_refused(read, values, elements):
    with pytest.raises(SourceError, match="blank") as caught:
        read(values, **elements)
    assert caught.value.code == "E_SOURCE_BLANK"


def test_a_letter_and_a_frame_do_not_make_a_blank_film_a_picture(read):
    values = np.full((HEIGHT, WIDTH), 4090, np.uint16)
    values[:, :12] = values[:, -12:] = 0
    values[20:30, 20:28] = 2000
    assert outcome(read(values)) == ("doubtful", "")


def encoded(values):
    out = BytesIO()
    Image.fromarray(values).save(out, "PNG")
    return out.getvalue()


def test_a_png_of_16_bits_that_holds_12():
    film = film_of_bytes(encoded(scene(0, 4095)))
    assert outcome(film) == ("rescued", "bits used")
    assert film.facts["bits_used"] == 12
    assert ends(film) == pytest.approx((0, 1), abs=1e-6)
    samples = samples_of_film(film, bits=12)
    assert (samples.values == scene(0, 4095)).all()


def test_pictures_that_cannot_be_helped():
    assert outcome(film_of_bytes(encoded(scene(100, 130, np.uint8)))) == ("doubtful", "")
    with pytest.raises(SourceError) as caught:
        film_of_bytes(encoded(scene(254, 255, np.uint8)))
    assert caught.value.code == "E_SOURCE_BLANK"


def test_arrays_are_marked():
    assert film_from_array(np.zeros((32, 32), np.uint8)).facts["quality"] == "blank"
    assert film_from_array(scene(0, 4095)).facts["quality"] == "doubtful"
    assert film_from_array(scene(0, 4095), value_range=(0, 4095)).facts["quality"] == "good"


def test_steps_are_counted_alike_from_pixels_and_from_counts():
    random = np.random.default_rng(3)
    pixels = random.integers(0, 256, (40, 50)) / np.float32(255)
    levels, counts = np.unique(pixels, return_counts=True)
    assert grey_use(levels, counts) == grey_use_of_pixels(pixels.astype(np.float32))
    assert grey_use(np.array([0.5]), np.array([7])) == (1, 1 / 128, 1.0)
