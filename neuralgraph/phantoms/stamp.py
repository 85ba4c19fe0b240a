"""The word SYNTHETIC on every picture, and side markers, in a tiny built-in bitmap font."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from neuralgraph.errors import SourceError
from neuralgraph.phantoms.canvas import FloatMap

__all__ = ["draw_marker", "stamp", "stamp_box"]

_GLYPHS: dict[str, tuple[str, ...]] = {
    "C": ("###", "#..", "#..", "#..", "###"),
    "E": ("###", "#..", "##.", "#..", "###"),
    "H": ("#.#", "#.#", "###", "#.#", "#.#"),
    "I": ("###", ".#.", ".#.", ".#.", "###"),
    "L": ("#..", "#..", "#..", "#..", "###"),
    "N": ("##.", "#.#", "#.#", "#.#", "#.#"),
    "R": ("##.", "#.#", "##.", "#.#", "#.#"),
    "S": ("###", "#..", "###", "..#", "###"),
    "T": ("###", ".#.", ".#.", ".#.", ".#."),
    "Y": ("#.#", "#.#", ".#.", ".#.", ".#."),
}
"""3 x 5 letters, only those that are needed."""


def _word_bitmap(word: str) -> npt.NDArray[np.bool_]:
    """The letters of a word side by side, bool [5, 4 x letters - 1]; only letters of SYNTHETIC, L and R."""
    rows = [".".join(_GLYPHS[letter][row] for letter in word) for row in range(5)]
    return np.array([[cell == "#" for cell in row] for row in rows], np.bool_)


def stamp_box(height: int, width: int) -> tuple[slice, slice]:
    """Rows and columns the stamp covers on a film of this size: the lower left corner, below the lungs.

    Raises
    ------
    SourceError (E_SOURCE_SIZE) : the film is too small to carry the word.
    """
    tall, wide = _block(height, width).shape
    return slice(height - tall, height), slice(0, wide)


def stamp(pixels: FloatMap) -> FloatMap:
    """A copy of a film with the word SYNTHETIC in its lower left corner.

    White letters on a black box, the same in every film of one size, so the mark says nothing about the study; a model
    can learn to look past it, and its mean attention map shows if it does not.

    Parameters
    ----------
    pixels : float32 [height, width], 0..1.

    Raises
    ------
    SourceError (E_SOURCE_SIZE) : the film is smaller than 24 x 16 pixels.
    """
    marked = pixels.copy()
    block = _block(*pixels.shape)
    marked[stamp_box(*pixels.shape)] = block.astype(np.float32)
    return marked


def draw_marker(pixels: FloatMap, letter: str) -> None:
    """Draw the lead letter in the upper corner of its side, in place; the patient's right is the left of the image."""
    height, width = pixels.shape
    if not letter or min(height, width) < 96:
        return
    scale = max(1, round(min(height, width) / 160))
    glyph = np.kron(_word_bitmap(letter), np.ones((scale, scale), np.bool_))
    top, left = round(0.05 * height), round(0.04 * width)
    if letter == "L":
        left = width - left - glyph.shape[1]
    corner = pixels[top : top + glyph.shape[0], left : left + glyph.shape[1]]
    corner[glyph] = 0.97


def _block(height: int, width: int) -> npt.NDArray[np.bool_]:
    """The stamp with its black margin; one line where there is room, else three."""
    scale = max(1, round(min(height, width) / 220))
    lines = ["SYNTHETIC"]
    if width * 0.4 < 4 * len(lines[0]) + 1:
        lines, scale = ["SYN", "THE", "TIC"], 1
    margin = np.zeros((1, 4 * len(lines[0]) + 1), np.bool_)
    rows = [margin]
    for line in lines:
        rows += [np.pad(_word_bitmap(line), ((0, 0), (1, 1))), margin]
    block = np.kron(np.concatenate(rows), np.ones((scale, scale), np.bool_))
    if block.shape[0] > height or block.shape[1] > width:
        raise SourceError(
            f"a film of {height} x {width} pixels cannot carry its stamp; ask for at least 24 x 16",
            code="E_SOURCE_SIZE",
            where="pixels",
        )
    return block
