"""Which way up a film is, and square pixels: what the header says of the picture's plane, undone on the pixels.

Patient Orientation (0020,0020; PS3.3 C.7.6.1.1.1) names the side of the patient towards which a row runs and towards
which a column runs. A frontal film hangs with the patient's left on the reader's right and the head at the top, so its
letters are L and F; any other pair of those four letters says exactly how to turn or mirror the pixels until they are.
A lateral film may face either way: it is turned until the head is at the top, never mirrored.

Field of View Rotation and Horizontal Flip (0018,7032 and 7034; PS3.3 C.8.11.4.1) say what was done to the pixels on
their way from the detector: the stored pixels are turned already, and turning them again would undo it. They are kept
as facts.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from neuralgraph.errors import SourceError
from neuralgraph.sources.films.dicom_header import DicomHeader
from neuralgraph.sources.films.facts import TURNS, Fact
from neuralgraph.sources.films.film import Film, FilmLimits, check_dimensions

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["as_stored", "hung", "squared", "turned"]

_OPPOSITE = {"L": "R", "R": "L", "A": "P", "P": "A", "H": "F", "F": "H"}
_LATERAL_VIEWS = ("LATERAL", "LL", "RL")
_FRONTAL_VIEWS = ("PA", "AP")
_SAME = 0.01
"""Sides of a pixel that differ by less make no visible difference, and come from rounding."""
_FARTHEST = 16.0
"""A pixel this much longer than wide is a mistake in the header."""
_SPACINGS = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing", "PixelAspectRatio")


def turned(picture: NDArray[Any], turn: str) -> NDArray[Any]:
    """A picture after one of ``TURNS``; contiguous."""
    number = TURNS.index(turn)
    if number >= 4:
        picture = picture.T
    # After the swap of axes the eight turns are four pairs of mirrorings.
    if number in (2, 3, 6, 7):
        picture = picture[::-1]
    if number in (1, 2, 5, 6):
        picture = picture[:, ::-1]
    return np.ascontiguousarray(picture)


def as_stored(row: float, column: float, *, height: float, width: float, turn: str) -> tuple[float, float]:
    """Where a point of a turned picture lies in the picture as stored.

    Parameters
    ----------
    row, column : in the turned picture; edges of pixels, so 0 is the upper or left edge of the first.
    height, width : of the turned picture.
    turn : one of ``TURNS``.

    Returns
    -------
    row, column : in the stored picture.
    """
    number = TURNS.index(turn)
    if number in (1, 2, 5, 6):
        column = width - column
    if number in (2, 3, 6, 7):
        row = height - row
    return (column, row) if number >= 4 else (row, column)


def hung(film: Film, header: DicomHeader, limits: FilmLimits | None = None) -> Film:
    """A film as stored, with square pixels and the right way up; its facts say what was done.

    Parameters
    ----------
    film : of the stored picture.
    header : its header.
    limits : bounds on the film with square pixels.

    Raises
    ------
    SourceError (E_SOURCE_TURNED) : the header says that the film is mirrored, and contradicts itself about how.
    SourceError (E_SOURCE_SIZE) : with square pixels the film is over the limits.
    """
    facts: dict[str, Fact] = dict(film.facts)
    facts.update(_detector_facts(header))
    height, width = film.pixels.shape
    turn = _stated_turn(header, film.position)
    vertical, horizontal = _stated_spacing(header)
    pixels = squared(film.pixels, vertical, horizontal, limits or FilmLimits())
    if pixels is not film.pixels:
        facts["squared"] = True
        _square_facts(facts)
    if turn == "":
        facts["orientation"] = "unclear"
    elif turn != "none":
        facts["turned"] = turn
        facts["turned_by"] = "patient orientation"
        pixels = turned(pixels, turn)
        if TURNS.index(turn) >= 4:
            _swap_facts(facts)
    if pixels.shape != (height, width) or "turned" in facts:
        facts["stored_size"] = [float(height), float(width)]
    return film if pixels is film.pixels and facts == film.facts else replace(film, pixels=pixels, facts=facts)


def _stated_turn(header: DicomHeader, position: str) -> str:
    """What has to be done to the stored picture for it to hang the right way.

    Parameters
    ----------
    header : of the film. Where Patient Orientation is absent, Image Orientation (Patient) counts.
    position : the film's view, one of ``VIEW_POSITIONS``: which pair of letters can be right depends on it.

    Returns
    -------
    str : one of ``TURNS``; "" where letters are there and do not say which way up the film is.

    Raises
    ------
    SourceError (E_SOURCE_TURNED) : mirrored for a frontal film, and the view says lateral.
    """
    letters = _letters(header)
    if letters is None:
        return "none"
    row, column = letters
    plane = {row, column} | {_OPPOSITE.get(row, ""), _OPPOSITE.get(column, "")}
    if plane == set("LRHF"):
        turn = _turn_to((row, column), "L")
        if position in _LATERAL_VIEWS:
            if turn in ("mirrored", "upside down", "transposed", "transversed"):
                raise SourceError(
                    "its patient orientation says that the film is mirrored, for a frontal film, and its view says "
                    "lateral; correct one of the two",
                    code="E_SOURCE_TURNED",
                )
            return ""
        return turn
    if plane == set("APHF") and position not in _FRONTAL_VIEWS:
        # Which of the two sides the patient faces is left as it is: of both, the one that needs no mirror.
        found = (_turn_to((row, column), side) for side in ("A", "P"))
        return next(turn for turn in found if turn in ("none", "half turn", "quarter turn right", "quarter turn left"))
    return ""


def _turn_to(letters: tuple[str, str], side: str) -> str:
    """The turn after which a row runs towards ``side`` and a column towards the feet."""
    for turn in TURNS:
        row, column = letters
        number = TURNS.index(turn)
        if number >= 4:
            row, column = column, row
        if number in (2, 3, 6, 7):
            column = _OPPOSITE[column]
        if number in (1, 2, 5, 6):
            row = _OPPOSITE[row]
        if (row, column) == (side, "F"):
            return turn
    raise AssertionError("one of the eight turns brings any two letters of a plane to any others")


def _letters(header: DicomHeader) -> tuple[str, str] | None:
    """Principal sides of row and column, "" for one that is none; None where nothing is stated.

    Of "LF" the first letter is the principal direction (PS3.3 C.7.6.1.1.1).
    """
    words = [word for word in header.words("PatientOrientation") if word]
    if words:
        row, column = (words[0][0], words[1][0]) if len(words) == 2 else ("", "")
        return (row, column) if {row, column} <= set(_OPPOSITE) else ("", "")
    try:
        cosines = header.numbers("ImageOrientationPatient")
    except SourceError:
        return None
    if len(cosines) != 6 or not any(cosines[:3]) or not any(cosines[3:]):
        return None
    return _principal(cosines[:3]), _principal(cosines[3:])


def _principal(direction: list[float]) -> str:
    """The letter of a direction whose axes run towards left, posterior and head (PS3.3 C.7.6.2.1.1)."""
    axis = max(range(3), key=lambda number: abs(direction[number]))
    return "LPH"[axis] if direction[axis] > 0 else "RAF"[axis]


def _stated_spacing(header: DicomHeader) -> tuple[float, float]:
    """Height and width of a pixel, in any unit; equal where the header says nothing that can be meant.

    The order is that of PS3.3 C.7.6.3.1.7: Pixel Spacing, else Imager Pixel Spacing, else Nominal Scanned Pixel
    Spacing, and only without any of them Pixel Aspect Ratio (vertical, then horizontal).
    """
    for keyword in _SPACINGS:
        try:
            sides = header.numbers(keyword)
        except SourceError:
            continue
        if len(sides) == 2 and min(sides) > 0 and max(sides) <= _FARTHEST * min(sides):
            return sides[0], sides[1]
    return 1.0, 1.0


def squared(pixels: NDArray[np.float32], vertical: float, horizontal: float, limits: FilmLimits) -> NDArray[np.float32]:
    """A picture of square pixels, stretched along the coarser axis; the same array where they are square already.

    Parameters
    ----------
    pixels : float32 [height, width].
    vertical, horizontal : height and width of a pixel.
    limits : bounds on the result.

    Raises
    ------
    SourceError (E_SOURCE_SIZE)
    """
    if abs(vertical - horizontal) <= _SAME * max(vertical, horizontal):
        return pixels
    height, width = pixels.shape
    new_height, new_width = height, width
    if vertical > horizontal:
        new_height = round(height * vertical / horizontal)
    else:
        new_width = round(width * horizontal / vertical)
    check_dimensions(new_height, new_width, limits)
    if new_height != height:
        return _stretched(pixels, new_height)
    return np.ascontiguousarray(_stretched(pixels.T, new_width).T)


def _stretched(pixels: NDArray[np.float32], height: int) -> NDArray[np.float32]:
    """More rows, each between the two nearest; corners of the picture stay where they are."""
    place = (np.arange(height) + 0.5) * (len(pixels) / height) - 0.5
    place = np.clip(place, 0.0, len(pixels) - 1.0)
    upper = np.minimum(place.astype(np.int64), len(pixels) - 2) if len(pixels) > 1 else np.zeros(height, np.int64)
    share = (place - upper).astype(np.float32)[:, np.newaxis]
    lower = np.minimum(upper + 1, len(pixels) - 1)
    mixed = pixels[upper] * (np.float32(1) - share) + pixels[lower] * share
    # The two products may round to a hair above 1.
    clipped: NDArray[np.float32] = np.clip(mixed, 0.0, 1.0, dtype=np.float32)
    return clipped


def _square_facts(facts: dict[str, Fact]) -> None:
    for name in ("pixel_spacing", "imager_pixel_spacing"):
        spacing = facts.get(name)
        if isinstance(spacing, list):
            facts[name] = [min(float(side) for side in spacing)] * 2


def _swap_facts(facts: dict[str, Fact]) -> None:
    for name in ("pixel_spacing", "imager_pixel_spacing"):
        spacing = facts.get(name)
        if isinstance(spacing, list):
            facts[name] = [float(side) for side in spacing[::-1]]


def _detector_facts(header: DicomHeader) -> dict[str, Fact]:
    """What was done to the pixels before they were stored: nothing that is left to do."""
    facts: dict[str, Fact] = {}
    try:
        rotation = [round(angle) for angle in header.numbers("FieldOfViewRotation")]
    except SourceError:
        rotation = []
    if rotation and rotation[0] in (0, 90, 180, 270):
        facts["detector_rotation"] = rotation[0]
    if (flip := header.word("FieldOfViewHorizontalFlip")) in ("YES", "NO"):
        facts["detector_flip"] = flip == "YES"
    return facts
