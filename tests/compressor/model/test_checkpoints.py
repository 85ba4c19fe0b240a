"""Models from checkpoints of others: the same numbers come out, and what does not fit is named."""

from __future__ import annotations

import json

import pytest
import torch
from json_outputs import printed
from safetensors.torch import save_file
from transformers import SwinConfig, SwinModel, T5Config, T5ForConditionalGeneration
from typer.testing import CliRunner

from neuralgraph.cli.main import application
from neuralgraph.compressor.model.backbone import backbone_settings
from neuralgraph.compressor.model.checkpoints import SWIN_BASE_T5_BASE, assemble
from neuralgraph.compressor.model.configuration import NeuralGraphConfig
from neuralgraph.compressor.model.model import NeuralGraphModel
from neuralgraph.compressor.scorer import load_scorer
from neuralgraph.errors import ModelError


@pytest.fixture
def t5(tmp_path, tokenizer):
    directory = tmp_path / "t5"
    torch.manual_seed(1)
    config = T5Config(vocab_size=2048, d_model=24, d_kv=8, d_ff=32, num_layers=2, num_heads=3, decoder_start_token_id=0)
    model = T5ForConditionalGeneration(config).eval()
    model.save_pretrained(directory)
    tokenizer.write(directory)
    return directory, model


@pytest.fixture
def swin(tmp_path):
    directory = tmp_path / "swin"
    torch.manual_seed(2)
    config = SwinConfig(
        image_size=64, patch_size=4, embed_dim=8, depths=[2, 2], num_heads=[1, 2], window_size=4, num_channels=3
    )
    model = SwinModel(config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "bias" in name:  # zeros would hide a bias in the wrong place
                parameter.copy_(torch.randn_like(parameter) * 0.1)
    model.save_pretrained(directory)
    return directory, model


def test_a_swin_of_transformers_and_a_t5_give_what_they_gave(swin, t5, tmp_path):
    assemble(swin[0], t5[0], tmp_path / "model")
    model = NeuralGraphModel.from_pretrained(tmp_path / "model")
    pixels = torch.randn(2, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    ids = torch.arange(2, 9)[None]
    with torch.inference_mode():
        ours, theirs = model.encode(pixels), swin[1](pixels, interpolate_pos_encoding=True).last_hidden_state
        assert (ours.rows, ours.cols) == (8, 12)
        assert torch.allclose(ours.embedding, theirs, atol=1e-5)
        memory = torch.randn(1, 6, 24)
        from transformers.modeling_outputs import BaseModelOutput

        def logits(t5):
            encoded = BaseModelOutput(last_hidden_state=memory)
            return t5(encoder_outputs=encoded, decoder_input_ids=ids).logits

        assert torch.allclose(logits(model.text), logits(t5[1]), atol=1e-5)
    scorer = load_scorer(tmp_path / "model")
    assert scorer.trained is False
    assert scorer([pixels[0, 0].sigmoid().numpy()], ["Opacity."])[0].embedding.shape == (96, 16)


def timm_checkpoint(directory, name):
    import timm

    torch.manual_seed(3)
    model = timm.create_model(name, pretrained=False, num_classes=7).eval()
    directory.mkdir()
    save_file({key: value.contiguous() for key, value in model.state_dict().items()}, directory / "model.safetensors")
    (directory / "config.json").write_text(json.dumps({"architecture": name, "num_classes": 7}))
    return model


@pytest.mark.parametrize("name", ["swin_tiny_patch4_window7_224", "convnext_atto", "resnet10t"])
def test_checkpoints_of_timm_give_what_they_gave(name, t5, tmp_path):
    theirs = timm_checkpoint(tmp_path / "timm", name)
    assemble(tmp_path / "timm", t5[0], tmp_path / "model")
    model = NeuralGraphModel.from_pretrained(tmp_path / "model")
    pixels = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected = theirs.forward_features(pixels)
        encoded = model.encode(pixels)
        other = model.encode(torch.zeros(1, 3, 96, 128))
    expected = expected.flatten(1, 2) if "swin" in name else expected.flatten(2).transpose(1, 2)
    assert (encoded.rows, encoded.cols) == (7, 7)
    # A Swin shifts its windows on a grid of one window here, and not in timm at that size: see VisionSettings.
    if "swin" not in name:
        assert torch.allclose(encoded.embedding, expected, atol=1e-4)
    assert encoded.embedding.shape == expected.shape
    assert (other.rows, other.cols) == (3, 4)


def test_what_is_no_backbone_is_refused():
    for name, reason in (
        ("hf-hub:someone/something", "no backbone"),
        ("someone/something", "no backbone"),
        ("nothing", "no backbone"),
        ("vit_tiny_patch16_224", "any size|feature map"),
    ):
        with pytest.raises(ModelError, match=reason):
            backbone_settings(name)


def test_a_configuration_that_lies_about_its_backbone_is_refused():
    values = {"backbone": "resnet10t", "backbone_stride": 32, "backbone_dimension": 7, "channels": 3}
    with pytest.raises(ModelError, match="the configuration says"):
        NeuralGraphModel(NeuralGraphConfig(vision=values))
    with pytest.raises(ModelError, match="needs backbone_stride"):
        NeuralGraphConfig(vision={"backbone": "resnet10t"})


@pytest.mark.parametrize(("part", "what"), [(0, "vision"), (1, "text")])
def test_missing_and_damaged_checkpoints_are_named(swin, t5, tmp_path, part, what):
    directory = (swin, t5)[part][0]
    weights = directory / "model.safetensors"
    from safetensors.torch import load_file

    tensors = load_file(weights)
    dropped = sorted(key for key in tensors if "norm" in key and "encoder.block" not in key)[0]
    save_file({key: value for key, value in tensors.items() if key != dropped}, weights)
    with pytest.raises(ModelError, match=f"the {what} checkpoint lacks"):
        assemble(swin[0], t5[0], tmp_path / "model")
    weights.write_bytes(b"no")
    with pytest.raises(ModelError, match="damaged"):
        assemble(swin[0], t5[0], tmp_path / "model")
    weights.unlink()
    (directory / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(ModelError, match="never read"):
        assemble(swin[0], t5[0], tmp_path / "model")


def test_the_command_says_which_model_it_made(swin, t5, tmp_path):
    arguments = ["assemble", "--vision", swin[0], "--text", t5[0], "-o", tmp_path / "model", "--json"]
    run = CliRunner().invoke(application(["assemble"]), [*map(str, arguments)])
    assert run.exit_code == 0, run.output
    assert printed("assemble", run.stdout)["model"] == load_scorer(str(tmp_path / "model")).digest


def test_a_checkpoint_of_another_kind_is_refused(swin, t5, tmp_path):
    with pytest.raises(ModelError, match="not a T5"):
        assemble(swin[0], swin_with_tokenizer(swin[0], t5[0]), tmp_path / "model")
    with pytest.raises(ModelError, match="neither a Swin"):
        assemble(t5[0], t5[0], tmp_path / "model")


def swin_with_tokenizer(swin, t5):
    (swin / "tokenizer.json").write_bytes((t5 / "tokenizer.json").read_bytes())
    return swin


def test_the_shape_of_the_paper():
    assert SWIN_BASE_T5_BASE.vision.dimension == 1024
    assert SWIN_BASE_T5_BASE.vision.stride == 32
    assert SWIN_BASE_T5_BASE.text.num_layers == 12
