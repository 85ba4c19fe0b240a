"""Curves behind the scores: ROC and calibration, with intervals, as numbers and as a picture."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from neuralgraph.errors import StudyError, missing_extra

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Reliability", "RocCurve", "curve_rows", "draw_curves", "reliability", "roc_curve"]

_POINTS = 101
_Z = 1.959963984540054
"""Of a 95 % interval."""
_BINS, _FILLED = 10, 10
"""Bins of a calibration curve, and the studies below which a bin says next to nothing."""
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Okabe and Ito's set for all kinds of colour vision."""


class RocCurve(NamedTuple):
    """Shares of negatives and positives above each threshold, on an even grid of the first."""

    false_positive: list[float]
    true_positive: list[float]
    """Share of the positives that score above what leaves this share of negatives above it."""
    low: list[float]
    high: list[float]
    """Ends of the bootstrap interval at each place."""


class Reliability(NamedTuple):
    """What was predicted and what occurred, by equally filled bins of ascending prediction."""

    predicted: list[float]
    observed: list[float]
    low: list[float]
    high: list[float]
    """Ends of Wilson's interval of the share observed."""
    studies: list[int]


def roc_curve(
    outcome: ArrayLike, score: ArrayLike, *, level: float = 0.95, resamples: int = 1000, seed: int = 0
) -> RocCurve:
    """The ROC curve with an interval at each false-positive share.

    Parameters
    ----------
    outcome : bool or 0/1 [n], two of either at least.
    score : float [n], finite; higher means positive.
    level : of the interval, percentile bootstrap over studies, stratified by outcome.
    resamples, seed : of the bootstrap.

    Raises
    ------
    StudyError (E_SIZE) : lengths differ, or there are not two studies of either outcome.
    """
    outcomes, scores = np.asarray(outcome).astype(np.bool_), np.asarray(score, np.float64)
    if outcomes.shape != scores.shape or outcomes.ndim != 1 or min(outcomes.sum(), (~outcomes).sum()) < 2:
        raise StudyError("a curve needs two studies of either outcome", code="E_SIZE", where="curves")
    positive, negative = scores[outcomes], scores[~outcomes]
    grid = np.linspace(0.0, 1.0, _POINTS)

    def curve(above: Any, below: Any) -> Any:
        thresholds = np.unique(np.concatenate([above, below]))[::-1]
        true = 1.0 - np.searchsorted(np.sort(above), thresholds, "left") / len(above)
        false = 1.0 - np.searchsorted(np.sort(below), thresholds, "left") / len(below)
        return np.interp(grid, np.concatenate([[0.0], false]), np.concatenate([[0.0], true]))

    random = np.random.default_rng(seed)
    drawn = [
        curve(random.choice(positive, len(positive)), random.choice(negative, len(negative))) for _ in range(resamples)
    ]
    middle = curve(positive, negative)
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0) if drawn else (middle, middle)
    return RocCurve(grid.tolist(), middle.tolist(), low.tolist(), high.tolist())


def reliability(outcome: ArrayLike, chance: ArrayLike, *, bins: int | None = None) -> Reliability:
    """The calibration curve with an interval in each bin.

    Parameters
    ----------
    outcome : bool or 0/1 [n].
    chance : float [n], 0 to 1.
    bins : equally filled ones; by default ten, fewer where they would hold fewer than ten studies each.

    Raises
    ------
    StudyError (E_NUM) : there is nothing, lengths differ, or a chance is not from 0 to 1.
    """
    outcomes, chances = np.asarray(outcome).astype(np.bool_), np.asarray(chance, np.float64)
    if not len(outcomes) or outcomes.shape != chances.shape or not ((chances >= 0) & (chances <= 1)).all():
        raise StudyError("calibration needs predictions from 0 to 1", code="E_NUM", where="curves")
    order = np.argsort(chances, kind="stable")
    parts = min(_BINS, max(1, len(chances) // _FILLED)) if bins is None else bins
    rows = []
    for part in np.array_split(order, parts):
        if len(part):
            share, n = float(outcomes[part].mean()), len(part)
            centre = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
            half = _Z * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n * n)) / (1 + _Z**2 / n)
            rows.append((float(chances[part].mean()), share, max(0.0, centre - half), min(1.0, centre + half), n))
    predicted, observed, low, high, studies = (list(column) for column in zip(*rows, strict=True))
    return Reliability(predicted, observed, low, high, studies)


def curve_rows(systems: Mapping[str, Mapping[str, Any]]) -> str:
    """The curves of one label as CSV: system, curve, x, y, low, high, studies.

    Parameters
    ----------
    systems : by name {"roc": ..., "reliability": ...}, as the results of ``evaluate`` hold them.
    """
    stream = io.StringIO()
    rows = csv.writer(stream, lineterminator="\n")
    rows.writerow(["system", "curve", "x", "y", "low", "high", "studies"])
    for name, curves in systems.items():
        roc, fit = curves["roc"], curves["reliability"]
        for values in zip(roc["false_positive"], roc["true_positive"], roc["low"], roc["high"], strict=True):
            rows.writerow([name, "roc", *(f"{value:.6g}" for value in values), ""])
        columns = (fit[key] for key in ("predicted", "observed", "low", "high", "studies"))
        for *numbers, studies in zip(*columns, strict=True):
            rows.writerow([name, "calibration", *(f"{value:.6g}" for value in numbers), studies])
    return stream.getvalue()


def draw_curves(label: str, systems: Mapping[str, Mapping[str, Any]]) -> Figure:
    """ROC and calibration of one label, every system in both, with their intervals.

    Parameters
    ----------
    label : for the title.
    systems : as for ``curve_rows``; "auc" beside the curves is put into the legend.

    Raises
    ------
    MissingExtraError (E_EXTRA) : matplotlib is not installed.
    """
    try:
        from matplotlib import style
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise missing_extra("drawing curves", extra="plot", library="matplotlib") from error
    with style.context("default"):
        figure = Figure(figsize=(11, 5.4), layout="constrained")
        FigureCanvasAgg(figure)
        left, right = figure.subplots(1, 2)
        figure.suptitle(label, parse_math=False)
        for axes in (left, right):
            axes.plot([0, 1], [0, 1], color="#888888", linewidth=0.8, linestyle="--")
            axes.set_xlim(0, 1)
            axes.set_ylim(0, 1.01)
            axes.set_aspect("equal")
        for number, (name, curves) in enumerate(systems.items()):
            colour = _COLOURS[number % len(_COLOURS)]
            roc, fit, area = curves["roc"], curves["reliability"], curves["auc"]
            said = f"{name}: AUC {area['value']:.3f} ({area['low']:.3f} to {area['high']:.3f})"
            left.plot(roc["false_positive"], roc["true_positive"], color=colour, label=said)
            left.fill_between(roc["false_positive"], roc["low"], roc["high"], color=colour, alpha=0.15, linewidth=0)
            spread = np.abs(np.array([fit["low"], fit["high"]]) - np.array(fit["observed"]))
            right.errorbar(
                fit["predicted"], fit["observed"], yerr=spread, color=colour, marker="o", markersize=4, capsize=2
            )
        left.set_xlabel("share of negatives called positive")
        left.set_ylabel("share of positives called positive")
        left.set_title("ROC, 95 % of 1,000 resamples", fontsize=9)
        right.set_xlabel("predicted")
        right.set_ylabel("observed")
        right.set_title("calibration, equally filled bins, Wilson's 95 %", fontsize=9)
        legend = left.legend(fontsize=7, loc="lower right")
        for text in legend.get_texts():
            text.set_parse_math(False)
    return figure
