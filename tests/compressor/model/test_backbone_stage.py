"""A stage of a backbone as the grid, with a neck; weights of others in a .pth file."""

from __future__ import annotations

import pytest
import torch

from neuralgraph.compressor.model.backbone import WHOLE, backbone_settings, build_vision, from_pixels, parts_in_order
from neuralgraph.compressor.model.checkpoints import assemble
from neuralgraph.compressor.model.configuration import NeuralGraphConfig
from neuralgraph.compressor.model.model import NeuralGraphModel
from neuralgraph.compressor.model.preprocess import Preprocessor
from neuralgraph.compressor.model.vision_checkpoints import VisionChoice
from neuralgraph.compressor.scorer import DEMO_DIRECTORY, load_scorer
from neuralgraph.errors import ModelError

LITE = "tf_efficientnet_lite0"


@pytest.fixture(scope="module")
def lite(tmp_path_factory):
    """Random weights of an EfficientNet-Lite0 in the old form of torch.save, and the model of timm they belong to."""
    import timm

    torch.manual_seed(4)
    model = timm.create_model(LITE, pretrained=False).eval()
    path = tmp_path_factory.mktemp("lite") / "lite.pth"
    torch.save(model.state_dict(), path, _use_new_zipfile_serialization=False)
    return path, model


@pytest.fixture(scope="module")
def directory(lite, tmp_path_factory):
    made = tmp_path_factory.mktemp("model")
    choice = VisionChoice(LITE, stage=4, neck=16, max_side=128)
    assemble(lite[0], DEMO_DIRECTORY, made, choice=choice, labels=("nodule",))
    return made


def test_the_map_of_a_stage_is_what_timm_gives(lite, directory):
    model = NeuralGraphModel.from_pretrained(directory)
    pixels = torch.randn(1, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected = lite[1].forward_intermediates(pixels, indices=[3], intermediates_only=True)[0]
        ours = model.vision._body(pixels, 0)
    assert torch.allclose(ours, expected, atol=1e-3)
    assert model.config.vision.stride == 16
    assert model.config.vision.dimension == 16
    # What comes after the stage is not kept.
    assert sum(weight.numel() for weight in model.vision.body.parameters()) < 0.8e6
    assert Preprocessor.read(directory) == Preprocessor(stride=16, channels=3, max_side=128, mean=0.5, std=0.5)


def test_it_saves_loads_scores_and_batches_like_any_other(directory, tmp_path):
    model = NeuralGraphModel.from_pretrained(directory)
    model.save_pretrained(tmp_path)
    again = NeuralGraphModel.from_pretrained(tmp_path)
    pixels = torch.randn(2, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        assert torch.equal(model.encode(pixels).embedding, again.encode(pixels).embedding)
    films = [torch.rand(100, 90, generator=torch.Generator().manual_seed(n)).numpy() for n in range(3)]
    alone = load_scorer(directory)(films, ["Opacity."] * 3)
    together = load_scorer(directory, batch_size=3)(films, ["Opacity."] * 3)
    for one, other in zip(alone, together, strict=True):
        assert (one.rows, one.cols, one.embedding.shape) == (7, 6, (42, 16))
        assert abs(one.score - other.score).max() < 1e-4


def test_names_of_efficientnet_pytorch_are_understood(lite, directory, tmp_path):
    weights = lite[1].state_dict()
    plain = {"conv_stem": "_conv_stem", "bn1": "_bn0", "conv_head": "_conv_head", "bn2": "_bn1", "classifier": "_fc"}
    first = {"conv_dw": "_depthwise_conv", "bn1": "_bn1", "conv_pw": "_project_conv", "bn2": "_bn2"}
    other = {
        "conv_pw": "_expand_conv", "bn1": "_bn0", "conv_dw": "_depthwise_conv", "bn2": "_bn1",
        "conv_pwl": "_project_conv", "bn3": "_bn2",
    }  # fmt: skip
    numbers: dict[str, int] = {}
    renamed = {}
    for name, tensor in weights.items():
        parts = name.split(".")
        if parts[0] == "blocks":
            number = numbers.setdefault(".".join(parts[1:3]), len(numbers))
            table = first if parts[1] == "0" else other
            renamed[".".join(["_blocks", str(number), table[parts[3]], *parts[4:]])] = tensor
        else:
            renamed[".".join([plain[parts[0]], *parts[1:]])] = tensor
    torch.save(renamed, tmp_path / "other.pth")
    choice = VisionChoice(LITE, stage=4, neck=16, max_side=128)
    assemble(tmp_path / "other.pth", DEMO_DIRECTORY, tmp_path / "m", choice=choice, labels=("nodule",))
    assert (tmp_path / "m" / "model.safetensors").read_bytes() == (directory / "model.safetensors").read_bytes()


def test_a_file_of_weights_needs_the_name_of_its_architecture(lite, tmp_path):
    with pytest.raises(ModelError, match="architecture"):
        assemble(lite[0], DEMO_DIRECTORY, tmp_path / "m")


@pytest.mark.parametrize(
    ("name", "options", "stride"),
    [
        ("resnet10t", {"stage": 3}, 8),
        ("convnext_atto", {"stage": 2, "neck": 8}, 8),
        ("resnet18", {"output_stride": 16}, 16),
    ],
)
def test_other_backbones_at_other_stages(name, options, stride):
    settings = backbone_settings(name, **options)
    assert settings.stride == stride
    vision = build_vision(settings)
    assert vision.forward_features(torch.zeros(1, 3, 64, 96)).shape == (
        1,
        64 // stride,
        96 // stride,
        settings.dimension,
    )


def test_a_stage_that_is_not_there_is_refused():
    with pytest.raises(ModelError, match="stage 9"):
        backbone_settings("resnet10t", stage=9)
    with pytest.raises(ModelError, match="neck"):
        NeuralGraphConfig(vision={"neck_dimension": 8})


def test_what_does_not_learn_keeps_its_statistics(directory):
    model = NeuralGraphModel.from_pretrained(directory)
    before = {name: tensor.clone() for name, tensor in model.vision.state_dict().items() if "running" in name}
    for trainable in (False, True):
        model.vision.requires_grad_(trainable)
        model.train()
        model.encode(torch.randn(2, 3, 64, 64))
        after = model.vision.state_dict()
        assert before
        assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())


def test_an_encoder_can_be_entered_midway(directory):
    model = NeuralGraphModel.from_pretrained(directory)
    vision, pixels = model.vision, torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    assert len(parts_in_order(vision)) == 6
    with torch.inference_mode():
        whole = vision.forward_features(pixels)
        for parts in (1, 4, WHOLE):
            kept = vision.leading(pixels, parts)
            with from_pixels(vision, parts):
                assert torch.allclose(vision.forward_features(kept), whole, atol=1e-5)
    assert vision.given is None
