from __future__ import annotations

import pytest
import torch

from neuralgraph.compressor.attention import attention_scores, check_attention, chosen_layers, sum_over_tokens
from neuralgraph.errors import ModelError


def test_heads_are_averaged_and_counted_tokens_summed_by_hand():
    attention = torch.tensor([[[[0.2, 0.8], [0.5, 0.5], [1.0, 0.0]], [[0.4, 0.6], [0.1, 0.9], [0.0, 1.0]]]])
    counted = torch.tensor([[True, True, False]])
    # token 0: (0.3, 0.7); token 1: (0.3, 0.7); token 2 does not count
    assert torch.allclose(sum_over_tokens(attention, counted), torch.tensor([[0.6, 1.4]]))
    # maxima over heads: (0.4, 0.8) and (0.5, 0.9)
    assert torch.allclose(sum_over_tokens(attention, counted, heads="max"), torch.tensor([[0.9, 1.7]]))


def test_nothing_counted_sums_to_nothing():
    assert not sum_over_tokens(torch.rand(2, 3, 4, 5), torch.zeros(2, 4, dtype=torch.bool)).any()


@pytest.mark.parametrize("tokens", [1, 64, 150])  # below, at and over the size of a chunk
@pytest.mark.parametrize("heads", ["mean", "max"])
@pytest.mark.parametrize("layer", [-1, 0, 1, "all"])
def test_it_is_the_attention_transformers_computes_eagerly(tiny_model, layer, heads, tokens):
    generator = torch.Generator().manual_seed(3)
    ids = torch.randint(2, 2048, (2, tokens), generator=generator)
    counted = torch.rand(2, tokens, generator=generator) > 0.3
    with torch.inference_mode():
        memory = tiny_model.encode(torch.randn(2, 1, 24, 40, generator=generator)).memory
        scores = attention_scores(tiny_model, memory, ids, counted, layer=layer, heads=heads)
        tiny_model.text.set_attn_implementation("eager")
        layers = tiny_model.text.decoder(
            input_ids=ids, encoder_hidden_states=memory, use_cache=False, output_attentions=True
        ).cross_attentions
    assert len(layers) == 3
    chosen = layers if layer == "all" else [layers[layer]]
    by_head = [one.mean(dim=1) if heads == "mean" else one.amax(dim=1) for one in chosen]
    expected = torch.stack([(one * counted[:, :, None]).sum(dim=1) for one in by_head]).mean(dim=0)
    assert scores.shape == (2, 15)
    assert torch.allclose(scores, expected, rtol=1e-5, atol=1e-5)


def test_each_token_gives_one(tiny_model):
    with torch.inference_mode():
        memory = tiny_model.encode(torch.randn(1, 1, 24, 40)).memory
        scores = attention_scores(tiny_model, memory, torch.arange(7)[None], torch.ones(1, 7, dtype=torch.bool))
    assert scores.sum().item() == pytest.approx(7, abs=1e-5)


def test_no_hook_stays_behind(tiny_model):
    check_attention(tiny_model)
    assert not any(module._forward_hooks for module in tiny_model.modules())


def test_layers_are_counted_from_either_end(tiny_model):
    assert chosen_layers(tiny_model, -1) == [2]
    assert chosen_layers(tiny_model, 0) == [0]
    assert chosen_layers(tiny_model, "all") == [0, 1, 2]
    for wrong in (3, -4, "last", True, 1.0):
        with pytest.raises(ModelError, match="layer must be") as caught:
            chosen_layers(tiny_model, wrong)
        assert caught.value.code == "E_MODEL_ATTENTION"


def test_unknown_head_reduction_is_refused():
    with pytest.raises(ModelError, match="heads must be"):
        sum_over_tokens(torch.ones(1, 1, 1, 1), torch.ones(1, 1, dtype=torch.bool), heads="median")


def failure(model):
    with pytest.raises(ModelError) as caught:
        check_attention(model)
    assert caught.value.code == "E_MODEL_ATTENTION"
    return str(caught.value)


def test_a_sound_model_passes_in_every_precision(tiny_model):
    for dtype in (torch.float32, torch.bfloat16):
        check_attention(tiny_model.to(dtype))


def test_a_decoder_that_never_looks_at_the_film_fails_loudly(tiny_model, monkeypatch):
    layer = tiny_model.text.decoder.block[-1].layer[1]
    monkeypatch.setattr(layer, "forward", lambda hidden_states, *args, **named: (hidden_states, None, None))
    assert "never ran cross-attention" in failure(tiny_model)
    with pytest.raises(ModelError, match="never ran cross-attention"):
        attention_scores(tiny_model, torch.randn(1, 6, 24), torch.zeros(1, 1).long(), torch.ones(1, 1).bool())


def test_weights_that_are_not_numbers_fail_loudly(tiny_model):
    with torch.no_grad():
        tiny_model.text.decoder.block[-1].layer[1].EncDecAttention.k.weight[0, 0] = torch.nan
    assert "not finite" in failure(tiny_model)
    with pytest.raises(ModelError, match="not finite"), torch.inference_mode():
        attention_scores(tiny_model, torch.randn(1, 6, 24), torch.zeros(1, 1).long(), torch.ones(1, 1).bool())


def test_weights_that_do_not_sum_to_one_fail_loudly(tiny_model, monkeypatch):
    monkeypatch.setattr(torch, "softmax", lambda logits, dim: torch.sigmoid(logits))
    assert "sum to 1" in failure(tiny_model)


def test_attention_that_the_model_does_not_use_fails_loudly(tiny_model, monkeypatch):
    attention = tiny_model.text.decoder.block[1].layer[1].EncDecAttention
    with torch.no_grad():
        attention.q.weight *= 20  # so that the temperature matters
    check_attention(tiny_model)
    monkeypatch.setattr(attention, "scaling", 0.1)
    assert "not those it uses" in failure(tiny_model)


def test_no_tensor_holds_all_heads_or_all_tokens_of_the_patches(tiny_model):
    from torch.utils._python_dispatch import TorchDispatchMode

    class Largest(TorchDispatchMode):
        found = 0

        def __torch_dispatch__(self, function, types, arguments=(), named=None):
            result = function(*arguments, **(named or {}))
            if isinstance(result, torch.Tensor) and n_patches in result.shape:
                self.found = max(self.found, result.numel())
            return result

    n_patches, tokens, heads = 997, 300, 3
    tiny_model.text.set_attn_implementation("sdpa")
    memory, ids = torch.randn(1, n_patches, 24), torch.arange(2, 2 + tokens)[None]
    with torch.inference_mode(), Largest() as seen:
        # What the forward pass itself takes is forgotten when it ends.
        tiny_model.text.decoder.register_forward_hook(lambda *_: setattr(seen, "found", 0))
        attention_scores(tiny_model, memory, ids, torch.ones(1, tokens, dtype=torch.bool))
    # Memory that grows with patches, and with neither the tokens nor their product with the heads.
    assert 0 < seen.found <= n_patches * 64 < n_patches * tokens * heads
