"""Means with bootstrap intervals over patients, and paired differences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["interval", "paired"]

_DRAWS, _SEED = 2000, 0


def interval(values: Sequence[float], patients: Sequence[str]) -> dict[str, float]:
    """Mean over films, and the 2.5 and 97.5 percentiles of that mean when patients are drawn again; NaN is left out."""
    array = np.array(values, np.float64)
    known = ~np.isnan(array)
    if not known.any():
        return {"films": 0}
    names, owner = np.unique(np.array(patients)[known], return_inverse=True)
    sums = np.bincount(owner, array[known], len(names))
    counts = np.bincount(owner, minlength=len(names))
    draws = np.random.default_rng(_SEED).integers(0, len(names), (_DRAWS, len(names)))
    means = sums[draws].sum(axis=1) / counts[draws].sum(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return {
        "films": int(known.sum()),
        "mean": round(float(array[known].mean()), 4),
        "low": round(float(low), 4),
        "high": round(float(high), 4),
    }


def paired(values: Sequence[float], others: Sequence[float], patients: Sequence[str]) -> dict[str, float]:
    """The same for the differences of two measures of the same films."""
    return interval((np.array(values, np.float64) - np.array(others, np.float64)).tolist(), patients)
