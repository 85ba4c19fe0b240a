"""Tables of Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

LEFT_OUT = ("int4",)
"""Forms that results hold and the format does not: what they measured decided against them (docs/decisions.md)."""


def of_the_format(row: Mapping[str, Any]) -> bool:
    """Whether a measured row is not one of a form that was left out."""
    return row.get("setting") not in LEFT_OUT


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A Markdown table; floats to three digits below 10 and to one decimal from there on."""
    lines = [" | ".join(head), " | ".join("---" for _ in head)]
    lines += [" | ".join(_text(cell) for cell in row) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def _text(cell: Any) -> str:
    if isinstance(cell, float):
        return f"{cell:,.1f}" if abs(cell) >= 10 else f"{cell:.3g}"
    return f"{cell:,}" if isinstance(cell, int) else str(cell)
