"""Sentence to mentions: which phrases of the lexicon it holds, and whether they are asserted.

spaCy's PhraseMatcher over a blank English vocabulary finds the phrases. It is the engine of EntityRuler, called without
it: the ruler finds the same phrases, but its bookkeeping for every sentence halves the reports per second. Two negspacy
Negex pipes with our own cue sets find what is denied and what is in doubt (NegEx: Chapman et al., J Biomed Inform
2001). Negex's ``chunk_prefix`` is never used: it compares with startswith, so that "no" would deny every "nodule".
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from neuralgraph.errors import missing_extra

from .lexicon import Entry, Lexicon
from .words import split_words

__all__ = ["ABSENT", "PRESENT", "UNCERTAIN", "Mention", "build_tagger"]

PRESENT, UNCERTAIN, ABSENT = "definitely present", "uncertain", "definitely absent"

# What is denied is denied, whatever doubt is voiced beside it: the order decides.
_JUDGES = {ABSENT: ("absent", "neuralgraph_absent"), UNCERTAIN: ("uncertain", "neuralgraph_uncertain")}


class Mention(NamedTuple):
    """A phrase of the lexicon in a sentence."""

    entry: Entry
    start: int
    """First word."""
    end: int
    """One past the last word."""
    polarity: str
    """``PRESENT``, ``UNCERTAIN`` or ``ABSENT``."""


def _import_spacy() -> Any:
    with warnings.catch_warnings():
        # Deprecations inside spaCy's own dependencies are not the caller's to fix.
        warnings.simplefilter("ignore")
        try:
            import spacy
        except ImportError as error:
            raise missing_extra("reading reports with rules", extra="text", library="spacy") from error
        try:
            import negspacy.negation  # noqa: F401  registers the "negex" pipe
        except ImportError as error:
            raise missing_extra("reading reports with rules", extra="text", library="negspacy") from error
    return spacy


def build_tagger(lexicon: Lexicon) -> Callable[[tuple[str, ...]], list[Mention]]:
    """The function from the words of one sentence to its mentions, in order.

    Raises
    ------
    MissingExtraError
        E_EXTRA when spaCy or negspacy is not installed.
    """
    spacy = _import_spacy()
    from spacy.matcher import PhraseMatcher
    from spacy.tokens import Doc, Span

    nlp = spacy.blank("en")
    nlp.tokenizer = _PhraseTokenizer(nlp.vocab, Doc)
    by_key: dict[int, Entry] = {}
    matcher = PhraseMatcher(nlp.vocab, attr="ORTH")
    for words, entry in lexicon.phrases.items():
        key = f"{entry.kind} {entry.concept} {entry.category}"
        by_key[nlp.vocab.strings.add(key)] = entry
        matcher.add(key, [Doc(nlp.vocab, words=list(words))])
    judges = []
    for polarity, (name, extension) in _JUDGES.items():
        terms = {role: list(phrases) for role, phrases in lexicon.cues[name].items()}
        pipe = nlp.add_pipe("negex", name=name, config={"neg_termset": terms, "extension_name": extension})
        cues = terms["preceding_negations"] + terms["following_negations"]
        judges.append((polarity, pipe, extension, frozenset(split_words(cue)[0] for cue in cues)))

    def tag(words: tuple[str, ...]) -> list[Mention]:
        doc = Doc(nlp.vocab, words=list(words), sent_starts=[True] + [False] * (len(words) - 1))
        matches = _longest(matcher(doc), len(words))
        if not matches:
            return []
        doc.set_ents([Span(doc, start, end, label=key) for key, start, end in matches])
        verdicts = [PRESENT] * len(matches)
        for polarity, pipe, extension, first_words in judges:
            # Without a cue Negex changes nothing; most sentences hold none.
            if not first_words.isdisjoint(words):
                pipe(doc)
                for index, entity in enumerate(doc.ents):
                    if verdicts[index] == PRESENT and entity._.get(extension):
                        verdicts[index] = polarity
        return [
            Mention(by_key[key], start, end, verdict)
            for (key, start, end), verdict in zip(matches, verdicts, strict=True)
        ]

    return tag


def _longest(matches: Sequence[tuple[int, int, int]], size: int) -> list[tuple[int, int, int]]:
    """Matches that do not overlap, in order: longer ones first, then earlier ones."""
    taken = [False] * size
    kept = []
    for match in sorted(matches, key=lambda match: (match[1] - match[2], match[1])):
        _, start, end = match
        if not (taken[start] or taken[end - 1]):
            taken[start:end] = [True] * (end - start)
            kept.append(match)
    return sorted(kept, key=lambda match: match[1])


class _PhraseTokenizer:
    """Splits the lexicon's phrases as ``words.split_words`` does; sentences come split already."""

    def __init__(self, vocab: Any, doc: Any) -> None:
        self.vocab = vocab
        self._doc = doc

    def __call__(self, text: str) -> Any:
        return self._doc(self.vocab, words=list(split_words(text)))

    def pipe(self, texts: Sequence[str], **_: Any) -> Any:
        return (self(text) for text in texts)
