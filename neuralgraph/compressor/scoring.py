"""One score per patch: how much the decoder looks at it while it writes the report (the NEURAL paper).

Teacher forcing as in training: the decoder reads the start token and the report shifted one place to the right, so that
position t predicts token t. The attention of position t belongs to the token it predicts; the row that predicts the end
token is a special one and does not count.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from neuralgraph.compressor.attention import attention_by_token, summed_parts
from neuralgraph.compressor.attention_gradient import gradient_by_token
from neuralgraph.compressor.model.mean_attention import relative_to_mean
from neuralgraph.compressor.model.model import EncodedFilm, NeuralGraphModel
from neuralgraph.compressor.model.tokenizer import ReportTokenizer
from neuralgraph.compressor.score_rules import ScoreRule, Scoring, tokens_within, word_maps
from neuralgraph.compressor.scored_film import WordMaps
from neuralgraph.errors import LimitError

__all__ = ["ReportScore", "printable", "score_reports", "teacher_forcing", "until_end"]


class ReportScore(NamedTuple):
    """The scores of one film."""

    score: NDArray[np.float32]
    """[N], row-major cells."""
    text: str
    """The report given, or the one the decoder wrote."""
    generated: bool
    tokens: int
    """How many tokens were summed; 0 when the text has none and the start token's attention had to stand in."""
    rule: str = "sum"
    """The rule that was applied."""
    words: WordMaps | None = None


def score_reports(
    model: NeuralGraphModel,
    tokenizer: ReportTokenizer,
    encoded: EncodedFilm,
    reports: Sequence[str | None],
    *,
    scoring: Scoring | None = None,
    words: bool = False,
) -> list[ReportScore]:
    """Score the patches of films on one grid against their reports.

    Parameters
    ----------
    model : in evaluation mode.
    tokenizer : its tokenizer.
    encoded : B films.
    reports : B reports; where one is None or blank the decoder writes it (greedy) and its own tokens are summed.
    scoring : which attention, and what becomes of it; None is the paper's.
    words : give the maps of the words too: attention, or for the rule ``gradient`` its product with the gradient.

    Returns
    -------
    One ``ReportScore`` per film. Films scored together and films scored alone agree to 1e-5, not to the bit: matrix
    products of other shapes round differently.

    Raises
    ------
    LimitError (E_LIMIT) : a report is longer than the model's ``max_report_tokens``.
    ModelError (E_MODEL_ATTENTION) : the attention is not usable.
    ModelError (E_MODEL) : the rule lacks what it needs.
    SourceError (E_SOURCE_TEXT) : a report is not text.
    """
    scoring = scoring or Scoring()
    scoring.check()
    device = encoded.memory.device
    read = [_read(model, tokenizer, encoded, number, report) for number, report in enumerate(reports)]
    decoder_ids, counted = teacher_forcing(model, tokenizer, [one.tokens for one in read])
    applied = [_of_findings(one, row, scoring) for one, row in zip(read, counted, strict=True)]
    summed = [int(row.sum()) for row in counted]
    for row in counted:
        row[0] |= not row.any()
    inputs = model, encoded.memory, decoder_ids.to(device)
    counted = counted.to(device)
    parts: Iterable[tuple[int, int, torch.Tensor]]
    if scoring.rule == "gradient":
        targets = torch.full_like(decoder_ids, model.config.text.pad_token_id)
        for number, one in enumerate(read):
            targets[number, : len(one.tokens)] = torch.tensor(one.tokens, dtype=torch.long)
        parts = gradient_by_token(*inputs, targets.to(device), counted, layer=scoring.layer, heads=scoring.heads)
    else:
        parts = attention_by_token(*inputs, layer=scoring.layer, heads=scoring.heads)
    maps = torch.zeros(*decoder_ids.shape, encoded.memory.shape[1]) if words else None
    scores = summed_parts(parts, counted, encoded.memory.shape[1], maps)
    results = []
    for number, one in enumerate(read):
        score = scores[number].cpu().numpy()
        if scoring.rule == "contrast" and scoring.mean_attention is not None:
            score = relative_to_mean(score.reshape(encoded.rows, encoded.cols), scoring.mean_attention).ravel()
        found = None if maps is None else word_maps(one.text, one.places, maps[number].numpy())
        results.append(ReportScore(score, one.text, one.generated, summed[number], applied[number], found))
    return results


def _of_findings(report: _Read, counted: torch.Tensor, scoring: Scoring) -> ScoreRule:
    """Which rule a report is scored by; for ``findings`` only tokens of findings are left in ``counted``, bool [T]."""
    if scoring.rule != "findings" or scoring.findings is None:
        return scoring.rule
    named = torch.zeros_like(counted)
    spans = scoring.findings(report.text)
    named[: len(report.places)] = torch.tensor(tokens_within(report.places, spans), dtype=torch.bool)
    named &= counted
    if not named.any():
        return "sum"
    counted.copy_(named)
    return "findings"


class _Read(NamedTuple):
    """A report as the decoder reads it."""

    text: str
    tokens: list[int]
    places: list[tuple[int, int]]
    """Of each token in ``text``."""
    generated: bool


def _read(
    model: NeuralGraphModel, tokenizer: ReportTokenizer, encoded: EncodedFilm, number: int, report: str | None
) -> _Read:
    if report is not None and report.strip():
        tokens, places = tokenizer.encode_places(report)
        most = model.config.max_report_tokens
        if len(tokens) > most:
            raise LimitError(
                f"the report has {len(tokens)} tokens, the model takes {most}; shorten it or pass its findings only",
                code="E_LIMIT",
                where="report",
            )
        return _Read(report, tokens, places, generated=False)
    # One film at a time, so that what is written never depends on the company it was written in.
    alone = encoded._replace(
        embedding=encoded.embedding[number : number + 1], memory=encoded.memory[number : number + 1]
    )
    written = until_end(model.generate(alone)[0].tolist(), model.config.text.eos_token_id)
    text, moved = printable(tokenizer.decode(written))
    places = [(moved[start], moved[end]) for start, end in tokenizer.decoded_places(written)]
    return _Read(text, written, places, generated=True)


def until_end(ids: list[int], end: int) -> list[int]:
    """Token ids before the first end token."""
    return ids[: ids.index(end)] if end in ids else ids


def teacher_forcing(
    model: NeuralGraphModel, tokenizer: ReportTokenizer, tokens: Sequence[list[int]]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Decoder input, int64 [B, T], and which positions count, bool [B, T].

    Padding at the end needs no mask: the decoder is causal, so earlier positions do not see it.
    """
    text = model.config.text
    special = tokenizer.special_ids | {text.pad_token_id, text.eos_token_id, text.decoder_start_token_id}
    longest = max(1, *(len(ids) for ids in tokens)) if tokens else 1
    decoder_ids = torch.full((len(tokens), longest), text.pad_token_id, dtype=torch.long)
    counted = torch.zeros((len(tokens), longest), dtype=torch.bool)
    for row, ids in enumerate(tokens):
        shifted = [text.decoder_start_token_id, *ids[:-1]]
        decoder_ids[row, : len(shifted)] = torch.tensor(shifted)
        counted[row, : len(ids)] = torch.tensor([number not in special for number in ids], dtype=torch.bool)
    return decoder_ids, counted


def printable(text: str) -> tuple[str, list[int]]:
    """A written text without what no report holds: control characters, halves of characters, unassigned code points.

    Returns
    -------
    (str, list of int) : the text, and for every place of the given one, its end included, the place in the new one.
    """
    kept: list[str] = []
    moved: list[int] = []
    for letter in text:
        moved.append(len(kept))
        if letter != "\N{REPLACEMENT CHARACTER}":
            kept.append(letter if letter == "\n" or unicodedata.category(letter)[0] != "C" else " ")
    moved.append(len(kept))
    whole = "".join(kept)
    front, length = len(whole) - len(whole.lstrip()), len(whole.strip())
    return whole.strip(), [min(max(0, place - front), length) for place in moved]
