"""The parts of a data set, under the names that tables give them."""

from __future__ import annotations

__all__ = ["SPLIT_NAMES", "split_named"]

SPLIT_NAMES: tuple[str, ...] = ("train", "validate", "test")
"""Names of the parts."""

_SAME_AS = {
    "val": "validate",
    "valid": "validate",
    "validation": "validate",
    "dev": "validate",
    "training": "train",
    "testing": "test",
}


def split_named(text: str) -> str:
    """The part that a cell names; what names none stays as it is."""
    word = text.strip().lower()
    name = _SAME_AS.get(word, word)
    return name if name in SPLIT_NAMES else text.strip()
