"""A model made ready for inference computes what the plain one computes, and stays a model."""

from __future__ import annotations

import copy

import pytest
import safetensors.torch
import torch
from timm.layers import Mlp
from torch import nn

from neuralgraph.compressor.attention import attention_scores
from neuralgraph.compressor.generation import ReportWriter
from neuralgraph.compressor.model import inference
from neuralgraph.compressor.model import model as model_module
from neuralgraph.compressor.model.configuration import NeuralGraphConfig
from neuralgraph.compressor.model.inference import OneDnnLinear, OneDnnMlp, onednn_types, ready_for_inference
from neuralgraph.compressor.model.model import NeuralGraphModel
from neuralgraph.compressor.model.preprocess import Preprocessor
from neuralgraph.compressor.model_scorer import ModelScorer

pytestmark = pytest.mark.skipif(torch.float32 not in onednn_types(), reason="this torch has no oneDNN")


@pytest.fixture(scope="module")
def swin_t5():
    """Swin-tiny and T5-tiny in their layers' widths, fewer of them: most products are large enough for oneDNN."""
    config = NeuralGraphConfig(
        name="swin-tiny + t5-tiny",
        labels=("pneumonia",),
        vision={"channels": 3, "embed_dim": 96, "depths": [2, 2, 2], "num_heads": [3, 6, 12]},
        text={"vocab_size": 512, "d_model": 256, "d_kv": 64, "d_ff": 1024, "num_layers": 2, "num_heads": 4},
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(11)
        return NeuralGraphModel(config).eval()


@pytest.fixture
def calls(monkeypatch):
    """Shapes and activations of the products that oneDNN computed."""
    found, product = [], inference._product

    def counted(states, weight, bias, *, activation="none"):
        found.append((tuple(states.shape), activation))
        return product(states, weight, bias, activation=activation)

    monkeypatch.setattr(inference, "_product", counted)
    return found


def inputs(batch, height, width, channels=3, tokens=40):
    generator = torch.Generator().manual_seed(5)
    pixels = torch.randn(batch, channels, height, width, generator=generator)
    return pixels, torch.randint(2, 512, (batch, tokens), generator=generator)


def eager_scores(model, pixels, ids):
    """As the published pipeline has them: every layer's attention handed out, the last one summed."""
    model = copy.deepcopy(model)
    model.text.set_attn_implementation("eager")
    with torch.inference_mode():
        run = model.text.decoder(
            input_ids=ids, encoder_hidden_states=model.encode(pixels).memory, use_cache=False, output_attentions=True
        )
    return run.cross_attentions[-1].mean(dim=1).sum(dim=1)


def scores_of(model, pixels, ids):
    with torch.inference_mode():
        encoded = model.encode(pixels)
        return encoded, attention_scores(model, encoded.memory, ids, torch.ones_like(ids, dtype=torch.bool))


@pytest.mark.parametrize(("batch", "height", "width"), [(1, 224, 224), (2, 192, 320), (3, 256, 48), (1, 16, 16)])
def test_scores_and_embeddings_are_those_of_the_plain_model(swin_t5, calls, batch, height, width):
    pixels, ids = inputs(batch, height, width)
    plain, expected = scores_of(swin_t5, pixels, ids)[0], eager_scores(swin_t5, pixels, ids)
    assert not calls
    ready = ready_for_inference(copy.deepcopy(swin_t5))
    encoded, scores = scores_of(ready, pixels, ids)
    assert calls
    if height * width > 1 << 14:
        assert "gelu" in {activation for _, activation in calls}
    torch.testing.assert_close(scores, expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(encoded.embedding, plain.embedding, rtol=1e-5, atol=1e-5)
    assert torch.equal(scores_of(ready, pixels, ids)[1], scores)


def test_every_layer_agrees_when_all_of_them_go_through_onednn(tiny_model, calls, monkeypatch):
    monkeypatch.setattr(inference, "_FEWEST_MULTIPLICATIONS", 0)
    monkeypatch.setattr(inference, "_FEWEST_ROWS", 1)
    monkeypatch.setattr(inference, "_BYTES_AT_ONCE", 1000)
    pixels, ids = inputs(2, 24, 40, channels=1)
    expected = scores_of(tiny_model, pixels, ids)[1]
    ready = ready_for_inference(copy.deepcopy(tiny_model))
    torch.testing.assert_close(scores_of(ready, pixels, ids)[1], expected, rtol=0, atol=1e-5)
    # The inner layer of the first MLP has 32 columns: 7 of its 120 rows fit.
    assert sum(shape == (7, 8) and activation == "gelu" for shape, activation in calls) == 17


def test_bfloat16_agrees_within_its_precision(swin_t5, calls):
    if torch.bfloat16 not in onednn_types():
        pytest.skip("this processor has no bfloat16")
    plain = copy.deepcopy(swin_t5).to(torch.bfloat16)
    ready = ready_for_inference(copy.deepcopy(plain))
    pixels, ids = inputs(1, 224, 224)
    expected = scores_of(plain, pixels.bfloat16(), ids)[1]
    torch.testing.assert_close(scores_of(ready, pixels.bfloat16(), ids)[1], expected, rtol=0.05, atol=0.05)
    assert calls


def test_large_films_go_one_by_one_and_give_what_they_give_together(swin_t5, monkeypatch):
    pixels, ids = inputs(3, 64, 96)
    expected = scores_of(swin_t5, pixels, ids)[1]
    seen, features = [], swin_t5.vision.forward_features
    monkeypatch.setattr(swin_t5.vision, "forward_features", lambda part: seen.append(len(part)) or features(part))
    monkeypatch.setattr(model_module, "_LARGE_FILM", 64 * 96)
    torch.testing.assert_close(scores_of(swin_t5, pixels, ids)[1], expected, rtol=0, atol=1e-5)
    assert seen == [1, 1, 1]
    swin_t5.encode(pixels)  # with gradients
    assert seen == [1, 1, 1, 3]


def test_weights_stay_the_same_tensors_under_the_same_names(swin_t5, tmp_path):
    model = copy.deepcopy(swin_t5)
    before = {name: each.data_ptr() for name, each in model.state_dict().items()}
    parameters = [id(each) for each in model.parameters()]
    assert ready_for_inference(model) is model
    assert {name: each.data_ptr() for name, each in model.state_dict().items()} == before
    assert [id(each) for each in model.parameters()] == parameters
    assert model.text.lm_head.weight is model.text.shared.weight
    model.save_pretrained(tmp_path / "ready")
    swin_t5.save_pretrained(tmp_path / "plain")
    for name in ("config.json", "model.safetensors"):
        assert (tmp_path / "ready" / name).read_bytes() == (tmp_path / "plain" / name).read_bytes()
    assert type(copy.deepcopy(ready_for_inference(model)).projection[0]) is OneDnnLinear


def test_gradients_are_those_of_the_plain_model(swin_t5, calls):
    pixels, labels = inputs(1, 96, 96)
    plain, ready = copy.deepcopy(swin_t5), ready_for_inference(copy.deepcopy(swin_t5))
    for model in (plain, ready):
        model(pixels, labels, torch.ones(1, 1)).loss.backward()
    assert not calls
    for (name, one), other in zip(plain.named_parameters(), ready.parameters(), strict=True):
        assert (one.grad is None) == (other.grad is None), name
        if one.grad is not None:
            torch.testing.assert_close(other.grad, one.grad, rtol=1e-4, atol=1e-5, msg=name)
    optimiser = torch.optim.SGD(ready.parameters(), lr=0.1)
    before = scores_of(ready, pixels, labels)[1]
    optimiser.step()
    trained = copy.deepcopy(swin_t5)
    trained.load_state_dict(ready.state_dict())
    after = scores_of(ready, pixels, labels)[1]
    torch.testing.assert_close(after, scores_of(trained, pixels, labels)[1], rtol=0, atol=1e-5)
    assert not torch.allclose(after, before)


def test_dropout_of_a_model_in_training_is_not_passed_over():
    mlp = Mlp(256, 1024, drop=0.5)
    ready = ready_for_inference(nn.Sequential(mlp))
    states = torch.randn(64, 256)
    with torch.no_grad():
        assert torch.equal(ready(states), ready(states))
        ready.train()
        assert not torch.equal(ready(states), ready(states))


def test_what_onednn_cannot_do_is_done_as_before(calls):
    layer = nn.Linear(512, 512)
    ready = ready_for_inference(nn.Sequential(copy.deepcopy(layer)))
    states = torch.randn(64, 512)
    with torch.inference_mode():
        assert torch.equal(ready.double()(states.double()), layer.double()(states.double()))
        layer.float()
        ready.float()
        with torch.autocast("cpu", torch.bfloat16):
            assert ready(states).dtype == torch.bfloat16
        assert ready(states[:0]).shape == (0, 512)
        assert torch.equal(ready(states[:1]), layer(states[:1]))
        assert not calls
        torch.testing.assert_close(ready(states.T.contiguous().T), layer(states), rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(ready(states.expand(2, 3, 64, 512))[1, 2], layer(states), rtol=1e-5, atol=1e-5)
    assert len(calls) == 2


def test_only_layers_whose_computation_is_known_are_changed():
    class Own(nn.Linear):
        pass

    model = ready_for_inference(
        nn.ModuleList(
            [Own(4, 4), Mlp(4, act_layer=nn.ReLU), Mlp(4, norm_layer=nn.LayerNorm), Mlp(4), nn.Conv2d(1, 1, 1)]
        )
    )
    assert [type(each) for each in model] == [Own, Mlp, Mlp, OneDnnMlp, nn.Conv2d]
    tanh = ready_for_inference(nn.ModuleList([Mlp(4, act_layer=lambda: nn.GELU(approximate="tanh"))]))
    assert type(tanh[0]) is Mlp
    assert type(tanh[0].fc1) is OneDnnLinear


def test_without_onednn_layers_stay_as_they_are(monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(torch.backends.mkldnn, "enabled", False)
        assert onednn_types() == frozenset()
        assert type(ready_for_inference(nn.ModuleList([nn.Linear(4, 4)]))[0]) is nn.Linear
    inference._tried_types.cache_clear()
    try:
        for broken in (AttributeError, NotImplementedError, RuntimeError):

            def refuses(*_, error=broken, **__):
                raise error("no such operator")

            with monkeypatch.context() as patch:
                patch.setattr(inference, "_product", refuses)
                assert onednn_types() == frozenset()
            inference._tried_types.cache_clear()
        with monkeypatch.context() as patch:
            patch.setattr(inference, "_product", lambda states, weight, _, activation: states @ weight.T)
            assert onednn_types() == frozenset()
    finally:
        inference._tried_types.cache_clear()
    assert torch.float32 in onednn_types()


def test_trying_out_leaves_the_random_state_alone():
    inference._tried_types.cache_clear()
    before = torch.get_rng_state()
    onednn_types()
    assert torch.equal(torch.get_rng_state(), before)


def test_scorers_and_writers_make_their_model_ready(tiny_model, tokenizer):
    model = copy.deepcopy(tiny_model)
    ModelScorer(model, tokenizer, Preprocessor(stride=8), digest="0" * 64)
    assert type(model.projection[0]) is OneDnnLinear
    model = copy.deepcopy(tiny_model)
    ReportWriter(model, tokenizer, digest="0" * 64)
    assert type(model.projection[0]) is OneDnnLinear


def test_the_demo_model_scores_the_same_and_its_weights_are_unchanged(demo_directory):
    plain = NeuralGraphModel.from_pretrained(demo_directory)
    assert not any(isinstance(each, OneDnnLinear) for each in plain.modules())
    ready = ready_for_inference(copy.deepcopy(plain))
    pixels, _ = inputs(1, 256, 320, channels=plain.config.vision.channels)
    ids = torch.arange(2, 60)[None]
    expected, scores = (scores_of(model, pixels, ids)[1] for model in (plain, ready))
    torch.testing.assert_close(scores, expected, rtol=0, atol=1e-5)
    stored = safetensors.torch.load_file(demo_directory / "model.safetensors")
    assert all(torch.equal(ready.state_dict()[name], tensor.float()) for name, tensor in stored.items())
