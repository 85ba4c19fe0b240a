"""How many processors there are for us."""

from __future__ import annotations

import os

__all__ = ["processors"]


def processors() -> int:
    """Processors this process may use; all of the machine where the system does not say (macOS, Windows)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
