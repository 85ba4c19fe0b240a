"""Text in the picture: only characters its font has, wrapped, never read as a formula."""

from __future__ import annotations

import textwrap
from functools import cache

__all__ = ["FONT", "legible", "wrapped"]

FONT = "DejaVu Sans"
"""Comes with matplotlib, so that a picture looks the same on every machine."""

_UNKNOWN = "\N{WHITE SQUARE}"


@cache
def _characters() -> frozenset[int]:
    from matplotlib.font_manager import findfont
    from matplotlib.ft2font import FT2Font

    return frozenset(FT2Font(findfont(FONT)).get_charmap())


def legible(text: str) -> str:
    """One line of `text`; characters the font lacks become a white square, line breaks and controls a blank."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    known = _characters()
    return "".join(c if ord(c) in known else _UNKNOWN for c in line)


def wrapped(text: str, width: int, *, lines: int) -> str:
    """`text` in at most so many lines of at most `width` characters; what does not fit ends in "…"."""
    parts = textwrap.wrap(legible(text), width) or [""]
    if len(parts) > lines:
        parts = [*parts[: lines - 1], parts[lines - 1][: width - 1].rstrip() + "…"]
    return "\n".join(parts)
