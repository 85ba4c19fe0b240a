"""What a compressed picture says of its own size, read without decoding it.

A header around a codestream can lie: decoders allocate and fill what the codestream states.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from neuralgraph.errors import SourceError

__all__ = ["CodestreamHeader", "JpegSegment", "jpeg2000_header", "jpeg_header", "jpeg_segments"]

_START_OF_SCAN = 0xDA
_JPEG_LS_FRAME = 0xF7
# ITU-T T.81 table B.1: DHT, JPG and DAC lie among the frame markers and are none.
_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {_JPEG_LS_FRAME}
# A progressive picture has about ten; each is a pass over all pixels, and can take a few bytes only.
_MAX_SCANS = 200
_MAX_JPEG2000_TILES = 65535


@dataclass(frozen=True)
class CodestreamHeader:
    """The size that a codestream states."""

    height: int
    width: int
    """Pixels."""
    components: int
    """Samples per pixel."""
    precision: int
    """Bits of one sample."""
    process: int
    """The JPEG frame marker's low byte (0xC0 baseline ... 0xF7 JPEG-LS), 0 for JPEG 2000."""


@dataclass(frozen=True)
class JpegSegment:
    """One marker segment before the first scan: its marker, where it starts, and its payload [begin, end)."""

    marker: int
    start: int
    begin: int
    end: int


def _damaged(what: str) -> SourceError:
    return SourceError(what, code="E_SOURCE_DAMAGED")


def jpeg_segments(data: bytes) -> Iterator[JpegSegment]:
    """The marker segments of a JPEG or JPEG-LS stream up to and including the first start of scan.

    Parameters
    ----------
    data : the stream.

    Raises
    ------
    SourceError (E_SOURCE_DAMAGED) : the chain of segments breaks before a scan (ITU-T T.81 annex B.1).
    """
    if not data.startswith(b"\xff\xd8"):
        raise _damaged("the JPEG stream does not begin with its start marker")
    position = 2
    while True:
        start = position
        if data[position : position + 1] != b"\xff":
            raise _damaged("the JPEG header is damaged or truncated")
        while data[position : position + 1] == b"\xff":
            position += 1
        marker = data[position] if position < len(data) else 0
        position += 1
        if marker == 0x01 or 0xD0 <= marker <= 0xD7:
            continue
        if marker < 0xC0 or marker in (0xD8, 0xD9) or position + 2 > len(data):
            raise _damaged("the JPEG header is damaged or truncated")
        (length,) = struct.unpack_from(">H", data, position)
        if length < 2 or position + length > len(data):
            raise _damaged("the JPEG header is damaged or truncated")
        yield JpegSegment(marker, start, position + 2, position + length)
        if marker == _START_OF_SCAN:
            return
        position += length


def jpeg_header(data: bytes) -> CodestreamHeader:
    """The size that a JPEG or JPEG-LS stream states.

    Parameters
    ----------
    data : the stream.

    Raises
    ------
    SourceError (E_SOURCE_DAMAGED) : no frame header, or more than one, before the first scan; or hundreds of scans.
    """
    frames = [segment for segment in jpeg_segments(data) if segment.marker in _FRAME_MARKERS]
    if len(frames) != 1 or frames[0].end - frames[0].begin < 6:
        raise _damaged("the JPEG stream does not have exactly one frame header")
    if data.count(b"\xff\xda") > _MAX_SCANS:
        raise _damaged("the JPEG stream has more scans than a picture needs")
    precision, height, width, components = struct.unpack_from(">BHHB", data, frames[0].begin)
    return CodestreamHeader(height, width, components, precision, frames[0].marker)


def jpeg2000_header(data: bytes) -> CodestreamHeader:
    """The size that a JPEG 2000 codestream states (SIZ marker segment, ITU-T T.800 A.5.1).

    Parameters
    ----------
    data : the codestream, without the boxes of a .jp2 file, which DICOM PS3.5 A.4.4 forbids.

    Raises
    ------
    SourceError (E_SOURCE_DAMAGED) : no image size where it must be, subsampled components, or more tiles than can be.
    """
    if data[:4] != b"\xff\x4f\xff\x51" or len(data) < 45:
        raise _damaged("the pixel data is not a JPEG 2000 codestream")
    x_end, y_end, x, y, tile_width, tile_height, tile_x, tile_y, components = struct.unpack_from(">8IH", data, 8)
    precision, x_step, y_step = struct.unpack_from(">3B", data, 42)
    width, height = x_end - x, y_end - y
    if width <= 0 or height <= 0 or not tile_width or not tile_height or (x_step, y_step) != (1, 1):
        raise _damaged("the JPEG 2000 codestream states an impossible size")
    tiles = -(-(x_end - tile_x) // tile_width) * -(-(y_end - tile_y) // tile_height)
    if not 0 < tiles <= _MAX_JPEG2000_TILES:
        raise _damaged("the JPEG 2000 codestream states an impossible tiling")
    return CodestreamHeader(height, width, components, (precision & 0x7F) + 1, 0)
