"""A report of sections that lie apart, as one text under their headings."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["headed_report"]


def headed_report(sections: Mapping[str, str]) -> str | None:
    """The sections in the order given, each under its name in capitals; None where all are empty.

    Parameters
    ----------
    sections : text by name, "findings" and "impression".
    """
    return "\n\n".join(f"{name.upper()}:\n{text}" for name, text in sections.items() if text.strip()) or None
