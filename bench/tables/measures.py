"""What is measured on the studies themselves: their bytes and nodes, attention by rank, and what rankings keep."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.tables.gather import Sample
from bench.tables.rates import DEFAULT, image_alone
from neuralgraph import to_bytes
from neuralgraph.graph.retention import kept_patches
from neuralgraph.graph.study import Study

__all__ = ["COVERED", "attention_by_rank", "lesions_kept", "sizes"]

COVERED = 0.1
"""A lesion patch is a cell of which the masks cover more than this share."""
_POINTS = 100


def sizes(whole: Sequence[Study], retain: float) -> dict[str, float]:
    """Mean bytes of a file of one study, embeddings as ``ngr compress`` stores them by default.

    Returns
    -------
    dict : ``whole with report`` and ``kept with report`` (image graph and report graph), ``whole``, ``kept`` (image
        graph alone) and ``whole, float32`` (what a tensor of all embeddings takes, without any file around it).
    """
    kept = [study.prune(retain=retain) for study in whole]

    def mean_bytes(studies: Sequence[Study], *, report: bool) -> float:
        bare = (replace(study, word_attention=None) if report else image_alone(study) for study in studies)
        return fmean(len(to_bytes(study, embedding=DEFAULT)) for study in bare)

    return {
        "whole with report": mean_bytes(whole, report=True),
        "kept with report": mean_bytes(kept, report=True),
        "whole": mean_bytes(whole, report=False),
        "kept": mean_bytes(kept, report=False),
        "whole, float32": fmean(study.patches.embedding.nbytes for study in whole),
    }


def attention_by_rank(maps: Sequence[NDArray[np.float32]], retain: float) -> dict[str, Any]:
    """Share of a study's attention at each rank, and how much of it the kept patches hold.

    Parameters
    ----------
    maps : the scores of all patches of each study, any order.
    retain : share that is kept.

    Returns
    -------
    dict : ``rank`` (share of the patches ranked at or above, ascending, up to 1), ``mean``, ``low`` and ``high``
        (10th and 90th percentile over studies) of attention relative to a flat map, and ``held``: mean share of the
        attention on the kept patches.
    """
    rank = np.arange(1, _POINTS + 1) / _POINTS
    curves, held = [], []
    for scores in maps:
        ordered = np.sort(scores.astype(np.float64))[::-1]
        total = ordered.sum()
        if total <= 0:
            continue
        places = np.minimum(np.ceil(rank * len(ordered)).astype(int), len(ordered)) - 1
        curves.append(ordered[places] * len(ordered) / total)
        held.append(ordered[: kept_patches(retain, len(ordered))].sum() / total)
    if not curves:
        return {"rank": [], "mean": [], "low": [], "high": [], "held": math.nan}
    stack = np.stack(curves)
    low, high = np.quantile(stack, [0.1, 0.9], axis=0)
    return {
        "rank": rank.tolist(),
        "mean": stack.mean(axis=0).tolist(),
        "low": low.tolist(),
        "high": high.tolist(),
        "held": fmean(held),
    }


def lesions_kept(
    samples: Sequence[Sample], rankings: Mapping[str, Sequence[NDArray[np.float32]]], retain: float
) -> dict[str, Any]:
    """Of studies with a lesion patch, how many keep one, and how much of the lesions' area is kept, by ranking.

    Parameters
    ----------
    samples : studies.
    rankings : scores of their cells, in the same order.
    retain : share that is kept.
    """
    with_lesion = [
        number
        for number, sample in enumerate(samples)
        if sample.lesion is not None and bool((sample.lesion > COVERED).any())
    ]
    result: dict[str, Any] = {"studies": len(with_lesion), "rankings": {}}
    if not with_lesion:
        return result
    result["lesion_patches"] = fmean(float((samples[n].lesion > COVERED).mean()) for n in with_lesion)
    for name, scores in rankings.items():
        hits, area = [], []
        for number in with_lesion:
            lesion = samples[number].lesion
            kept = np.argsort(-scores[number], kind="stable")[: kept_patches(retain, len(lesion))]
            hits.append(float((lesion[kept] > COVERED).any()))
            area.append(float(lesion[kept].sum() / lesion.sum()))
        result["rankings"][name] = {"studies_with_one_kept": fmean(hits), "area_kept": fmean(area)}
    return result
