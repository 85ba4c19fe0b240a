"""RLE Lossless (DICOM PS3.5 annex G), bounded by the picture's size: a run of 128 pixels takes only two bytes."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from neuralgraph.errors import SourceError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["decode_run_length"]


class _Layout(Protocol):
    @property
    def rows(self) -> int: ...
    @property
    def columns(self) -> int: ...
    @property
    def bits_allocated(self) -> int: ...
    @property
    def is_signed(self) -> bool: ...


def decode_run_length(frame: bytes, layout: _Layout) -> NDArray[Any]:
    """One frame of RLE Lossless.

    Parameters
    ----------
    frame : header of 64 bytes and one segment per byte of a sample, most significant first.
    layout : rows, columns, bits allocated and signedness of the picture.

    Returns
    -------
    uint8, int8, uint16 or int16 [rows, columns].

    Raises
    ------
    SourceError (E_SOURCE_DAMAGED) : wrong number of segments, or segments that are too short or too long.
    """
    size = layout.bits_allocated // 8
    count = layout.rows * layout.columns
    if len(frame) < 64 or struct.unpack_from("<I", frame)[0] != size:
        raise _damaged()
    starts = struct.unpack_from(f"<{size}I", frame, 4)
    ends = (*starts[1:], len(frame))
    planes = np.empty((count, size), np.uint8)
    for index, (start, end) in enumerate(zip(starts, ends, strict=True)):
        if not 64 <= start <= end <= len(frame):
            raise _damaged()
        planes[:, index] = np.frombuffer(_unpack_bits(frame[start:end], count), np.uint8)
    values = planes.reshape(-1).view(f">{'i' if layout.is_signed else 'u'}{size}")
    return values.astype(values.dtype.newbyteorder("=")).reshape(layout.rows, layout.columns)


def _damaged() -> SourceError:
    return SourceError("the DICOM file is damaged or truncated: its RLE pixels do not decode", code="E_SOURCE_DAMAGED")


def _unpack_bits(segment: bytes, count: int) -> bytes:
    """Exactly ``count`` bytes; a segment may be padded, and its last run may not exceed the picture."""
    out = bytearray()
    position, last = 0, len(segment)
    while len(out) < count:
        if position + 1 >= last:
            raise _damaged()
        control = segment[position]
        if control < 128:
            out += segment[position + 1 : position + 2 + control]
            position += 2 + control
        elif control > 128:
            out += segment[position + 1 : position + 2] * (257 - control)
            position += 2
        else:
            position += 1
    if len(out) != count or position > last:
        raise _damaged()
    return bytes(out)
