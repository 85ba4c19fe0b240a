"""Letters burned into a picture: a mark for whoever decides, never a decision.

DICOM has an element in which a film may say it; PNG and JPEG have none, and public films were met with dates in them.
What is looked for is what letters put in by a machine have in common and anatomy has not: strokes far brighter, or far
darker, than what lies around them, several side by side on one line, of one height and one grey. A lone "L" or "R" is a
side marker and not counted. Handwriting, slanted or upright lines of text, letters of the film's own grey, and anything
smaller than six pixels at 1,280 pixels a side pass unseen; rows of beads, clips and wires may be taken for letters.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["TextLine", "text_lines"]

_SIDE = 1280
"""Pixels of the longer side at which letters are looked for; larger films are averaged down."""
_STROKE = 11
"""Pixels; a stroke is narrower."""
_CONTRASTS = (30, 60, 100, 140)
"""Of 255, above or below what lies within a stroke's width around it. Faint letters stand out at the lowest only, and
close ones run into each other at all but the highest."""
_LEAST_HEIGHT, _MOST_HEIGHT = 6, 64
_FEWEST = 4
"""Letters of a line."""
_MOST_RUNS = 60_000
"""Strokes of a picture, row by row: with more it is noise or a pattern, of which no letter can be told."""


class TextLine(NamedTuple):
    """One line of what looks like letters, in pixels of the picture."""

    top: int
    left: int
    bottom: int
    right: int
    letters: int
    is_bright: bool


class _Blob(NamedTuple):
    """Connected pixels of a stroke."""

    top: int
    left: int
    bottom: int
    right: int
    area: int
    level: int
    """Of 255: the grey of its strokes."""

    @property
    def height(self) -> int:
        return self.bottom - self.top


def text_lines(pixels: NDArray[np.float32]) -> list[TextLine]:
    """Lines of letters in a picture, from top to bottom.

    Parameters
    ----------
    pixels : float32 [height, width] in 0..1.
    """
    factor = -(-max(pixels.shape) // _SIDE)
    grey = _averaged(pixels, factor)
    found: list[TextLine] = []
    for is_bright in (True, False):
        picture = grey if is_bright else np.uint8(255) - grey
        height = _height_of_strokes(picture)
        for contrast in _CONTRASTS:
            for line in _lines(_blobs(picture, height > contrast)):
                _add(
                    found,
                    TextLine(
                        min(blob.top for blob in line) * factor,
                        min(blob.left for blob in line) * factor,
                        min(max(blob.bottom for blob in line) * factor, pixels.shape[0]),
                        min(max(blob.right for blob in line) * factor, pixels.shape[1]),
                        len(line),
                        is_bright,
                    ),
                )
    return sorted(found)


def _add(found: list[TextLine], line: TextLine) -> None:
    """Keep the line that has more letters, of two in one place."""
    for number, other in enumerate(found):
        if line.top < other.bottom and other.top < line.bottom and line.left < other.right and other.left < line.right:
            if line.letters > other.letters:
                found[number] = line
            return
    found.append(line)


def _averaged(pixels: NDArray[np.float32], factor: int) -> NDArray[np.uint8]:
    """Means of ``factor`` x ``factor`` pixels as 0..255; what is left over at the edges is dropped."""
    height, width = (side // factor for side in pixels.shape)
    part = pixels[: height * factor, : width * factor]
    means = part if factor == 1 else part.reshape(height, factor, width, factor).mean(axis=(1, 3))
    grey: NDArray[np.uint8] = np.rint(means * np.float32(255)).astype(np.uint8)
    return grey


def _extreme(picture: NDArray[np.uint8], axis: int, function: np.ufunc) -> NDArray[np.uint8]:
    """The least or the greatest of ``_STROKE`` neighbours along an axis, centred."""
    half = _STROKE // 2
    widths = [(half, half) if number == axis else (0, 0) for number in range(2)]
    padded = np.pad(picture, widths, mode="edge")

    def shifted(array: NDArray[np.uint8], start: int, length: int) -> NDArray[np.uint8]:
        part: NDArray[np.uint8] = array[start : start + length] if axis == 0 else array[:, start : start + length]
        return part

    length = picture.shape[axis]
    reach, result = 1, np.asarray(padded, np.uint8)
    while 2 * reach <= _STROKE:
        rest = result.shape[axis] - reach
        result = function(shifted(result, 0, rest), shifted(result, reach, rest))
        reach *= 2
    extreme: NDArray[np.uint8] = function(shifted(result, 0, length), shifted(result, _STROKE - reach, length))
    return extreme


def _height_of_strokes(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """How much brighter it is than the picture without anything as narrow as a stroke (a white top-hat)."""
    opened = picture
    for function in (np.minimum, np.maximum):
        opened = _extreme(_extreme(opened, 0, function), 1, function)
    return picture - opened


def _blobs(picture: NDArray[np.uint8], mask: NDArray[np.bool_]) -> list[_Blob]:
    """Connected strokes of a letter's height, bright in the picture where the mask is set."""
    # A column of nothing behind each row keeps the runs of two rows apart.
    width = mask.shape[1] + 1
    flat = np.zeros((len(mask), width), np.bool_)
    flat[:, :-1] = mask
    edges = np.flatnonzero(np.diff(flat.ravel(), prepend=False))
    rows, starts = np.divmod(edges[::2], width)
    ends = edges[1::2] - rows * width
    if len(rows) > _MOST_RUNS:
        return []
    parent = list(range(len(rows)))

    def root(number: int) -> int:
        while parent[number] != number:
            parent[number] = parent[parent[number]]
            number = parent[number]
        return number

    first_of_row = np.searchsorted(rows, np.arange(len(mask) + 1)).tolist()
    left, right = starts.tolist(), ends.tolist()
    for row in range(1, len(mask)):
        above, here = first_of_row[row - 1], first_of_row[row]
        for number in range(here, first_of_row[row + 1]):
            while above < here and right[above] < left[number]:
                above += 1
            other = above
            while other < here and left[other] <= right[number]:
                one, two = root(other), root(number)
                parent[max(one, two)] = min(one, two)
                other += 1
    roots = np.array([root(number) for number in range(len(rows))], np.int64)
    return _measured(picture, roots, rows, starts, ends)


def _measured(
    picture: NDArray[np.uint8],
    roots: NDArray[np.int64],
    rows: NDArray[np.int64],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
) -> list[_Blob]:
    """The blobs of some runs, those of a letter's height."""
    names, of = np.unique(roots, return_inverse=True)
    count = len(names)
    top, bottom = np.full(count, 1 << 30), np.zeros(count, np.int64)
    left, right = np.full(count, 1 << 30), np.zeros(count, np.int64)
    area, total = np.zeros(count, np.int64), np.zeros(count)
    np.minimum.at(top, of, rows)
    np.maximum.at(bottom, of, rows + 1)
    np.minimum.at(left, of, starts)
    np.maximum.at(right, of, ends)
    np.add.at(area, of, ends - starts)
    # The grey of a run's middle: its edges are half background.
    np.add.at(total, of, (ends - starts) * picture[rows, (starts + ends) // 2].astype(np.float64))
    height, width = bottom - top, right - left
    kept = (
        (height >= _LEAST_HEIGHT) & (height <= _MOST_HEIGHT) & (width <= 1.6 * height) & (area >= 0.12 * height * width)
    )
    return [
        _Blob(int(top[n]), int(left[n]), int(bottom[n]), int(right[n]), int(area[n]), int(total[n] / area[n]))
        for n in np.flatnonzero(kept)
    ]


def _lines(blobs: Sequence[_Blob]) -> list[list[_Blob]]:
    """Rows of at least four letters: side by side, of one height and grey, on one base line."""
    ordered = sorted(blobs, key=lambda blob: blob.left)
    used = [False] * len(ordered)
    lines = []
    for number, first in enumerate(ordered):
        if used[number]:
            continue
        line, members = [first], [number]
        for other in range(number + 1, len(ordered)):
            blob = ordered[other]
            last = line[-1]
            if blob.left - last.right > 2 * last.height:
                break
            if not used[other] and _follows(blob, last, first):
                line.append(blob)
                members.append(other)
        if len(line) >= _FEWEST:
            for member in members:
                used[member] = True
            lines.append(line)
    return lines


def _follows(blob: _Blob, last: _Blob, first: _Blob) -> bool:
    """Whether a blob may be the next letter of a line."""
    slack = 0.2 * max(last.height, blob.height)
    return (
        -slack <= blob.left - last.right <= 1.2 * last.height
        and abs(blob.bottom - last.bottom) <= slack
        and 0.7 <= blob.height / last.height <= 1.4
        and abs(blob.bottom - first.bottom) <= 2 * slack
        and abs(blob.level - first.level) <= 30
    )
