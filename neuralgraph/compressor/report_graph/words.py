"""Report text to tokens: words in one spelling, signs, numbers, marks of forms, each with its place.

A report is hard-wrapped, bulleted, full of removed text ("XXXX", "___"), of slips ("apex.There") and of shorthand
("RLL", "c/w", "can't"). Tokens say the same thing in the same word, so that one rule reads all spellings. Everything is
linear in the length of the text.
"""

from __future__ import annotations

import re
from enum import IntEnum
from typing import NamedTuple

__all__ = ["LINE", "NUMBER", "PLACEHOLDER", "UNKNOWN", "YEAR", "Kind", "Sentence", "Token", "split_words", "tokens"]

PLACEHOLDER = "xxxx"
"""The word that stands for removed text, however the data set marks it."""

NUMBER = "0"
"""The word that stands for any number."""

YEAR = "2000"
"""The word that stands for any year of the last or this century."""

UNKNOWN = "\N{WHITE SQUARE}"
"""The word that stands for every word the lexicon does not hold."""

LINE = "\n"
"""The word that stands for a line end inside a sentence where a new item may begin."""


class Kind(IntEnum):
    """What a token is, besides its word."""

    WORD = 0
    SIGN = 1
    NUMBER = 2
    REMOVED = 3
    STOP = 4
    ITEM = 5
    """A bullet, or the number of an item."""
    GAP = 6
    """A tab, a column of spaces, a row of dots or a bar: what parts the cells of a table."""
    EMPTY = 7
    """A box that is not ticked."""
    TICKED = 8
    """A box that is."""
    NEWLINE = 9


class Token(NamedTuple):
    """A word or sign with its place in the report."""

    word: str
    """Lower case, in the lexicon's spelling."""
    start: int
    """First code point in the whole report."""
    end: int
    """One past the last."""
    kind: Kind = Kind.WORD


class Sentence(NamedTuple):
    """What is read at once: a sentence, an item, an answer of a form."""

    words: tuple[str, ...]
    """Lower-case words; a word that no text has ("no" for an empty box) has an empty place."""
    places: tuple[tuple[int, int], ...]
    """(start, end) of each word in code points of the whole report."""


_TOKEN = re.compile(
    r"(?P<newline>\n)"
    r"|(?P<removed>\[\*\*[^\n*]*\*\*\]|\b[Xx]{3,}\b|_+)"
    r"|(?P<empty>\[[ \t_]?\]|\[ {2,4}\]|\([ \t]\)|[\N{BALLOT BOX}\N{WHITE SQUARE}\N{WHITE CIRCLE}])"
    r"|(?P<ticked>\[ ?[xX\N{CHECK MARK}\N{HEAVY CHECK MARK}*+] ?\]|\( ?[xX\N{CHECK MARK}] ?\)"
    r"|[\N{BALLOT BOX WITH CHECK}\N{BALLOT BOX WITH X}\N{BLACK SQUARE}\N{CHECK MARK}\N{HEAVY CHECK MARK}])"
    r"|(?P<item>(?m:^)[ \t]*(?:[-*\N{BULLET}\N{MIDDLE DOT}\N{EN DASH}\N{EM DASH}>](?=[ \tA-Za-z])"
    r"|\(?(?:\d{1,2}|[A-Za-z])(?:[.)](?=[\sA-Z])|[ \t][-\N{EN DASH}:](?=\s))|\#\d{1,2}[.):]?)"
    r"|(?<![^\s.;,:])(?:\(?(?:\d{1,2}|[a-h]|i{1,3}|iv|vi?)\)(?=[\sA-Z])"
    r"|(?:\d{1,2}|[a-h])\.(?=[ \t]*[A-Z])|\#\d{1,2}[.):]?(?=\s)|\N{BULLET}))"
    r"|(?P<gap>\t|[ ]{3,}|\.{4,}|\.{3}(?=[ ]?(?:[Yy]es|YES|[Nn]o(?:ne)?|NO(?:NE)?|[Aa]bsent|[Pp]resent)\b)"
    r"|\N{HORIZONTAL ELLIPSIS}|\|)"
    r"|(?P<short>\b(?:[wW]/[oO]|[wW]/|[cC]/[wW]|[rR]/[oO]|[sS]/[pP]|[hH]/[oO]|[bB]/[lL]|[dD]/[tT]|2/2)(?![A-Za-z/])"
    r"|\b[wW]/(?=[A-Za-z]))"
    r"|(?P<hyphen>(?<=[^\W_])-(?=[^\W_]))"
    r"|(?P<word>[^\W\d_]+(?:['\N{RIGHT SINGLE QUOTATION MARK}][^\W\d_]+)?)"
    r"|(?P<number>\d+(?:\.\d+)?)"
    r"|(?P<other>[^\w\s]|\w)"
)
_LONGEST_FIGURE = 6
_STOPS = frozenset(".!?")
_SIDES = {"R": "right", "L": "left"}
_YEAR = re.compile(r"(?:19|20)\d\d")
# Words whose full stop does not end a sentence.
_SHORT = frozenset({"vs", "dr", "approx", "ca", "incl", "resp", "cf", "neg", "pos", "bilat", "infilt", "eff"})

# Shorthand to the words it stands for.
_EXPANSIONS: dict[str, tuple[str, ...]] = {
    "w/o": ("without",),
    "w/": ("with",),
    "c/w": ("consistent", "with"),
    "r/o": ("rule", "out"),
    "s/p": ("status", "post"),
    "h/o": ("history", "of"),
    "b/l": ("bilateral",),
    "d/t": ("due", "to"),
    "2/2": ("secondary", "to"),
    "rll": ("right", "lower", "lobe"),
    "lll": ("left", "lower", "lobe"),
    "rul": ("right", "upper", "lobe"),
    "lul": ("left", "upper", "lobe"),
    "rml": ("right", "middle", "lobe"),
}
_SPELLINGS = {
    "can't": "cannot",
    "couldn't": "cannot",
    "cant": "cannot",
    "isn't": "not",
    "aren't": "not",
    "wasn't": "not",
    "weren't": "not",
    "doesn't": "not",
    "don't": "not",
    "didn't": "not",
    "hasn't": "not",
    "haven't": "not",
    "tumour": "tumor",
    "tumours": "tumors",
    "bilat": "bilateral",
    "bil": "bilateral",
    "rt": "right",
    "lt": "left",
    "hx": "history",
    "visualised": "visualized",
    "recognised": "recognized",
    "localised": "localized",
    "grey": "gray",
    "colour": "color",
    "catheterisation": "catheterization",
    "infilt": "infiltrate",
    "infilts": "infiltrates",
    "eff": "effusion",
    "effs": "effusions",
    "consol": "consolidation",
    "atx": "atelectasis",
    "neg": "negative",
    "pos": "positive",
    "poss": "possible",
    "prob": "probable",
    "dz": "disease",
    "fx": "fracture",
    "fxs": "fractures",
    "mod": "moderate",
    "sm": "small",
    "lg": "large",
    "incr": "increased",
    "decr": "decreased",
}
_BRITISH = re.compile(r"(?:oe(?=dema|soph)|ae(?=m))|(?<=h)ae(?=m)")


def _spelling(word: str) -> str:
    if not word.isalpha():
        word = word.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
        if word.endswith("'s"):
            word = word[:-2]
    known = _SPELLINGS.get(word)
    if known is not None:
        return known
    if "oe" in word or "ae" in word:
        word = _BRITISH.sub("e", word)
    return word


def _singular(word: str, known: frozenset[str]) -> str:
    if word.endswith("s"):
        if word[:-1] in known:
            return word[:-1]
        if word.endswith("es") and word[:-2] in known:
            return word[:-2]
    return word


def split_words(text: str) -> tuple[str, ...]:
    """The words of a phrase of the lexicon, as ``tokens`` would split them."""
    return tuple(token.word for token in tokens(text, 0, len(text), frozenset()))


def tokens(text: str, start: int, end: int, known: frozenset[str]) -> list[Token]:
    """The tokens of ``text[start:end]``, in order; places count from the start of ``text``.

    Parameters
    ----------
    text : the whole report.
    start, end : the part to read, in code points.
    known : words that a hyphen within does not part ("air-space" is "airspace"); with other words it does, so that
        "ground-glass" and "8-mm" are read like "ground glass" and "8 mm". The plural of one of them becomes it.
    """
    found: list[Token] = []
    add = found.append
    joined = False
    for match in _TOKEN.finditer(text, start, end):
        kind = match.lastgroup
        begin, stop = match.span()
        if kind == "word":
            value = match.group()
            word = _spelling(value.lower())
            if joined:
                joined = False
                # Two words were expanded, or stand apart, where the last one does not end at the hyphen.
                if found and found[-1].end + 1 == begin and found[-1].word + word in known:
                    found[-1] = Token(found[-1].word + word, found[-1].start, stop)
                    continue
            if word in _EXPANSIONS:
                found += _expanded(_EXPANSIONS[word], begin, stop)
            elif value in _SIDES:
                add(Token(_SIDES[value], begin, stop))
            else:
                add(Token(word if word in known else _singular(word, known), begin, stop))
            continue
        joined = kind == "hyphen"
        if joined:
            continue
        if kind == "other":
            value = match.group()
            add(Token(value, begin, stop, Kind.SIGN) if value not in _STOPS else _stop(text, value, begin, stop))
        elif kind == "number":
            add(Token(_number(match.group()), begin, stop, Kind.NUMBER))
        elif kind == "short":
            found += _expanded(_EXPANSIONS[match.group().lower()], begin, stop)
        else:
            word, mark = _MARKS[kind or ""]
            add(Token(word, begin, stop, mark))
    return found


_MARKS: dict[str, tuple[str, Kind]] = {
    "newline": (LINE, Kind.NEWLINE),
    "removed": (PLACEHOLDER, Kind.REMOVED),
    "empty": ("[", Kind.EMPTY),
    "ticked": ("]", Kind.TICKED),
    "item": ("*", Kind.ITEM),
    "gap": ("|", Kind.GAP),
}


def _number(value: str) -> str:
    # Longer figures are no size of anything in a chest, and may be someone's number.
    if len(value) > _LONGEST_FIGURE or not value.isascii():
        return UNKNOWN
    return YEAR if _YEAR.fullmatch(value) else NUMBER


def _expanded(words: tuple[str, ...], start: int, end: int) -> list[Token]:
    """Each word with a letter of its own, the last with what is left: no two share a place."""
    last = len(words) - 1
    return [
        Token(word, start + number, end if number == last else start + number + 1) for number, word in enumerate(words)
    ]


def _stop(text: str, value: str, start: int, end: int) -> Token:
    if value == "?":
        # "?pneumonia" and "? pneumonia" doubt what follows, "pneumonia?" asks.
        before = text[start - 1 : start]
        after = text[end : end + 2].lstrip(" ")[:1]
        if after.isalpha() and (not before.strip() or before in "(,;:/"):
            return Token("possible", start, end)
    return Token(value, start, end, Kind.STOP)


def ends_sentence(before: Token | None, stop: Token) -> bool:
    """Whether a stop ends a sentence; the one of "vs." does not."""
    return not (stop.word == "." and before is not None and before.word in _SHORT)
