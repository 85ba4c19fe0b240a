"""Attention times gradient: which looks of the decoder made the report likelier (Chefer et al. 2021).

Fused attention does not hand out its weights, so neither can their gradients be asked for. But a layer returns
O(A V), hence d/dA = (gradient of what the layer returns) O V^T, and that gradient comes from a zero added to its
output. Only what follows the first chosen layer is recorded for the backward pass.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from transformers.modeling_outputs import BaseModelOutput

from neuralgraph.compressor.attention import (
    TOKENS_AT_ONCE,
    CrossAttention,
    attention_of,
    by_head,
    chosen_layers,
    no_attention,
    over_heads,
)
from neuralgraph.compressor.model.model import NeuralGraphModel
from neuralgraph.compressor.score_rules import Heads, Layer

__all__ = ["gradient_by_token"]


def gradient_by_token(
    model: NeuralGraphModel,
    memory: torch.Tensor,
    decoder_ids: torch.Tensor,
    targets: torch.Tensor,
    counted: torch.Tensor,
    *,
    layer: Layer = -1,
    heads: Heads = "mean",
) -> list[tuple[int, int, torch.Tensor]]:
    """max(0, attention x gradient of the summed log-likelihood of the counted tokens).

    Parameters
    ----------
    model, memory, decoder_ids, layer, heads : as in ``attention_by_token``.
    targets : int64 [B, T], the token that each position predicts.
    counted : bool [B, T], the positions whose likelihood counts.

    Returns
    -------
    list of (start, stop, float32 [B, stop - start, N]) : as ``attention_by_token`` yields them.

    Raises
    ------
    ModelError (E_MODEL_ATTENTION) : nothing usable was captured.
    """
    layers = chosen_layers(model, layer)
    parts = []
    # Tensors of inference mode can take no part in a backward pass; copies made outside of it can.
    with torch.inference_mode(mode=False):
        inputs = (each.clone() for each in (memory, decoder_ids, targets, counted))
        runs, gradients = _captured_gradients(model, layers, *inputs)
        for run, gradient in zip(runs, gradients, strict=True):
            with torch.no_grad():
                weights_of = attention_of(run)
                value = by_head(run.module, run.module.v(run.memory)).float().transpose(-2, -1)
                toward = by_head(run.module, gradient.float() @ run.module.o.weight.float())
                for start in range(0, decoder_ids.shape[1], TOKENS_AT_ONCE):
                    stop = min(start + TOKENS_AT_ONCE, decoder_ids.shape[1])
                    product = weights_of(start, stop) * (toward[:, :, start:stop] @ value)
                    parts.append((start, stop, over_heads(product.clamp(min=0), heads) / len(layers)))
    return parts


def _captured_gradients(
    model: NeuralGraphModel,
    layers: list[int],
    memory: torch.Tensor,
    decoder_ids: torch.Tensor,
    targets: torch.Tensor,
    counted: torch.Tensor,
) -> tuple[list[CrossAttention], tuple[torch.Tensor, ...]]:
    runs: list[CrossAttention] = []
    zeros: list[torch.Tensor] = []

    def collect(module: nn.Module, positional: tuple[Any, ...], named: dict[str, Any], output: Any) -> Any:
        hidden = positional[0] if positional else named["hidden_states"]
        runs.append(CrossAttention(module, hidden.detach(), named["key_value_states"].detach(), output[0].detach()))
        # From here on the run is recorded; what came before needs no gradient and is not.
        torch.set_grad_enabled(True)
        zeros.append(torch.zeros_like(output[0], requires_grad=True))
        return (output[0] + zeros[-1], *output[1:])

    handles = [
        model.text.decoder.block[index].layer[1].EncDecAttention.register_forward_hook(collect, with_kwargs=True)
        for index in layers
    ]
    try:
        with torch.no_grad():
            logits = model.text(
                encoder_outputs=BaseModelOutput(last_hidden_state=memory),
                decoder_input_ids=decoder_ids,
                use_cache=False,
            ).logits
            if len(runs) != len(layers):
                raise no_attention("its decoder never ran cross-attention")
            likelihood = logits.float().log_softmax(dim=-1).gather(-1, targets[:, :, None])[:, :, 0]
            return runs, torch.autograd.grad(likelihood[counted].sum(), zeros)
    finally:
        for handle in handles:
            handle.remove()
