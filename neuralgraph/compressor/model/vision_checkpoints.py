"""The vision part of a model from a checkpoint of others: its settings, its weights under our names, its normalisation.

Read are: the folder or hub id of a Swin as transformers saves it, of any model of timm, or one file of weights
(.safetensors, or .pth as ``torch.save`` writes it, read without unpickling) together with timm's name of its
architecture. The names of weights are timm's, or those of lukemelas' EfficientNet-PyTorch.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import safetensors
import safetensors.torch
import timm
import torch

from neuralgraph.compressor.model.backbone import backbone_settings, is_backbone
from neuralgraph.compressor.model.configuration import VisionSettings
from neuralgraph.compressor.model.files import model_directory
from neuralgraph.errors import ModelError
from neuralgraph.migration.weights import read_weights

__all__ = ["VisionCheckpoint", "VisionChoice", "read_json", "read_tensors", "read_vision"]

_IMAGENET_MEAN, _IMAGENET_STD = 0.449, 0.226
"""Mean over the channels of what ImageNet weights are normalised with."""
_SAVED_BY_TORCH = (".pth", ".pt", ".bin")
_SWIN_NAMES = (
    (r"^embeddings\.patch_embeddings\.projection\.", "patch_embed.proj."),
    (r"^embeddings\.norm\.", "patch_embed.norm."),
    (r"^encoder\.layers\.(\d+)\.blocks\.(\d+)\.", r"layers.\1.blocks.\2."),
    (r"\.layernorm_before\.", ".norm1."),
    (r"\.layernorm_after\.", ".norm2."),
    (r"\.attention\.self\.relative_position_bias_table$", ".attn.relative_position_bias_table"),
    (r"\.attention\.output\.dense\.", ".attn.proj."),
    (r"\.intermediate\.dense\.", ".mlp.fc1."),
    (r"\.output\.dense\.", ".mlp.fc2."),
    (r"^layernorm\.", "norm."),
)


class VisionChoice(NamedTuple):
    """What of a checkpoint becomes the encoder, and how large the films are that it is shown."""

    architecture: str = ""
    """timm's name, for a file of weights, which does not say; "" takes what the folder says."""
    stage: int = 0
    """Which map of a backbone is the grid, counted from 1; 0 for the last."""
    output_stride: int = 0
    """The stride timm is asked for; 0 for the backbone's own."""
    neck: int = 0
    """Width of a neck over the map; 0 for none."""
    max_side: int = 1024
    """Longest side in pixels that films keep; larger ones are reduced to it."""


class VisionCheckpoint(NamedTuple):
    """What was read."""

    settings: VisionSettings
    weights: dict[str, torch.Tensor]
    """Under the names that ``NeuralGraphModel.vision`` has; a neck is new and has none."""
    mean: float
    std: float
    """Of the normalisation it was trained with, over the channels."""


def read_vision(
    source: str | Path, choice: VisionChoice | None = None, *, local_files_only: bool = False
) -> VisionCheckpoint:
    """Read a vision checkpoint.

    Parameters
    ----------
    source : a folder, a hub id, or a file of weights.
    choice : what of it is taken.
    local_files_only : never ask the network.

    Raises
    ------
    ModelError (E_MODEL) : it is incomplete, of another kind, or does not fit what is asked of it.
    SourceError : as ``read_weights``, for a .pth file.
    """
    choice = choice or VisionChoice()
    if Path(source).is_file():
        if not choice.architecture:
            raise ModelError(
                "a file of weights needs timm's name of its architecture", code="E_MODEL", where=str(source)
            )
        path = Path(source)
        if path.suffix in _SAVED_BY_TORCH:
            weights = {name: torch.from_numpy(array) for name, array in read_weights(path).items()}
        else:
            weights = read_tensors(path)
        return _of_timm(choice.architecture, weights, {}, choice)
    directory = model_directory(source, needed=("config.json", "model.safetensors"), local_files_only=local_files_only)
    values, weights = read_json(directory / "config.json"), read_tensors(directory / "model.safetensors")
    if values.get("model_type") == "swin":
        if choice.stage or choice.output_stride or choice.neck:
            raise ModelError("stage, stride and neck belong to a backbone of timm", code="E_MODEL", where=str(source))
        fields = ("patch_size", "embed_dim", "depths", "num_heads", "window_size", "mlp_ratio", "drop_path_rate")
        chosen = {"channels": values.get("num_channels", 3)} | {key: values[key] for key in fields if key in values}
        chosen |= {key: tuple(chosen[key]) for key in ("depths", "num_heads") if key in chosen}
        return VisionCheckpoint(VisionSettings(**chosen), _swin_of_transformers(weights), _IMAGENET_MEAN, _IMAGENET_STD)
    architecture = choice.architecture or values.get("architecture")
    if not isinstance(architecture, str):
        reason = "the vision checkpoint is neither a Swin of transformers nor a model of timm"
        raise ModelError(reason, code="E_MODEL", where="config.json")
    said = values.get("pretrained_cfg")
    return _of_timm(architecture, weights, said if isinstance(said, dict) else {}, choice)


def _of_timm(
    architecture: str, weights: dict[str, torch.Tensor], said: Mapping[str, Any], choice: VisionChoice
) -> VisionCheckpoint:
    known = timm.get_pretrained_cfg(architecture) if is_backbone(architecture) else None
    known_values = {} if known is None else known.to_dict()
    mean, std = (_average(said.get(name, known_values.get(name)), name) for name in ("mean", "std"))
    classifier = said.get("classifier", known_values.get("classifier"))
    heads = tuple(f"{each}." for each in ([classifier] if isinstance(classifier, str) else classifier or ()))
    if "_conv_stem.weight" in weights:
        weights = _efficientnet_of_others(weights, architecture)
    weights = {key: tensor for key, tensor in weights.items() if not key.startswith(heads)}
    if re.match(r"swin_(tiny|small|base|large)_patch", architecture) and not (choice.stage or choice.neck):
        return VisionCheckpoint(_swin_settings(weights), weights, mean, std)
    names = known_values.get("first_conv") or ()
    reads = f"{names if isinstance(names, str) else next(iter(names), '')}.weight"
    if reads not in weights:
        raise ModelError(
            "the vision checkpoint has no convolution that reads the image", code="E_MODEL", where="model.safetensors"
        )
    # Its second axis says how many channels there are.
    settings = backbone_settings(
        architecture,
        channels=int(weights[reads].shape[1]),
        stage=choice.stage,
        output_stride=choice.output_stride,
        neck=choice.neck,
    )
    return VisionCheckpoint(settings, {f"body.{key}": tensor for key, tensor in weights.items()}, mean, std)


def _average(values: Any, name: str) -> float:
    """A grey film has one number where photographs have three."""
    default = _IMAGENET_MEAN if name == "mean" else _IMAGENET_STD
    if not isinstance(values, (list, tuple)) or not values or not all(isinstance(one, (int, float)) for one in values):
        return default
    return round(sum(values) / len(values), 6)


def _efficientnet_of_others(weights: Mapping[str, torch.Tensor], architecture: str) -> dict[str, torch.Tensor]:
    """Weights of EfficientNet-PyTorch (``_blocks.7._expand_conv``) under timm's names (``blocks.3.1.conv_pw``)."""
    stages = [len(stage) for stage in timm.create_model(architecture, pretrained=False).blocks]
    places = [f"blocks.{stage}.{block}" for stage, count in enumerate(stages) for block in range(count)]
    plain = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2", "_fc": "classifier"}
    first = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
    other = {
        "_expand_conv": "conv_pw", "_bn0": "bn1", "_depthwise_conv": "conv_dw", "_bn1": "bn2",
        "_project_conv": "conv_pwl", "_bn2": "bn3",
    }  # fmt: skip
    renamed = {}
    for key, tensor in weights.items():
        parts = key.split(".")
        if parts[0] != "_blocks":
            renamed[".".join([plain.get(parts[0], parts[0]), *parts[1:]])] = tensor
            continue
        number, layer = int(parts[1]), parts[2]
        table = other if f"_blocks.{number}._expand_conv.weight" in weights else first
        if number >= len(places) or layer not in table:
            raise ModelError(
                f"the vision checkpoint is no {architecture}: it has {key}", code="E_MODEL", where="vision"
            )
        renamed[".".join([places[number], table[layer], *parts[3:]])] = tensor
    return renamed


def _swin_settings(weights: Mapping[str, torch.Tensor]) -> VisionSettings:
    """The settings of a Swin of timm, read off its weights."""
    try:
        projection = weights["patch_embed.proj.weight"]
        depths: list[int] = []
        heads: list[int] = []
        while f"layers.{len(depths)}.blocks.0.norm1.weight" in weights:
            stage = f"layers.{len(depths)}.blocks."
            blocks = {key.split(".")[3] for key in weights if key.startswith(stage)}
            depths.append(len(blocks))
            heads.append(int(weights[f"{stage}0.attn.relative_position_bias_table"].shape[1]))
        table = weights["layers.0.blocks.0.attn.relative_position_bias_table"]
        inner = weights["layers.0.blocks.0.mlp.fc1.weight"]
    except KeyError as error:
        raise ModelError(
            f"the vision checkpoint lacks {error.args[0]}", code="E_MODEL", where="model.safetensors"
        ) from error
    return VisionSettings(
        channels=int(projection.shape[1]),
        patch_size=int(projection.shape[2]),
        embed_dim=int(projection.shape[0]),
        depths=tuple(depths),
        num_heads=tuple(heads),
        window_size=(round(float(table.shape[0]) ** 0.5) + 1) // 2,
        mlp_ratio=inner.shape[0] / inner.shape[1],
    )


def _swin_of_transformers(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Weights of transformers' Swin under timm's names: one matrix for q, k and v, downsampling before its stage."""
    renamed: dict[str, torch.Tensor] = {}
    parts: dict[str, dict[str, torch.Tensor]] = {}
    for key, tensor in weights.items():
        name = key.removeprefix("swin.")
        if name.startswith(("classifier.", "pooler.")) or name.endswith("relative_position_index"):
            continue
        down = re.match(r"^encoder\.layers\.(\d+)\.downsample\.(.+)$", name)
        if down:
            renamed[f"layers.{int(down[1]) + 1}.downsample.{down[2]}"] = tensor
            continue
        for pattern, new in _SWIN_NAMES:
            name = re.sub(pattern, new, name)
        third = re.match(r"^(.+)\.attention\.self\.(query|key|value)\.(weight|bias)$", name)
        if third:
            parts.setdefault(f"{third[1]}.attn.qkv.{third[3]}", {})[third[2]] = tensor
        else:
            renamed[name] = tensor
    for name, three in parts.items():
        if len(three) != 3:
            raise ModelError(f"the vision checkpoint lacks a part of {name}", code="E_MODEL", where="model.safetensors")
        renamed[name] = torch.cat([three["query"], three["key"], three["value"]])
    return renamed


def read_json(path: Path) -> dict[str, Any]:
    """A table of fields from a JSON file; ModelError (E_MODEL) when it is none."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError("config.json is not a readable JSON file", code="E_MODEL", where=str(path)) from error
    if not isinstance(values, dict):
        raise ModelError("config.json is not a table of fields", code="E_MODEL", where=str(path))
    return values


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a safetensors file; ModelError (E_MODEL) when it is none."""
    try:
        return safetensors.torch.load_file(path)
    except (safetensors.SafetensorError, OSError, ValueError) as error:
        raise ModelError("the weights are damaged or not safetensors", code="E_MODEL", where=str(path)) from error
