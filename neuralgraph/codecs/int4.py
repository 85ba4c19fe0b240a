"""Form ``int4``: two values in a byte and one bfloat16 scale for every 64 values of a row (codecs/int4/SPEC.md).

Lossy: |error| <= scale / 2 with 7 * scale just above the largest magnitude of the group. Small files, large errors;
compare bench/results before choosing it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from neuralgraph.codecs.forms import Buffer, Matrix
from neuralgraph.errors import CodecError, StudyError

__all__ = ["GROUP", "INT4", "Int4"]

GROUP = 64
"""Values that share a scale."""

_LARGEST_CODE = 7


class Int4:
    """The per-group int4 form: plane 0 holds the codes, plane 1 the scales [rows, ceil(width / 64)] bfloat16."""

    name = "int4"
    n_planes = 2
    interleaved = False

    def plane_bytes(self, rows: int, width: int) -> tuple[int, ...]:
        """Half a byte for a value, every row in whole bytes; then two bytes for a group."""
        return rows * -(-width // 2), 2 * rows * -(-width // GROUP)

    def encode(self, matrix: Matrix) -> tuple[bytes, ...]:
        """Codes rounded to nearest even; a group of zeros has scale 0.

        Raises
        ------
        StudyError (E_NUM) : a value is so large that 7 * scale overflows float32.
        """
        values = np.ascontiguousarray(matrix, "<f4")
        rows, width = values.shape
        groups = -(-width // GROUP)
        grouped = np.zeros((rows, groups * GROUP), "<f8")
        grouped[:, :width] = values
        grouped = grouped.reshape(rows, groups, GROUP)
        largest = np.abs(grouped).max(axis=2)
        # Rounded up to a bfloat16, so that no code exceeds 7.
        exact = np.nextafter((largest / _LARGEST_CODE).astype("<f4"), np.float32(np.inf))
        bits = np.where(largest > 0, (exact.view("<u4").astype("<u8") + 0xFFFF) >> 16, 0).astype("<u2")
        scale = _scales(bits)
        with np.errstate(over="ignore"):
            if not np.isfinite(np.float32(_LARGEST_CODE) * scale).all():
                raise StudyError("a value is too large for int4; use float32", code="E_NUM", where="embedding")
        divisor = np.where(scale > 0, scale, 1).astype("<f8")
        codes = np.zeros((rows, -(-width // 2) * 2), "i1")
        codes[:, :width] = np.rint(grouped / divisor[:, :, None]).astype("i1").reshape(rows, groups * GROUP)[:, :width]
        nibbles = (codes & 15).astype("u1")
        return (nibbles[:, 0::2] | nibbles[:, 1::2] << 4).tobytes(), bits.tobytes()

    loss_measure = "largest"

    def bound(self, matrix: Matrix) -> float:
        """Half of the largest scale, and its rounding."""
        scales = _scales(np.frombuffer(self.encode(matrix)[1], "<u2"))
        return float(scales.max(initial=0)) / 2 * (1 + 2.0**-22)

    def decode(self, planes: Sequence[Buffer], rows: int, width: int, *, where: str) -> Matrix:
        """float32(code) * scale, one rounding per value.

        Raises
        ------
        CodecError (E_FILTER) : a scale is negative or not finite, a code is -8, or the unused half of a byte is not 0.
        CodecError (E_NUM) : a product is not finite.
        """
        packed = np.frombuffer(planes[0], "u1").reshape(rows, -(-width // 2))
        codes = np.stack([packed & 15, packed >> 4], axis=2).reshape(rows, packed.shape[1] * 2)
        scale = _scales(np.frombuffer(planes[1], "<u2")).reshape(rows, -(-width // GROUP))
        if not np.isfinite(scale).all() or np.signbit(scale).any():
            raise CodecError("a scale is negative or not finite", code="E_FILTER", where=where)
        if (codes == 8).any():
            raise CodecError("the code -8 is not used", code="E_FILTER", where=where)
        if codes[:, width:].any():
            raise CodecError("the unused half of a byte is not zero", code="E_FILTER", where=where)
        signed = ((codes[:, :width] ^ 8).astype("i1") - 8).astype("<f4")
        with np.errstate(over="ignore"):
            values: Matrix = signed * np.repeat(scale, GROUP, axis=1)[:, :width]
        if not np.isfinite(values).all():
            raise CodecError("a value is not finite", code="E_NUM", where=where)
        return values


def _scales(bits: NDArray[np.uint16]) -> NDArray[np.float32]:
    """bfloat16 bits as float32."""
    return (bits.astype("<u4") << 16).view("<f4")


INT4 = Int4()
