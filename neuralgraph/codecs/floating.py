"""Forms ``float32``, ``bfloat16`` and ``float16``: IEEE bits split into byte planes, least significant first.

Embeddings have noise-like low bytes and a narrow range of exponents: apart, the high plane compresses and the others
are stored; together they share one entropy table and neither wins (codecs/float32/SPEC.md has the measurement).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neuralgraph.codecs.forms import Buffer, Matrix
from neuralgraph.errors import CodecError, StudyError

__all__ = ["BFLOAT16", "FLOAT16", "FLOAT32", "Floating"]


@dataclass(frozen=True)
class Floating:
    """A floating-point form."""

    name: str
    """"float32", "bfloat16" or "float16"."""
    n_planes: int
    """Bytes of one value, each of which has a plane."""
    repeatable = True

    def plane_bytes(self, rows: int, width: int) -> tuple[int, ...]:
        """``rows * width`` bytes for each byte of a value."""
        return (rows * width,) * self.n_planes

    def holds(self, matrix: Matrix) -> bool:
        """Every value of ``matrix`` has exactly this form, to the sign of zero."""
        values = np.ascontiguousarray(matrix, "<f4")
        if self.name == "bfloat16":
            return not (values.view("<u4") & 0xFFFF).any()
        if self.name == "float16":
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
        if self.name == "float32":
            bits = values.view("<u4")
        elif self.name == "float16":
            with np.errstate(over="ignore", under="ignore"):
                bits = values.astype("<f2").view("<u2")
            overflow = (bits & 0x7C00) == 0x7C00
        else:
            wide = values.view("<u4")
            # Just under half an ulp, plus the lowest kept bit, rounds halves to even; finite values cannot wrap.
            bits = ((wide + 0x7FFF + ((wide >> 16) & 1)) >> 16).astype("<u2")
            overflow = (bits & 0x7F80) == 0x7F80
        if self.name != "float32" and overflow.any():
            raise StudyError(f"a value is too large for {self.name}; use float32", code="E_NUM", where="embedding")
        planes = bits.view("u1").reshape(values.size, self.n_planes).T
        return tuple(plane.tobytes() for plane in planes)

    def bound(self, matrix: Matrix) -> float:
        """Half a unit in the last place of the largest value, or 0 when ``matrix`` has this form already."""
        if not matrix.size or self.holds(matrix):
            return 0.0
        bits, least = {"bfloat16": (8, -126), "float16": (11, -14)}[self.name]
        exponent = max(math.frexp(float(np.abs(matrix).max()))[1], least + 1)
        return math.ldexp(1.0, exponent - bits - 1)

    def decode(self, planes: Sequence[Buffer], rows: int, width: int, *, where: str) -> Matrix:
        """The matrix; every stored value is exactly representable in float32.

        Raises
        ------
        CodecError (E_NUM) : a value is infinite or not a number.
        """
        # Shifting whole values is quicker than writing every fourth byte.
        highest, *others = (np.frombuffer(plane, "u1", rows * width) for plane in reversed(planes))
        bits = highest.astype("<u2" if self.name == "float16" else "<u4")
        for plane in others:
            bits <<= 8
            bits |= plane
        if self.name == "bfloat16":
            bits <<= 16
        values: Matrix = bits.view("<f2").astype("<f4") if self.name == "float16" else bits.view("<f4")
        if not np.isfinite(values).all():
            raise CodecError("a value is not finite", code="E_NUM", where=where)
        return values.reshape(rows, width)


FLOAT32 = Floating("float32", 4)
BFLOAT16 = Floating("bfloat16", 2)
FLOAT16 = Floating("float16", 2)
