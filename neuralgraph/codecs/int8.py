"""Form ``int8``: one signed byte per value and one float32 scale per row (codecs/int8/SPEC.md).

Lossy: |error| <= scale / 2 (1 + 2^-22) with scale = max |row| / 127, as long as the scale is a normal float32. A row
with an outlier loses its small values; compare bench/results before choosing it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neuralgraph.codecs.forms import Buffer, Matrix
from neuralgraph.errors import CodecError, StudyError

__all__ = ["INT8", "Int8"]

_LARGEST_CODE = 127


class Int8:
    """The per-row int8 form: plane 0 holds the codes int8 [rows, width], plane 1 the scales float32 [rows]."""

    name = "int8"
    n_planes = 2
    repeatable = True

    def plane_bytes(self, rows: int, width: int) -> tuple[int, ...]:
        """``rows * width`` codes, then four bytes per row."""
        return rows * width, 4 * rows

    def encode(self, matrix: Matrix) -> tuple[bytes, ...]:
        """Codes rounded to nearest even; a row of zeros has scale 0.

        Raises
        ------
        StudyError (E_NUM) : a value is so large that 127 * scale overflows float32.
        """
        values = np.ascontiguousarray(matrix, "<f4")
        largest = np.abs(values).max(axis=1, initial=0).astype("<f8")
        scale = (largest / _LARGEST_CODE).astype("<f4")
        with np.errstate(over="ignore"):
            if not np.isfinite(np.float32(_LARGEST_CODE) * scale).all():
                raise StudyError("a value is too large for int8; use float32", code="E_NUM", where="embedding")
        # In float64 the quotient of the largest value rounds to 127, whatever the scale was rounded to.
        divisor = np.where(scale > 0, scale, 1).astype("<f8")[:, None]
        codes = np.clip(np.rint(values / divisor), -_LARGEST_CODE, _LARGEST_CODE).astype("i1")
        return codes.tobytes(), scale.tobytes()

    def bound(self, matrix: Matrix) -> float:
        """Half of the largest scale, and its rounding; at least the smallest float32, for scales that are subnormal."""
        largest = float(np.abs(matrix).max(initial=0))
        return max(largest / _LARGEST_CODE / 2 * (1 + 2.0**-21), 64 * 2.0**-149) if largest else 0.0

    def decode(self, planes: Sequence[Buffer], rows: int, width: int, *, where: str) -> Matrix:
        """float32(code) * scale, one rounding per value.

        Raises
        ------
        CodecError (E_FILTER) : a scale is negative or not finite, or a code is -128.
        """
        codes = np.frombuffer(planes[0], "i1").reshape(rows, width)
        scale = np.frombuffer(planes[1], "<f4")
        if not np.isfinite(scale).all() or (scale < 0).any() or np.signbit(scale).any():
            raise CodecError("a scale is negative or not finite", code="E_FILTER", where=where)
        if (codes == -128).any():
            raise CodecError("the code -128 is not used", code="E_FILTER", where=where)
        with np.errstate(over="ignore"):
            values: Matrix = codes.astype("<f4") * scale[:, None]
        if not np.isfinite(values).all():
            raise CodecError("a value is not finite", code="E_NUM", where=where)
        return values


INT8 = Int8()
