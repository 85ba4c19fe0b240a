"""A sentence cut where a reader's attention turns: clauses and the members of lists, with the cues in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, NamedTuple

from neuralgraph.compressor.report_graph.lexicon import Cues, Entry
from neuralgraph.compressor.report_graph.words import LINE

__all__ = ["OBSERVATIONS", "Cue", "CueFinder", "Join", "Phrase", "Piece", "pieces_of"]

OBSERVATIONS = frozenset({"finding", "device", "state"})
"""Kinds of entries that a report says are there or not."""


class Phrase(NamedTuple):
    """A phrase of the lexicon in a sentence."""

    entry: Entry
    start: int
    """First word."""
    end: int
    """One past the last word."""


class Cue(NamedTuple):
    """Words that change what the sentence says of a finding."""

    role: str
    start: int
    end: int


class Join(IntEnum):
    """What stands between two pieces."""

    START = 0
    COMMA = 1
    LINE = 2
    """A line end that may or may not end the sentence."""
    SLASH = 3
    AND = 4
    OR = 5
    VERSUS = 6
    HARD = 7
    """A semicolon, a bracket, a dash, "but", "with", "due to": what stood before does not reach beyond."""


@dataclass
class Piece:
    """Words between two joins: a clause, or one member of a list."""

    join: Join
    """What stands before it."""
    comma: bool
    """Whether a comma stands before it as well ("..., and ...")."""
    start: int
    end: int
    phrases: list[int] = field(default_factory=list)
    """Numbers of all phrases in it."""
    observations: list[int] = field(default_factory=list)
    """Numbers of the phrases that are observations."""
    cues: list[Cue] = field(default_factory=list)


_JOINS: dict[str, Join] = {
    ",": Join.COMMA,
    LINE: Join.LINE,
    "/": Join.SLASH,
    "&": Join.AND,
    "+": Join.AND,
    "and": Join.AND,
    "plus": Join.AND,
    "or": Join.OR,
    "nor": Join.OR,
    "versus": Join.VERSUS,
    "vs": Join.VERSUS,
    ";": Join.HARD,
    ":": Join.HARD,
    "|": Join.HARD,
    "-": Join.HARD,
    "\N{EN DASH}": Join.HARD,
    "\N{EM DASH}": Join.HARD,
    "=": Join.HARD,
    "[": Join.HARD,
    "]": Join.HARD,
    ">": Join.HARD,
    "<": Join.HARD,
    '"': Join.HARD,
}
_PASSIVE = frozenset({"verbs", "breaks", "neutral"})
_DENYING = frozenset({"no", "not", "without", "cannot", "nor", "neither", "never"})
# Words so usual that they tell nothing of a cue.
_SMALL = "a an the is are was were be been has have had to of for in on at by as it if there this from"
_USUAL = frozenset(_SMALL.split())
_BLOCKING = frozenset({"finding", "device", "anatomy", "ignored", "state"})


class CueFinder:
    """Finds cues: the longest at each place, from left to right.

    Parameters
    ----------
    cues : the cues of the lexicon.
    """

    def __init__(self, cues: Cues) -> None:
        self._dropped = cues.dropped
        self._trie = _trie(cues.roles)
        self._prior = _trie(dict.fromkeys(cues.prior, "prior"))
        self.telling = frozenset(_telling(words) for words, role in cues.roles.items() if role not in _PASSIVE)
        """Words of which a sentence holds one if it holds a cue that decides anything."""

    def cues(self, words: Sequence[str], phrases: Sequence[Phrase]) -> list[Cue]:
        """All cues of a sentence that are no part of a finding's name."""
        owner = [-1] * len(words)
        for number, phrase in enumerate(phrases):
            if phrase.entry.kind in _BLOCKING:
                owner[phrase.start : phrase.end] = [number] * (phrase.end - phrase.start)
        kept = [place for place, word in enumerate(words) if word not in self._dropped or owner[place] >= 0]
        return list(self._matches(words, kept, self._trie, owner, phrases))

    def prior(self, words: Sequence[str]) -> list[Cue]:
        """Phrases that place a statement on an earlier film."""
        kept = list(range(len(words)))
        return list(self._matches(words, kept, self._prior, [-1] * len(words), ()))

    def _matches(
        self,
        words: Sequence[str],
        kept: Sequence[int],
        trie: Mapping[str, Any],
        owner: Sequence[int],
        phrases: Sequence[Phrase],
    ) -> Iterator[Cue]:
        at = 0
        while at < len(kept):
            node: Mapping[str, Any] | None = trie
            best: tuple[int, str] | None = None
            for ahead in range(at, len(kept)):
                node = node.get(words[kept[ahead]]) if node is not None else None
                if node is None:
                    break
                role = node.get("")
                if role is not None and not self._is_name(kept[at], kept[ahead], role, owner, phrases):
                    best = (ahead, role)
            if best is None:
                at += 1
                continue
            yield Cue(best[1], kept[at], kept[best[0]] + 1)
            at = best[0] + 1

    def _is_name(self, first: int, last: int, role: str, owner: Sequence[int], phrases: Sequence[Phrase]) -> bool:
        """Whether these words lie in the name of something: "negative chest", "prior study"."""
        number = owner[first]
        if number < 0 or owner[last] != number:
            return False
        return not (phrases[number].entry.kind == "state" and role == "normal_after")


def _telling(words: tuple[str, ...]) -> str:
    """The word by which a cue shows that it may be there."""
    denying = [word for word in words if word in _DENYING]
    unusual = [word for word in words if word not in _USUAL]
    return (denying or unusual or list(words))[0]


def _trie(phrases: Mapping[tuple[str, ...], str]) -> Mapping[str, Any]:
    root: dict[str, Any] = {}
    for words, role in phrases.items():
        node = root
        for word in words:
            node = node.setdefault(word, {})
        node[""] = role
    return root


def pieces_of(words: Sequence[str], phrases: Sequence[Phrase], cues: Sequence[Cue]) -> list[Piece]:
    """The pieces of a sentence, in order, with their phrases and cues; cues of role "breaks" only part them."""
    joins = _joins(words, phrases, cues)
    pieces: list[Piece] = []
    join, comma, begin, place = Join.START, False, 0, 0
    while place <= len(words):
        found = joins.get(place)
        if place < len(words) and found is None:
            place += 1
            continue
        if place > begin:
            pieces.append(Piece(join, comma, begin, place))
            join, comma = Join.START, False
        if place == len(words) or found is None:
            break
        kind, width = found
        join = max(join, kind)
        comma = comma or kind in (Join.COMMA, Join.LINE)
        place += width
        begin = place
    for number, phrase in enumerate(phrases):
        piece = _piece_at(pieces, phrase.start)
        if piece is not None:
            piece.phrases.append(number)
            if phrase.entry.kind in OBSERVATIONS:
                piece.observations.append(number)
    for cue in cues:
        piece = _piece_at(pieces, cue.start)
        if cue.role != "breaks" and piece is not None:
            piece.cues.append(cue)
    return pieces


def _piece_at(pieces: Sequence[Piece], place: int) -> Piece | None:
    for piece in reversed(pieces):
        if piece.start <= place:
            return piece if place < piece.end else None
    return None


def _joins(words: Sequence[str], phrases: Sequence[Phrase], cues: Sequence[Cue]) -> dict[int, tuple[Join, int]]:
    inside = {place for phrase in phrases for place in range(phrase.start + 1, phrase.end)}
    cued = {place for cue in cues if cue.role != "breaks" for place in range(cue.start, cue.end)}
    found: dict[int, tuple[Join, int]] = {}
    for place, word in enumerate(words):
        kind = _JOINS.get(word)
        if kind is not None and place not in inside and place not in cued:
            found[place] = (kind, 1)
    for first, last in _brackets(words):
        telling = any(first < phrase.start < last and phrase.entry.kind in OBSERVATIONS for phrase in phrases) or any(
            first < cue.start < last for cue in cues
        )
        if telling:
            found[first] = (Join.HARD, 1)
            found[last] = (Join.HARD, 1)
    for cue in cues:
        if cue.role == "breaks":
            found[cue.start] = (Join.HARD, cue.end - cue.start)
    return found


def _brackets(words: Sequence[str]) -> Iterator[tuple[int, int]]:
    opened = None
    for place, word in enumerate(words):
        if word == "(":
            opened = place
        elif word == ")" and opened is not None:
            yield opened, place
            opened = None
