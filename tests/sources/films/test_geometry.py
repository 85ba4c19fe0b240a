"""Square pixels, and the right way up."""

import itertools

import numpy as np
import pytest

from neuralgraph.errors import SourceError
from neuralgraph.sources import FilmLimits
from neuralgraph.sources.films.dicom import read_dicom_film
from neuralgraph.sources.films.facts import TURNS
from neuralgraph.sources.films.geometry import as_stored, squared, turned

HEIGHT, WIDTH = 24, 18


@pytest.fixture
def read(make_dicom, ramp):
    def read(*, limits=None, **elements):
        return read_dicom_film(make_dicom(ramp(HEIGHT, WIDTH, np.uint16), **elements), limits=limits)

    return read


@pytest.fixture
def plain(ramp):
    return (ramp(HEIGHT, WIDTH, np.uint16) / np.float32(65535)).astype(np.float32)


# Square pixels


@pytest.mark.parametrize(
    ("elements", "height", "width"),
    [
        ({"PixelAspectRatio": [2, 1]}, 2 * HEIGHT, WIDTH),
        ({"PixelAspectRatio": [1, 2]}, HEIGHT, 2 * WIDTH),
        ({"PixelAspectRatio": [3, 2]}, 36, WIDTH),
        ({"PixelSpacing": [0.2, 0.1]}, 2 * HEIGHT, WIDTH),
        ({"ImagerPixelSpacing": [0.1, 0.15]}, HEIGHT, 27),
        ({"NominalScannedPixelSpacing": [0.1, 0.2]}, HEIGHT, 2 * WIDTH),
        # A spacing is physical, and comes before a ratio; that of the patient before that of the detector.
        ({"PixelSpacing": [0.1, 0.1], "PixelAspectRatio": [2, 1]}, HEIGHT, WIDTH),
        ({"PixelSpacing": [0.2, 0.1], "ImagerPixelSpacing": [0.1, 0.2]}, 2 * HEIGHT, WIDTH),
        # Not known, nothing, rounding, a mistake.
        ({"PixelSpacing": [0, 0], "PixelAspectRatio": [2, 1]}, 2 * HEIGHT, WIDTH),
        ({"PixelSpacing": None}, HEIGHT, WIDTH),
        ({"PixelSpacing": [0.139, 0.1390001]}, HEIGHT, WIDTH),
        ({"PixelSpacing": [0.143, 143]}, HEIGHT, WIDTH),
        ({"PixelAspectRatio": [1, 0]}, HEIGHT, WIDTH),
        ({"PixelAspectRatio": 1}, HEIGHT, WIDTH),
    ],
)
def test_pixels_become_square(read, plain, elements, height, width):
    film = read(**elements)
    assert film.pixels.shape == (height, width)
    changed = (height, width) != (HEIGHT, WIDTH)
    assert film.facts.get("squared", False) is changed
    if changed:
        assert film.facts["stored_size"] == [HEIGHT, WIDTH]
        # Means of the stretched pixels are the pixels.
        if height == 2 * HEIGHT:
            assert np.abs(film.pixels.reshape(HEIGHT, 2, WIDTH).mean(axis=1) - plain)[1:-1].max() < 1e-4
        if "PixelSpacing" in elements and elements["PixelSpacing"] == [0.2, 0.1]:
            assert film.facts["pixel_spacing"] == [0.1, 0.1]
    else:
        assert np.array_equal(film.pixels, plain)


def test_a_disc_is_round():
    rows, columns = np.mgrid[:40, :80]
    squeezed = (((rows - 19.5) * 2) ** 2 + (columns - 39.5) ** 2 < 30**2).astype(np.float32)
    round_again = squared(squeezed, 2.0, 1.0, FilmLimits())
    assert round_again.shape == (80, 80)
    inside = round_again > 0.5
    assert abs(int(inside.any(axis=0).sum()) - int(inside.any(axis=1).sum())) <= 2
    assert (round_again.min(), round_again.max()) == (0, 1)


def test_square_pixels_stay_within_the_limits(read):
    limits = FilmLimits(max_pixels=HEIGHT * WIDTH + 1)
    assert read(limits=limits).pixels.shape == (HEIGHT, WIDTH)
    with pytest.raises(SourceError) as caught:
        read(limits=limits, PixelAspectRatio=[2, 1])
    assert caught.value.code == "E_SOURCE_SIZE"


# The right way up

OPPOSITE = {"L": "R", "R": "L", "H": "F", "F": "H", "A": "P", "P": "A"}


@pytest.mark.parametrize(
    ("letters", "turn"),
    [
        (("L", "F"), "none"),
        (("R", "F"), "mirrored"),
        (("R", "H"), "half turn"),
        (("L", "H"), "upside down"),
        (("F", "L"), "transposed"),
        (("H", "L"), "quarter turn left"),
        (("H", "R"), "transversed"),
        (("F", "R"), "quarter turn right"),
        # The principal direction is the first letter.
        (("RP", "FA"), "mirrored"),
        (("L", "FA"), "none"),
    ],
)
@pytest.mark.parametrize("view", ["PA", "AP", None])
def test_a_frontal_film_hangs_with_the_left_on_the_right(read, plain, letters, turn, view):
    film = read(PatientOrientation=list(letters), ViewPosition=view)
    assert np.array_equal(film.pixels, turned(plain, turn))
    assert film.facts.get("turned", "none") == turn
    assert film.facts.get("turned_by") == (None if turn == "none" else "patient orientation")
    assert film.position == (view or "unknown")


@pytest.mark.parametrize(
    ("letters", "turn"),
    [
        (("A", "F"), "none"),
        (("P", "F"), "none"),
        (("A", "H"), "half turn"),
        (("P", "H"), "half turn"),
        (("H", "A"), "quarter turn left"),
        (("F", "P"), "quarter turn right"),
        (("F", "A"), "quarter turn right"),
    ],
)
@pytest.mark.parametrize("view", ["LATERAL", "LL", None])
def test_a_lateral_film_is_turned_and_never_mirrored(read, plain, letters, turn, view):
    film = read(PatientOrientation=list(letters), ViewPosition=view)
    assert film.facts.get("turned", "none") == turn
    assert np.array_equal(film.pixels, turned(plain, turn))


@pytest.mark.parametrize(
    ("letters", "view"),
    [
        (["L", "R"], "PA"),
        (["L", "P"], "PA"),
        (["A", "F"], "PA"),
        (["X", "Y"], "PA"),
        (["LEFT", "TOP"], "PA"),
        (["L"], "PA"),
        (["L", "F", "H"], "PA"),
        (["L", "F"], "LL"),
    ],
)
def test_letters_that_do_not_say_it(read, plain, letters, view):
    film = read(PatientOrientation=letters, ViewPosition=view)
    assert film.facts["orientation"] == "unclear"
    assert "turned" not in film.facts
    assert np.array_equal(film.pixels, plain)


@pytest.mark.parametrize("letters", [["R", "F"], ["L", "H"], ["F", "L"]])
def test_a_mirrored_film_that_contradicts_itself_is_refused(read, letters):
    with pytest.raises(SourceError, match="mirrored") as caught:
        read(PatientOrientation=letters, ViewPosition="LL")
    assert caught.value.code == "E_SOURCE_TURNED"


def test_directions_in_space_count_where_there_are_no_letters(read):
    assert "turned" not in read(ImageOrientationPatient=[1, 0, 0, 0, 0, -1]).facts
    assert read(ImageOrientationPatient=[-1, 0, 0, 0, 0, -1]).facts["turned"] == "mirrored"
    assert read(ImageOrientationPatient=[0.99, 0.1, 0, 0, 0.1, 0.99]).facts["turned"] == "upside down"
    assert "turned" not in read(ImageOrientationPatient=[0, 0, 0, 0, 0, 0]).facts
    assert "turned" not in read(ImageOrientationPatient=[-1, 0, 0, 0, 0, -1], PatientOrientation=["L", "F"]).facts


@pytest.mark.parametrize("flip", ["YES", "NO"])
def test_what_the_detector_had_done_is_not_done_again(read, plain, flip):
    # PS3.3 C.8.11.4.1: rotation and flip have been applied to the stored pixels.
    film = read(FieldOfViewRotation=90, FieldOfViewHorizontalFlip=flip)
    assert np.array_equal(film.pixels, plain)
    assert (film.facts["detector_rotation"], film.facts["detector_flip"]) == (90, flip == "YES")
    turned_film = read(FieldOfViewRotation=180, FieldOfViewHorizontalFlip=flip, PatientOrientation=["R", "F"])
    assert turned_film.facts["turned"] == "mirrored"


def test_stretched_and_turned(read):
    film = read(PatientOrientation=["F", "L"], PixelSpacing=[0.2, 0.1], ViewPosition="PA")
    assert film.pixels.shape == (WIDTH, 2 * HEIGHT)
    assert film.facts["stored_size"] == [HEIGHT, WIDTH]
    assert film.facts["pixel_spacing"] == [0.1, 0.1]


def test_every_point_of_a_turned_film_is_found_in_the_stored_one():
    stored = np.arange(12, dtype=np.float32).reshape(3, 4)
    for turn in TURNS:
        picture = turned(stored, turn)
        height, width = picture.shape
        for row, column in itertools.product(range(height), range(width)):
            at = as_stored(row + 0.5, column + 0.5, height=height, width=width, turn=turn)
            assert stored[int(at[0]), int(at[1])] == picture[row, column]


@pytest.mark.parametrize(
    "letters", [pair for pair in itertools.permutations("LRHF", 2) if OPPOSITE[pair[0]] != pair[1]]
)
def test_turns_undo_the_letters(read, letters):
    # A picture whose pixels are named by the patient's sides: after the turn they stand where a reader expects them.
    stored = np.empty((2, 2), object)
    for row, column in itertools.product(range(2), repeat=2):
        sides = {letters[0] if column else OPPOSITE[letters[0]], letters[1] if row else OPPOSITE[letters[1]]}
        stored[row, column] = next(side for side in "RL" if side in sides) + next(
            side for side in "HF" if side in sides
        )
    turn = read(PatientOrientation=list(letters)).facts.get("turned", "none")
    assert turned(stored, turn).tolist() == [["RH", "LH"], ["RF", "LF"]]
