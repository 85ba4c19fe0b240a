"""Which patches survive: four policies over one score per patch.

Every policy ranks the patches by descending score, ties to the lower patch index, and keeps a prefix of that ranking:
so a harder policy of the same kind always keeps a prefix of what a softer one keeps. At least one patch survives.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuralgraph.errors import StudyError
from neuralgraph.graph.retention import kept_patches

__all__ = ["DEFAULT_POLICY", "AbsoluteThreshold", "AttentionMass", "PruningPolicy", "TopFraction", "TopK", "ranking"]


class PruningPolicy(Protocol):
    """What the compressor asks of a policy."""

    def select(self, score: ArrayLike) -> NDArray[np.int64]:
        """Indices of the surviving patches, int64 [n], in descending order of score."""

    @property
    def record(self) -> dict[str, Any]:
        """The policy for a study's provenance: ``{"policy": name, "value": number}``."""


def ranking(score: ArrayLike) -> NDArray[np.int64]:
    """All patch indices in descending order of score; equal scores keep the lower index first.

    Parameters
    ----------
    score : float [N], N >= 1, finite.

    Returns
    -------
    int64 [N].

    Raises
    ------
    StudyError (E_NUM) : the scores are not a non-empty row of finite numbers.
    """
    return np.argsort(-_checked(score), kind="stable").astype(np.int64)


@dataclass(frozen=True)
class TopFraction:
    """Keep the best ``ceil(fraction * N)`` patches (the paper keeps 2.3 %: 4 of 144, 21 of 900).

    The fraction is taken as the decimal number that was written, so 0.05 of 900 is 45, whatever binary floats say.

    Raises
    ------
    StudyError (E_NUM) : the fraction is not in (0, 1].
    """

    fraction: float = 0.023

    def __post_init__(self) -> None:
        if not 0 < _number(self.fraction, "fraction") <= 1:
            raise _out_of_range("fraction", self.fraction, "more than 0 and at most 1")

    def select(self, score: ArrayLike) -> NDArray[np.int64]:
        """Indices of the surviving patches, int64 [n], in descending order of score."""
        order = ranking(score)
        return order[: kept_patches(float(_number(self.fraction, "fraction")), len(order))]

    @property
    def record(self) -> dict[str, Any]:
        """The policy for a study's provenance."""
        return {"policy": "fraction", "value": float(str(self.fraction))}


@dataclass(frozen=True)
class TopK:
    """Keep the best ``count`` patches; all of them when there are fewer.

    Raises
    ------
    StudyError (E_NUM) : the count is not a whole number of at least 1.
    """

    count: int

    def __post_init__(self) -> None:
        if isinstance(self.count, bool) or not isinstance(self.count, (int, np.integer)) or self.count < 1:
            raise _out_of_range("count", self.count, "a whole number of at least 1")

    def select(self, score: ArrayLike) -> NDArray[np.int64]:
        """Indices of the surviving patches, int64 [n], in descending order of score."""
        return ranking(score)[: self.count]

    @property
    def record(self) -> dict[str, Any]:
        """The policy for a study's provenance."""
        return {"policy": "top_k", "value": int(self.count)}


@dataclass(frozen=True)
class AbsoluteThreshold:
    """Keep every patch whose score is strictly above ``threshold``; the best one when none is.

    Raises
    ------
    StudyError (E_NUM) : the threshold is not a finite number.
    """

    threshold: float

    def __post_init__(self) -> None:
        _number(self.threshold, "threshold")

    def select(self, score: ArrayLike) -> NDArray[np.int64]:
        """Indices of the surviving patches, int64 [n], in descending order of score."""
        values = _checked(score)
        # In float64: a float32 comparison would first round the threshold to the nearest score.
        return ranking(values)[: max(1, int(np.count_nonzero(values > float(self.threshold))))]

    @property
    def record(self) -> dict[str, Any]:
        """The policy for a study's provenance."""
        return {"policy": "threshold", "value": float(self.threshold)}


@dataclass(frozen=True)
class AttentionMass:
    """Keep the smallest set of patches that holds at least ``share`` of the sum of all scores.

    Raises
    ------
    StudyError (E_NUM) : the share is not in (0, 1], or a score is negative.
    """

    share: float

    def __post_init__(self) -> None:
        if not 0 < _number(self.share, "share") <= 1:
            raise _out_of_range("share", self.share, "more than 0 and at most 1")

    def select(self, score: ArrayLike) -> NDArray[np.int64]:
        """Indices of the surviving patches, int64 [n], in descending order of score."""
        values = _checked(score)
        if (values < 0).any():
            raise StudyError("a share of the attention needs scores that are not negative", code="E_NUM", where="score")
        order = ranking(values)
        held = np.cumsum(values[order])
        wanted = _number(self.share, "share") * Fraction(float(held[-1]))
        # Binary search over exact fractions: share * total in floats can land above a sum that equals it.
        low, high = 0, len(order) - 1
        while low < high:
            middle = (low + high) // 2
            if Fraction(float(held[middle])) >= wanted:
                high = middle
            else:
                low = middle + 1
        return order[: low + 1]

    @property
    def record(self) -> dict[str, Any]:
        """The policy for a study's provenance."""
        return {"policy": "mass", "value": float(str(self.share))}


def _checked(score: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(score, dtype=np.float64)
    if values.ndim != 1 or values.size == 0 or not np.isfinite(values).all():
        raise StudyError("scores must be one row of at least one finite number", code="E_NUM", where="score")
    return values


def _number(value: Any, name: str) -> Fraction:
    """The decimal number as written, exactly; float32 0.05 counts as 0.05 too."""
    if isinstance(value, (int, float, Decimal, Fraction, np.integer, np.floating)) and not isinstance(value, bool):
        try:
            return Fraction(str(value))
        except ValueError:
            pass  # "nan" and "inf" are floats, but not fractions
    raise _out_of_range(name, value, "a finite number")


def _out_of_range(name: str, value: Any, wanted: str) -> StudyError:
    return StudyError(f"{name} must be {wanted}, not {value!r}", code="E_NUM", where=name)


DEFAULT_POLICY = TopFraction()
"""The paper's: 2.3 % of the patches."""
