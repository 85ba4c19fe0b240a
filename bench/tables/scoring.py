"""Scores of systems on the same test studies: AUC of the target and of all labels, with intervals and paired tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.probe import auc as plain_auc
from neuralgraph.tasks import auc, calibration, compare_auc

__all__ = ["Truth", "compared", "interval", "macro", "scored"]

RESAMPLES, PAIRED_RESAMPLES = 1000, 400
_NORMAL = 1.959964


@dataclass(frozen=True, kw_only=True, eq=False)
class Truth:
    """Outcomes of the test studies."""

    labels: tuple[str, ...]
    target: str
    outcome: NDArray[np.bool_]
    """bool [studies, labels]."""
    known: NDArray[np.bool_]
    """bool [studies, labels]."""

    @property
    def column(self) -> int:
        """Of the target."""
        return self.labels.index(self.target)


def scored(truth: Truth, runs: list[NDArray[np.floating]]) -> dict[str, Any]:
    """Scores of one system: the mean over its seeds is its prediction.

    Parameters
    ----------
    runs : float [studies, labels] per seed; chances, or any scores when calibration is not asked for.
    """
    chance = np.mean(runs, axis=0, dtype=np.float64)
    column = truth.column
    known = truth.known[:, column]
    outcome = truth.outcome[known, column]
    single = [auc(outcome, run[known, column], resamples=0).value for run in runs]
    by_label = {}
    for number, label in enumerate(truth.labels):
        mine = truth.known[:, number]
        if _both(truth.outcome[mine, number]):
            by_label[label] = auc(truth.outcome[mine, number], chance[mine, number], resamples=0).value
    result = {
        "auc": auc(outcome, chance[known, column], resamples=RESAMPLES)._asdict(),
        "auc_by_seed": single,
        "macro": macro(truth, chance),
        "by_label": by_label,
    }
    if chance.min() >= 0 and chance.max() <= 1:
        result["calibration"] = calibration(outcome, chance[known, column])._asdict()
    return result


def macro(truth: Truth, chance: NDArray[np.float64], *, resamples: int = RESAMPLES, seed: int = 0) -> dict[str, float]:
    """Mean AUC over the labels, with the interval of test studies drawn anew."""
    random = np.random.default_rng(seed)
    n = len(chance)
    drawn = [_macro(truth, chance, random.integers(0, n, n)) for _ in range(resamples)]
    low, high = np.nanquantile(drawn, [0.025, 0.975]) if drawn else (float("nan"), float("nan"))
    return {"value": _macro(truth, chance, np.arange(n)), "low": float(low), "high": float(high)}


def compared(truth: Truth, first: list[NDArray[np.floating]], second: list[NDArray[np.floating]]) -> dict[str, Any]:
    """First minus second: AUC of the target with DeLong's interval and test, and the mean over all labels.

    Returns
    -------
    dict : ``difference``, ``low``, ``high``, ``p_value``, and ``macro`` with the first three, its interval that of test
        studies drawn anew for both alike.
    """
    known, column = truth.known[:, truth.column], truth.column
    means = [np.mean(runs, axis=0, dtype=np.float64) for runs in (first, second)]
    result = compare_auc(truth.outcome[known, column], *(chance[known, column] for chance in means))
    return {
        **interval(result.difference, result.standard_error),
        "p_value": result.p_value,
        "macro": _macro_difference(truth, *means),
    }


def _macro_difference(truth: Truth, first: NDArray[np.float64], second: NDArray[np.float64]) -> dict[str, float]:
    random, n = np.random.default_rng(0), len(first)

    def difference(rows: NDArray[np.int64]) -> float:
        return _macro(truth, first, rows) - _macro(truth, second, rows)

    drawn = [difference(random.integers(0, n, n)) for _ in range(PAIRED_RESAMPLES)]
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    return {"difference": difference(np.arange(n)), "low": float(low), "high": float(high)}


def interval(difference: float, error: float) -> dict[str, float]:
    """A difference with its 95 % interval."""
    return {"difference": difference, "low": difference - _NORMAL * error, "high": difference + _NORMAL * error}


def _macro(truth: Truth, chance: NDArray[np.float64], rows: NDArray[np.int64]) -> float:
    areas = []
    for number in range(len(truth.labels)):
        mine = rows[truth.known[rows, number]]
        outcome = truth.outcome[mine, number]
        if _both(outcome):
            areas.append(plain_auc(outcome.astype(np.float64), chance[mine, number]))
    return float(np.mean(areas)) if areas else float("nan")


def _both(outcome: NDArray[np.bool_]) -> bool:
    positives = int(outcome.sum())
    return 2 <= positives <= len(outcome) - 2
