"""How a model is trained: every number that has an influence, in one place."""

from __future__ import annotations

import dataclasses
from typing import Any

from neuralgraph.errors import ModelError

__all__ = ["PRECISIONS", "Recipe"]

PRECISIONS: tuple[str, ...] = ("auto", "float32", "bfloat16")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """Settings of a training run; the defaults fine-tune gently.

    Raises
    ------
    ModelError : E_MODEL naming the field that is out of its range.
    """

    steps: int = 2000
    """Updates of the weights."""
    batch_size: int = 16
    """Films that go through the model together, on each device."""
    accumulation: int = 1
    """Batches whose gradients are summed before one update."""
    vision_rate: float = 1e-4
    """Peak learning rate of the encoder; 0 leaves it as it is."""
    bridge_rate: float = 2e-4
    """Peak learning rate of projection and classification head."""
    text_rate: float = 3e-4
    """Peak learning rate of decoder and position signal."""
    first_steps: int = 0
    """Updates of the encoder alone before, on films with known masks (see ``first_lessons``)."""
    first_rate: float = 1e-3
    """Peak learning rate of these."""
    guidance_weight: float = 0.0
    """Weight of the loss that the last decoder layer looks, at the words of a finding, at the patches that its mask
    covers (see ``guidance``); 0 leaves where it looks to the reports, and films need no masks."""
    pruned_weight: float = 1.0
    """Weight of the loss of the same reports read from the patches of highest score alone (see ``pruned_reports``); 0,
    as the paper has it, leaves the decoder ignorant of pruned studies."""
    warmup: int = 100
    """Updates over which the rates rise from 0; after that they fall along a cosine to 0."""
    weight_decay: float = 0.02
    """Of AdamW, for weight matrices; biases and norms have none."""
    clip: float = 1.0
    """Largest norm of a gradient."""
    precision: str = "auto"
    """"bfloat16" (automatic mixed precision), "float32", or "auto": bfloat16 where the device computes in it."""
    augment: bool = True
    """Shift, exposure, unsharpness and size of the films varied; sides are never swapped."""
    validation_share: float = 0.1
    """Share of the patients held out for validation where the source names no such split."""
    validate_every: int = 200
    """Updates between validations; each leaves a checkpoint."""
    patience: int = 10
    """Validations without a lower loss after which training stops."""
    longest_report: int = 512
    """Tokens; the rest of a longer report is not learnt."""
    seed: int = 2025
    """Of weights, order, dropout and augmentation."""

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "accumulation", "validate_every", "patience", "longest_report"):
            if getattr(self, name) < 1:
                raise ModelError("must be at least 1", code="E_MODEL", where=f"recipe: {name}")
        for name in (
            "vision_rate",
            "bridge_rate",
            "text_rate",
            "first_steps",
            "first_rate",
            "guidance_weight",
            "pruned_weight",
            "weight_decay",
            "warmup",
            "seed",
        ):
            if getattr(self, name) < 0:
                raise ModelError("must not be negative", code="E_MODEL", where=f"recipe: {name}")
        if self.clip <= 0 or not 0 < self.validation_share < 1:
            raise ModelError(
                "must be more than 0, and a share less than 1", code="E_MODEL", where="recipe: clip, validation_share"
            )
        if self.precision not in PRECISIONS:
            raise ModelError(f"must be one of {', '.join(PRECISIONS)}", code="E_MODEL", where="recipe: precision")

    @property
    def record(self) -> dict[str, Any]:
        """Every field as plain JSON values."""
        return dataclasses.asdict(self)
