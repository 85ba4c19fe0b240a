"""Form ``svd``: the patches of a study in the basis in which they are least alike (codecs/svd/SPEC.md).

Patches of one film resemble each other. Their Karhunen-Loeve transform puts what they share into few components, each
of which is then quantised with the same step, so that bits go where the variance is (reverse water-filling); steps
differ between channels, in powers of two. Basis and steps stand in the record: a file needs nothing but itself. The
lower bits of a large code are noise and stand as they are, apart from what is left after a shift: of that all rows have
about the same few values, which one entropy table serves well.

Lossy: the writer searches the coarsest step whose error it has measured to be within ``loss``. Sums of products of
small integers are exact in float64, so every reader decodes the same bits whatever the order of its additions.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neuralgraph.codecs.forms import Buffer, Matrix
from neuralgraph.codecs.loss import channel_deviation, coarsest, normalised_rmse
from neuralgraph.errors import CodecError, StudyError

__all__ = ["DEFAULT_LOSS", "GROUP", "MAX_CODE", "MAX_SHIFT", "SVD", "Svd", "join", "shifts_of", "split"]

DEFAULT_LOSS = 0.011
"""Channel-normalised RMSE of embedding="svd"."""

GROUP = 32
"""Rows that are mixed with each other."""

MAX_SHIFT = 8
MAX_CODE = (1 << 15) - 1
"""Largest magnitude of a code."""

_UNIT = 127
_FINE = 256
"""Parts of a step in which the writer computes."""
_Floats = NDArray[np.float64]
_Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Svd:
    """The form with its writer's target; a reader needs none.

    Raises
    ------
    StudyError (E_FILTER) : ``loss`` is not a positive number below 1.
    """

    loss: float = DEFAULT_LOSS
    """Largest channel-normalised RMSE of the decoded matrix (``neuralgraph.codecs.loss``), above 0."""
    name = "svd"
    n_planes = 4
    repeatable = False

    def __post_init__(self) -> None:
        """Refuse a loss that cannot be."""
        if not 1e-4 <= self.loss < 1:
            reason = f"the loss of svd is a number from 0.0001 to below 1, not {self.loss}"
            raise StudyError(reason, code="E_FILTER", where="embedding")

    def plane_bytes(self, rows: int, width: int) -> tuple[int, ...]:
        """Base, shifts and mixing; exponents; high parts; low bits."""
        return 4 + sum(g + g * g for g in _groups(rows)), width, rows * width, rows * width

    def encode(self, matrix: Matrix) -> tuple[bytes, ...]:
        """The planes with the coarsest base whose measured loss is within ``loss``.

        Raises
        ------
        StudyError (E_NUM) : values span a range that 16-bit codes cannot express, or overflow float32.
        """
        values = np.ascontiguousarray(matrix, "<f4")
        deviation = channel_deviation(values)
        if not values.size or not deviation.any():
            return tuple(bytes(size) for size in self.plane_bytes(*values.shape))

        def attempt(step: float) -> tuple[tuple[bytes, ...], float] | None:
            planes = self._encode(values.astype("<f8"), deviation, step)
            if planes is None:
                return None
            decoded = self.decode(planes, *values.shape, where="embedding")
            return planes, normalised_rmse(values, decoded, deviation)

        best = coarsest(attempt, self.loss)
        if best is None:
            reason = f"svd cannot hold these values within a loss of {self.loss}; use bfloat16"
            raise StudyError(reason, code="E_NUM", where="embedding")
        return best

    def _encode(self, values: _Floats, deviation: _Floats, relative: float) -> tuple[bytes, ...] | None:
        """The planes whose steps are about ``relative`` deviations; None when a code would not fit."""
        rows, width = values.shape
        exponents = np.clip(np.rint(np.log2(deviation)), -100, 100)
        base = np.float32(relative / math.sqrt(float(np.mean((np.exp2(exponents) / deviation) ** 2))) / _UNIT)
        # A channel far from zero for its deviation gets a coarser step, so that its codes fit.
        reach = np.abs(values).max(axis=0) * math.sqrt(min(rows, GROUP)) / (MAX_CODE * 0.9 * float(base) * _UNIT)
        with np.errstate(divide="ignore"):
            exponents = np.clip(np.maximum(exponents, np.ceil(np.log2(reach))), -128, 127)
        steps = float(base) * _UNIT * np.exp2(exponents)
        codes, shifts = np.zeros((rows, width), np.int64), np.zeros(rows, "u1")
        head, start = [base.astype("<f4").tobytes()], 0
        for size in _groups(rows):
            # In whole parts of a step, sums are exact and the same on every machine.
            fine = np.rint(values[start : start + size] / steps * _FINE)
            mixing = _mixing(fine)
            codes[start : start + size] = part = _codes(mixing, fine)
            mixing[~part.any(axis=1)] = 0
            if np.abs(part).max(initial=0) > MAX_CODE:
                return None
            shifts[start : start + size] = shifts_of(part)
            head += [shifts[start : start + size].tobytes(), mixing.astype("i1").tobytes()]
            start += size
        return b"".join(head), exponents.astype("i1").tobytes(), *split(codes, shifts)

    def bound(self, matrix: Matrix) -> float:
        """The loss asked for."""
        return self.loss if matrix.any() else 0.0

    def decode(self, planes: Sequence[Buffer], rows: int, width: int, *, where: str) -> Matrix:
        """float32(sum over components of mixing * code, times base, times 2^exponent): one rounding.

        Raises
        ------
        CodecError (E_FILTER) : base, a shift or the mixing is out of range, or bits follow the last low part.
        CodecError (E_NUM) : a value is not finite.
        """

        def refuse(reason: str) -> CodecError:
            return CodecError(reason, code="E_FILTER", where=where)

        head = bytes(planes[0])
        base = float(np.frombuffer(head, "<f4", 1)[0])
        if not math.isfinite(base) or math.copysign(1, base) < 0:
            raise refuse("the base is negative or not finite")
        shifts, mixings = np.empty(rows, "u1"), []
        at = start = 0
        for size in _groups(rows):
            shifts[start : start + size] = np.frombuffer(head, "u1", size, 4 + at)
            mixings.append(np.frombuffer(head, "i1", size * size, 4 + at + size).reshape(size, size))
            at, start = at + size + size * size, start + size
        if any((mixing == -128).any() for mixing in mixings):
            raise refuse("the mixing -128 is not used")
        codes = join(planes[2], planes[3], shifts, width, where=where)
        sums, start = np.empty((rows, width)), 0
        for mixing in mixings:
            end = start + len(mixing)
            sums[start:end] = mixing.T.astype("<f8") @ codes[start:end]
            start = end
        exponents = np.frombuffer(planes[1], "i1").astype(np.int32)
        with np.errstate(over="ignore", under="ignore"):
            decoded: Matrix = np.ldexp(sums * base, exponents).astype("<f4")
        if not np.isfinite(decoded).all():
            raise CodecError("a value is not finite", code="E_NUM", where=where)
        return decoded + np.float32(0)


def _groups(rows: int) -> Iterator[int]:
    """Sizes of the groups of rows."""
    for start in range(0, rows, GROUP):
        yield min(GROUP, rows - start)


def _mixing(fine: _Floats) -> _Codes:
    """int [components, rows]: eigenvectors of the Gram matrix, largest first, in units of 1/127.

    The Gram matrix is exact; rounding to 1/127 and a fixed sign hide what linear algebra libraries do differently.
    """
    vectors = np.linalg.eigh(fine @ fine.T)[1].T[::-1]
    strongest = np.abs(np.rint(vectors * _UNIT)).argmax(axis=1)
    signs = np.where(vectors[np.arange(len(vectors)), strongest] < 0, -1, 1)
    mixing: _Codes = np.rint(vectors * signs[:, None] * _UNIT).astype(np.int64)
    return mixing


def _codes(mixing: _Codes, fine: _Floats) -> _Codes:
    """int [components, width]: through the inverse of the rounded mixing, which is not quite orthogonal."""
    codes: _Codes = np.rint(np.linalg.pinv(mixing.T / _UNIT) @ fine / _FINE).astype(np.int64)
    return codes


def shifts_of(codes: _Codes) -> NDArray[np.uint8]:
    """u8 [rows]: how many low bits leave a mean magnitude of about 1 in each row of ``codes``."""
    mean = np.abs(codes).sum(axis=1) / max(codes.shape[1], 1)
    largest = _unsigned(codes).max(axis=1, initial=0)
    shifts = [
        max(math.ceil(math.log2(m / 1.2)) if m > 1.2 else 0, int(top).bit_length() - 8)
        for m, top in zip(mean.tolist(), largest.tolist(), strict=True)
    ]
    return np.clip(shifts, 0, MAX_SHIFT).astype("u1")


def split(codes: _Codes, shifts: NDArray[np.uint8]) -> tuple[bytes, bytes]:
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


def _unsigned(codes: _Codes) -> _Codes:
    """0, -1, 1, -2, ... as 0, 1, 2, 3, ..."""
    return np.where(codes < 0, -2 * codes - 1, 2 * codes)


SVD = Svd()
