"""Form ``svd``: the patches of a study in the basis in which they are least alike (codecs/svd/SPEC.md).

Patches of one film resemble each other. Their Karhunen-Loeve transform puts what they share into few components, each
of which is then quantised with the same step, so that bits go where the variance is (reverse water-filling); steps
differ between channels, in powers of two. Basis and steps stand in the record: a file needs nothing but itself.

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
from neuralgraph.codecs.loss import channel_deviation, normalised_rmse
from neuralgraph.errors import CodecError, StudyError

__all__ = ["DEFAULT_LOSS", "GROUP", "SVD", "Svd"]

DEFAULT_LOSS = 0.011
"""Channel-normalised RMSE of embedding="svd"."""

GROUP = 32
"""Rows that are mixed with each other."""

_UNIT = 127
_MAX_SHIFT = 8
_MAX_CODE = (1 << 15) - 1
_FINE = 256
"""Parts of a step in which the writer computes."""
_ROUNDS = 12
_Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Svd:
    """The form with its writer's target; a reader needs none.

    Parameters
    ----------
    loss : largest channel-normalised RMSE of the decoded matrix (``neuralgraph.codecs.loss``), above 0.

    Raises
    ------
    StudyError (E_FILTER) : ``loss`` is not a positive number below 1.
    """

    loss: float = DEFAULT_LOSS
    name = "svd"
    n_planes = 4
    interleaved = False

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
        # Half a step on average, squared, is a twelfth: the first guess, exact while steps are fine.
        guess, best = math.sqrt(12) * self.loss, None
        low, high = 0.0, math.inf
        for _ in range(_ROUNDS):
            planes = self._encode(values.astype("<f8"), deviation, guess)
            error = math.inf
            if planes is not None:
                decoded = self.decode(planes, *values.shape, where="embedding")
                error = normalised_rmse(values, decoded, deviation)
            if error <= self.loss:
                low, best = guess, planes
                if error >= 0.99 * self.loss:
                    break
            else:
                high = guess
            nearer = guess * min(max(self.loss / error if error else 2.0, 0.5), 2.0) * 0.998
            guess = nearer if low < nearer < high else (low + high) / 2 if high < math.inf else 2 * low
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
        reach = np.abs(values).max(axis=0) * math.sqrt(min(rows, GROUP)) / (_MAX_CODE * 0.9 * float(base) * _UNIT)
        with np.errstate(divide="ignore"):
            exponents = np.clip(np.maximum(exponents, np.ceil(np.log2(reach))), -128, 127)
        steps = float(base) * _UNIT * np.exp2(exponents)
        head, codes, start = [base.astype("<f4").tobytes()], np.zeros((rows, width), np.int64), 0
        for size in _groups(rows):
            # In whole parts of a step, sums are exact and the same on every machine.
            fine = np.rint(values[start : start + size] / steps * _FINE)
            mixing = _mixing(fine)
            codes[start : start + size] = part = _codes(mixing, fine)
            mixing[~part.any(axis=1)] = 0
            if np.abs(part).max(initial=0) > _MAX_CODE:
                return None
            head += [_shifts(part).tobytes(), mixing.astype("i1").tobytes()]
            start += size
        shifts = np.concatenate([_shifts(codes[row : row + 1]) for row in range(rows)])
        unsigned = np.where(codes < 0, -2 * codes - 1, 2 * codes)
        pieces = [
            (unsigned[row, :, None] >> np.arange(shift)) & 1 for row, shift in enumerate(shifts.tolist()) if shift
        ]
        bits = np.concatenate([piece.ravel() for piece in pieces]) if pieces else np.zeros(0, np.int64)
        packed = np.packbits(bits.astype("u1"), bitorder="little").tobytes()
        upper = (unsigned >> shifts[:, None]).astype("u1").tobytes()
        return b"".join(head), exponents.astype("i1").tobytes(), upper, packed.ljust(rows * width, b"\0")

    loss_measure = "rmse"

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
        shifts, mixings = np.empty(rows, np.int64), []
        at = start = 0
        for size in _groups(rows):
            shifts[start : start + size] = np.frombuffer(head, "u1", size, 4 + at)
            mixings.append(np.frombuffer(head, "i1", size * size, 4 + at + size).reshape(size, size))
            at, start = at + size + size * size, start + size
        if (shifts > _MAX_SHIFT).any():
            raise refuse(f"a shift is more than {_MAX_SHIFT}")
        if any((mixing == -128).any() for mixing in mixings):
            raise refuse("the mixing -128 is not used")
        unsigned = np.frombuffer(planes[2], "u1").reshape(rows, width).astype(np.int64) << shifts[:, None]
        self._add_low_bits(unsigned, shifts, planes[3], refuse("bits follow the low part of the last code"))
        codes = np.where(unsigned & 1, -(unsigned >> 1) - 1, unsigned >> 1).astype("<f8")
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

    @staticmethod
    def _add_low_bits(unsigned: NDArray[np.int64], shifts: NDArray[np.int64], plane: Buffer, extra: CodecError) -> None:
        width = unsigned.shape[1]
        total = int(shifts.sum()) * width
        packed = np.frombuffer(plane, "u1")
        used = np.unpackbits(packed[: -(-total // 8)], bitorder="little")
        if used[total:].any() or packed[-(-total // 8) :].any():
            raise extra
        at = 0
        for row, shift in enumerate(shifts.tolist()):
            part = used[at : at + shift * width].reshape(width, shift)
            unsigned[row] += part @ (1 << np.arange(shift))
            at += shift * width


def _groups(rows: int) -> Iterator[int]:
    """Sizes of the groups of rows."""
    for start in range(0, rows, GROUP):
        yield min(GROUP, rows - start)


def _mixing(fine: _Floats) -> NDArray[np.int64]:
    """int [components, rows]: eigenvectors of the Gram matrix, largest first, in units of 1/127.

    The Gram matrix is exact; rounding to 1/127 and a fixed sign hide what linear algebra libraries do differently.
    """
    vectors = np.linalg.eigh(fine @ fine.T)[1].T[::-1]
    strongest = np.abs(np.rint(vectors * _UNIT)).argmax(axis=1)
    signs = np.where(vectors[np.arange(len(vectors)), strongest] < 0, -1, 1)
    return np.rint(vectors * signs[:, None] * _UNIT).astype(np.int64)


def _codes(mixing: NDArray[np.int64], fine: _Floats) -> NDArray[np.int64]:
    """int [components, width]: through the inverse of the rounded mixing, which is not quite orthogonal."""
    codes: NDArray[np.int64] = np.rint(np.linalg.pinv(mixing.T / _UNIT) @ fine / _FINE).astype(np.int64)
    return codes


def _shifts(codes: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Low bits of each component that are stored as they are: as many as leave a mean magnitude of about 1."""
    mean = np.abs(codes).sum(axis=1) / codes.shape[1]
    largest = np.where(codes < 0, -2 * codes - 1, 2 * codes).max(axis=1)
    shifts = [
        max(math.ceil(math.log2(m / 1.2)) if m > 1.2 else 0, int(top).bit_length() - 8)
        for m, top in zip(mean.tolist(), largest.tolist(), strict=True)
    ]
    return np.clip(shifts, 0, _MAX_SHIFT).astype("u1")


SVD = Svd()
