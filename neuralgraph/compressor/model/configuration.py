"""The configuration of the model: one JSON file, every field known by name.

Fields outside the tables below are refused rather than ignored: a configuration decides what code runs, and the
libraries underneath read keys (adapters, attention kernels, quantisers) that fetch and run code of other people.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transformers import PreTrainedConfig, T5Config

from neuralgraph.errors import ModelError
from neuralgraph.wire.json_reading import parsed_json

__all__ = ["NeuralGraphConfig", "TextSettings", "VisionSettings"]

CONFIG_NAME = "config.json"
_MAY_BE_NONE = (
    "backbone_stride", "backbone_dimension", "backbone_stage", "backbone_output_stride", "neck_dimension",
)  # fmt: skip
_LARGEST = 1 << 24  # no width, depth or count of a real model comes near; keeps a damaged file from asking for it


@dataclasses.dataclass(frozen=True, kw_only=True)
class VisionSettings:
    """The vision encoder (timm), a Swin unless ``backbone`` names another. Any image size: nothing depends on one."""

    channels: int = 1
    """Input channels; a grey film is repeated when there are more (ImageNet weights have 3)."""
    patch_size: int = 4
    """Pixels per side of a patch of the first stage."""
    embed_dim: int = 96
    """Width of the first stage; it doubles from stage to stage."""
    depths: tuple[int, ...] = (2, 2, 6, 2)
    """Blocks per stage."""
    num_heads: tuple[int, ...] = (3, 6, 12, 24)
    """Attention heads per stage."""
    window_size: int = 7
    """Cells per side of an attention window."""
    mlp_ratio: float = 4.0
    """Width of a block's inner layer over its own."""
    drop_path_rate: float = 0.1
    """Share of blocks skipped in training."""
    backbone: str = ""
    """Name of another hierarchical backbone in timm; the fields of Swin then mean nothing, and these two count."""
    backbone_stride: int = 0
    """Its total stride, pixels."""
    backbone_dimension: int = 0
    """Width of its feature map."""
    backbone_stage: int = 0
    """Which of its maps is the grid, counted from 1 for the finest; later layers are left out. 0 is the last map."""
    backbone_output_stride: int = 0
    """Asks timm for a map of this stride, where the backbone can dilate its last stages; 0 for its own."""
    neck_dimension: int = 0
    """Width of a neck over the map, which knows the place of a patch and the mean of the film; 0 for none."""

    @property
    def stride(self) -> int:
        """Pixels per side of a patch of the last stage: the patches of a study."""
        if self.backbone:
            return self.backbone_stride
        return int(self.patch_size * 2 ** (len(self.depths) - 1))

    @property
    def dimension(self) -> int:
        """Width d of a patch embedding."""
        if self.backbone:
            return self.neck_dimension or self.backbone_dimension
        return int(self.embed_dim * 2 ** (len(self.depths) - 1))


@dataclasses.dataclass(frozen=True, kw_only=True)
class TextSettings:
    """The T5 decoder (transformers), in T5's own words."""

    vocab_size: int = 32128
    d_model: int = 768
    d_kv: int = 64
    d_ff: int = 3072
    num_layers: int = 12
    """Decoder layers. There is no text encoder: the film takes its place."""
    num_heads: int = 12
    relative_attention_num_buckets: int = 32
    relative_attention_max_distance: int = 128
    dropout_rate: float = 0.1
    layer_norm_epsilon: float = 1e-6
    feed_forward_proj: str = "relu"
    tie_word_embeddings: bool = True
    pad_token_id: int = 0
    eos_token_id: int = 1
    decoder_start_token_id: int = 0

    def t5(self) -> T5Config:
        """The same for transformers."""
        values = dataclasses.asdict(self)
        # A symmetric configuration: generate() sizes its cache by num_layers, not num_decoder_layers.
        return T5Config(**values, num_decoder_layers=self.num_layers, is_encoder_decoder=True, use_cache=True)


class NeuralGraphConfig(PreTrainedConfig):  # type: ignore[misc]  # transformers has no types here
    """Configuration of ``NeuralGraphModel``.

    Parameters
    ----------
    vision, text : the two parts; settings or mappings of their fields.
    name : what provenance calls the model.
    trained : False for seeded random weights; callers must then say "untrained" in plain words.
    labels : names of the findings the classification head predicts, in order of its outputs.
    projection_dim : width between the two linear layers from patch embedding to decoder; 0 means the decoder's width.
    projection_dropout : dropout between them.
    position_frequencies : cosines and sines per axis in the 2-D position signal.
    classification_weight : weight of the classification loss in the joint loss (the paper: 0.5).
    max_report_tokens : longest report that is scored; longer ones are refused.
    max_generated_tokens : length at which writing a report stops.
    opening : tokens that every written report begins with, such as those of "FINDINGS:"; where nothing is given, a
        decoder that has read whole reports may begin with a history that no film shows.

    Raises
    ------
    ModelError (E_MODEL) : naming the field that is unknown, of the wrong type or out of range.
    """

    model_type = "neuralgraph"

    def __init__(  # noqa: PLR0913 - the fields of config.json, which transformers passes one by one
        self,
        *,
        vision: VisionSettings | Mapping[str, Any] | None = None,
        text: TextSettings | Mapping[str, Any] | None = None,
        name: str = "unnamed",
        trained: bool = False,
        labels: tuple[str, ...] | list[str] = ("pneumonia",),
        projection_dim: int = 0,
        projection_dropout: float = 0.1,
        position_frequencies: int = 16,
        classification_weight: float = 0.5,
        max_report_tokens: int = 4096,
        max_generated_tokens: int = 256,
        opening: tuple[int, ...] | list[int] = (),
    ) -> None:
        self.vision = (
            vision if isinstance(vision, VisionSettings) else _settings(VisionSettings, vision or {}, "vision")
        )
        self.text = text if isinstance(text, TextSettings) else _settings(TextSettings, text or {}, "text")
        self.name = _typed(name, str, "name")
        self.trained = _typed(trained, bool, "trained")
        if not isinstance(labels, (list, tuple)) or not labels:
            raise ModelError("must be a list of names", code="E_MODEL", where=f"{CONFIG_NAME}: labels")
        self.labels = tuple(_typed(label, str, "labels") for label in labels)
        self.projection_dim = _count(projection_dim, "projection_dim", least=0)
        self.projection_dropout = _share(projection_dropout, "projection_dropout")
        self.position_frequencies = _count(position_frequencies, "position_frequencies")
        self.classification_weight = _real(classification_weight, "classification_weight")
        self.max_report_tokens = _count(max_report_tokens, "max_report_tokens")
        self.max_generated_tokens = _count(max_generated_tokens, "max_generated_tokens")
        if not isinstance(opening, (list, tuple)) or len(opening) >= self.max_generated_tokens:
            raise ModelError(
                "must be a list of tokens, shorter than a report", code="E_MODEL", where=f"{CONFIG_NAME}: opening"
            )
        self.opening = tuple(_count(token, "opening", least=0) for token in opening)
        if self.opening and max(self.opening) >= self.text.vocab_size:
            raise ModelError("a token lies outside the vocabulary", code="E_MODEL", where=f"{CONFIG_NAME}: opening")
        _check_parts(self.vision, self.text)
        # Last, because it validates through to_dict.
        super().__init__(is_encoder_decoder=True)

    def to_dict(self) -> dict[str, Any]:
        """Every field as plain JSON values, in the order they are documented."""
        return {
            "model_type": self.model_type,
            "name": self.name,
            "trained": self.trained,
            "labels": list(self.labels),
            "projection_dim": self.projection_dim,
            "projection_dropout": self.projection_dropout,
            "position_frequencies": self.position_frequencies,
            "classification_weight": self.classification_weight,
            "max_report_tokens": self.max_report_tokens,
            "max_generated_tokens": self.max_generated_tokens,
            "opening": list(self.opening),
            "vision": _plain(self.vision),
            "text": _plain(self.text),
        }

    def to_diff_dict(self) -> dict[str, Any]:
        """The same as ``to_dict``: a file that leaves defaults out changes meaning when a default does."""
        return self.to_dict()

    def write(self, directory: Path) -> None:
        """Write ``config.json``: the same bytes for the same configuration."""
        text = json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n"
        (directory / CONFIG_NAME).write_text(text, encoding="utf-8", newline="\n")

    @classmethod
    def read(cls, directory: Path) -> NeuralGraphConfig:
        """Read ``config.json``.

        Raises
        ------
        ModelError (E_MODEL) : it is not the configuration of a neuralgraph model.
        """
        try:
            values = parsed_json((directory / CONFIG_NAME).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ModelError("config.json is not a readable JSON file", code="E_MODEL", where=CONFIG_NAME) from error
        if not isinstance(values, dict) or values.pop("model_type", None) != cls.model_type:
            raise ModelError("this is not the configuration of a neuralgraph model", code="E_MODEL", where=CONFIG_NAME)
        known = set(cls().to_dict()) - {"model_type"}
        for key in values:
            if key not in known:
                raise ModelError(
                    f"unknown field {key!r}; was it written by a newer version?", code="E_MODEL", where=CONFIG_NAME
                )
        return cls(**values)


def _plain(settings: VisionSettings | TextSettings) -> dict[str, Any]:
    values = dataclasses.asdict(settings)
    if not values.get("backbone", True):
        # Fields that mean nothing are left out, so that a Swin has the configuration it always had.
        values = {key: value for key, value in values.items() if not key.startswith("backbone")}
    return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}


def _settings(kind: type[Any], values: Any, part: str) -> Any:
    """A settings object from a mapping; the default of a field says which type it has."""
    if not isinstance(values, Mapping):
        raise ModelError("must be a table of fields", code="E_MODEL", where=f"{CONFIG_NAME}: {part}")
    defaults = {field.name: field.default for field in dataclasses.fields(kind)}
    checked: dict[str, Any] = {}
    for key, value in values.items():
        where = f"{part}.{key}"
        if key not in defaults:
            raise ModelError(
                f"unknown field {key!r}; was it written by a newer version?",
                code="E_MODEL",
                where=f"{CONFIG_NAME}: {part}",
            )
        default = defaults[key]
        if isinstance(default, tuple):
            if not isinstance(value, (list, tuple)) or not value:
                raise ModelError("must be a list of whole numbers", code="E_MODEL", where=f"{CONFIG_NAME}: {where}")
            checked[key] = tuple(_count(item, where) for item in value)
        elif isinstance(default, (bool, str)):
            checked[key] = _typed(value, type(default), where)
        elif isinstance(default, int):
            checked[key] = _count(value, where, least=0 if key.endswith("_id") or key in _MAY_BE_NONE else 1)
        elif key.endswith("_rate"):
            checked[key] = _share(value, where)
        else:
            checked[key] = _real(value, where)
    return kind(**checked)


def _check_parts(vision: VisionSettings, text: TextSettings) -> None:
    if vision.backbone and not (vision.backbone_stride and vision.backbone_dimension):
        raise ModelError(
            "needs backbone_stride and backbone_dimension", code="E_MODEL", where=f"{CONFIG_NAME}: vision.backbone"
        )
    if vision.neck_dimension and not vision.backbone:
        raise ModelError("a neck belongs to a backbone", code="E_MODEL", where=f"{CONFIG_NAME}: vision.neck_dimension")
    if len(vision.depths) != len(vision.num_heads):
        raise ModelError("depths and num_heads must be equally long", code="E_MODEL", where=f"{CONFIG_NAME}: vision")
    if any((vision.embed_dim << stage) % heads for stage, heads in enumerate(vision.num_heads)):
        raise ModelError(
            "each stage's width must be a multiple of its heads", code="E_MODEL", where=f"{CONFIG_NAME}: vision"
        )
    if max(text.pad_token_id, text.eos_token_id, text.decoder_start_token_id) >= text.vocab_size:
        raise ModelError("a special token lies outside the vocabulary", code="E_MODEL", where=f"{CONFIG_NAME}: text")
    if text.feed_forward_proj not in ("relu", "gated-gelu"):
        raise ModelError("must be relu or gated-gelu", code="E_MODEL", where=f"{CONFIG_NAME}: text.feed_forward_proj")


def _typed(value: Any, kind: type[Any], field: str) -> Any:
    if not isinstance(value, kind):
        raise ModelError(f"must be of type {kind.__name__}", code="E_MODEL", where=f"{CONFIG_NAME}: {field}")
    return value


def _count(value: Any, field: str, *, least: int = 1) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= _LARGEST:
        raise ModelError(f"must be a whole number of at least {least}", code="E_MODEL", where=f"{CONFIG_NAME}: {field}")
    return value


def _real(value: Any, field: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value < 0:
        raise ModelError("must be a finite number of at least 0", code="E_MODEL", where=f"{CONFIG_NAME}: {field}")
    return float(value)


def _share(value: Any, field: str) -> float:
    if _real(value, field) >= 1:
        raise ModelError("must be at least 0 and less than 1", code="E_MODEL", where=f"{CONFIG_NAME}: {field}")
    return float(value)
