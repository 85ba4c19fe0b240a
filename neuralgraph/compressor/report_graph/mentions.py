"""Sentence to mentions: which phrases of the lexicon it holds, and what it says of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from neuralgraph.compressor.report_graph.assertion import ABSENT, NOTHING, PRESENT, UNCERTAIN, Judge
from neuralgraph.compressor.report_graph.clauses import Phrase
from neuralgraph.compressor.report_graph.lexicon import UNITS, Entry, Lexicon
from neuralgraph.compressor.report_graph.words import NUMBER

__all__ = ["ABSENT", "NOTHING", "PRESENT", "UNCERTAIN", "LexiconPhrase", "build_tagger"]

_MEASUREMENT = Entry("measurement", "measurement", "measurement")


class LexiconPhrase(NamedTuple):
    """A phrase of the lexicon in a sentence."""

    entry: Entry
    start: int
    """First word."""
    end: int
    """One past the last word."""
    polarity: str
    """``PRESENT``, ``UNCERTAIN``, ``ABSENT``, or ``NOTHING`` where the sentence says nothing of it."""


def build_tagger(lexicon: Lexicon) -> Callable[[Sequence[str]], list[LexiconPhrase]]:
    """The function from the words of one sentence to its mentions, in order, not overlapping."""
    trie: dict[str, Any] = {}
    for words, entry in lexicon.phrases.items():
        node = trie
        for word in words:
            node = node.setdefault(word, {})
        node[""] = entry
    judge = Judge(lexicon)

    def tag(words: Sequence[str]) -> list[LexiconPhrase]:
        phrases = sorted(
            [*_longest(_matches(words, trie), len(words)), *_measurements(words)],
            key=lambda phrase: phrase.start,
        )
        if not phrases:
            return []
        return [LexiconPhrase(*phrase, verdict) for phrase, verdict in zip(phrases, judge(words, phrases), strict=True)]

    return tag


def _matches(words: Sequence[str], trie: Mapping[str, Any]) -> list[Phrase]:
    found = []
    for start, word in enumerate(words):
        node = trie.get(word)
        end = start + 1
        while node is not None:
            entry = node.get("")
            if entry is not None:
                found.append(Phrase(entry, start, end))
            node = node.get(words[end]) if end < len(words) else None
            end += 1
    return found


def _longest(matches: list[Phrase], size: int) -> list[Phrase]:
    """Phrases that do not overlap: longer ones first, then earlier ones."""
    if len(matches) < 2:
        return matches
    taken = [False] * size
    kept = []
    # Sorting is stable, and the matches come in the order of their starts.
    for match in sorted(matches, key=lambda match: match.start - match.end):
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
