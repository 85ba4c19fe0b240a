"""The rule-based extractor: lexicon, cues with scopes and in-sentence rules; no model, no network, no library."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from neuralgraph.compressor.report_graph.language import is_another_language
from neuralgraph.compressor.report_graph.lexicon import Lexicon, load_lexicon
from neuralgraph.compressor.report_graph.lines import Lines
from neuralgraph.compressor.report_graph.mentions import build_tagger
from neuralgraph.compressor.report_graph.merge import Merger
from neuralgraph.compressor.report_graph.relations import SentenceGraph, relate
from neuralgraph.compressor.report_graph.result import ReportGraph
from neuralgraph.compressor.report_graph.sections import SectionChoice, check_choice, read_parts
from neuralgraph.compressor.report_graph.words import UNKNOWN, Sentence
from neuralgraph.errors import SourceError

__all__ = ["RulesExtractor"]

# Sentences of reports repeat ("No pleural effusion."); the cache holds words of the lexicon only, never a report's.
_REMEMBERED_SENTENCES = 4096


class RulesExtractor:
    """Report graphs by rules.

    The text of a concept is the lexicon's canonical phrase ("pleural effusion" for "effusions"), or the figures of a
    measurement ("8 mm"): no free text of the report, so no name, can enter a study. Spans count code points of the
    text given. The result depends on the text, ``version`` and ``fingerprint`` only. A report in another language than
    English gives an empty graph.

    Parameters
    ----------
    sections : "findings+impression" reads the clinical narrative: findings, impression and addenda; "impression" reads
        the last impression, as MIMIC's labels do, and falls back on findings, last paragraph and comparison.

    Raises
    ------
    ModelError (E_MODEL) : an unknown choice of sections.
    """

    name = "rules"
    version = "2"

    def __init__(self, *, sections: SectionChoice = "findings+impression") -> None:
        check_choice(sections)
        self.sections: SectionChoice = sections
        self._lexicon = load_lexicon()
        self._lines = Lines(self._lexicon)
        self._graph_of = _reader(self._lexicon)

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
        texts : whole reports; the parts to read are found by ``sections.read_parts``.
        keys : not looked at.

        Raises
        ------
        SourceError (E_SOURCE_TEXT) : an item is not text, or a single string is given for the sequence.
        """
        if isinstance(texts, str):
            raise SourceError("reports come as a sequence of texts, not as one text", code="E_SOURCE_TEXT")
        return [self._read(text, index) for index, text in enumerate(texts)]

    def _read(self, text: str, index: int) -> ReportGraph:
        if not isinstance(text, str):
            raise SourceError("a report must be text", code="E_SOURCE_TEXT", where=f"report {index}")
        if is_another_language(text):
            return ReportGraph()
        vocabulary = self._lexicon.vocabulary
        parts = read_parts(text, self.sections)
        merger = Merger(parts)
        for number, part in enumerate(parts):
            for sentence in self._lines.sentences(text, part.start, part.end):
                graph = self._graph_of(tuple(word if word in vocabulary else UNKNOWN for word in sentence.words))
                if graph.nodes:
                    spans = [(sentence.places[node.start][0], sentence.places[node.end - 1][1]) for node in graph.nodes]
                    words = [node.text or _figures(text, sentence, node.start, node.end) for node in graph.nodes]
                    merger.add(number, graph, words, spans)
        return merger.graph()


def _reader(lexicon: Lexicon) -> Callable[[tuple[str, ...]], SentenceGraph]:
    tag = build_tagger(lexicon)

    @lru_cache(maxsize=_REMEMBERED_SENTENCES)
    def graph_of(words: tuple[str, ...]) -> SentenceGraph:
        mentions = tag(words)
        return relate(words, mentions, lexicon) if mentions else SentenceGraph((), ())

    return graph_of


def _figures(text: str, sentence: Sentence, first: int, last: int) -> str:
    """A measurement in one spelling: figures, " x " between them, unit."""
    pieces = [text[slice(*sentence.places[index])].lower() for index in range(first, last)]
    return " ".join(piece for piece in pieces if piece != "-")
