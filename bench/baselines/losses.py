"""Losses that several systems share."""

from __future__ import annotations

import torch
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from bench.baselines.lessons import PADDING

__all__ = ["findings_loss", "report_loss"]


def findings_loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean binary cross-entropy over the labels that are known.

    Parameters
    ----------
    logits, labels : float32 [B, findings]; a label of NaN is not known.
    """
    known = ~labels.isnan()
    return binary_cross_entropy_with_logits(logits[known], labels[known])


def report_loss(logits: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy over the tokens that are no padding.

    Parameters
    ----------
    logits : float32 [B, T, vocabulary].
    tokens : int64 [B, T], what each position should say.
    """
    return cross_entropy(logits.flatten(0, 1), tokens.flatten(), ignore_index=PADDING)
