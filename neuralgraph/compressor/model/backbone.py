"""The vision encoder: Swin by default, or any hierarchical backbone of timm that takes images of any size."""

from __future__ import annotations

from typing import Any

import timm
import torch
from timm.models.swin_transformer import SwinTransformer
from torch import nn

from neuralgraph.compressor.model.configuration import VisionSettings
from neuralgraph.errors import ModelError

__all__ = ["VisionEncoder", "backbone_settings", "build_vision"]

_PROBE_SIDES = (256, 320)
"""Height and width of the image an unknown backbone is tried with: not square, so that axes cannot be mixed up."""


class VisionEncoder(nn.Module):
    """A backbone of timm as the model sees it: image to feature map, channels last."""

    def __init__(self, body: nn.Module, *, channels_last: bool) -> None:
        super().__init__()
        self.body = body
        self.channels_last = channels_last

    def forward_features(self, pixels: torch.Tensor) -> torch.Tensor:
        """The last feature map: float [B, channels, H, W] to [B, H / stride, W / stride, d]."""
        features: torch.Tensor = self.body.forward_features(pixels)  # type: ignore[operator]
        return features if self.channels_last else features.permute(0, 2, 3, 1)


def build_vision(settings: VisionSettings) -> nn.Module:
    """The encoder of the settings, weights as they are initialised.

    A Swin keeps timm's own names of weights; another backbone has ``body.`` before them.

    Raises
    ------
    ModelError : E_MODEL when timm has no such backbone, or it is not what the settings say.
    """
    if settings.backbone:
        body, stride, dimension, channels_last = _probed(settings.backbone, settings.channels)
        if (stride, dimension) != (settings.backbone_stride, settings.backbone_dimension):
            raise ModelError(
                f"{settings.backbone} has stride {stride} and width {dimension}, "
                f"the configuration says {settings.backbone_stride} and {settings.backbone_dimension}",
                code="E_MODEL",
                where="config.json: vision.backbone",
            )
        return VisionEncoder(body, channels_last=channels_last)
    swin: nn.Module = SwinTransformer(
        img_size=settings.stride * settings.window_size,
        patch_size=settings.patch_size,
        in_chans=settings.channels,
        num_classes=0,
        embed_dim=settings.embed_dim,
        depths=settings.depths,
        num_heads=settings.num_heads,
        window_size=settings.window_size,
        mlp_ratio=settings.mlp_ratio,
        drop_path_rate=settings.drop_path_rate,
        # Films have many sizes: masks follow the input, and windows keep their size and their shift on every grid.
        strict_img_size=False,
        always_partition=True,
    )
    return swin


def backbone_settings(name: str, *, channels: int = 3) -> VisionSettings:
    """Settings for a backbone of timm, by its name there, for example ``convnext_tiny``; nothing is downloaded.

    Raises
    ------
    ModelError : E_MODEL when there is none of that name, or it gives no feature map for images of any size.
    """
    _, stride, dimension, _ = _probed(name, channels)
    return VisionSettings(
        backbone=name, backbone_stride=stride, backbone_dimension=dimension, channels=channels, patch_size=stride
    )


def _probed(name: str, channels: int) -> tuple[nn.Module, int, int, bool]:
    """Body, stride, width of an embedding, and whether channels come last."""
    # timm also takes names with a colon or a slash, which make it fetch models and their settings from elsewhere.
    if ":" in name or "/" in name or not timm.is_model(name):
        raise ModelError(f"timm has no backbone {name!r}", code="E_MODEL", where="config.json: vision.backbone")
    body = _built(name, channels)
    was_training = body.training
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        try:
            features = body.eval().forward_features(torch.zeros(1, channels, *_PROBE_SIDES))  # type: ignore[operator]
        # Every architecture says in its own way that it takes one size only.
        except (AssertionError, RuntimeError, ValueError, IndexError) as error:
            raise _unfit(name, "does not take images of any size") from error
    body.train(was_training)
    width = int(getattr(body, "num_features", 0))
    if (
        not isinstance(features, torch.Tensor)
        or features.ndim != 4
        or width not in (features.shape[1], features.shape[3])
    ):
        raise _unfit(name, "gives no feature map")
    channels_last = features.shape[3] == width and (features.shape[1] != width or _says_last(body))
    rows, cols = features.shape[1:3] if channels_last else features.shape[2:4]
    stride = _PROBE_SIDES[0] // int(rows)
    if (int(rows) * stride, int(cols) * stride) != _PROBE_SIDES:
        raise _unfit(name, "gives a map that does not divide the image evenly")
    return body, stride, width, channels_last


def _built(name: str, channels: int) -> nn.Module:
    sizes: dict[str, Any] = {"strict_img_size": False, "always_partition": True}
    with torch.random.fork_rng(devices=[]):
        for options in (sizes, {}):
            try:
                body: nn.Module = timm.create_model(name, pretrained=False, num_classes=0, in_chans=channels, **options)
            except TypeError:
                continue
            return body
    raise _unfit(name, "cannot be built without settings of its own")


def _says_last(body: nn.Module) -> bool:
    return str(getattr(body, "output_fmt", "")) == "NHWC"


def _unfit(name: str, reason: str) -> ModelError:
    return ModelError(
        f"{name} {reason}; take a hierarchical backbone such as a Swin or a ConvNeXt", code="E_MODEL", where="backbone"
    )
