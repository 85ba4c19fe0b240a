"""Stored values through a table of grey levels, the quickest of three ways that all give the same pixels.

The mapping takes longer than anything else between the decoder and the model, so films of one byte per pixel and films
whose table changes nothing do not go through it value by value.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["grey_levels"]

_STRIPE_ROWS = 64
_WORTH_PAIRS = 1 << 18
"""Pixels from which on a table of pairs is made: it takes as long as looking up half as many."""


def grey_levels(table: NDArray[np.float32], stored: NDArray[Any], lowest: int) -> NDArray[np.float32]:
    """The grey level of each stored value.

    Parameters
    ----------
    table : float32 [n]; entry i belongs to the value ``lowest + i``.
    stored : integers [rows, columns], each with an entry in the table.
    lowest : the smallest value that can be stored.

    Returns
    -------
    float32 [rows, columns].
    """
    if lowest == 0 and np.array_equal(table, np.arange(len(table), dtype=np.float32) / np.float32(len(table) - 1)):
        # The same division as in the line above, so the same numbers.
        divided: NDArray[np.float32] = np.divide(stored, np.float32(len(table) - 1), dtype=np.float32)
        return divided
    if lowest == 0 and stored.dtype == np.uint8 and stored.flags.c_contiguous and stored.size >= _WORTH_PAIRS:
        return _by_pairs(table, stored)
    pixels = np.empty(stored.shape, np.float32)
    # By stripes, whose indices stay in the processor's cache.
    for top in range(0, len(stored), _STRIPE_ROWS):
        stripe = stored[top : top + _STRIPE_ROWS]
        index = stripe.astype(np.int64) - lowest if lowest else stripe
        # Every value is in the table; "clip" only spares the check of each.
        np.take(table, index, out=pixels[top : top + _STRIPE_ROWS], mode="clip")
    return pixels


def _by_pairs(table: NDArray[np.float32], stored: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Two neighbouring pixels at a time, as one number of 16 bits."""
    pixels = np.empty(stored.shape, np.float32)
    pairs = stored.size // 2
    np.take(
        _pair_table(table.tobytes()),
        stored.reshape(-1)[: 2 * pairs].view(np.uint16),
        out=pixels.reshape(-1)[: 2 * pairs].view(np.uint64),
        mode="clip",
    )
    pixels.reshape(-1)[2 * pairs :] = table[stored.reshape(-1)[2 * pairs :]]
    return pixels


@lru_cache(maxsize=2)
def _pair_table(table: bytes) -> NDArray[np.uint64]:
    """uint64 [65536]: the two float32 of every two bytes, each in the machine's own order. Half a megabyte each."""
    two = np.arange(1 << 16, dtype=np.uint16).view(np.uint8).reshape(-1, 2)
    return np.frombuffer(table, np.float32)[two].view(np.uint64).ravel()
