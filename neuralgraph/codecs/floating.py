"""Forms ``float32``, ``bfloat16`` and ``float16``: IEEE bits split into byte planes, least significant first.

Embeddings have noise-like low bytes and a narrow range of exponents: apart, the high plane compresses and the others
are stored; together they share one entropy table and neither wins (codecs/float32/SPEC.md has the measurement).

The same three as ``float32_interleaved`` and so on keep the bytes of a value together, in one plane: larger, but a
loader copies it into a batch as it stands.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neuralgraph.codecs.forms import Buffer, Matrix
from neuralgraph.errors import CodecError, StudyError

__all__ = [
    "BFLOAT16",
    "BFLOAT16_INTERLEAVED",
    "FLOAT16",
    "FLOAT16_INTERLEAVED",
    "FLOAT32",
    "FLOAT32_INTERLEAVED",
    "Floating",
]


@dataclass(frozen=True)
class Floating:
    """A floating-point form.

    Parameters
    ----------
    kind : "float32", "bfloat16" or "float16".
    value_bytes : bytes of one value.
    interleaved : one plane of whole values instead of one plane per byte.
    """

    kind: str
    value_bytes: int
    interleaved: bool = False

    @property
    def name(self) -> str:
        """Name in the book."""
        return f"{self.kind}_interleaved" if self.interleaved else self.kind

    @property
    def n_planes(self) -> int:
        """One for each byte of a value, or one."""
        return 1 if self.interleaved else self.value_bytes

    def plane_bytes(self, rows: int, width: int) -> tuple[int, ...]:
        """``rows * width`` bytes for each byte of a value, in one plane or in several."""
        return (rows * width * self.value_bytes // self.n_planes,) * self.n_planes

    def holds(self, matrix: Matrix) -> bool:
        """Every value of ``matrix`` has exactly this form, to the sign of zero."""
        values = np.ascontiguousarray(matrix, "<f4")
        if self.kind == "bfloat16":
            return not (values.view("<u4") & 0xFFFF).any()
        if self.kind == "float16":
            with np.errstate(over="ignore", under="ignore"):
                narrow = values.astype("<f2").astype("<f4")
            return bool((narrow.view("<u4") == values.view("<u4")).all())
        return True

    def encode(self, matrix: Matrix) -> tuple[bytes, ...]:
        """The planes of ``matrix``, rounded to nearest even.

        Raises
        ------
        StudyError (E_NUM) : a value overflows the form.
        """
        values = np.ascontiguousarray(matrix, "<f4")
        if self.kind == "float32":
            bits = values.view("<u4")
        elif self.kind == "float16":
            with np.errstate(over="ignore", under="ignore"):
                bits = values.astype("<f2").view("<u2")
            overflow = (bits & 0x7C00) == 0x7C00
        else:
            wide = values.view("<u4")
            # Just under half an ulp, plus the lowest kept bit, rounds halves to even; finite values cannot wrap.
            bits = ((wide + 0x7FFF + ((wide >> 16) & 1)) >> 16).astype("<u2")
            overflow = (bits & 0x7F80) == 0x7F80
        if self.kind != "float32" and overflow.any():
            raise StudyError(f"a value is too large for {self.kind}; use float32", code="E_NUM", where="embedding")
        if self.interleaved:
            return (bits.tobytes(),)
        planes = bits.view("u1").reshape(values.size, self.value_bytes).T
        return tuple(plane.tobytes() for plane in planes)

    loss_measure = "largest"

    def bound(self, matrix: Matrix) -> float:
        """Half a unit in the last place of the largest value, or 0 when ``matrix`` has this form already."""
        if not matrix.size or self.holds(matrix):
            return 0.0
        bits, least = {"bfloat16": (8, -126), "float16": (11, -14)}[self.kind]
        exponent = max(math.frexp(float(np.abs(matrix).max()))[1], least + 1)
        return math.ldexp(1.0, exponent - bits - 1)

    def decode(self, planes: Sequence[Buffer], rows: int, width: int, *, where: str) -> Matrix:
        """The matrix; every stored value is exactly representable in float32.

        Raises
        ------
        CodecError (E_NUM) : a value is infinite or not a number.
        """
        values = np.empty((rows, width), np.float32)
        self.fill(planes, values)
        if not np.isfinite(values).all():
            raise CodecError("a value is not finite", code="E_NUM", where=where)
        return values

    def fill(self, planes: Sequence[Buffer], out: Matrix) -> None:
        """Write the first rows of a matrix to ``out``; the values are not looked at.

        Parameters
        ----------
        planes : of the whole matrix.
        out : float32 [n, width], C order.
        """
        wide = out.reshape(-1).view("<u4")
        bits = wide if self.kind == "float32" else np.empty(out.size, "<u2")
        if self.interleaved:
            np.copyto(bits, np.frombuffer(planes[0], bits.dtype, out.size))
        else:
            # Shifting whole values is quicker than writing every fourth byte.
            highest, *others = (np.frombuffer(plane, "u1", out.size) for plane in reversed(planes))
            np.copyto(bits, highest)
            for plane in others:
                bits <<= 8
                bits |= plane
        if self.kind == "bfloat16":
            np.copyto(wide, bits)
            wide <<= 16
        elif self.kind == "float16":
            np.copyto(out, bits.view("<f2").reshape(out.shape))


FLOAT32 = Floating("float32", 4)
BFLOAT16 = Floating("bfloat16", 2)
FLOAT16 = Floating("float16", 2)
FLOAT32_INTERLEAVED = Floating("float32", 4, interleaved=True)
BFLOAT16_INTERLEAVED = Floating("bfloat16", 2, interleaved=True)
FLOAT16_INTERLEAVED = Floating("float16", 2, interleaved=True)
