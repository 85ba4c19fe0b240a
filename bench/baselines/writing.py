"""Greedy decoding for any model that gives the logits of the next token."""

from __future__ import annotations

from collections.abc import Callable

import torch

from bench.baselines.lessons import END, LONGEST, PADDING

__all__ = ["greedy"]


def greedy(
    logits: Callable[[torch.Tensor], torch.Tensor], count: int, *, device: torch.device | None = None
) -> list[list[int]]:
    """Token ids of every text, END included where it was written.

    Parameters
    ----------
    logits : tokens int64 [count, T] to float32 [count, T, vocabulary]; called for every position.
    count : texts.
    device : where the tokens lie.
    """
    tokens = torch.full((count, 1), PADDING, dtype=torch.long, device=device)
    ended = torch.zeros(count, dtype=torch.bool, device=device)
    while tokens.shape[1] < LONGEST and not ended.all():
        following = logits(tokens)[:, -1].argmax(dim=-1).masked_fill(ended, PADDING)
        tokens = torch.cat([tokens, following[:, None]], dim=1)
        ended |= following == END
    return tokens[:, 1:].tolist()
