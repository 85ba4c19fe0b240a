"""The sentence of the report that a concept comes from, and how to say in a sign and a word what it says."""

from __future__ import annotations

import re

__all__ = ["SIGNS", "polarity", "sentence_around"]

SIGNS: dict[str, str] = {"present": "+", "absent": "-", "uncertain": "?"}
"""A sign for each polarity: what is there and what is not must differ by more than a colour."""

_WORDS = {"definitely present": "present", "definitely absent": "absent", "uncertain": "uncertain"}
_LONGEST = 300
# A sentence ends at a stop, at a blank line, and at a line end after which something new begins.
_END = re.compile(r"[.!?;](?=\s|\Z)|\n(?=[ \t]*(?:\n|[A-Z0-9\[(*\-\N{BULLET}]))")


def polarity(label: str) -> str:
    """ "present", "absent" or "uncertain", of a concept's label."""
    return _WORDS[label.rsplit("::", 1)[-1]]


def sentence_around(report: str, start: int, end: int) -> str:
    """The sentence of a report that holds a span, on one line; cut where it is longer than 300 characters.

    Parameters
    ----------
    report : the stored text.
    start, end : the span, in code points of it.
    """
    first = max(0, start - _LONGEST)
    for match in _END.finditer(report, first, start):
        first = match.end()
    found = _END.search(report, end)
    last = min(len(report), end + _LONGEST) if found is None else found.end()
    last = min(last, end + _LONGEST)
    return " ".join(report[first:last].split())
