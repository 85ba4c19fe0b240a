"""Scores of binary predictions: area under the ROC curve with intervals, a paired test, calibration.

The variance and the paired test are DeLong's (DeLong, DeLong & Clarke-Pearson, Biometrics 1988), through placements
as in Sun & Xu (IEEE Signal Processing Letters 2014); the interval is a bootstrap over studies, stratified by outcome.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuralgraph.errors import StudyError

__all__ = ["LEAST_OF_EITHER", "Auc", "Calibration", "Comparison", "auc", "calibration", "compare_auc"]


LEAST_OF_EITHER = 2
"""Studies of either outcome that a score needs at least."""


class Auc(NamedTuple):
    """Area under the ROC curve."""

    value: float
    """Chance that a positive study scores higher than a negative one, ties counted half."""
    low: float
    high: float
    """Ends of the bootstrap interval."""
    standard_error: float
    """DeLong's."""
    positives: int
    negatives: int


class Comparison(NamedTuple):
    """Two systems on the same studies."""

    difference: float
    """AUC of the first minus AUC of the second."""
    standard_error: float
    p_value: float
    """Two-sided, that the two are equal; 1 when the systems order all studies alike."""


class Calibration(NamedTuple):
    """Whether predicted chances are the ones that occur."""

    brier: float
    """Mean squared difference between prediction and outcome."""
    expected_error: float
    """Mean over equally filled bins of |mean prediction - share of positives|."""


def auc(outcome: ArrayLike, score: ArrayLike, *, level: float = 0.95, resamples: int = 1000, seed: int = 0) -> Auc:
    """Area under the ROC curve, with its interval.

    Parameters
    ----------
    outcome : bool or 0/1 [n].
    score : float [n], finite; higher means positive.
    level : of the interval, percentile bootstrap.
    resamples : of the bootstrap; positives and negatives are drawn separately, so that none is ever without either.
    seed : of the bootstrap.

    Raises
    ------
    StudyError (E_SIZE, E_NUM) : see ``_parted``.
    """
    positive, negative = _parted(outcome, score)
    above, below = _placements(positive, negative)
    random = np.random.default_rng(seed)
    drawn = [
        _placements(random.choice(positive, len(positive)), random.choice(negative, len(negative)))[0].mean()
        for _ in range(resamples)
    ]
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2]) if drawn else (math.nan, math.nan)
    error = math.sqrt(_spread(above) / len(positive) + _spread(below) / len(negative))
    return Auc(float(above.mean()), float(low), float(high), error, len(positive), len(negative))


def compare_auc(outcome: ArrayLike, first: ArrayLike, second: ArrayLike) -> Comparison:
    """DeLong's test of two systems that scored the same studies.

    Parameters
    ----------
    outcome : bool or 0/1 [n].
    first, second : float [n], the scores of the two systems.

    Raises
    ------
    StudyError (E_SIZE, E_NUM) : see ``_parted``.
    """
    pairs = [_placements(*_parted(outcome, score)) for score in (first, second)]
    (above_1, below_1), (above_2, below_2) = pairs
    difference = float(above_1.mean() - above_2.mean())
    variance = _spread(above_1 - above_2) / len(above_1) + _spread(below_1 - below_2) / len(below_1)
    error = math.sqrt(variance)
    # Rounding leaves some 1e-17 of a difference between systems that order all studies alike.
    if error < 1e-12:
        return Comparison(difference, error, 1.0 if abs(difference) < 1e-12 else 0.0)
    return Comparison(difference, error, math.erfc(abs(difference) / error / math.sqrt(2)))


def calibration(outcome: ArrayLike, chance: ArrayLike, *, bins: int = 10) -> Calibration:
    """Brier score and expected calibration error.

    Parameters
    ----------
    outcome : bool or 0/1 [n].
    chance : float [n], 0 to 1.
    bins : equally filled ones, by ascending chance.

    Raises
    ------
    StudyError (E_SIZE, E_NUM) : there is nothing to score, the two differ in length, or a chance is not from 0 to 1.
    """
    outcomes, chances = _pair(outcome, chance)
    if len(outcomes) == 0 or (chances < 0).any() or (chances > 1).any():
        raise StudyError("calibration needs predictions from 0 to 1", code="E_NUM", where="calibration")
    order = np.argsort(chances, kind="stable")
    groups = [part for part in np.array_split(order, bins) if len(part)]
    gaps = [abs(chances[part].mean() - outcomes[part].mean()) * len(part) for part in groups]
    return Calibration(float(np.mean((chances - outcomes) ** 2)), float(sum(gaps) / len(order)))


def _pair(outcome: ArrayLike, score: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    outcomes, scores = np.asarray(outcome).astype(np.bool_), np.asarray(score, np.float64)
    if outcomes.shape != scores.shape or outcomes.ndim != 1:
        raise StudyError(
            f"{outcomes.shape} outcomes do not match {scores.shape} scores", code="E_SIZE", where="metrics"
        )
    if not np.isfinite(scores).all():
        raise StudyError("a score is not finite", code="E_NUM", where="metrics")
    return outcomes, scores


def _parted(outcome: ArrayLike, score: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Scores of the positive and of the negative studies.

    Raises
    ------
    StudyError (E_SIZE) : the two differ in length, or there are not two studies of either outcome.
    StudyError (E_NUM) : a score is not finite.
    """
    outcomes, scores = _pair(outcome, score)
    positive, negative = scores[outcomes], scores[~outcomes]
    if min(len(positive), len(negative)) < LEAST_OF_EITHER:
        reason = f"an AUC needs two studies of either outcome, there are {len(positive)} and {len(negative)}"
        raise StudyError(reason, code="E_SIZE", where="metrics")
    return positive, negative


def _placements(
    positive: NDArray[np.float64], negative: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """For each positive the share of negatives below it, for each negative the share of positives above; ties half."""
    negatives, positives = np.sort(negative), np.sort(positive)
    below = np.searchsorted(negatives, positive, "left") + np.searchsorted(negatives, positive, "right")
    under = np.searchsorted(positives, negative, "left") + np.searchsorted(positives, negative, "right")
    return below / (2 * len(negatives)), 1 - under / (2 * len(positives))


def _spread(values: NDArray[np.float64]) -> float:
    return float(values.var(ddof=1))
