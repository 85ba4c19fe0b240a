"""Cells of the tables of the chapter on downstream tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = [
    "against_text",
    "area_text",
    "auc_of",
    "best_pool",
    "difference_text",
    "find_system",
    "p_text",
    "reduction_text",
]


def find_system(
    results: dict[str, Any],
    retain: float,
    text: str,
    *,
    ranking: str = "attention",
    image: bool = True,
    fusion: str = "edge",
) -> dict[str, Any] | None:
    """The system made like this, or None where there is none."""
    wanted = {"retain": retain, "text": text, "ranking": ranking, "image": image, "fusion": fusion}
    return next(
        (each for each in results["systems"].values() if all(each[key] == value for key, value in wanted.items())), None
    )


def auc_of(systems: Sequence[dict[str, Any]], retain: float, ranking: str) -> float:
    """AUC of the image alone, by one ranking."""
    return next(
        float(each["auc"]["value"])
        for each in systems
        if each["retain"] == retain and each["ranking"] == ranking and each["text"] == "none"
    )


def best_pool(row: dict[str, Any]) -> dict[str, Any]:
    """Scores of a row of rates, pooled the way that did better on the validation studies."""
    found: dict[str, Any] = row["pools"][row["best"]]
    return found


def area_text(area: dict[str, float]) -> str:
    """An AUC with its interval."""
    return f"{area['value']:.3f} ({area['low']:.3f} to {area['high']:.3f})"


def difference_text(row: dict[str, Any] | None) -> str:
    """A difference with its interval, where it was measured."""
    if row is None:
        return "-"
    return f"{row['difference']:+.3f} ({row['low']:+.3f} to {row['high']:+.3f})"


def against_text(system: dict[str, Any], key: str) -> str:
    """A difference with its interval and p, where it was measured."""
    row = system.get(key)
    return "-" if row is None else f"{difference_text(row)}, {p_text(row['p_value'])}"


def p_text(value: float | None) -> str:
    """A p value."""
    if value is None:
        return "-"
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"


def reduction_text(size: float, whole: float | None) -> str:
    """How much smaller one size is than another."""
    return "-" if not whole else f"{1 - size / whole:.1%}"
