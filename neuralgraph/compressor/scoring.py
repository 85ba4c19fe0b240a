"""One score per patch: how much the decoder looks at it while it writes the report (paper; plan.md section 2.1).

Teacher forcing as in training: the decoder reads the start token and the report shifted one place to the right, so that
position t predicts token t. The attention of position t belongs to the token it predicts; the row that predicts the end
token is a special one and does not count.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from neuralgraph.compressor.attention import Heads, Layer, attention_scores
from neuralgraph.compressor.model.model import EncodedFilm, NeuralGraphModel
from neuralgraph.compressor.model.tokenizer import ReportTokenizer
from neuralgraph.errors import LimitError

__all__ = ["ReportScore", "score_reports"]


class ReportScore(NamedTuple):
    """The scores of one film."""

    score: NDArray[np.float32]
    """[N], row-major cells."""
    text: str
    """The report given, or the one the decoder wrote."""
    generated: bool
    tokens: int
    """How many tokens were summed; 0 when the text has none and the start token's attention had to stand in."""


def score_reports(
    model: NeuralGraphModel,
    tokenizer: ReportTokenizer,
    encoded: EncodedFilm,
    reports: Sequence[str | None],
    *,
    layer: Layer = -1,
    heads: Heads = "mean",
) -> list[ReportScore]:
    """Score the patches of films on one grid against their reports.

    Parameters
    ----------
    model : in evaluation mode.
    tokenizer : its tokenizer.
    encoded : B films.
    reports : B reports; where one is None or blank the decoder writes it (greedy) and its own tokens are summed.
    layer, heads : as in ``attention_scores``; the defaults are the paper's.

    Returns
    -------
    One ``ReportScore`` per film. Films scored together and films scored alone agree to 1e-5, not to the bit: matrix
    products of other shapes round differently.

    Raises
    ------
    LimitError : E_LIMIT when a report is longer than the model's ``max_report_tokens``.
    ModelError : E_MODEL_ATTENTION when the attention is not usable.
    SourceError : E_SOURCE_TEXT when a report is not text.
    """
    device = encoded.memory.device
    texts: list[str] = []
    tokens: list[list[int]] = []
    for number, report in enumerate(reports):
        if report is not None and report.strip():
            texts.append(report)
            tokens.append(_encode(model, tokenizer, report))
        else:
            # One film at a time, so that what is written never depends on the company it was written in.
            alone = encoded._replace(
                embedding=encoded.embedding[number : number + 1], memory=encoded.memory[number : number + 1]
            )
            written = _until_end(model.generate(alone)[0].tolist(), model.config.text.eos_token_id)
            texts.append(_printable(tokenizer.decode(written)))
            tokens.append(written)
    decoder_ids, counted = _teacher_forcing(model, tokenizer, tokens)
    summed = [int(row.sum()) for row in counted]
    for row in counted:
        row[0] |= not row.any()
    scores = attention_scores(
        model, encoded.memory, decoder_ids.to(device), counted.to(device), layer=layer, heads=heads
    )
    return [
        ReportScore(score.cpu().numpy(), text, not (report and report.strip()), count)
        for score, text, report, count in zip(scores, texts, reports, summed, strict=True)
    ]


def _encode(model: NeuralGraphModel, tokenizer: ReportTokenizer, report: str) -> list[int]:
    ids = tokenizer.encode(report)
    most = model.config.max_report_tokens
    if len(ids) > most:
        raise LimitError(
            f"the report has {len(ids)} tokens, the model takes {most}; shorten it or pass its findings only",
            where="report",
        )
    return ids


def _until_end(ids: list[int], end: int) -> list[int]:
    return ids[: ids.index(end)] if end in ids else ids


def _teacher_forcing(
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


def _printable(text: str) -> str:
    """Without what no report holds: control characters, halves of characters, unassigned code points."""
    kept = (letter if letter == "\n" or unicodedata.category(letter)[0] != "C" else " " for letter in text)
    return "".join(kept).replace("\N{REPLACEMENT CHARACTER}", "").strip()
