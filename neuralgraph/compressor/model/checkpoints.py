"""A model from real checkpoints: a vision encoder (see ``vision_checkpoints``) and a T5.

Configurations, tensors and ``tokenizer.json`` are read, nothing else: nothing is unpickled, no code is run. What
neither checkpoint has (projection, position signal, classification head) is initialised from a seed, so the result must
be trained before its scores mean anything, and says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import timm
import torch

from neuralgraph.compressor.model.configuration import NeuralGraphConfig, TextSettings, VisionSettings
from neuralgraph.compressor.model.files import model_digest, model_directory
from neuralgraph.compressor.model.model import NeuralGraphModel
from neuralgraph.compressor.model.preprocess import Preprocessor
from neuralgraph.compressor.model.tokenizer import ReportTokenizer
from neuralgraph.compressor.model.vision_checkpoints import VisionChoice, read_json, read_tensors, read_vision
from neuralgraph.errors import ModelError

__all__ = ["SWIN_BASE_T5_BASE", "assemble"]

SWIN_BASE_T5_BASE = NeuralGraphConfig(
    name="swin-base + t5-base",
    vision=VisionSettings(channels=3, embed_dim=128, depths=(2, 2, 18, 2), num_heads=(4, 8, 16, 32), window_size=7),
    text=TextSettings(),
)
"""The shape of the paper: Swin-base, stride 32, d = 1,024, and the decoder of T5-base."""

_T5_FIELDS = (
    "vocab_size", "d_model", "d_kv", "d_ff", "num_heads", "relative_attention_num_buckets",
    "relative_attention_max_distance", "dropout_rate", "layer_norm_epsilon", "feed_forward_proj",
    "tie_word_embeddings", "pad_token_id", "eos_token_id", "decoder_start_token_id",
)  # fmt: skip


def assemble(
    vision: str | Path,
    text: str | Path,
    output: Path,
    *,
    name: str = "assembled",
    labels: tuple[str, ...] = ("pneumonia",),
    seed: int = 0,
    choice: VisionChoice | None = None,
    local_files_only: bool = False,
) -> str:
    """Write the directory of a model, ready for training.

    Parameters
    ----------
    vision : directory or hub id with config.json and model.safetensors of a Swin, as transformers or timm saves it, or
        of another backbone of timm; or a file of weights, .safetensors or .pth.
    text : directory or hub id with config.json, model.safetensors and tokenizer.json of a T5; or the directory of a
        neuralgraph model, whose decoder and tokenizer are taken.
    output : created when absent.
    name : what provenance calls the model.
    labels : findings that the classification head predicts.
    seed : of the weights that neither checkpoint has.
    choice : what of the vision checkpoint becomes the encoder, and how large films are.
    local_files_only : never ask the network; HF_HUB_OFFLINE=1 does the same.

    Returns
    -------
    str : the digest of the model.

    Raises
    ------
    ModelError (E_MODEL) : a checkpoint is incomplete, of another kind, or does not fit its own configuration.
    """
    choice = choice or VisionChoice()
    seen = read_vision(vision, choice, local_files_only=local_files_only)
    needed = ("config.json", "model.safetensors", "tokenizer.json")
    text_directory = model_directory(text, needed=needed, local_files_only=local_files_only)
    settings, text_weights = _text(text_directory)
    config = NeuralGraphConfig(name=name, trained=False, labels=labels, vision=seen.settings, text=settings)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = NeuralGraphModel(config)
    _fill_vision(model, seen.weights)
    _fill(model.text, text_weights, "text", tied=config.text.tie_word_embeddings)
    output.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(output)
    Preprocessor(
        stride=config.vision.stride,
        channels=config.vision.channels,
        max_side=choice.max_side,
        mean=seen.mean,
        std=seen.std,
    ).write(output)
    ReportTokenizer.read(text_directory).write(output)
    return model_digest(output)


def _fill_vision(model: NeuralGraphModel, weights: Mapping[str, torch.Tensor]) -> None:
    """Copy a vision checkpoint into a model; a neck keeps what it was initialised with.

    Raises
    ------
    ModelError (E_MODEL) : a weight is missing, does not belong there, or has another shape.
    """
    vision, settings = model.vision, model.config.vision
    if not settings.backbone:
        _fill(vision, weights, "vision")
        return
    # Layers after the chosen stage are in the checkpoint and not in the model.
    later = {f"body.{name}" for name in timm.create_model(settings.backbone, pretrained=False).state_dict()}
    own = set(vision.state_dict())
    kept = {name: tensor for name, tensor in weights.items() if name in own or name not in later}
    if settings.neck_dimension:
        kept |= {name: tensor for name, tensor in vision.state_dict().items() if name.startswith("neck.")}
    _fill(vision, kept, "vision")


def _text(directory: Path) -> tuple[TextSettings, dict[str, torch.Tensor]]:
    """Settings and weights of a T5, or of the decoder of a neuralgraph model."""
    values, weights = read_json(directory / "config.json"), read_tensors(directory / "model.safetensors")
    if values.get("model_type") == NeuralGraphConfig.model_type:
        own = {key.removeprefix("text."): tensor for key, tensor in weights.items() if key.startswith("text.")}
        return NeuralGraphConfig.read(directory).text, {key: tensor.float() for key, tensor in own.items()}
    kept = {key: tensor for key, tensor in weights.items() if not key.startswith("encoder.block.")}
    return _text_settings(values), kept


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
