"""How many patches a share of the grid means."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import ceil

from neuralgraph.errors import StudyError

__all__ = ["kept_patches"]


def kept_patches(retain: float, n_cells: int) -> int:
    """ceil(retain * n_cells), at least 1: 4 of 144 and 21 of 900 at 0.023.

    The share is read as the decimal it is written as: 0.05 of 900 is 45, not 46, although the binary float nearest to
    0.05 lies above it.

    Raises
    ------
    StudyError (E_NUM) : ``retain`` is not in (0, 1].
    """
    if not 0 < retain <= 1:
        raise StudyError(f"retain must be above 0 and at most 1, got {retain}", code="E_NUM", where="retain")
    return _kept(float(retain), n_cells)


@lru_cache(maxsize=256)
def _kept(retain: float, n_cells: int) -> int:
    return max(1, ceil(Fraction(str(retain)) * n_cells))
