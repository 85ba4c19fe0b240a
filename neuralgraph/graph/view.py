"""A view: one film of the study, its grid of patches and the attention each cell received."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuralgraph.errors import StudyError
from neuralgraph.graph.frozen import Immutable, float32, frozen_array, whole

__all__ = ["View", "attention_of_codes", "codes_of_attention", "quantised_attention"]

_LARGEST_CODE = 255


def attention_of_codes(code: NDArray[np.uint8], step: float) -> NDArray[np.float32]:
    """Attention of stored codes: float32(code^2 * step), rounded once, the same on every machine."""
    return (np.square(code.astype(np.float64)) * step).astype(np.float32)


def codes_of_attention(score: NDArray[np.float32], step: float) -> NDArray[np.float64]:
    """Unrounded codes sqrt(score / step), float64; when ``step`` is 0, 0 for a score of 0 and infinite for others."""
    if step == 0:
        return np.where(score == 0, 0.0, np.inf)
    return np.sqrt(score.astype(np.float64) / step)


def quantised_attention(values: NDArray[np.float32]) -> tuple[NDArray[np.uint8], float]:
    """Codes and step of an attention map, as FORMAT.md section 5.4 tells writers to choose them.

    Parameters
    ----------
    values : float32 of any shape, finite and not negative.

    Returns
    -------
    (uint8 of the same shape, step)

    Raises
    ------
    StudyError (E_NUM) : a score is negative or not finite.
    """
    if not np.isfinite(values).all() or (values < 0).any():
        raise StudyError("attention scores must be finite and not negative", code="E_NUM", where="scores")
    largest = float(values.max(initial=0))
    step = float32(largest / _LARGEST_CODE**2)
    if largest > step * (_LARGEST_CODE + 0.5) ** 2:
        # Among subnormal steps rounding can halve one; the largest code must not.
        step = float(np.nextafter(np.float32(step), np.float32(1)))
    code = np.rint(codes_of_attention(values, step)).clip(0, _LARGEST_CODE).astype(np.uint8)
    return code, step


@dataclass(frozen=True, eq=False)
class View(Immutable):
    """One film.

    The attention map is kept in the form the file has: one byte per cell on a square-root scale, which gives weak cells
    a finer step than strong ones. ``View.from_scores`` makes it from float scores.
    """

    height: int
    """Height of the source film, pixels."""
    width: int
    """Width of the source film, pixels."""
    patch_height: float
    """Height of one patch, source pixels (float32)."""
    patch_width: float
    """Width of one patch, source pixels (float32)."""
    score_code: NDArray[np.uint8]
    """uint8 [rows, cols]: attention is float32(code^2 * score_step)."""
    score_step: float
    """Unit of the codes (float32)."""
    position: str = "unknown"
    """One of ``neuralgraph.wire.vocabulary.VIEW_POSITIONS``."""

    def __post_init__(self) -> None:
        """Fix dtypes, and make the map read-only."""
        code = frozen_array(self.score_code, "u1", (-1, -1), where="views")
        if 0 in code.shape:
            raise StudyError("the score map is not a grid of at least one cell", code="E_COORD", where="views")
        object.__setattr__(self, "score_code", code)
        for name in ("height", "width"):
            object.__setattr__(self, name, whole(getattr(self, name), f"view.{name}"))
        for name in ("patch_height", "patch_width", "score_step"):
            object.__setattr__(self, name, float32(getattr(self, name)))

    @classmethod
    def from_scores(
        cls,
        scores: ArrayLike,
        *,
        height: int,
        width: int,
        patch_height: float,
        patch_width: float,
        position: str = "unknown",
    ) -> View:
        """A view whose map is quantised from ``scores``.

        Parameters
        ----------
        scores : float [rows, cols], not negative.
        height, width : size of the source film, pixels.
        patch_height, patch_width : size of one patch, source pixels.
        position : how the film was taken.

        Raises
        ------
        StudyError (E_NUM) : a score is negative or not finite.
        """
        code, step = quantised_attention(frozen_array(scores, "f4", (-1, -1), where="scores"))
        return cls(height, width, patch_height, patch_width, code, step, position)

    @property
    def rows(self) -> int:
        """Rows of the grid."""
        return int(self.score_code.shape[0])

    @property
    def cols(self) -> int:
        """Columns of the grid."""
        return int(self.score_code.shape[1])

    @property
    def attention(self) -> NDArray[np.float32]:
        """float32 [rows, cols]: the whole attention map, dropped patches included."""
        return attention_of_codes(self.score_code, self.score_step)

    def box(self, row: int, col: int) -> tuple[float, float, float, float]:
        """Top, left, bottom, right of a patch in source pixels, clipped to the film; bottom and right excluded."""
        top, left = row * self.patch_height, col * self.patch_width
        bottom, right = min(top + self.patch_height, self.height), min(left + self.patch_width, self.width)
        return top, left, bottom, right
