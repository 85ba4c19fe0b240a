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
    ModelError (E_MODEL) : naming the field that is out of its range.
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
    frozen_parts: int = 0
    """Leading parts of the encoder (stem, stages) that stay as they are while the rest of it learns."""
    kept_batches: int = 0
    """Varied batches of which the frozen part of the encoder is computed once, and which are then shown again and again
    (see ``kept_batches``); 0 varies and computes every batch anew."""
    guidance_weight: float = 0.0
    """Weight of the loss that the last decoder layer looks, at the words of a finding, at the patches that its mask
    covers (see ``guidance``), wherever a film of the batch has marks; 0 leaves where it looks to the reports."""
    contrast_weight: float = 0.0
    """Weight, within guidance, of the same asked of other texts: with sides swapped, and of other films (see
    ``foils``); without it a model that is told where to look hardly reads."""
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
    """Place, scale, turn, exposure, unsharpness and size of the films varied."""
    flips: float = 0.25
    """Share of the films that are mirrored when they are varied, with the sides in their texts swapped; films whose
    texts name what lies on one side of everybody stay as they are."""
    sides: tuple[tuple[int, float], ...] = ()
    """(longest side in pixels, share of the batches that are shown at it), so that a model reads coarse and fine grids;
    smaller films stay as they are. Empty shows films as they were prepared, a tenth of the batches reduced."""
    source_weights: tuple[tuple[str, float], ...] = ()
    """(source, how often its films are drawn relative to those of the others); empty draws all films equally often."""
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
            "frozen_parts",
            "kept_batches",
            "guidance_weight",
            "contrast_weight",
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
        if not 0 <= self.flips <= 1 or any(weight <= 0 for _, weight in self.source_weights):
            raise ModelError(
                "must be a share, and weights more than 0", code="E_MODEL", where="recipe: flips, source_weights"
            )
        if any(side < 1 or share <= 0 for side, share in self.sides):
            raise ModelError("must be pixels, and shares more than 0", code="E_MODEL", where="recipe: sides")
        if self.precision not in PRECISIONS:
            raise ModelError(f"must be one of {', '.join(PRECISIONS)}", code="E_MODEL", where="recipe: precision")

    @property
    def record(self) -> dict[str, Any]:
        """Every field as plain JSON values."""
        return dataclasses.asdict(self)
