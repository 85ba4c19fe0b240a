"""Seconds by the wall clock and of CPU."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

__all__ = ["clocked", "exhaust"]


def clocked(work: Callable[[], Any]) -> tuple[float, float]:
    """Seconds by wall clock and of CPU."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def exhaust(batches: Any) -> None:
    """Take everything there is."""
    for _ in batches:
        pass
