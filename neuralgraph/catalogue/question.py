"""Questions in words: "right effusion present, no tube".

A question is terms with commas between them, all of which must hold of a study. A term names a finding by its words and
may say its polarity (present, absent, uncertain), its side (left, right, bilateral) and, after "in" or "at", a place.
"no", "not" or "without" before it asks for studies that do not have the finding present: the report denies it, or does
not speak of it. Without a polarity "present" is meant. A bilateral finding answers to either side.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from neuralgraph.errors import StudyError

__all__ = ["Question", "Term", "parse_question"]

_POLARITIES = {
    "present": "present",
    "positive": "present",
    "absent": "absent",
    "negative": "absent",
    "denied": "absent",
    "uncertain": "uncertain",
    "possible": "uncertain",
    "any": "any",
}
_SIDES = {"left": "left", "right": "right", "bilateral": "bilateral", "both": "bilateral"}
_NOT = frozenset(("no", "not", "without"))
_AT = frozenset(("in", "at"))
_FILLING = frozenset(("of", "the", "a", "an", "side", "sided", "with", "and", "is"))
_MOST_TERMS = 32
_WORD = re.compile(r"[^\s,;]+")


@dataclass(frozen=True)
class Term:
    """One condition."""

    words: tuple[str, ...]
    """All of which the name of the concept has, as beginnings of its words; plural or not."""
    polarity: str = "present"
    """ "present", "absent", "uncertain" or "any"."""
    side: str = ""
    place: tuple[str, ...] = ()
    without: bool = False
    """Whether studies are meant that have no such concept."""


@dataclass(frozen=True)
class Question:
    """Conditions that must all hold."""

    terms: tuple[Term, ...]


def parse_question(text: str) -> Question:
    """The question that a text asks.

    Raises
    ------
    StudyError (E_QUERY) : it names no finding, or contradicts itself.
    """
    parts = [part for part in re.split(r"[,;]", text) if part.strip()]
    if not parts or len(parts) > _MOST_TERMS:
        raise _refusal(f"a question has 1 to {_MOST_TERMS} terms with commas between them, this has {len(parts)}")
    return Question(tuple(_term(part) for part in parts))


def _term(text: str) -> Term:
    names: list[str] = []
    places: list[str] = []
    polarities: set[str] = set()
    sides: set[str] = set()
    without = at = False
    for word in _WORD.findall(text.lower()):
        plain = word.removesuffix("-sided")
        if word in _NOT and not names:
            without = True
        elif word in _POLARITIES:
            polarities.add(_POLARITIES[word])
        elif plain in _SIDES:
            sides.add(_SIDES[plain])
        elif word in _AT and names:
            at = True
        elif word not in _FILLING:
            (places if at else names).append(_singular(word))
    if not names:
        raise _refusal(f"the term {text.strip()[:64]!r} names no finding")
    if len(polarities) > 1 or len(sides) > 1:
        raise _refusal(f"the term {text.strip()[:64]!r} says two things at once; put a comma between them")
    return Term(tuple(names), next(iter(polarities), "present"), next(iter(sides), ""), tuple(places), without=without)


def _singular(word: str) -> str:
    """Without a plural s, and of "opacities" what "opacity" begins with too."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "is", "us")) else word


def _refusal(reason: str) -> StudyError:
    return StudyError(f"{reason}; ask for example: right effusion present, no tube", code="E_QUERY", where="question")
