"""The other side: a text with left and right swapped, for a film that is mirrored and for one that is not.

A mirrored film with its text swapped is one more honest example. The same film with its text swapped, and its marks
mirrored, is a question that the film alone cannot answer: whoever looks at the lesion all the same did not read.
"""

from __future__ import annotations

import re

__all__ = ["named_side", "swapped_sides"]

_OTHER = {
    "right": "left",
    "left": "right",
    "rightward": "leftward",
    "leftward": "rightward",
    # The lung of one side has a middle lobe, that of the other a lingula.
    "right middle lobe": "lingula of the left lung",
    "lingula of the left lung": "right middle lobe",
    "lingula": "right middle lobe",
}
_SIDES = re.compile(r"\b(" + "|".join(sorted(_OTHER, key=len, reverse=True)) + r")\b", re.IGNORECASE)
_FIXED = re.compile(
    r"\b(minor fissure|apex of the heart|gastric|stomach|liver|spleen|cardiac apex|aort\w+|"
    r"azygos|svc|superior vena cava|cavoatrial|dextrocardia|situs)\b",
    re.IGNORECASE,
)
"""What lies on one side of every patient: its text cannot be swapped, and a film of which it is said not mirrored."""


def swapped_sides(text: str) -> str | None:
    """The text with its sides swapped, letter case kept; None where it speaks of what has only one side.

    The result has the same length only by chance; phrases are to be swapped by themselves.
    """
    if _FIXED.search(text):
        return None
    return _SIDES.sub(lambda found: _cased(found[0], _OTHER[found[0].lower()]), text)


def named_side(text: str) -> str:
    """The one side a text names, "right" or "left"; "" where it names none or both."""
    found = {match[0].lower()[:4] for match in re.finditer(r"\b(?:right|left)\b", text, re.IGNORECASE)}
    return {"righ": "right", "left": "left"}[found.pop()] if len(found) == 1 else ""


def _cased(pattern: str, word: str) -> str:
    if pattern.isupper():
        return word.upper()
    return word.capitalize() if pattern[0].isupper() else word
