"""The same budget for every system: wall seconds, or films shown."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import torch

from bench.baselines.lessons import Batch, Lessons

__all__ = ["BATCH", "Budget", "on_device", "trained"]

BATCH = 32
RATE, WARM_UP, DECAY, CLIP = 1e-3, 0.05, 0.01, 1.0
"""Learning rate at its highest, the share of the budget in which it rises, weight decay, largest norm of a gradient."""


@dataclass(frozen=True)
class Budget:
    """Whichever of the two is given; by films a run can be repeated, by seconds it depends on the machine."""

    seconds: float | None = None
    films: int | None = None

    def used(self, seconds: float, films: int) -> float:
        """The share that is used up, 0 to 1 and beyond."""
        if self.films is not None:
            return films / self.films
        return seconds / (self.seconds or math.inf)


def trained(
    make: Callable[[], torch.nn.Module],
    lessons: Lessons,
    budget: Budget,
    *,
    seed: int,
    size: int = BATCH,
    device: str = "cpu",
) -> tuple[Any, dict[str, Any]]:
    """A system trained for the budget, in evaluation mode, and what was spent on it.

    Parameters
    ----------
    make : gives the model, whose ``loss(batch)`` is lowered by AdamW; the rate rises, then falls along a cosine.
    lessons : the films.
    budget : when to end.
    seed : of weights, order and variation.
    size : films of a step.
    device : "cpu" or "cuda".
    """
    torch.manual_seed(seed)
    model = make().to(device).train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=DECAY)
    losses: list[float] = []
    films, begin = 0, time.monotonic()
    for batch in lessons.batches(size=size, seed=seed):
        used = budget.used(time.monotonic() - begin, films)
        if used >= 1:
            break
        for group in optimiser.param_groups:
            group["lr"] = RATE * (used / WARM_UP if used < WARM_UP else 0.5 + 0.5 * math.cos(math.pi * used))
        loss = model.loss(on_device(batch, device))
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimiser.step()
        losses.append(float(loss.detach()))
        films += len(batch.texts)
    some = max(1, len(losses) // 20)
    spent = {
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "steps": len(losses),
        "films_shown": films,
        "loss_first": fmean(losses[:some]) if losses else None,
        "loss_last": fmean(losses[-some:]) if losses else None,
        "seconds": round(time.monotonic() - begin, 1),
    }
    return model.eval(), spent


def on_device(batch: Batch, device: str) -> Batch:
    """The batch where the model is."""
    tensors = (batch.films, batch.labels, batch.tokens, batch.entities)
    return Batch(*(tensor.to(device) for tensor in tensors), batch.texts)
