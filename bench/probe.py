"""A downstream probe: logistic regression on the mean embedding of a study, for every finding, patients split."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["Probe", "Scores", "auc", "fitted_scores", "macro_auc"]

Scores = list[tuple[NDArray[np.int64], NDArray[np.float64]]]
"""For every seed: the studies tested, and their scores [studies, findings]."""


class Probe:
    """The probe for one collection.

    Parameters
    ----------
    labels : float [studies, findings], 0 or 1.
    patients : the patient of every study; all studies of a patient fall on the same side of a split.
    """

    SEEDS: ClassVar[tuple[int, ...]] = (0, 1, 2, 3, 4)
    RESAMPLES: ClassVar[int] = 200

    def __init__(self, labels: NDArray[np.float64], patients: Sequence[str]) -> None:
        self._labels = labels
        names = sorted(set(patients))
        number = {name: position for position, name in enumerate(names)}
        self._patients = np.array([number[patient] for patient in patients])

    def scores(self, features: NDArray[np.float64]) -> Scores:
        """Scores of the held-out half, for every seed; trained and tested on the same kind of features."""
        result = []
        for seed in self.SEEDS:
            order = np.random.default_rng(seed).permutation(self._patients.max() + 1)
            tested = np.isin(self._patients, order[: len(order) // 2])
            columns = [
                fitted_scores(features[~tested], finding[~tested], features[tested]) for finding in self._labels.T
            ]
            result.append((np.flatnonzero(tested), np.stack(columns, axis=1)))
        return result

    def drift(self, before: Scores, after: Scores) -> dict[str, float]:
        """How much the mean AUC falls: mean over seeds, with a 95 % interval of patients drawn anew (paired)."""
        random = np.random.default_rng(0)
        falls, drawn = [], []
        for (tested, old), (_, new) in zip(before, after, strict=True):
            labels, patients = self._labels[tested], self._patients[tested]
            falls.append(macro_auc(labels, old) - macro_auc(labels, new))
            groups = [np.flatnonzero(patients == patient) for patient in np.unique(patients)]
            for _ in range(self.RESAMPLES):
                chosen = np.concatenate([groups[i] for i in random.integers(0, len(groups), len(groups))])
                drawn.append(macro_auc(labels[chosen], old[chosen]) - macro_auc(labels[chosen], new[chosen]))
        low, high = np.percentile(drawn, [2.5, 97.5])
        return {"auc_drift": mean(falls), "auc_drift_low": float(low), "auc_drift_high": float(high)}


def fitted_scores(
    features: NDArray[np.floating], outcome: NDArray[np.floating], tested: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Log-odds [len(tested)] by a logistic regression on standardised features.

    Parameters
    ----------
    features, tested : float [studies, width], to learn from and to score.
    outcome : [studies], 0 or 1, of the first.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.05, max_iter=2_000))
    model.fit(features, outcome)
    scores: NDArray[np.float64] = model.decision_function(tested)
    return scores


def macro_auc(labels: NDArray[np.float64], scores: NDArray[np.float64]) -> float:
    """Mean AUC of the findings that have both cases."""
    return mean(auc(y, s) for y, s in zip(labels.T, scores.T, strict=True) if 0 < y.sum() < len(y))


def auc(labels: NDArray[np.float64], scores: NDArray[np.float64]) -> float:
    """Area under the ROC curve: the share of pairs in the right order, ties counted half."""
    _, group, counts = np.unique(scores, return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - (counts - 1) / 2)[group]
    positive = labels > 0
    n, m = int(positive.sum()), int((~positive).sum())
    return float((rank[positive].sum() - n * (n + 1) / 2) / (n * m))
