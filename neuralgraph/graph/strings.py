"""Strings of a study as one pool of bytes (FORMAT.md section 5.3)."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

__all__ = ["split_strings"]


def split_strings(lengths: NDArray[Any], text: NDArray[Any]) -> list[bytes]:
    """The byte strings of a pool whose lengths are known to add up."""
    data, strings, start = text.tobytes(), [], 0
    for length in lengths.tolist():
        strings.append(data[start : start + length])
        start += length
    return strings
