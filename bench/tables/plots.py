"""The figures of the page: AUC against retention, attention by rank, rankings side by side, bytes against AUC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["CURVES", "RATES", "draw"]

CURVES, RATES = "downstream_curves.png", "downstream_rates.png"
# Okabe and Ito's colours, told apart by all common kinds of colour vision; marks differ too.
_BLACK, _ORANGE, _BLUE, _GREEN, _RED, _PINK, _SKY = (
    "#000000", "#E69F00", "#0072B2", "#009E73", "#D55E00", "#CC79A7", "#56B4E9",
)  # fmt: skip
_FAMILIES = {
    "ngr": (_BLUE, "o"),
    "JPEG": (_RED, "s"),
    "JPEG at half size": (_ORANGE, "D"),
    "JPEG 2000": (_GREEN, "^"),
    "JPEG XL": (_PINK, "v"),
    "PNG": (_BLACK, "*"),
}


def draw(results: Mapping[str, Any], folder: Path) -> None:
    """Write the figures.

    Parameters
    ----------
    results : of a run.
    folder : created when absent.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _saved(_curves(results), folder / CURVES)
    if results["rates"]:
        _saved(_rates(results), folder / RATES)


def _saved(figure: Any, path: Path) -> None:
    figure.savefig(path, dpi=100, metadata={"Software": None})


def _figure(columns: int, width: float) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, 4.2), layout="constrained")
    return figure, figure.subplots(1, columns)


def _curves(results: Mapping[str, Any]) -> Any:
    figure, (left, middle, right) = _figure(3, 13.5)
    phantom = " (phantoms)" if results["data"]["kind"] == "phantom" else ""
    systems = results["systems"].values()
    for text, ranking, label, colour, mark in (
        ("given", "attention", "image and report graph", _BLUE, "o"),
        ("none", "attention", "image alone", _RED, "s"),
        ("none", "random", "image alone, random patches", _BLACK, "x"),
    ):
        points = [each for each in systems if _plain(each, text) and each["ranking"] == ranking]
        _curve(left, points, label=label, colour=colour, mark=mark)
    left.axvline(results["retain"], color="0.6", linestyle=":", linewidth=1)
    left.set_xscale("log")
    left.set_xlabel("share of the patches kept")
    left.set_ylabel(f"AUC, {results['data']['target']}, 95 % interval")
    left.set_title(f"AUC against retention{phantom}", fontsize=10)
    left.legend(fontsize=8)
    ranks = results["attention_by_rank"]
    if ranks:
        middle.plot(ranks["rank"], ranks["mean"], color=_BLUE, label="mean")
        middle.fill_between(
            ranks["rank"], ranks["low"], ranks["high"], color=_SKY, alpha=0.35, label="10th to 90th percentile"
        )
        middle.axhline(1, color="0.6", linewidth=1)
        middle.set_yscale("log")
        middle.legend(fontsize=8)
    middle.set_xlabel("rank of the patch, share of all")
    middle.set_ylabel("attention, 1 is a flat map")
    middle.set_title(f"Mean attention by rank{phantom}", fontsize=10)
    mine = [each for each in systems if _plain(each, "none") and each["retain"] == results["retain"]]
    mine.sort(key=lambda each: each["auc"]["value"])
    for row, each in enumerate(mine):
        area = each["auc"]
        error = [[area["value"] - area["low"]], [area["high"] - area["value"]]]
        colour = _BLUE if each["ranking"] == "attention" else "0.4"
        right.errorbar(area["value"], row, xerr=error, fmt="o", color=colour, capsize=3)
    right.set_yticks(range(len(mine)), [each["ranking"] for each in mine])
    right.set_xlabel(f"AUC, {results['data']['target']}, 95 % interval")
    right.set_title(f"{results['retain']:.1%} kept by each ranking, image alone{phantom}", fontsize=10)
    for axes in (left, middle, right):
        axes.grid(visible=True, color="0.92")
    return figure


def _plain(system: Mapping[str, Any], text: str) -> bool:
    return bool(system["text"] == text and system["image"] and system["fusion"] == "edge")


def _curve(axes: Any, points: Sequence[Mapping[str, Any]], *, label: str, colour: str, mark: str) -> None:
    points = sorted(points, key=lambda each: each["retain"])
    if not points:
        return
    x = [each["retain"] for each in points]
    axes.plot(x, [each["auc"]["value"] for each in points], mark + "-", color=colour, label=label, markersize=5)
    low, high = ([each["auc"][end] for each in points] for end in ("low", "high"))
    axes.fill_between(x, low, high, color=colour, alpha=0.12)


def _rates(results: Mapping[str, Any]) -> Any:
    figure, panels = _figure(2, 13.5)
    phantom = " (phantoms)" if results["data"]["kind"] == "phantom" else ""
    for axes, score, title in zip(
        panels, ("auc", "macro"), (results["data"]["target"], "mean over labels"), strict=True
    ):
        for family, (colour, mark) in _FAMILIES.items():
            rows = [row for row in results["rates"]["rows"] if row["family"] == family]
            if not rows:
                continue
            x = [row["bytes"] / 1000 for row in rows]
            areas = [row["pools"][row["best"]][score] for row in rows]
            y = [area["value"] for area in areas]
            errors = [
                [max(0, area["value"] - area["low"]) for area in areas],
                [max(0, area["high"] - area["value"]) for area in areas],
            ]
            label = ".ngr" if family == "ngr" else family
            axes.errorbar(x, y, errors, fmt=mark, color=colour, label=label, elinewidth=0.5, markersize=6)
        axes.set_xscale("log")
        axes.set_xlabel("bytes of one film, thousands")
        axes.set_ylabel(f"AUC, {title}, 95 % interval")
        axes.set_title(f"Bytes against AUC of the same reader, image alone{phantom}", fontsize=10)
        axes.grid(visible=True, color="0.92")
    panels[0].legend(fontsize=8, loc="lower right")
    return figure
