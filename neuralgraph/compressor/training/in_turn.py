"""Work that one of several processes does for all: what it leaves on disk tells the others to go on.

``torchrun`` starts as many processes as there are GPUs, and every one runs the same program. Files are what they share
before the process group of the Trainer is there.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from neuralgraph.errors import ModelError

__all__ = ["in_turn"]

_LONGEST = 24 * 3600.0
"""Seconds after which a process gives the first one up."""


def in_turn(work: Callable[[], object], sign: Path, *, pause: float = 0.2) -> None:
    """Run ``work`` in the first process, and let the others wait for what it leaves.

    Parameters
    ----------
    work : leaves ``sign``, as its last act.
    sign : a file or folder.
    pause : seconds between two looks.

    Raises
    ------
    ModelError (E_MODEL) : in the others, when the sign does not come within a day.
    """
    if os.environ.get("RANK", "0") == "0":
        work()
        return
    begun = time.monotonic()
    while not sign.exists():
        if time.monotonic() - begun > _LONGEST:
            raise ModelError("the first process of the run has left nothing", code="E_MODEL", where=sign.name)
        time.sleep(pause)
