"""Figures of a results file: as many digits as a measurement has."""

from __future__ import annotations

import math
from typing import Any

__all__ = ["rounded"]


def rounded(value: Any, *, digits: int = 5) -> Any:
    """Plain data with its floats to some significant digits.

    Parameters
    ----------
    value : dicts, lists and tuples of plain values, nested; tuples become lists.
    digits : that are kept. What is not finite becomes None, which JSON has a word for.
    """
    if isinstance(value, dict):
        return {key: rounded(item, digits=digits) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(item, digits=digits) for item in value]
    if isinstance(value, float):
        return float(f"{value:.{digits}g}") if math.isfinite(value) else None
    return value
