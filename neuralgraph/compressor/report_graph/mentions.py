"""Sentence to mentions: which phrases of the lexicon it holds, and what it says of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from .assertion import ABSENT, NOTHING, PRESENT, UNCERTAIN, Judge
from .clauses import Phrase
from .lexicon import UNITS, Entry, Lexicon
from .words import NUMBER

__all__ = ["ABSENT", "NOTHING", "PRESENT", "UNCERTAIN", "Mention", "build_tagger"]

_MEASUREMENT = Entry("measurement", "measurement", "measurement")


class Mention(NamedTuple):
    """A phrase of the lexicon in a sentence."""

    entry: Entry
    start: int
    """First word."""
    end: int
    """One past the last word."""
    polarity: str
    """``PRESENT``, ``UNCERTAIN``, ``ABSENT``, or ``NOTHING`` where the sentence says nothing of it."""


def build_tagger(lexicon: Lexicon) -> Callable[[Sequence[str]], list[Mention]]:
    """The function from the words of one sentence to its mentions, in order, not overlapping."""
    by_first: dict[str, list[tuple[tuple[str, ...], Entry]]] = {}
    for words, entry in lexicon.phrases.items():
        by_first.setdefault(words[0], []).append((words, entry))
    for candidates in by_first.values():
        candidates.sort(key=lambda candidate: -len(candidate[0]))
    judge = Judge(lexicon)

    def tag(words: Sequence[str]) -> list[Mention]:
        phrases = sorted(
            [*_longest(_matches(words, by_first), len(words)), *_measurements(words)],
            key=lambda phrase: phrase.start,
        )
        if not phrases:
            return []
        return [Mention(*phrase, verdict) for phrase, verdict in zip(phrases, judge(words, phrases), strict=True)]

    return tag


def _matches(words: Sequence[str], by_first: dict[str, list[tuple[tuple[str, ...], Entry]]]) -> Iterator[Phrase]:
    for start, word in enumerate(words):
        for phrase, entry in by_first.get(word, ()):
            end = start + len(phrase)
            if tuple(words[start:end]) == phrase:
                yield Phrase(entry, start, end)


def _longest(matches: Iterator[Phrase], size: int) -> list[Phrase]:
    """Phrases that do not overlap: longer ones first, then earlier ones."""
    taken = [False] * size
    kept = []
    for match in sorted(matches, key=lambda match: (match.start - match.end, match.start)):
        if not (taken[match.start] or taken[match.end - 1]):
            taken[match.start : match.end] = [True] * (match.end - match.start)
            kept.append(match)
    return kept


def _measurements(words: Sequence[str]) -> list[Phrase]:
    """Sizes in a sentence: "8 mm", "8-mm", "3.2 x 2.1 cm", but not a rate such as "48 mm/h"."""
    found = []
    free = 0
    for index, word in enumerate(words):
        if word not in UNITS or words[index + 1 : index + 2] in (("/",), ("hg",), ["/"], ["hg"]):
            continue
        first = index
        while first - 1 >= free and words[first - 1] in {NUMBER, "x", "-"}:
            first -= 1
        while first < index and words[first] != NUMBER:
            first += 1
        if first < index:
            found.append(Phrase(_MEASUREMENT, first, index + 1))
        free = index + 1
    return found
