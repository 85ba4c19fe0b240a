"""Integer codes in two parts: what is left after a shift, and the bits below it (FORMAT.md section 7.3).

The lower bits of a large code are noise and are stored as they are; the upper parts of all rows have about the same few
values, which one entropy table serves well.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from neuralgraph.codecs.forms import Buffer
from neuralgraph.errors import CodecError

__all__ = ["MAX_CODE", "MAX_SHIFT", "join", "shifts_of", "split"]

MAX_SHIFT = 8
MAX_CODE = (1 << 15) - 1
"""Largest magnitude of a code."""

Codes = NDArray[np.int64]


def shifts_of(codes: Codes) -> NDArray[np.uint8]:
    """u8 [rows]: how many low bits leave a mean magnitude of about 1 in each row of ``codes``."""
    mean = np.abs(codes).sum(axis=1) / max(codes.shape[1], 1)
    largest = _unsigned(codes).max(axis=1, initial=0)
    shifts = [
        max(math.ceil(math.log2(m / 1.2)) if m > 1.2 else 0, int(top).bit_length() - 8)
        for m, top in zip(mean.tolist(), largest.tolist(), strict=True)
    ]
    return np.clip(shifts, 0, MAX_SHIFT).astype("u1")


def split(codes: Codes, shifts: NDArray[np.uint8]) -> tuple[bytes, bytes]:
    """The planes of upper and lower parts, both of ``codes.size`` bytes.

    Parameters
    ----------
    codes : int [rows, columns], of magnitude at most ``MAX_CODE``.
    shifts : u8 [rows].
    """
    unsigned = _unsigned(codes)
    pieces = [((unsigned[row, :, None] >> np.arange(shift)) & 1).ravel() for row, shift in enumerate(shifts.tolist())]
    bits = np.concatenate(pieces).astype("u1") if pieces else np.zeros(0, "u1")
    lower = np.packbits(bits, bitorder="little").tobytes()
    return (unsigned >> shifts[:, None]).astype("u1").tobytes(), lower.ljust(codes.size, b"\0")


def join(upper: Buffer, lower: Buffer, shifts: NDArray[np.uint8], columns: int, *, where: str) -> NDArray[np.float64]:
    """float64 [rows, columns]: the codes of two planes, as whole numbers.

    Raises
    ------
    CodecError (E_FILTER) : a shift is too large, or bits follow the last lower part.
    """
    if (shifts > MAX_SHIFT).any():
        raise CodecError(f"a shift is more than {MAX_SHIFT}", code="E_FILTER", where=where)
    counts = shifts.astype(np.int64)
    unsigned = np.frombuffer(upper, "u1").reshape(len(shifts), columns).astype(np.int64) << counts[:, None]
    total = int(counts.sum()) * columns
    packed = np.frombuffer(lower, "u1")
    bits = np.unpackbits(packed[: -(-total // 8)], bitorder="little")
    if bits[total:].any() or packed[-(-total // 8) :].any():
        raise CodecError("bits follow the low part of the last code", code="E_FILTER", where=where)
    at = 0
    for row, count in enumerate(counts.tolist()):
        if count:
            unsigned[row] += bits[at : at + count * columns].reshape(columns, count) @ (1 << np.arange(count))
            at += count * columns
    codes: NDArray[np.float64] = np.where(unsigned & 1, -(unsigned >> 1) - 1, unsigned >> 1).astype(np.float64)
    return codes


def _unsigned(codes: Codes) -> Codes:
    """0, -1, 1, -2, ... as 0, 1, 2, 3, ..."""
    return np.where(codes < 0, -2 * codes - 1, 2 * codes)
