"""What a finer grid is worth: the same films at several sizes, the seconds they take and the area that is kept."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.real.measure import RETENTIONS, TextAlone, measures
from bench.real.statistics import interval
from neuralgraph.compressor.scorer import load_scorer
from neuralgraph.compressor.training.examples import ExampleSet
from neuralgraph.compressor.training.seeing import COVERED, marked_films, resized

__all__ = ["SIDES", "rows_at_side", "summary_of_grids"]

SIDES = (256, 384, 512, 960)
"""Longest sides, pixels."""
_SMALL = 0.10
Row = dict[str, Any]


def rows_at_side(model: Path, check: ExampleSet, learn: ExampleSet, side: int, stride: int) -> list[Row]:
    """A row for every marked film of a fold at one size: the model's measures, those of the text alone, seconds.

    Parameters
    ----------
    model : directory.
    check : the fold's marked films at this size.
    learn : what the fold learnt from.
    side : longest side, pixels.
    stride : pixels per side of a patch.
    """
    films = marked_films(check, stride)
    said = TextAlone([film for film in marked_films(learn, stride) if film.source == films[0].source])
    scorer = load_scorer(model, max_side=side)
    rows = []
    for film in films:
        pixels = np.divide(check[film.number].pixels, 65535, dtype=np.float32)
        begun = time.perf_counter()
        (scored,) = scorer([pixels], [film.text])
        seconds = time.perf_counter() - begun
        rows.append(
            {
                "side": side,
                "grid": [scored.rows, scored.cols],
                "patient": film.patient,
                "seconds": seconds,
                "small": float((film.coverage > COVERED).mean()) < _SMALL,
                "model": measures(scored.score.reshape(film.coverage.shape), film.coverage),
                "text alone": measures(resized(said(film.phrases), *film.coverage.shape), film.coverage),
                "oracle": measures(film.coverage, film.coverage),
            }
        )
    return rows


def summary_of_grids(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """For every side: patches of a square film, median seconds, and the measures with intervals over patients."""
    result = []
    for side in sorted({row["side"] for row in rows}):
        here = [row for row in rows if row["side"] == side]
        patients = [row["patient"] for row in here]
        names = [*(f"area {share}" for share in RETENTIONS), "pointing", "patch_auc"]
        small = [row for row in here if row["small"]]
        result.append(
            {
                "side": side,
                "grid": max(row["grid"] for row in here),
                "seconds": round(statistics.median(row["seconds"] for row in here), 4),
                "measures": {
                    name: {each: interval([row[each][name] for row in here], patients) for each in _RANKINGS}
                    for name in names
                },
                "small_lesions": {
                    each: interval([row[each]["area 0.023"] for row in small], [row["patient"] for row in small])
                    for each in _RANKINGS
                },
            }
        )
    return result


_RANKINGS = ("model", "text alone", "oracle")
