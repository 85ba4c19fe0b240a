"""How far a decoded matrix is from the one it was made of: measures that every form is judged by.

Cosine hides damage, because the few channels of largest variance own it: a form may look right to 0.999 and keep a
fifth of the typical channel as error. The channel-normalised RMSE weighs all channels alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from operator import mul

import numpy as np
from numpy.typing import NDArray

from neuralgraph.codecs.forms import Matrix

__all__ = [
    "channel_deviation",
    "coarsest",
    "cosine_error",
    "normalised_rmse",
    "rounded_cosine_error",
    "rounded_rmse",
    "three_digits",
]

Attempt = Callable[[float], tuple[tuple[bytes, ...], float] | None]
"""Planes of a relative step and the error measured on them; None when they cannot be written."""

_ROUNDS = 12
_EPSILON = 2.0**-52
_NEAR = 0.99


def channel_deviation(matrix: Matrix) -> NDArray[np.float64]:
    """float64 [width]: standard deviation of every channel over the rows of one matrix, never 0 unless all values are.

    One study has few rows, so each variance is drawn towards the median of all channels with the weight of one row; a
    matrix of one row, or without any variance, takes the mean square of its values for all channels.
    """
    values = np.asarray(matrix, np.float64)
    rows, width = values.shape
    if not values.size:
        return np.zeros(width)
    variance = values.var(axis=0)
    typical = float(np.median(variance)) or float(np.mean(values**2))
    smoothed: NDArray[np.float64] = np.sqrt(
        (rows * variance + typical) / (rows + 1) if rows > 1 else np.full(width, float(np.mean(values**2)))
    )
    return smoothed


def normalised_rmse(matrix: Matrix, decoded: Matrix, deviation: NDArray[np.float64]) -> float:
    """Root of the mean over all values of (error / deviation of the channel) squared; 0 for an empty matrix.

    The sum is rounded once (``math.fsum``), so that every machine finds the same number.
    """
    squares = _squares(matrix, decoded, deviation)
    return math.sqrt(math.fsum(squares.ravel().tolist()) / squares.size) if squares.size else 0.0


def _squares(matrix: Matrix, decoded: Matrix, deviation: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squares of the errors, each relative to its channel; none where there is no deviation."""
    if not matrix.size or not deviation.any():
        return np.empty(0)
    errors = (np.asarray(decoded, np.float64) - np.asarray(matrix, np.float64)) / deviation
    return errors * errors


def cosine_error(matrix: Matrix, decoded: Matrix) -> float:
    """Mean over the rows of 1 - cosine between a row and what became of it; rows of zeros count as 0 when they stay."""
    total = []
    for a, b in zip(np.asarray(matrix, np.float64).tolist(), np.asarray(decoded, np.float64).tolist(), strict=True):
        norm = math.sqrt(math.fsum(map(mul, a, a)) * math.fsum(map(mul, b, b)))
        if norm:
            total.append(max(0.0, 1 - math.fsum(map(mul, a, b)) / norm))
        else:
            total.append(0.0 if a == b else 1.0)
    return math.fsum(total) / len(total) if total else 0.0


def three_digits(value: float) -> float:
    """The number with its first three significant digits."""
    return float(f"{value:.3g}")


def rounded_rmse(matrix: Matrix, decoded: Matrix, deviation: NDArray[np.float64]) -> float:
    """``normalised_rmse`` to three significant digits."""
    squares = _squares(matrix, decoded, deviation)
    if not squares.size:
        return 0.0
    quick = math.sqrt(float(squares.sum()) / squares.size)
    # Any order of summing n numbers that are not negative is off by less than n roundings.
    slack = quick * (4 + squares.size) * _EPSILON
    return _settled(quick, slack, lambda: normalised_rmse(matrix, decoded, deviation))


def rounded_cosine_error(matrix: Matrix, decoded: Matrix) -> float:
    """``cosine_error`` to three significant digits."""
    a, b = np.asarray(matrix, np.float64), np.asarray(decoded, np.float64)
    norms = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    if not norms.all():
        return three_digits(cosine_error(matrix, decoded))
    quick = float(np.maximum(0.0, 1 - (a * b).sum(axis=1) / norms).mean()) if norms.size else 0.0
    # Products of float32 are exact; each of three sums over a row is off by less than a rounding for every value,
    # relative to the norms, and the mean by less than one for every row.
    slack = 4 * (4 + sum(a.shape)) * _EPSILON
    return _settled(quick, slack, lambda: cosine_error(matrix, decoded))


def _settled(quick: float, slack: float, exact: Callable[[], float]) -> float:
    """Three digits of ``exact``, from ``quick``, which is within ``slack`` of it, where that settles them."""
    low, high = three_digits(quick - slack), three_digits(quick + slack)
    return low if low == high else three_digits(exact())


def coarsest(attempt: Attempt, loss: float) -> tuple[bytes, ...] | None:
    """Planes of the coarsest step found whose error is within ``loss``; None when no step is fine enough.

    The first guess is exact while steps are fine: the mean square of an error of half a step at most is a twelfth.
    """
    guess, best = math.sqrt(12) * loss, None
    low, high = 0.0, math.inf
    for _ in range(_ROUNDS):
        made = attempt(guess)
        error = math.inf if made is None else made[1]
        if made is not None and error <= loss:
            low, best = guess, made[0]
            if error >= _NEAR * loss:
                break
        else:
            high = guess
        nearer = guess * min(max(loss / error if error else 2.0, 0.5), 2.0) * 0.998
        guess = nearer if low < nearer < high else (low + high) / 2 if high < math.inf else 2 * low
    return best
