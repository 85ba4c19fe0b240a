"""Memory of large arrays that is used again, so that a batch does not pay for pages that the one before gave back."""

from __future__ import annotations

import weakref
from collections import deque
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["ReusedMemory"]

_WORTH_KEEPING = 1 << 16
"""Smaller arrays come from the allocator, which does not give their pages back."""
_MOST_FREE = 2
"""Blocks that are kept while nobody uses them: one is filled, one has just been let go."""


class ReusedMemory:
    """Makes arrays; the memory of one comes back when neither it, nor a view, nor a tensor of it is left.

    May be used by several threads at once.
    """

    def __init__(self) -> None:
        self._free: deque[NDArray[np.uint8]] = deque()
        self._lent: dict[int, weakref.ref[NDArray[Any]]] = {}

    def array(self, shape: tuple[int, ...], dtype: type[np.generic]) -> NDArray[Any]:
        """An array whose values do not matter."""
        count = prod(shape)
        size = count * np.dtype(dtype).itemsize
        if size < _WORTH_KEEPING:
            return np.empty(shape, dtype)
        block = self._block(size)
        # A view of an array refers to the array that refers to foreign memory, which this one does, and no further.
        owner = np.frombuffer(block.data, dtype, count)
        key = id(owner)
        self._lent[key] = weakref.ref(owner, lambda _: self._take_back(key, block))
        return owner.reshape(shape)

    def _block(self, size: int) -> NDArray[np.uint8]:
        while self._free:
            try:
                block = self._free.popleft()
            except IndexError:  # another thread was faster
                break
            if size <= len(block) <= 2 * size:
                return block
        return np.empty(size + size // 4, np.uint8)

    def _take_back(self, key: int, block: NDArray[np.uint8]) -> None:
        del self._lent[key]
        if len(self._free) < _MOST_FREE:
            self._free.append(block)

    def clear(self) -> None:
        """Give the memory that nobody uses back to the system."""
        self._free.clear()
