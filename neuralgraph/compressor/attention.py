"""Cross-attention of the report decoder, one layer at a time and summed as it is computed.

transformers runs T5 with fused attention, which never holds the weights, and returns an empty tuple when asked for
them. So the inputs of the layer in question are captured with a hook and softmax(q k^T) is computed from them again:
T5 cross-attention has neither a position bias nor a scaling. Heads go through one by one and tokens in chunks, so that
layers x heads x tokens x patches are never held at once. ``check_attention`` compares with what the model did compute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import nn

from neuralgraph.compressor.model.model import NeuralGraphModel
from neuralgraph.compressor.score_rules import Heads, Layer
from neuralgraph.errors import ModelError

__all__ = [
    "TOKENS_AT_ONCE",
    "CrossAttention",
    "attention_by_token",
    "attention_of",
    "attention_scores",
    "by_head",
    "captured",
    "check_attention",
    "chosen_layers",
    "float32_attention",
    "no_attention",
    "over_heads",
    "sum_over_tokens",
    "summed_parts",
]

TOKENS_AT_ONCE = 64
"""Tokens whose weights are held together."""


class CrossAttention(NamedTuple):
    """One run of one cross-attention module."""

    module: Any
    """A T5Attention of transformers, which has no types."""
    hidden: torch.Tensor
    """Decoder states that ask: [B, T, d_model]."""
    memory: torch.Tensor
    """Patches that answer: [B, N, d_model]."""
    output: torch.Tensor
    """What the module returned: [B, T, d_model]."""


def attention_scores(
    model: NeuralGraphModel,
    memory: torch.Tensor,
    decoder_ids: torch.Tensor,
    counted: torch.Tensor,
    *,
    layer: Layer = -1,
    heads: Heads = "mean",
) -> torch.Tensor:
    """Cross-attention summed over report tokens: s_i = sum_t mean_h a[layer, h, t, i] (the NEURAL paper).

    Parameters
    ----------
    model : in evaluation mode.
    memory : [B, N, d_model], ``EncodedFilm.memory``.
    decoder_ids : int64 [B, T], what the decoder reads: the start token, then the report, one place to the right.
    counted : bool [B, T], which positions count.
    layer : decoder layer, or "all" for the mean over layers.
    heads : "mean" (the paper) or "max" over heads.

    Returns
    -------
    float32 [B, N].

    Raises
    ------
    ModelError (E_MODEL_ATTENTION) : nothing usable was captured.
    """
    parts = attention_by_token(model, memory, decoder_ids, layer=layer, heads=heads)
    return summed_parts(parts, counted, memory.shape[1])


def summed_parts(
    parts: Iterable[tuple[int, int, torch.Tensor]],
    counted: torch.Tensor,
    patches: int,
    maps: torch.Tensor | None = None,
) -> torch.Tensor:
    """Counted tokens summed.

    Parameters
    ----------
    parts : as ``attention_by_token`` yields them.
    counted : bool [B, T], which positions count.
    patches : N.
    maps : float32 [B, T, N] on the CPU, zeros; takes the sum of every token by itself.

    Returns
    -------
    float32 [B, N].

    Raises
    ------
    ModelError (E_MODEL_ATTENTION) : a sum is not finite.
    """
    total = torch.zeros(len(counted), patches, dtype=torch.float32, device=counted.device)
    for start, stop, by_token in parts:
        total += torch.where(counted[:, start:stop, None], by_token, 0.0).sum(dim=1)
        if maps is not None:
            maps[:, start:stop] += by_token.cpu()
    if not bool(torch.isfinite(total).all()):
        raise no_attention("its cross-attention is not finite")
    return total


def attention_by_token(
    model: NeuralGraphModel,
    memory: torch.Tensor,
    decoder_ids: torch.Tensor,
    *,
    layer: Layer = -1,
    heads: Heads = "mean",
) -> Iterator[tuple[int, int, torch.Tensor]]:
    """Cross-attention some tokens at a time; parameters and errors as ``attention_scores``.

    Yields
    ------
    (start, stop, float32 [B, stop - start, N]) : shares of the heads and layers; parts of the same tokens are to be
    added. Under "mean" heads come one by one, so that neither the keys nor the weights of all are ever held.
    """
    layers = chosen_layers(model, layer)
    with captured(model, layers) as runs:
        model.text.decoder(input_ids=decoder_ids, encoder_hidden_states=memory, use_cache=False)
    if len(runs) != len(layers):
        raise no_attention("its decoder never ran cross-attention")
    for run in runs:
        count = int(run.module.n_heads)
        alone = heads == "mean"
        for head in range(count) if alone else (0,):
            weights_of = _head_attention(run, head) if alone else attention_of(run)
            for start in range(0, decoder_ids.shape[1], TOKENS_AT_ONCE):
                stop = min(start + TOKENS_AT_ONCE, decoder_ids.shape[1])
                weights = weights_of(start, stop)
                yield (
                    start,
                    stop,
                    weights / (count * len(layers)) if alone else over_heads(weights, heads) / len(layers),
                )


def sum_over_tokens(attention: torch.Tensor, counted: torch.Tensor, *, heads: Heads = "mean") -> torch.Tensor:
    """Heads reduced, then the counted tokens summed.

    Parameters
    ----------
    attention : float [B, heads, T, N].
    counted : bool [B, T].
    heads : "mean" or "max".

    Returns
    -------
    float [B, N].
    """
    return torch.where(counted[:, :, None], over_heads(attention, heads), 0.0).sum(dim=1)


def over_heads(attention: torch.Tensor, heads: Heads) -> torch.Tensor:
    """Heads reduced: float [B, heads, T, N] to [B, T, N].

    Raises
    ------
    ModelError (E_MODEL_ATTENTION) : the reduction is unknown.
    """
    if heads == "mean":
        return attention.mean(dim=1)
    if heads == "max":
        return attention.amax(dim=1)
    raise ModelError(f'heads must be "mean" or "max", not {heads!r}', code="E_MODEL_ATTENTION", where="heads")


def chosen_layers(model: NeuralGraphModel, layer: Layer) -> list[int]:
    """Decoder layers, counted from the first.

    Raises
    ------
    ModelError (E_MODEL_ATTENTION) : the model has no such layer.
    """
    count = len(model.text.decoder.block)
    if layer == "all":
        return list(range(count))
    if isinstance(layer, bool) or not isinstance(layer, int) or not -count <= layer < count:
        raise ModelError(
            f'layer must be "all" or a whole number from {-count} to {count - 1}, not {layer!r}',
            code="E_MODEL_ATTENTION",
            where="layer",
        )
    return [layer % count]


@torch.inference_mode()
def check_attention(model: NeuralGraphModel) -> None:
    """One tiny run at load time: is the attention computed here the attention the model uses?

    Raises
    ------
    ModelError (E_MODEL_ATTENTION) : nothing is captured, a weight is not finite, the weights of a token do not sum to
        1, or the weights times the values are not what the layer returned.
    """
    stride, channels = model.config.vision.stride, model.config.vision.channels
    weight = model.position.linear.weight
    ramp = torch.linspace(-1, 1, 6 * stride * stride, device=weight.device, dtype=weight.dtype)
    encoded = model.encode(ramp.reshape(1, 1, 2 * stride, 3 * stride).expand(1, channels, -1, -1))
    text = model.config.text
    ids = torch.arange(4, device=weight.device)[None] % text.vocab_size
    layers = chosen_layers(model, "all")
    with captured(model, layers) as runs:
        model.text.decoder(input_ids=ids, encoder_hidden_states=encoded.memory, use_cache=False)
    if len(runs) != len(layers):
        raise no_attention("its decoder never ran cross-attention")
    tolerance = 1e-4 if weight.dtype == torch.float32 else 5e-2
    for run in runs:
        attention = attention_of(run)(0, ids.shape[1])
        if attention.numel() == 0 or not bool(torch.isfinite(attention).all()):
            raise no_attention("its cross-attention is empty or not finite")
        if bool(((attention.sum(dim=-1) - 1).abs() > 1e-3).any()):
            raise no_attention("the attention of a token does not sum to 1")
        value = by_head(run.module, run.module.v(run.memory)).float()
        mixed = (attention @ value).transpose(1, 2).flatten(2).to(run.output.dtype)
        expected = run.module.o(mixed).float()
        returned = run.output.float()
        if bool((expected - returned).abs().amax() > tolerance * (1 + returned.abs().amax())):
            raise no_attention("the weights computed here are not those it uses")


@contextmanager
def captured(model: NeuralGraphModel, layers: list[int]) -> Iterator[list[CrossAttention]]:
    """Collect the runs of the cross-attention of some layers, in the order of the layers.

    Parameters
    ----------
    model : whose decoder runs inside the context.
    layers : counted from the first, as ``chosen_layers`` gives them.
    """
    runs: list[CrossAttention] = []

    def collect(module: nn.Module, positional: tuple[Any, ...], named: dict[str, Any], output: Any) -> None:
        hidden = positional[0] if positional else named["hidden_states"]
        memory = named.get("key_value_states")
        if memory is not None:
            runs.append(CrossAttention(module, hidden, memory, output[0]))

    handles = [
        model.text.decoder.block[index].layer[1].EncDecAttention.register_forward_hook(collect, with_kwargs=True)
        for index in layers
    ]
    try:
        yield runs
    finally:
        for handle in handles:
            handle.remove()


def attention_of(run: CrossAttention) -> Callable[[int, int], torch.Tensor]:
    """The weights of tokens start..stop as a function: float32 [B, heads, stop - start, N]."""
    by_one = [_head_attention(run, head) for head in range(int(run.module.n_heads))]
    return lambda start, stop: torch.stack([weights(start, stop) for weights in by_one], dim=1)


def float32_attention(run: CrossAttention) -> torch.Tensor:
    """All weights of a run, float32 [B, heads, T, N], computed in float32 even where the model runs in less."""
    run = run._replace(hidden=run.hidden.float(), memory=run.memory.float())
    with torch.autocast(run.hidden.device.type, enabled=False):
        return attention_of(run)(0, run.hidden.shape[1])


def _head_attention(run: CrossAttention, head: int) -> Callable[[int, int], torch.Tensor]:
    """The weights of one head for tokens start..stop as a function: float32 [B, stop - start, N]."""
    module, width = run.module, int(run.module.key_value_proj_dim)
    own = slice(head * width, (head + 1) * width)
    keys = nn.functional.linear(run.memory, module.k.weight[own]).float().transpose(-2, -1)

    def weights(start: int, stop: int) -> torch.Tensor:
        queries = nn.functional.linear(run.hidden[:, start:stop], module.q.weight[own]).float()
        return torch.softmax(queries @ keys, dim=-1)

    return weights


def by_head(module: Any, states: torch.Tensor) -> torch.Tensor:
    """[B, T, heads * d_kv] as [B, heads, T, d_kv]."""
    batch, length = states.shape[:2]
    return states.reshape(batch, length, module.n_heads, module.key_value_proj_dim).transpose(1, 2)


def no_attention(reason: str) -> ModelError:
    """The error of a model whose attention is not usable."""
    return ModelError(f"the model cannot score patches: {reason}", code="E_MODEL_ATTENTION", where="model")
