from __future__ import annotations

import json

import pytest
import safetensors.torch
import torch

from neuralgraph.compressor.model.configuration import NeuralGraphConfig
from neuralgraph.compressor.model.model import NeuralGraphModel
from neuralgraph.errors import ModelError


@pytest.fixture
def pixels():
    return torch.randn(2, 1, 24, 40, generator=torch.Generator().manual_seed(2))


@pytest.fixture
def saved(tiny_model, tmp_path):
    tiny_model.save_pretrained(tmp_path)
    return tmp_path


def refused(directory, **options):
    with pytest.raises(ModelError) as caught:
        NeuralGraphModel.from_pretrained(directory, **options)
    assert caught.value.code == "E_MODEL"
    return str(caught.value)


def test_saved_and_loaded_it_is_the_same_to_the_bit(tiny_model, saved, pixels):
    loaded = NeuralGraphModel.from_pretrained(saved)
    before, after = tiny_model.state_dict(), loaded.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert loaded.config.to_dict() == tiny_model.config.to_dict()
    assert not loaded.training
    labels = torch.tensor([[5, 6, 1], [7, 1, -100]])
    with torch.inference_mode():
        assert torch.equal(tiny_model(pixels, labels).logits, loaded(pixels, labels).logits)
        assert torch.equal(tiny_model(pixels).class_logits, loaded(pixels).class_logits)


def test_saving_twice_gives_the_same_bytes(tiny_model, saved, tmp_path):
    NeuralGraphModel.from_pretrained(saved).save_pretrained(tmp_path / "again")
    for name in ("config.json", "model.safetensors"):
        assert (saved / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_the_directory_holds_safetensors_and_json_only(saved):
    assert sorted(path.name for path in saved.iterdir()) == ["config.json", "model.safetensors"]
    assert not any(path.read_bytes().startswith((b"PK", b"\x80")) for path in saved.iterdir())


def test_no_text_encoder_and_no_weight_twice_is_stored(saved, tiny_model):
    stored = safetensors.torch.load_file(saved / "model.safetensors")
    assert not any("encoder.block" in name for name in stored)
    assert "text.lm_head.weight" not in stored
    assert sum(tensor.numel() for tensor in stored.values()) == sum(one.numel() for one in tiny_model.parameters())
    loaded = NeuralGraphModel.from_pretrained(saved)
    assert loaded.text.lm_head.weight is loaded.text.shared.weight is loaded.text.decoder.embed_tokens.weight


def test_half_precision_on_disk_is_full_precision_in_use(tiny_model, tmp_path):
    tiny_model.half().save_pretrained(tmp_path)
    loaded = NeuralGraphModel.from_pretrained(tmp_path)
    assert {one.dtype for one in loaded.parameters()} == {torch.float32}
    assert torch.equal(loaded.projection[0].weight, tiny_model.projection[0].weight.float())
    half = NeuralGraphModel.from_pretrained(tmp_path, dtype=torch.float16)
    assert half.text.decoder.block[0].layer[-1].DenseReluDense.wo.weight.dtype == torch.float32


@pytest.mark.parametrize(("height", "width"), [(8, 8), (24, 40), (200, 336), (8, 400), (512, 512)])
def test_any_grid(tiny_model, height, width):
    with torch.inference_mode():
        encoded = tiny_model.encode(torch.randn(1, 1, height, width))
    assert (encoded.rows, encoded.cols) == (height // 8, width // 8)
    assert encoded.embedding.shape == (1, encoded.rows * encoded.cols, 16)
    assert encoded.memory.shape == (1, encoded.rows * encoded.cols, 24)
    assert encoded.memory.isfinite().all()


def test_equal_patches_in_different_places_differ_for_the_decoder(tiny_model):
    signal = tiny_model.position(9, 13)
    assert torch.cdist(signal, signal).fill_diagonal_(1).min() > 1e-2


def test_a_place_in_the_chest_has_one_signal_on_every_grid(tiny_model):
    # Cell (1, 1) of 3 x 3 and cell (4, 7) of 9 x 15 both have their centre in the middle of the film.
    assert torch.allclose(tiny_model.position(3, 3)[4], tiny_model.position(9, 15)[4 * 15 + 7], atol=1e-5)


def test_the_joint_loss(tiny_model, pixels):
    labels = torch.tensor([[5, 6, 1], [7, 1, -100]])
    classes = torch.tensor([[1.0, float("nan")], [0.0, float("nan")]])
    with torch.inference_mode():
        output = tiny_model(pixels, labels, classes)
        truth = torch.nn.functional.cross_entropy(output.logits.flatten(0, 1)[:5], labels.flatten()[:5])
        known = output.class_logits[:, 0].double()
        by_hand = -(known[0].sigmoid().log() + (1 - known[1].sigmoid()).log()) / 2
        assert output.generation_loss.item() == pytest.approx(truth.item(), rel=1e-5)
        assert output.classification_loss.item() == pytest.approx(by_hand.item(), rel=1e-5)
        assert output.loss.item() == pytest.approx(truth.item() + 0.5 * by_hand.item(), rel=1e-5)
        assert tiny_model(pixels).loss is None
        assert tiny_model(pixels, class_labels=torch.full((2, 2), torch.nan)).loss.item() == 0


def test_every_weight_learns(tiny_model, pixels):
    tiny_model.train()
    tiny_model(pixels, torch.tensor([[5, 6, 1], [7, 8, 1]]), torch.tensor([[1.0, 0.0], [0.0, 1.0]])).loss.backward()
    idle = {name for name, weight in tiny_model.named_parameters() if weight.grad is None}
    assert idle == {"text.encoder.final_layer_norm.weight"}


@pytest.mark.parametrize("beams", [1, 3])
def test_writing_is_deterministic(tiny_model, pixels, beams):
    with torch.inference_mode():
        encoded = tiny_model.encode(pixels)
        first = tiny_model.generate(encoded, beams=beams, limit=9)
        torch.manual_seed(99)
        assert torch.equal(first, tiny_model.generate(encoded, beams=beams, limit=9))
        assert first.shape == (2, 9)
        # The untrained model never stops by itself, and padding is no word.
        assert (first != 0).all()


def test_greedy_writing_takes_the_likeliest_token(tiny_model, pixels):
    with torch.inference_mode():
        written = tiny_model.generate(tiny_model.encode(pixels[:1]))
        logits = tiny_model(pixels[:1], written).logits.clone()
        logits[..., 0] = -torch.inf
    assert written.shape == (1, 12)
    assert torch.equal(logits.argmax(dim=-1), written)


@pytest.mark.parametrize("beams", [1, 3])
def test_every_report_begins_with_the_opening(tiny_model, pixels, beams):
    tiny_model.config.opening = (17, 18, 19)
    encoded = tiny_model.encode(pixels)
    written = tiny_model.generate(encoded, beams=beams, limit=9)
    assert written.shape == (2, 9)
    assert written[:, :3].tolist() == [[17, 18, 19]] * 2
    with torch.inference_mode():
        logits = tiny_model(pixels, written.contiguous()).logits
        logits[..., 0] = -torch.inf
    if beams == 1:
        assert torch.equal(logits.argmax(dim=-1)[:, 3:], written[:, 3:])
    assert tiny_model.generate(encoded, beams=beams, limit=2)[0, 0] == 17


def test_weights_must_fit(saved):
    weights = safetensors.torch.load_file(saved / "model.safetensors")
    for change, words in (
        ({"classifier.1.bias": None}, "lack classifier.1.bias"),
        ({"extra": torch.zeros(1)}, "do not belong here: extra"),
        ({"classifier.1.bias": torch.zeros(5)}, r"classifier.1.bias is [5], config.json says [2]"),
    ):
        changed = {name: tensor for name, tensor in {**weights, **change}.items() if tensor is not None}
        safetensors.torch.save_file(changed, saved / "model.safetensors")
        assert words in refused(saved)


def test_pickled_weights_are_never_read(saved):
    (saved / "model.safetensors").rename(saved / "pytorch_model.bin")
    message = refused(saved)
    assert "lacks model.safetensors" in message
    assert "pickle" in message


def test_the_hub_is_not_asked_when_offline():
    assert "no model directory nobody/nothing" in refused("nobody/nothing", local_files_only=True)
    assert "neither a model directory" in refused("/no/where")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"auto_map": {"AutoModel": "evil.Model"}}, "unknown field 'auto_map'"),
        ({"quantization_config": {}}, "unknown field"),
        ({"model_type": "t5"}, "not the configuration"),
        ({"trained": "yes"}, "trained"),
        ({"labels": [1]}, "labels"),
        ({"labels": 3}, "labels"),
        ({"classification_weight": -1}, "classification_weight"),
        ({"vision": {"embed_dim": 0}}, "vision.embed_dim"),
        ({"vision": {"depths": []}}, "vision.depths"),
        ({"vision": {"depths": [2], "num_heads": [2, 4]}}, "equally long"),
        ({"vision": {"embed_dim": 97}}, "multiple of its heads"),
        ({"vision": 3}, "vision"),
        ({"text": {"attn_implementation": "someone/kernel"}}, "unknown field 'attn_implementation'"),
        ({"text": {"vocab_size": 1 << 40}}, "text.vocab_size"),
        ({"text": {"dropout_rate": 1.0}}, "text.dropout_rate"),
        ({"text": {"eos_token_id": 40000}}, "outside the vocabulary"),
        ({"opening": [40000]}, "a token lies outside the vocabulary"),
        ({"opening": "FINDINGS:"}, "must be a list of tokens"),
        ({"opening": [-1]}, "config.json: opening"),
        ({"opening": [1] * 256}, "shorter than a report"),
        ({"text": {"feed_forward_proj": "swish"}}, "feed_forward_proj"),
    ],
)
def test_a_configuration_is_read_strictly(saved, change, words):
    values = json.loads((saved / "config.json").read_text())
    (saved / "config.json").write_text(json.dumps({**values, **change}))
    assert words in refused(saved)


def test_transformers_can_print_and_copy_the_configuration(tiny_model):
    config = tiny_model.config
    assert json.loads(config.to_json_string())["text"]["num_layers"] == 3
    values = config.to_dict()
    values.pop("model_type")
    assert NeuralGraphConfig(**values).to_dict() == config.to_dict()
