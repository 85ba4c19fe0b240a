"""A model from real checkpoints: a Swin (timm's or transformers' layout, or another backbone of timm) and a T5.

Configurations, safetensors and ``tokenizer.json`` are read, nothing else: no pickle, no code. What neither checkpoint
has (projection, position signal, classification head) is initialised from a seed, so the result must be trained before
its scores mean anything, and says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import timm
import torch

from neuralgraph.compressor.model.backbone import backbone_settings
from neuralgraph.compressor.model.configuration import NeuralGraphConfig, TextSettings, VisionSettings
from neuralgraph.compressor.model.files import model_digest, model_directory
from neuralgraph.compressor.model.model import NeuralGraphModel
from neuralgraph.compressor.model.preprocess import Preprocessor
from neuralgraph.compressor.model.tokenizer import ReportTokenizer
from neuralgraph.errors import ModelError
from neuralgraph.wire.json_reading import parsed_json

__all__ = ["SWIN_BASE_T5_BASE", "assemble"]

SWIN_BASE_T5_BASE = NeuralGraphConfig(
    name="swin-base + t5-base",
    vision=VisionSettings(channels=3, embed_dim=128, depths=(2, 2, 18, 2), num_heads=(4, 8, 16, 32), window_size=7),
    text=TextSettings(),
)
"""The shape of the paper: Swin-base, stride 32, d = 1,024, and the decoder of T5-base."""

_IMAGENET_MEAN, _IMAGENET_STD = 0.449, 0.226
"""Mean over the channels of what ImageNet weights are normalised with."""
_MAX_SIDE = 1024
_T5_FIELDS = (
    "vocab_size", "d_model", "d_kv", "d_ff", "num_heads", "relative_attention_num_buckets",
    "relative_attention_max_distance", "dropout_rate", "layer_norm_epsilon", "feed_forward_proj",
    "tie_word_embeddings", "pad_token_id", "eos_token_id", "decoder_start_token_id",
)  # fmt: skip
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


def assemble(
    vision: str | Path,
    text: str | Path,
    output: Path,
    *,
    name: str = "assembled",
    labels: tuple[str, ...] = ("pneumonia",),
    seed: int = 0,
    local_files_only: bool = False,
) -> str:
    """Write the directory of a model, ready for training.

    Parameters
    ----------
    vision : directory or hub id with config.json and model.safetensors of a Swin, as transformers or timm saves it, or
        of another backbone of timm.
    text : directory or hub id with config.json, model.safetensors and tokenizer.json of a T5.
    output : created when absent.
    name : what provenance calls the model.
    labels : findings that the classification head predicts.
    seed : of the weights that neither checkpoint has.
    local_files_only : never ask the network; HF_HUB_OFFLINE=1 does the same.

    Returns
    -------
    str : the digest of the model.

    Raises
    ------
    ModelError : E_MODEL when a checkpoint is incomplete, of another kind, or does not fit its own configuration.
    """
    seen, settings, read = [], _FILES, {"local_files_only": local_files_only}
    for source, needed in ((vision, settings), (text, (*settings, "tokenizer.json"))):
        directory = model_directory(source, needed=needed, **read)  # type: ignore[arg-type]
        seen.append((directory, _json(directory / "config.json"), _tensors(directory / "model.safetensors")))
    (_, vision_values, vision_weights), (text_directory, text_values, text_weights) = seen
    vision_settings, vision_weights = _vision(vision_values, vision_weights)
    config = NeuralGraphConfig(
        name=name, trained=False, labels=labels, vision=vision_settings, text=_text_settings(text_values)
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = NeuralGraphModel(config)
    _fill(model.vision, vision_weights, "vision")
    kept = {key: tensor for key, tensor in text_weights.items() if not key.startswith("encoder.block.")}
    _fill(model.text, kept, "text", tied=config.text.tie_word_embeddings)
    output.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(output)
    Preprocessor(
        stride=config.vision.stride,
        channels=config.vision.channels,
        max_side=_MAX_SIDE,
        mean=_IMAGENET_MEAN,
        std=_IMAGENET_STD,
    ).write(output)
    ReportTokenizer.read(text_directory).write(output)
    return model_digest(output)


_FILES = ("config.json", "model.safetensors")


def _json(path: Path) -> dict[str, Any]:
    try:
        values = parsed_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError("config.json is not a readable JSON file", code="E_MODEL", where=str(path)) from error
    if not isinstance(values, dict):
        raise ModelError("config.json is not a table of fields", code="E_MODEL", where=str(path))
    return values


def _tensors(path: Path) -> dict[str, torch.Tensor]:
    try:
        return safetensors.torch.load_file(path)
    except (safetensors.SafetensorError, OSError, ValueError) as error:
        raise ModelError("the weights are damaged or not safetensors", code="E_MODEL", where=str(path)) from error


def _vision(
    values: Mapping[str, Any], weights: dict[str, torch.Tensor]
) -> tuple[VisionSettings, dict[str, torch.Tensor]]:
    """Settings, and weights under the names that ``model.vision`` has."""
    if values.get("model_type") == "swin":
        fields = ("patch_size", "embed_dim", "depths", "num_heads", "window_size", "mlp_ratio", "drop_path_rate")
        chosen = {"channels": values.get("num_channels", 3)} | {key: values[key] for key in fields if key in values}
        chosen |= {key: tuple(chosen[key]) for key in ("depths", "num_heads") if key in chosen}
        return VisionSettings(**chosen), _swin_of_transformers(weights)
    architecture = values.get("architecture")
    if not isinstance(architecture, str):
        reason = "the vision checkpoint is neither a Swin of transformers nor a model of timm"
        raise ModelError(reason, code="E_MODEL", where="config.json")
    classifier = timm.get_pretrained_cfg_value(architecture, "classifier") if timm.is_model(architecture) else None
    heads = tuple(f"{each}." for each in ([classifier] if isinstance(classifier, str) else classifier or ()))
    weights = {key: tensor for key, tensor in weights.items() if not key.startswith(heads)}
    if re.match(r"swin_(tiny|small|base|large)_patch", architecture):
        return _swin_settings(weights), weights
    names = timm.get_pretrained_cfg_value(architecture, "first_conv") if timm.is_model(architecture) else ()
    reads = f"{names if isinstance(names, str) else next(iter(names or ()), '')}.weight"
    if reads not in weights:
        raise ModelError(
            "the vision checkpoint has no convolution that reads the image", code="E_MODEL", where="model.safetensors"
        )
    # Its second axis says how many channels there are.
    settings = backbone_settings(architecture, channels=int(weights[reads].shape[1]))
    return settings, {f"body.{key}": tensor for key, tensor in weights.items()}


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


def _text_settings(values: Mapping[str, Any]) -> TextSettings:
    if values.get("model_type") != "t5":
        raise ModelError("the text checkpoint is not a T5", code="E_MODEL", where="config.json")
    chosen = {key: values[key] for key in _T5_FIELDS if values.get(key) is not None}
    layers = values.get("num_decoder_layers") or values.get("num_layers")
    return TextSettings(**chosen, **({} if layers is None else {"num_layers": layers}))


def _fill(part: torch.nn.Module, weights: Mapping[str, torch.Tensor], what: str, *, tied: bool = False) -> None:
    """Copy a checkpoint in; every weight of the part must be there, and fit."""
    own = part.state_dict()
    shared = {"encoder.embed_tokens.weight", "decoder.embed_tokens.weight"} | ({"lm_head.weight"} if tied else set())
    needed = set(own) - (shared if "shared.weight" in own else set())
    for kind, names in (
        ("lacks", needed - set(weights)),
        ("holds, which is not of this model:", set(weights) - set(own)),
        ("has another shape of", {key for key in needed & set(weights) if own[key].shape != weights[key].shape}),
    ):
        if names:
            raise ModelError(
                f"the {what} checkpoint {kind} {min(names)} ({len(names)} weights)", code="E_MODEL", where=what
            )
    part.load_state_dict({key: weights[key] for key in needed}, strict=False)
