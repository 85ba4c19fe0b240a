"""What a training computes on, and who follows it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

__all__ = ["Progress", "Runtime", "expected_line", "progress_lines"]

Progress: TypeAlias = Callable[[int, int, dict[str, float]], None]
"""Called after every step, and every batch that is kept, with its number, how many there are, and what is known of the
losses."""


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """Where a training runs, and who is told of it; the recipe says everything else."""

    device: str = "cpu"
    """As torch names it: "cpu" or "cuda"."""
    progress: Progress | None = None
    expected: Callable[[float], None] | None = None
    """Told before the first lesson or update how many seconds all that are left will take; None does not ask, which
    saves the time of a few."""
    stop: Callable[[], bool] | None = None
    """Asked after every step and every batch that is kept; True keeps what is done, for the same call to go on from,
    and ends the run."""
    log_to: Path | None = None
    """A .csv file that losses and measures go to while it runs."""

    @property
    def stopped(self) -> bool:
        """Somebody asked for an end."""
        return self.stop is not None and self.stop()

    def tell(self, step: int, steps: int, losses: dict[str, float]) -> None:
        """Pass on what is known after a step."""
        if self.progress is not None:
            self.progress(step, steps, losses)


def expected_line(seconds: float) -> None:
    """What ``Runtime.expected`` says in programs without words of their own, on stderr."""
    sys.stderr.write(f"about {max(1, round(seconds / 60))} min for what is to be learnt, validations not counted\n")


def progress_lines(step: int, steps: int, losses: dict[str, float]) -> None:
    """A ``Progress`` for programs without a bar: a line on stderr after every fifty steps."""
    if step % 50 == 0 or step == steps:
        known = "  ".join(f"{name} {value:.3f}" for name, value in losses.items())
        sys.stderr.write(f"{step}/{steps}  {known}\n")
