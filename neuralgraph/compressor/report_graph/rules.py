"""The rule-based extractor: lexicon, NegEx and in-sentence rules; no model, no network."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import numpy as np

from neuralgraph.errors import SourceError
from neuralgraph.graph.concepts import Concept

from .lexicon import UNITS, Entry, Lexicon, load_lexicon
from .mentions import PRESENT, Mention, build_tagger
from .relations import SentenceGraph, relate
from .result import ReportGraph
from .sections import SectionChoice, check_choice, parts_to_read
from .words import NUMBER, UNKNOWN, Sentence, sentences

__all__ = ["RulesExtractor"]

_MEASUREMENT = Entry("measurement", "measurement", "measurement")
# Sentences of reports repeat ("No pleural effusion."); the cache holds words of the lexicon only, never a report's.
_REMEMBERED_SENTENCES = 4096


class RulesExtractor:
    """Report graphs by rules.

    The text of a concept is the lexicon's canonical phrase ("pleural effusion" for "effusions"), or the figures of a
    measurement ("8 mm"): no free text of the report, so no name, can enter a study. Spans count code points of the
    text given. The result depends on the text, ``version`` and ``fingerprint`` only.

    One caller at a time: spaCy's pipeline is shared by all calls of an instance. The pipeline is built at the first
    call (about two seconds, most of it importing spaCy).

    Parameters
    ----------
    sections : "impression" reads the last impression, as the paper does, and falls back on findings, last paragraph
        and comparison; "findings+impression" reads both where both exist.

    Raises
    ------
    ModelError
        E_MODEL for an unknown choice of sections.
    """

    name = "rules"
    version = "1"

    def __init__(self, *, sections: SectionChoice = "impression") -> None:
        check_choice(sections)
        self.sections: SectionChoice = sections
        self._lexicon = load_lexicon()
        self._graph_of: Callable[[tuple[str, ...]], SentenceGraph] | None = None

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) over the lexicon and the choice of sections."""
        return hashlib.sha256(f"{self._lexicon.fingerprint} {self.sections}".encode()).hexdigest()

    @property
    def categories(self) -> Mapping[str, str]:
        """Finding category ("effusion") by canonical concept text ("pleural effusion")."""
        return self._lexicon.categories

    def __call__(self, texts: Sequence[str], keys: Sequence[str | None] | None = None) -> list[ReportGraph]:  # noqa: ARG002
        """One graph per report, in order.

        Parameters
        ----------
        texts : whole reports; the parts to read are found by ``sections.parts_to_read``.
        keys : not looked at.

        Raises
        ------
        SourceError
            E_SOURCE_TEXT when an item is not text, or when a single string is given for the sequence.
        MissingExtraError
            E_EXTRA when spaCy or negspacy is not installed.
        """
        if isinstance(texts, str):
            raise SourceError("reports come as a sequence of texts, not as one text", code="E_SOURCE_TEXT")
        if self._graph_of is None:
            self._graph_of = _reader(self._lexicon)
        return [self._read(text, index, self._graph_of) for index, text in enumerate(texts)]

    def _read(self, text: str, index: int, graph_of: Callable[[tuple[str, ...]], SentenceGraph]) -> ReportGraph:
        if not isinstance(text, str):
            raise SourceError("a report must be text", code="E_SOURCE_TEXT", where=f"report {index}")
        vocabulary = self._lexicon.vocabulary
        concepts: list[Concept] = []
        triples: list[tuple[int, int, int]] = []
        for start, end in parts_to_read(text, self.sections):
            for sentence in sentences(text, start, end):
                graph = graph_of(tuple(word if word in vocabulary else UNKNOWN for word in sentence.words))
                offset = len(concepts)
                triples += [(offset + head, relation, offset + tail) for head, relation, tail in graph.triples]
                for words, label, first, last in graph.nodes:
                    begin, stop = sentence.places[first][0], sentence.places[last - 1][1]
                    concepts.append(Concept(words or _figures(text, sentence, first, last), label, begin, stop))
        # Sentences come in order and their triples are sorted, so the whole is sorted.
        return ReportGraph(tuple(concepts), np.array(triples, dtype=np.int32).reshape(-1, 3))


def _reader(lexicon: Lexicon) -> Callable[[tuple[str, ...]], SentenceGraph]:
    tag = build_tagger(lexicon)

    @lru_cache(maxsize=_REMEMBERED_SENTENCES)
    def graph_of(words: tuple[str, ...]) -> SentenceGraph:
        mentions = sorted(tag(words) + _measurements(words), key=lambda mention: mention.start)
        return relate(words, mentions, lexicon) if mentions else SentenceGraph((), ())

    return graph_of


def _measurements(words: Sequence[str]) -> list[Mention]:
    """Sizes in a sentence: "8 mm", "8-mm", "3.2 x 2.1 cm", but not a rate such as "48 mm/h"."""
    found = []
    free = 0
    for index, word in enumerate(words):
        if word not in UNITS or words[index + 1 : index + 2] in (("/",), ("hg",)):
            continue
        first = index
        while first - 1 >= free and words[first - 1] in {NUMBER, "x", "-"}:
            first -= 1
        while first < index and words[first] != NUMBER:
            first += 1
        if first < index:
            found.append(Mention(_MEASUREMENT, first, index + 1, PRESENT))
        free = index + 1
    return found


def _figures(text: str, sentence: Sentence, first: int, last: int) -> str:
    """A measurement in one spelling: figures, " x " between them, unit."""
    pieces = [text[slice(*sentence.places[index])].lower() for index in range(first, last)]
    return " ".join(piece for piece in pieces if piece != "-")
