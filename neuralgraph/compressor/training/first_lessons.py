"""First lessons for an encoder that has never seen a film: which patch shows which finding, and which device.

The paper starts from a Swin that was trained on millions of photographs. From random weights, and from photographs
with only some hundred films, neither the report nor the findings of a whole film teach an encoder anything for many
hundreds of steps: their gradient is shared by all patches. Where findings are marked, as in the phantom or on films
with boxes, every patch has an answer of its own, and some hundreds of steps are enough. The decoder and its
cross-attention are not touched: where they look is learnt from reports and guidance, later.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import safetensors
import safetensors.torch
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from neuralgraph.compressor.model.backbone import VisionEncoder, parts_in_order
from neuralgraph.compressor.model.model import NeuralGraphModel, classification_loss
from neuralgraph.compressor.training.batches import Batches, Lesson
from neuralgraph.compressor.training.kept_batches import KeptBatches
from neuralgraph.compressor.training.lesson_state import TrainingStopped, keep_lessons, take_lessons
from neuralgraph.compressor.training.places import LESION
from neuralgraph.compressor.training.runtime import Runtime
from neuralgraph.errors import ModelError

__all__ = ["LessonSettings", "PatchHead", "first_lessons", "frozen", "order_loss"]

_HEAD_NAME = "patch_head.safetensors"
_LOSSES = ("patch_loss", "classification_loss")
_ENOUGH = 0.25
"""Share of a patch from which a structure counts as filling it: a nodule or a wire never covers a patch."""
_ORDER = 0.5
"""Weight of the order of a film's patches (see ``order_loss``)."""
_RARE = 10.0
"""Weight of a covered patch over a bare one: bare ones are far more frequent."""
_MEMORY = 0.98
"""Of the running mean of the weights over the second half, which is what is kept: from one step to the next a model of
some hundred films swings between the films it has just seen."""
_OLD_SHARE = 0.3
"""Learning rate of a pretrained backbone, as a share of that of what is new."""
_PATCHES = 30.0
"""Weight of the patches' loss, which is small because most patches are easy."""


class PatchHead(NamedTuple):
    """What the encoder learnt to say of a patch: a linear layer over its embedding."""

    weight: torch.Tensor
    """float32 [structures, d]."""
    bias: torch.Tensor
    """float32 [structures]."""
    structures: tuple[str, ...]

    def __call__(self, embedding: torch.Tensor) -> torch.Tensor:
        """Logits, float [..., structures], of embeddings [..., d]."""
        return nn.functional.linear(embedding, self.weight.to(embedding), self.bias.to(embedding))

    def write(self, directory: Path) -> None:
        """Write ``patch_head.safetensors``, which no scorer reads: it is there to be measured."""
        content = safetensors.torch.save(
            {"weight": self.weight.float(), "bias": self.bias.float()}, {"structures": json.dumps(self.structures)}
        )
        (directory / _HEAD_NAME).write_bytes(content)

    @classmethod
    def read(cls, directory: Path) -> PatchHead:
        """Read what ``write`` wrote.

        Raises
        ------
        ModelError (E_MODEL) : it is not there, or damaged.
        """
        path = directory / _HEAD_NAME
        try:
            with safetensors.safe_open(path, "pt") as file:
                names = tuple(json.loads(file.metadata()["structures"]))
                return cls(file.get_tensor("weight"), file.get_tensor("bias"), names)
        except (safetensors.SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError("the patch head is missing or damaged", code="E_MODEL", where=_HEAD_NAME) from error


@dataclass(frozen=True, kw_only=True)
class LessonSettings:
    """How first lessons are taught; the numbers are the recipe's."""

    rate: float
    """Peak learning rate; it rises over the first twentieth and falls to 30 % of it. A pretrained backbone has a third
    of it: it unlearns sooner than a new neck learns."""
    clip: float
    """Largest norm of a gradient."""
    weight_decay: float
    """Of AdamW."""
    bfloat16: bool = False
    """Compute the encoder in mixed precision."""
    frozen_parts: int = 0
    """Leading parts of the encoder that stay as they are."""


def first_lessons(
    model: NeuralGraphModel,
    batches: Batches | KeptBatches,
    settings: LessonSettings,
    runtime: Runtime | None = None,
    *,
    kept: Path | None = None,
) -> tuple[PatchHead, dict[str, float]]:
    """Teach encoder and classification head, one pass over the batches.

    Parameters
    ----------
    model : changed in place.
    batches : some of their films with marks.
    settings : how.
    runtime : where, and who follows.
    kept : a file that lessons which were stopped go on from, and that is left when they are.

    Returns
    -------
    (PatchHead, dict) : the head that read the patches, and the mean losses of the last tenth of the steps:
    ``patch_loss``, ``classification_loss``.

    Raises
    ------
    ModelError (E_MODEL) : no film has marks, or ``kept`` is of another model.
    TrainingStopped : ``runtime.stop`` said so.
    """
    if not batches.structures:
        raise ModelError("first lessons need films with marks", code="E_MODEL", where="recipe: first_steps")
    with frozen(model.vision, settings.frozen_parts):
        return _taught(model, batches, settings, runtime or Runtime(), kept)


@contextmanager
def frozen(vision: nn.Module, parts: int) -> Iterator[None]:
    """The leading parts of an encoder frozen for a while.

    Raises
    ------
    ModelError (E_MODEL) : it has no more parts than that.
    """
    chosen = parts_in_order(vision)[:parts] if parts else []
    if parts and len(chosen) < parts:
        raise ModelError(f"the encoder has {len(chosen)} parts", code="E_MODEL", where="recipe: frozen_parts")
    changed = [weight for part in chosen for weight in part if weight.requires_grad]
    for weight in changed:
        weight.requires_grad = False
    try:
        yield
    finally:
        for weight in changed:
            weight.requires_grad = True


def _taught(
    model: NeuralGraphModel,
    batches: Batches | KeptBatches,
    settings: LessonSettings,
    runtime: Runtime,
    kept: Path | None,
) -> tuple[PatchHead, dict[str, float]]:
    model.to(runtime.device).train()
    total = len(batches)
    head = nn.Linear(model.config.vision.dimension, len(batches.structures)).to(runtime.device)
    nn.init.constant_(head.bias, -3.0)
    weights = [weight for weight in model.vision.parameters() if weight.requires_grad]
    weights += [*model.classifier.parameters(), *head.parameters()]
    optimizer = _optimizer(model, weights, settings)
    learning = nn.ModuleDict({"vision": model.vision, "classifier": model.classifier, "head": head})
    running_mean = get_ema_multi_avg_fn(_MEMORY)  # type: ignore[no-untyped-call]
    average = AveragedModel(learning, multi_avg_fn=running_mean)
    parts = {"learning": learning, "average": average}
    begun, losses = take_lessons(kept, parts, optimizer) if kept is not None else (0, [])
    for step in range(begun, total):
        for group in optimizer.param_groups:
            now = min(1.0, (step + 1) / (total / 20 + 1)) * (1 - 0.7 * step / total)
            group["lr"] = settings.rate * group["share"] * now
        patch_loss, class_loss = _losses(
            model, head, batches.lesson(step), batches.structures, bfloat16=settings.bfloat16
        )
        (_PATCHES * patch_loss + model.config.classification_weight * class_loss).backward()
        nn.utils.clip_grad_norm_(weights, settings.clip)
        optimizer.step()
        optimizer.zero_grad()
        if step >= total // 2:
            average.update_parameters(learning)
        losses.append((patch_loss.item(), class_loss.item()))
        runtime.tell(step + 1, total, dict(zip(_LOSSES, losses[-1], strict=True)))
        if kept is not None and runtime.stopped and step + 1 < total:
            keep_lessons(kept, step + 1, parts, optimizer, losses)
            raise TrainingStopped(step + 1, total, "first lessons")
    with torch.no_grad():
        for weight, mean in zip(learning.parameters(), average.module.parameters(), strict=True):
            weight.copy_(mean)
    last = losses[-max(1, total // 10) :]
    means = {name: sum(pair[place] for pair in last) / len(last) for place, name in enumerate(_LOSSES)}
    return PatchHead(head.weight.detach().cpu(), head.bias.detach().cpu(), batches.structures), means


def _optimizer(model: NeuralGraphModel, weights: list[nn.Parameter], settings: LessonSettings) -> torch.optim.Optimizer:
    """AdamW with a lower rate for a backbone that was there before; groups say their ``share`` of the rate."""
    body = model.vision.body if isinstance(model.vision, VisionEncoder) else nn.Module()
    of_body = {id(weight) for weight in body.parameters()}
    groups = [
        {"params": [weight for weight in weights if (id(weight) in of_body) == old], "share": share}
        for old, share in ((True, _OLD_SHARE), (False, 1.0))
    ]
    return torch.optim.AdamW(groups, lr=settings.rate, betas=(0.9, 0.98), weight_decay=settings.weight_decay)


def _losses(
    model: NeuralGraphModel, head: nn.Linear, lesson: Lesson, structures: tuple[str, ...], *, bfloat16: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """The loss of the patches, and that of the findings of whole films; two scalars."""
    device = head.weight.device
    known = lesson.known.to(device)
    coverage = torch.zeros_like(known) if lesson.coverage is None else lesson.coverage[:, : len(structures)].to(device)
    with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
        cells = model.vision.forward_features(  # type: ignore[operator]  # of timm, which has no types
            lesson.batch["pixels"].to(device)
        )
    cells = cells.float()
    logits = head(cells).permute(0, 3, 1, 2)
    # The root: half a patch of a shadow says more than a corner of it, and a corner more than nothing.
    filled = (coverage / _ENOUGH).clamp(max=1).sqrt()
    rare = torch.full((len(structures), 1, 1), _RARE, device=device)
    each = nn.functional.binary_cross_entropy_with_logits(logits, filled, pos_weight=rare, reduction="none")
    patch_loss = (each * known).sum() / known.sum().clamp(min=1)
    if LESION in structures:
        lesion = structures.index(LESION)
        order = order_loss(logits[:, lesion], coverage[:, lesion], known[:, lesion])
        patch_loss = patch_loss + _ORDER / _PATCHES * order
    # The head reads what the patches say and does not change it: findings of the whole film, asked of the mean of
    # all patches, would teach every patch to know everything, and attention could look anywhere.
    pooled = cells.detach().mean(dim=(1, 2))
    labels = lesson.batch["class_labels"].to(device)
    return patch_loss, classification_loss(model.classifier(pooled), labels, model.label_weights)


def order_loss(logits: torch.Tensor, coverage: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """Cross-entropy between a softmax over a film's patches and the share of the lesions' area that lies in each.

    The best answer is the expected share of the area that keeping a patch keeps: the order that pruning is judged by.

    Parameters
    ----------
    logits, coverage, known : float [B, rows, cols], of the lesions; films that are not known everywhere, or have none,
        are left out.

    Returns
    -------
    float32, a scalar: the excess over the entropy of the truth.
    """
    area = coverage.flatten(1)
    chosen = (area.sum(dim=1) > 0) & (known.flatten(1).amin(dim=1) > 0)
    if not bool(chosen.any()):
        return logits.sum() * 0
    share = area[chosen] / area[chosen].sum(dim=1, keepdim=True)
    said = logits.flatten(1)[chosen].log_softmax(dim=1)
    return (share * (share.clamp(min=1e-6).log() - said)).sum(dim=1).mean()
