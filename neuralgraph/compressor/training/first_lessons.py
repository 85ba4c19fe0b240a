"""First lessons for an encoder that has never seen a film: which patch shows which finding, and which device.

The paper starts from a Swin that was trained on millions of photographs. From random weights neither the report nor
the findings of a whole film teach an encoder anything for many hundreds of steps: their gradient is shared by all
patches. Where the masks of the findings are known, as in the phantom, every patch has an answer of its own, and some
hundreds of steps are enough. The decoder and its cross-attention are not touched: where they look is learnt from
reports and guidance, later.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from neuralgraph.compressor.model.model import NeuralGraphModel, classification_loss
from neuralgraph.compressor.training.batches import Batches, Lesson
from neuralgraph.errors import ModelError

__all__ = ["first_lessons"]

_ENOUGH = 0.25
"""Share of a patch from which a structure counts as filling it: a nodule or a wire never covers a patch."""
_RARE = 10.0
"""Weight of a covered patch over a bare one: bare ones are far more frequent."""
_PATCHES = 30.0
"""Weight of the patches' loss, which is small because most patches are easy."""


def first_lessons(
    model: NeuralGraphModel,
    batches: Batches,
    *,
    rate: float,
    clip: float,
    weight_decay: float,
    bfloat16: bool,
    device: str = "cpu",
    progress: Callable[[int, int, dict[str, float]], None] | None = None,
) -> dict[str, float]:
    """Teach encoder and classification head, one pass over the batches.

    Parameters
    ----------
    model : changed in place.
    batches : with masks.
    rate : peak learning rate; it rises over the first twentieth and falls to 30 % of it.
    clip, weight_decay : as in the recipe.
    bfloat16 : compute the encoder in mixed precision.
    device : where.
    progress : called after every step.

    Returns
    -------
    Mean losses of the last tenth of the steps: ``patch_loss``, ``classification_loss``.

    Raises
    ------
    ModelError : E_MODEL when a film has no masks.
    """
    model.to(device).train()
    total, losses = len(batches), []
    structures = _known(batches.lesson(0)).shape[1]
    head = nn.Linear(model.config.vision.dimension, structures).to(device)
    nn.init.constant_(head.bias, -3.0)
    weights = [*model.vision.parameters(), *model.classifier.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(weights, lr=rate, betas=(0.9, 0.98), weight_decay=weight_decay)
    rare = torch.full((structures, 1, 1), _RARE, device=device)
    for step in range(total):
        lesson = batches.lesson(step)
        batch, coverage = lesson.batch, _known(lesson)
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / (total / 20 + 1)) * (1 - 0.7 * step / total)
        with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=bfloat16):
            cells = model.vision.forward_features(  # type: ignore[operator]  # of timm, which has no types
                batch["pixels"].to(device)
            )
        cells = cells.float()
        patch_loss = nn.functional.binary_cross_entropy_with_logits(
            head(cells).permute(0, 3, 1, 2), (coverage.to(device) / _ENOUGH).clamp(max=1), pos_weight=rare
        )
        # The head reads what the patches say and does not change it: findings of the whole film, asked of the mean of
        # all patches, would teach every patch to know everything, and attention could look anywhere.
        pooled = cells.detach().mean(dim=(1, 2))
        class_loss = classification_loss(model.classifier(pooled), batch["class_labels"].to(device))
        (_PATCHES * patch_loss + model.config.classification_weight * class_loss).backward()
        nn.utils.clip_grad_norm_(weights, clip)
        optimizer.step()
        optimizer.zero_grad()
        losses.append((patch_loss.item(), class_loss.item()))
        if progress is not None:
            progress(step + 1, total, {"patch_loss": losses[-1][0], "classification_loss": losses[-1][1]})
    last = losses[-max(1, total // 10) :]
    return {
        name: sum(pair[place] for pair in last) / len(last)
        for place, name in enumerate(("patch_loss", "classification_loss"))
    }


def _known(lesson: Lesson) -> torch.Tensor:
    """Which patches show what, float32 [B, structures, rows, cols]."""
    if lesson.coverage is None:
        raise ModelError("first lessons need films with known masks", code="E_MODEL", where="recipe: first_steps")
    return lesson.coverage
