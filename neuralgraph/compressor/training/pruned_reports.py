"""Reports of what is left: the decoder learns to write them from the patches that pruning keeps.

A stored study has only its patches of highest score. A decoder that never met such a set takes what is missing for
healthy, or repeats itself; so beside the whole film it reads a pruned one, at another retention for every batch.
"""

from __future__ import annotations

import math

import torch
from transformers.modeling_outputs import BaseModelOutput

from neuralgraph.compressor.attention import CrossAttention, float32_attention, sum_over_tokens
from neuralgraph.compressor.model.model import NeuralGraphModel
from neuralgraph.graph.retention import kept_patches

__all__ = ["pruned_loss"]

_LEAST, _USUAL, _MOST = 0.02, 0.05, 0.5
"""Retentions: the least and the most of training, and the one that is validated."""


def pruned_loss(model: NeuralGraphModel, run: CrossAttention, labels: torch.Tensor) -> torch.Tensor:
    """Generation loss of the same reports from the patches that the run scores highest, as ``TopFraction`` keeps them.

    Parameters
    ----------
    model : in training mode, retention is drawn for the batch, evenly over its logarithm.
    run : of the layer that is scored, over all N patches.
    labels : int64 [B, T], -100 on padding.

    Returns
    -------
    float32, a scalar; its gradient does not reach the choice of patches.
    """
    share = math.exp(math.log(_LEAST) + math.log(_MOST / _LEAST) * torch.rand(()).item()) if model.training else _USUAL
    with torch.no_grad():
        score = sum_over_tokens(float32_attention(run), labels >= 0)
    kept = score.topk(kept_patches(share, score.shape[1]), dim=1).indices
    memory = run.memory.gather(1, kept[:, :, None].expand(-1, -1, run.memory.shape[2]))
    loss: torch.Tensor = model.text(encoder_outputs=BaseModelOutput(last_hidden_state=memory), labels=labels).loss
    return loss
