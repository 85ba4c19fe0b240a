"""How attention becomes a score: the paper's sum, and three rules beside it.

``sum`` : attention summed over the tokens of the report (the NEURAL paper).
``contrast`` : the sum relative to what the model gives the same place on average, so that what every report says ("the
    heart is normal") does not outshine what this one says.
``findings`` : the sum over the tokens of findings that the report graph calls definitely present, and of the words that
    say where they are (``located_at``). A report without any is scored by ``sum``, and its study says ``sum``.
``gradient`` : attention times the gradient of the report's log-likelihood after it, negative products left out, summed
    over the tokens (Chefer et al. 2021).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from neuralgraph.compressor.model.files import MEAN_ATTENTION_NAME
from neuralgraph.compressor.scored_film import WordMaps
from neuralgraph.errors import ModelError

__all__ = ["SCORE_RULES", "FindingSpans", "Heads", "Layer", "ScoreRule", "Scoring", "tokens_within", "word_maps"]

Heads = Literal["mean", "max"]
"""How the heads of a layer become one map."""
Layer: TypeAlias = int | Literal["all"]
"""A decoder layer, negative from the end, or the mean over all of them."""
ScoreRule = Literal["sum", "contrast", "findings", "gradient"]
SCORE_RULES: tuple[ScoreRule, ...] = get_args(ScoreRule)
"""Names of the rules; the first is the paper's and the default."""

Span: TypeAlias = tuple[int, int]
"""Code points of a text, the end excluded."""
FindingSpans: TypeAlias = Callable[[str], Sequence[Span]]
"""Gives the places of a report that name a finding as definitely present."""

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, kw_only=True, eq=False)
class Scoring:
    """Which attention becomes a score, and how; the defaults are the paper's."""

    layer: Layer = -1
    heads: Heads = "mean"
    """Which cross-attention is summed: the last layer, the mean over heads."""
    rule: ScoreRule = "sum"
    """How attention becomes a score."""
    findings: FindingSpans | None = None
    """Gives the places of a report that name a finding; needed by the rule "findings" alone."""
    mean_attention: NDArray[np.float32] | None = None
    """float32 [r, c], the model's mean map, needed by the rule "contrast" alone; ``load_scorer`` reads the one that
    lies beside the weights."""

    def check(self) -> None:
        """Refuse a rule that is unknown, or lacks what it needs.

        Raises
        ------
        ModelError (E_MODEL) : the rule cannot be used.
        """
        if self.rule not in SCORE_RULES:
            reason = f"{self.rule!r} is not a score rule; use one of {', '.join(SCORE_RULES)}"
            raise ModelError(reason, code="E_MODEL", where="score")
        if self.rule == "contrast" and self.mean_attention is None:
            reason = f"the score rule contrast needs {MEAN_ATTENTION_NAME} beside the weights, and the model has none"
            raise ModelError(reason, code="E_MODEL", where="score")
        if self.rule == "findings" and self.findings is None:
            reason = "the score rule findings needs a report graph; choose an extractor"
            raise ModelError(reason, code="E_MODEL", where="score")


def tokens_within(tokens: Sequence[Span], spans: Sequence[Span]) -> list[bool]:
    """Which tokens share a code point with one of the spans."""
    return [any(start < last and first < end for first, last in spans) for start, end in tokens]


def word_maps(text: str, tokens: Sequence[Span], attention: NDArray[np.float32]) -> WordMaps:
    """Maps of tokens added up to maps of words.

    A token belongs to the first word it shares a code point with; tokens of punctuation and space belong to none.

    Parameters
    ----------
    text : the report.
    tokens : T places in it, ascending.
    attention : float32 [T, N].

    Returns
    -------
    WordMaps : of the words that have a token, in order.
    """
    words = [match.span() for match in _WORD.finditer(text)]
    owner, number = np.full(len(tokens), -1), 0
    for token, (start, end) in enumerate(tokens):
        while number < len(words) and words[number][1] <= start:
            number += 1
        if number < len(words) and words[number][0] < end:
            owner[token] = number
    present = np.unique(owner[owner >= 0])
    maps = np.zeros((len(present), attention.shape[1]), np.float32)
    np.add.at(maps, np.searchsorted(present, owner[owner >= 0]), attention[: len(tokens)][owner >= 0])
    places = np.array([words[number] for number in present], np.int64).reshape(-1, 2)
    return WordMaps(places[:, 0], places[:, 1], maps)
