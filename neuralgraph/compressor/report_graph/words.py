"""Report text to sentences of words with their places.

A report is hard-wrapped, bulleted, full of removed text ("XXXX", "___") and of slips ("apex.There"), so sentences are
cut here and not by a general sentencizer. Everything is linear in the length of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["LONGEST_SENTENCE", "NUMBER", "PLACEHOLDER", "UNKNOWN", "Sentence", "sentences", "split_words"]

PLACEHOLDER = "xxxx"
"""The word that stands for removed text, however the data set marks it."""

NUMBER = "0"
"""The word that stands for any number."""

UNKNOWN = "\N{WHITE SQUARE}"
"""The word that stands for every word the lexicon does not hold."""

LONGEST_SENTENCE = 200
"""Words after which a text without full stops is cut, so that no input makes the rules slow."""

_TOKEN = re.compile(
    r"(?P<hard>\n[ \t]*\n\s*|\n[ \t]*(?=(?:[-*•]|\d{1,2}[.)])[ \t]))"
    r"|(?P<hyphen>(?<=[^\W_])-(?=[^\W_]))"
    r"|(?P<removed>\b[Xx]{3,}\b|_+)"
    r"|(?P<word>[^\W\d_]+)"
    r"|(?P<number>\d+(?:\.\d+)?)"
    r"|(?P<other>[^\w\s]|\w)"
)
_LONGEST_FIGURE = 6
_STOPS = frozenset(".!?")
# Words whose full stop does not end a sentence.
_SHORT = frozenset({"vs", "dr", "approx", "ca", "incl", "resp"})


class Sentence(NamedTuple):
    """Words of one sentence, lower case, with their places in the report."""

    words: tuple[str, ...]
    """Lower-case words; numbers are ``NUMBER`` and removed text is ``PLACEHOLDER``."""
    places: tuple[tuple[int, int], ...]
    """(start, end) of each word in code points of the whole report."""


def split_words(text: str) -> tuple[str, ...]:
    """The words of a phrase of the lexicon, as ``sentences`` would split them."""
    return tuple(
        PLACEHOLDER
        if match.lastgroup == "removed"
        else NUMBER
        if match.lastgroup == "number"
        else match.group().lower()
        for match in _TOKEN.finditer(text)
        if match.lastgroup not in {"hard", "hyphen"}
    )


def sentences(text: str, start: int = 0, end: int | None = None) -> Iterator[Sentence]:
    """Cut ``text[start:end]`` into sentences.

    A sentence ends at a full stop, at a blank line, before a bullet or an item number at the start of a line, and
    after ``LONGEST_SENTENCE`` words.

    Parameters
    ----------
    text : the whole report.
    start, end : the part to read, in code points.

    Yields
    ------
    Sentence
        never empty; places count from the start of ``text``.
    """
    words: list[str] = []
    places: list[tuple[int, int]] = []
    for match in _TOKEN.finditer(text, start, len(text) if end is None else end):
        kind = match.lastgroup
        # A hyphen within a word parts it, so that "ground-glass" and "8-mm" are read like "ground glass" and "8 mm".
        if kind == "hyphen":
            continue
        value = match.group()
        if kind == "removed":
            word = PLACEHOLDER
        elif kind == "number":
            # Longer figures are no size of anything in a chest, and may be someone's number.
            word = NUMBER if len(value) <= _LONGEST_FIGURE and value.isascii() else UNKNOWN
        else:
            word = value.lower()
        stop = kind == "hard" or value in _STOPS
        if stop and value == "." and words and words[-1] in _SHORT:
            continue
        if not stop:
            words.append(word)
            places.append(match.span())
        if words and (stop or len(words) >= LONGEST_SENTENCE):
            yield Sentence(tuple(words), tuple(places))
            words, places = [], []
    if words:
        yield Sentence(tuple(words), tuple(places))
