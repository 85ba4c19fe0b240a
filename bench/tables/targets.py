"""What was asked for, against what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["AHEAD_OF_RANDOM", "WITHIN", "judged", "targets"]

WITHIN = 0.01
"""AUC that pruning may cost."""
AHEAD_OF_RANDOM = 0.10
"""AUC by which attention is ahead of random pruning."""


def judged(what: str, asked: float, measured: Mapping[str, Any]) -> dict[str, Any]:
    """A difference against the least it should be.

    Returns
    -------
    dict : ``what``, ``asked``, the difference with its interval, ``met`` (the difference reaches what was asked), and
        ``settled``: the whole interval lies on that side; with the differences over all test studies
        and over all labels where they are known.
    """
    difference, low, high = (measured[name] for name in ("difference", "low", "high"))
    met = difference >= asked
    return {
        "what": what,
        "asked": asked,
        "difference": difference,
        "low": low,
        "high": high,
        "met": met,
        "settled": low >= asked if met else high < asked,
        **{key: measured[key] for key in ("all_tested", "macro") if key in measured},
    }


def targets(
    differences: Mapping[str, Mapping[str, Any]], equal_bytes: Sequence[Mapping[str, Any]], *, studies: Sequence[str]
) -> list[dict[str, Any]]:
    """All targets that could be measured.

    Parameters
    ----------
    differences : ``kept, with report`` and ``kept, image alone``, each minus no pruning; ``attention minus random``.
    equal_bytes : comparisons of ``rates.at_equal_bytes``.
    studies : which kinds of study stand for ``.ngr``.
    """
    asked = (
        ("kept, with report", "pruned against not pruned, image and report", -WITHIN),
        ("kept, image alone", "pruned against not pruned, image alone", -WITHIN),
        ("attention minus random", "attention against random patches, image alone", AHEAD_OF_RANDOM),
    )
    found = [judged(what, least, differences[key]) for key, what, least in asked if key in differences]
    for row in equal_bytes:
        if row["kind"] in studies and row["codec"] == "JPEG":
            sides = f".ngr ({row['kind']}, {row['study_bytes']:,.0f} bytes) against {row['picture']}"
            found.append(judged(f"{sides} ({row['picture_bytes']:,.0f})", 0.0, row))
    return found
