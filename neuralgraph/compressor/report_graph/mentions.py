"""Sentence to mentions: which phrases of the lexicon it holds, and whether they are asserted.

spaCy's blank English pipeline with an EntityRuler finds the phrases; two negspacy Negex pipes with our own cue sets
find what is denied and what is in doubt (NegEx: Chapman et al., J Biomed Inform 2001). Negex's ``chunk_prefix`` is
never used: it compares with startswith, so that "no" would deny every "nodule".
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

_EXTENSIONS = {"absent": "neuralgraph_absent", "uncertain": "neuralgraph_uncertain"}


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
    from spacy.tokens import Doc

    nlp = spacy.blank("en")
    nlp.tokenizer = _PhraseTokenizer(nlp.vocab, Doc)
    entries: list[Entry] = []
    patterns = []
    for words, entry in lexicon.phrases.items():
        if entry not in entries:
            entries.append(entry)
        patterns.append({"label": entry.kind, "pattern": " ".join(words), "id": str(entries.index(entry))})
    ruler = nlp.add_pipe("entity_ruler", config={"phrase_matcher_attr": "ORTH"})
    ruler.add_patterns(patterns)
    for name, extension in _EXTENSIONS.items():
        terms = {role: list(phrases) for role, phrases in lexicon.cues[name].items()}
        nlp.add_pipe("negex", name=name, config={"neg_termset": terms, "extension_name": extension})

    by_id = {str(index): entry for index, entry in enumerate(entries)}
    absent, uncertain = _EXTENSIONS["absent"], _EXTENSIONS["uncertain"]

    def tag(words: tuple[str, ...]) -> list[Mention]:
        size = len(words)
        doc = Doc(
            nlp.vocab,
            words=list(words),
            sent_starts=[True] + [False] * (size - 1),
        )
        doc = nlp(doc)
        mentions = []
        for entity in doc.ents:
            if entity._.get(absent):
                polarity = ABSENT
            elif entity._.get(uncertain):
                polarity = UNCERTAIN
            else:
                polarity = PRESENT
            mentions.append(Mention(by_id[entity.ent_id_], entity.start, entity.end, polarity))
        return mentions

    return tag


class _PhraseTokenizer:
    """Splits the lexicon's phrases as ``words.split_words`` does; sentences come split already."""

    def __init__(self, vocab: Any, doc: Any) -> None:
        self.vocab = vocab
        self._doc = doc

    def __call__(self, text: str) -> Any:
        return self._doc(self.vocab, words=list(split_words(text)))

    def pipe(self, texts: Sequence[str], **_: Any) -> Any:
        return (self(text) for text in texts)
