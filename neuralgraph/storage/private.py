"""Files that their owner alone may read."""

from __future__ import annotations

import os
from typing import BinaryIO

__all__ = ["owner_only"]


def owner_only(stream: BinaryIO) -> None:
    """Let nobody else read an open file. Windows has no such bits: there the folder decides."""
    if hasattr(os, "fchmod"):
        os.fchmod(stream.fileno(), 0o600)
