"""The vision encoder: Swin by default, or a map of any backbone of timm that takes images of any size."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import timm
import torch
from timm.models.swin_transformer import SwinTransformer
from torch import nn

from neuralgraph.compressor.model.configuration import VisionSettings
from neuralgraph.compressor.model.neck import Neck
from neuralgraph.errors import ModelError

__all__ = [
    "WHOLE",
    "VisionEncoder",
    "backbone_settings",
    "build_vision",
    "from_pixels",
    "is_backbone",
    "parts_in_order",
]

WHOLE = -1
"""In ``VisionEncoder.leading``: all parts, and the neck."""
_PROBE_SIDES = (256, 320)
"""Height and width of the image an unknown backbone is tried with: not square, so that axes cannot be mixed up."""


@contextmanager
def _one_thread() -> Iterator[None]:
    """One thread of torch for a while."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class VisionEncoder(nn.Module):
    """A backbone of timm as the model sees it: image to feature map, channels last.

    Parameters
    ----------
    body : the backbone.
    stage : which of its maps is taken, counted from 1; 0 for the last.
    channels_last : how its last map comes.
    neck : over the map, or None.
    """

    def __init__(
        self, body: nn.Module, *, stage: int = 0, channels_last: bool = False, neck: Neck | None = None
    ) -> None:
        super().__init__()
        # Convolutions of a CPU are half as fast again with channels last; the names and values of weights are the same.
        self.body = body.to(memory_format=torch.channels_last)
        self.stage = stage
        self.channels_last = channels_last
        self.neck = neck
        self._convolves = sum(isinstance(module, nn.Conv2d) for module in body.modules()) > 1
        self.given: int | None = None
        """What ``forward_features`` takes: pixels (None), or what ``leading`` made of them; of training alone."""

    def forward_features(self, pixels: torch.Tensor) -> torch.Tensor:
        """The feature map: float [B, channels, H, W] to [B, H / stride, W / stride, d]."""
        if self.given == WHOLE:
            return pixels
        # Convolutions on several threads round otherwise than on one, and a film must not depend on who else works.
        alone = self._convolves and pixels.is_cpu and not torch.is_grad_enabled()
        with _one_thread() if alone else nullcontext():
            features = self._body(pixels.contiguous(memory_format=torch.channels_last), self.given or 0)
            if not self.channels_last:
                features = features.permute(0, 2, 3, 1)
            return features if self.neck is None else self.neck(features)

    def _body(self, values: torch.Tensor, done: int) -> torch.Tensor:
        if not done:
            return _map_of(self.body, values, self.stage)
        for block in self._blocks()[done - 1 :]:
            values = block(values)
        return values

    def leading(self, pixels: torch.Tensor, parts: int) -> torch.Tensor:
        """What the first parts make of films, float [B, channels, H, W]; ``given = parts`` takes it from there.

        Parts are those of ``parts_in_order``; ``WHOLE`` is the finished map.

        Raises
        ------
        ModelError (E_MODEL) : a backbone that is no chain of a stem and blocks, unless it is taken whole.
        """
        if parts == WHOLE:
            return self.forward_features(pixels)
        blocks = self._blocks()
        pixels = pixels.contiguous(memory_format=torch.channels_last)
        values: torch.Tensor = self.body.bn1(self.body.conv_stem(pixels))  # type: ignore[operator]
        for block in blocks[: parts - 1]:
            values = block(values)
        return values

    def _blocks(self) -> list[nn.Module]:
        blocks = getattr(self.body, "blocks", None)
        if (
            not self.stage
            or self.channels_last
            or not isinstance(blocks, nn.Sequential)
            or not hasattr(self.body, "conv_stem")
        ):
            raise ModelError(
                "only a stage of a backbone of stem and blocks can be entered midway", code="E_MODEL", where="vision"
            )
        return list(blocks)


def build_vision(settings: VisionSettings) -> nn.Module:
    """The encoder of the settings, weights as they are initialised.

    A Swin keeps timm's own names of weights; another backbone has ``body.`` before them.

    Raises
    ------
    ModelError (E_MODEL) : timm has no such backbone, or it is not what the settings say.
    """
    if settings.backbone:
        body, stride, dimension, channels_last = _probed(
            settings.backbone, settings.channels, settings.backbone_stage, settings.backbone_output_stride
        )
        if (stride, dimension) != (settings.backbone_stride, settings.backbone_dimension):
            raise ModelError(
                f"{settings.backbone} has stride {stride} and width {dimension}, "
                f"the configuration says {settings.backbone_stride} and {settings.backbone_dimension}",
                code="E_MODEL",
                where="config.json: vision.backbone",
            )
        neck = Neck(dimension, settings.neck_dimension) if settings.neck_dimension else None
        return VisionEncoder(body, stage=settings.backbone_stage, channels_last=channels_last, neck=neck)
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


def backbone_settings(
    name: str, *, channels: int = 3, stage: int = 0, output_stride: int = 0, neck: int = 0
) -> VisionSettings:
    """Settings for a backbone of timm, by its name there, for example ``convnext_tiny``; nothing is downloaded.

    Parameters
    ----------
    name : timm's.
    channels : of the image.
    stage : which of its maps is the grid, counted from 1; 0 for the last.
    output_stride : the stride timm is asked for; 0 for the backbone's own.
    neck : width of a neck over the map; 0 for none.

    Raises
    ------
    ModelError (E_MODEL) : there is none of that name, or it gives no feature map for images of any size.
    """
    _, stride, dimension, _ = _probed(name, channels, stage, output_stride)
    return VisionSettings(
        backbone=name,
        backbone_stride=stride,
        backbone_dimension=dimension,
        backbone_stage=stage,
        backbone_output_stride=output_stride,
        neck_dimension=neck,
        channels=channels,
        patch_size=stride,
    )


def parts_in_order(vision: nn.Module) -> list[list[nn.Parameter]]:
    """The weights of an encoder in parts that follow each other: stem, stages; the neck is in none.

    timm's own grouping, the one that layer-wise learning rates use.
    """
    from timm.models._manipulate import group_with_matcher

    body = vision.body if isinstance(vision, VisionEncoder) else vision
    names = group_with_matcher(body.named_parameters(), body.group_matcher(coarse=True))  # type: ignore[operator]
    weights = dict(body.named_parameters())
    return [[weights[name] for name in names[number]] for number in sorted(names)]


@contextmanager
def from_pixels(vision: nn.Module, given: int | None = None) -> Iterator[None]:
    """For a while an encoder takes pixels, or what its leading parts made of them (``VisionEncoder.given``)."""
    if not isinstance(vision, VisionEncoder):
        yield
        return
    before, vision.given = vision.given, given
    try:
        yield
    finally:
        vision.given = before


def is_backbone(name: str) -> bool:
    """Whether timm has a model of that name; names that would make it fetch something are none."""
    # timm also takes names with a colon or a slash, which make it fetch models and their settings from elsewhere.
    return ":" not in name and "/" not in name and bool(timm.is_model(name))


def _probed(name: str, channels: int, stage: int, output_stride: int) -> tuple[nn.Module, int, int, bool]:
    """Body, stride, width of an embedding, and whether channels come last."""
    if not is_backbone(name):
        raise ModelError(f"timm has no backbone {name!r}", code="E_MODEL", where="config.json: vision.backbone")
    body = _built(name, channels, output_stride)
    if stage:
        try:
            body.prune_intermediate_layers([stage - 1], prune_norm=True, prune_head=True)  # type: ignore[operator]
        except (AttributeError, AssertionError, IndexError, ValueError) as error:
            raise _unfit(name, f"has no map of a stage {stage}") from error
    was_training = body.training
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        try:
            features = _map_of(body.eval(), torch.zeros(1, channels, *_PROBE_SIDES), stage)
        # Every architecture says in its own way that it takes one size only.
        except (AssertionError, RuntimeError, ValueError, IndexError) as error:
            raise _unfit(name, "does not take images of any size") from error
    body.train(was_training)
    width = int(getattr(body, "num_features", 0))
    if isinstance(features, torch.Tensor) and features.ndim == 4 and stage:
        width = int(features.shape[1])
    if (
        not isinstance(features, torch.Tensor)
        or features.ndim != 4
        or width not in (features.shape[1], features.shape[3])
    ):
        raise _unfit(name, "gives no feature map")
    last = not stage and features.shape[3] == width and (features.shape[1] != width or _says_last(body))
    rows, cols = features.shape[1:3] if last else features.shape[2:4]
    stride = _PROBE_SIDES[0] // int(rows)
    if (int(rows) * stride, int(cols) * stride) != _PROBE_SIDES:
        raise _unfit(name, "gives a map that does not divide the image evenly")
    return body, stride, width, last


def _map_of(body: nn.Module, pixels: torch.Tensor, stage: int) -> torch.Tensor:
    """The map of a stage, [B, d, rows, cols]; stage 0 is the last, as the backbone gives it."""
    if not stage:
        last: torch.Tensor = body.forward_features(pixels)  # type: ignore[operator]
        return last
    maps: list[torch.Tensor] = body.forward_intermediates(  # type: ignore[operator]
        pixels, indices=[stage - 1], intermediates_only=True, stop_early=True, output_fmt="NCHW"
    )
    return maps[0]


def _built(name: str, channels: int, output_stride: int) -> nn.Module:
    sizes: dict[str, Any] = {"strict_img_size": False, "always_partition": True}
    own: dict[str, Any] = {"output_stride": output_stride} if output_stride else {}
    with torch.random.fork_rng(devices=[]):
        for options in (sizes, {}):
            try:
                body: nn.Module = timm.create_model(
                    name, pretrained=False, num_classes=0, in_chans=channels, **own, **options
                )
            except (TypeError, NotImplementedError):
                continue
            return body
    raise _unfit(name, "cannot be built without settings of its own" + (" or with this output stride" if own else ""))


def _says_last(body: nn.Module) -> bool:
    return str(getattr(body, "output_fmt", "")) == "NHWC"


def _unfit(name: str, reason: str) -> ModelError:
    return ModelError(
        f"{name} {reason}; take a hierarchical backbone such as a Swin or a ConvNeXt", code="E_MODEL", where="backbone"
    )
