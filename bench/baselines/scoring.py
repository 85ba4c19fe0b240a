"""One way to score every system: AUC with bootstrap intervals, BLEU-2."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuralgraph.errors import StudyError
from neuralgraph.tasks.binary_scores import auc

__all__ = ["bleu2", "findings_scores"]

RESAMPLES = 500
Table = NDArray[np.float64]


def findings_scores(labels: Table, scores: Table, names: Sequence[str], *, seed: int = 0) -> dict[str, Any]:
    """AUC of every finding, and their mean; intervals of 95 % by bootstrap over films.

    Parameters
    ----------
    labels : [films, findings] 0, 1 or NaN; one film a patient.
    scores : [films, findings], higher means present; NaN in a whole column where a system does not know the finding.
    names : of the findings.
    seed : of the bootstrap.
    """
    findings = {}
    for column, name in enumerate(names):
        known = ~(np.isnan(labels[:, column]) | np.isnan(scores[:, column]))
        try:
            found = auc(labels[known, column], scores[known, column], resamples=RESAMPLES, seed=seed)
        except StudyError:
            continue  # fewer than two films with it, or without
        findings[name] = {"auc": found.value, "low": found.low, "high": found.high, "positives": found.positives}
    columns = [list(names).index(name) for name in findings]
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(RESAMPLES):
        rows = rng.integers(0, len(labels), len(labels))
        drawn.append(_mean_auc(labels[np.ix_(rows, columns)], scores[np.ix_(rows, columns)]))
    low, high = np.nanquantile(drawn, [0.025, 0.975]) if findings else (np.nan, np.nan)
    mean = fmean(row["auc"] for row in findings.values()) if findings else float("nan")
    return {"mean": {"auc": mean, "low": float(low), "high": float(high)}, "findings": findings}


def _mean_auc(labels: Table, scores: Table) -> float:
    areas = []
    for outcome, score in zip(labels.T, scores.T, strict=True):
        known = ~np.isnan(outcome)
        try:
            areas.append(auc(outcome[known], score[known], resamples=0).value)
        except StudyError:
            continue
    return fmean(areas) if areas else float("nan")


def bleu2(written: Sequence[str], truth: Sequence[str]) -> dict[str, Any]:
    """Corpus BLEU of up to two tokens by sacrebleu, 0 to 1, with its signature.

    Parameters
    ----------
    written, truth : reports of the same films.
    """
    from sacrebleu.metrics import BLEU

    metric = BLEU(max_ngram_order=2)
    # sacrebleu wants one line a text.
    lines = [[" ".join(text.split()) for text in texts] for texts in (written, truth)]
    score = metric.corpus_score(lines[0], [lines[1]]).score / 100
    return {"bleu2": score, "signature": str(metric.get_signature())}
