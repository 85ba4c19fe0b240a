"""The chunk layer of PNG (ISO/IEC 15948 section 5): checked here, so that a decoder sees only what makes pixels."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from neuralgraph.errors import SourceError
from neuralgraph.sources.films.film import FilmLimits, check_dimensions, check_expansion

__all__ = ["PNG_SIGNATURE", "PngParts", "read_png_chunks"]

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SAMPLE_CHUNKS = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# Top, left, step down and step right of each pass (ISO/IEC 15948 section 8.2).
_ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
_INFLATE_STEP = 1 << 20
_MAX_CHUNKS = 1_000_000


@dataclass(frozen=True)
class PngParts:
    """A PNG without its ancillary chunks."""

    width: int
    height: int
    """Pixels."""
    bit_depth: int
    """Bits of one sample: 1, 2, 4, 8 or 16."""
    colour_type: int
    """0 grey, 2 colour, 3 palette, 4 grey with alpha, 6 colour with alpha."""
    palette: bytes
    """Payload of PLTE, or empty."""
    transparency: bytes
    """Payload of tRNS, or empty."""
    stream: bytes
    """A PNG of the same samples with nothing else in it."""


def _damaged(what: str) -> SourceError:
    return SourceError(f"the PNG is damaged or truncated: {what}", code="E_SOURCE_DAMAGED")


def read_png_chunks(data: bytes, limits: FilmLimits) -> PngParts:
    """Walk the chunks of a PNG, check each checksum, and keep those that make pixels.

    Ancillary chunks are dropped unread: text and colour profiles can be bombs, and gamma or profile do not change
    what a stored sample of a film means here.

    Parameters
    ----------
    data : the file.
    limits : bounds on the dimensions, checked before the first pixel chunk.

    Raises
    ------
    SourceError (E_SOURCE_DAMAGED, E_SOURCE_SIZE)
    SourceError (E_SOURCE_KIND) : animated.
    """
    position, count = len(PNG_SIGNATURE), 0
    header: tuple[int, int, int, int, int] | None = None
    tables = {b"PLTE": b"", b"tRNS": b""}
    kept = [PNG_SIGNATURE]
    kind = b""
    packed: list[memoryview] = []
    while kind != b"IEND":
        kind, end = _chunk_at(position, data)
        if (header is None) != (kind == b"IHDR"):
            raise _damaged("its header is not where it must be")
        if kind == b"IHDR":
            header = _read_header(data[position + 8 : end - 4], limits)
        elif kind == b"acTL" and struct.unpack(">I", data[position + 8 : position + 12])[0] > 1:
            raise SourceError("an animated PNG, not a single film", code="E_SOURCE_KIND")
        elif kind in tables:
            tables[kind] = data[position + 8 : end - 4]
        elif kind == b"IDAT":
            packed.append(memoryview(data)[position + 8 : end - 4])
        if kind in _SAMPLE_CHUNKS:
            kept.append(data[position:end])
        elif not kind[0] & 0x20:
            raise SourceError("the PNG needs a chunk that this version does not know", code="E_SOURCE_ENCODING")
        position, count = end, count + 1
        if count > _MAX_CHUNKS:
            raise _damaged("it has too many chunks")
    if header is None:
        raise _damaged("it has no header")
    _check_pixel_bytes(packed, header)
    width, height, bit_depth, colour_type, _ = header
    return PngParts(width, height, bit_depth, colour_type, tables[b"PLTE"], tables[b"tRNS"], b"".join(kept))


def _chunk_at(position: int, data: bytes) -> tuple[bytes, int]:
    """Kind and end of a chunk whose checksum is right."""
    if position + 12 > len(data):
        raise _damaged("it ends before its end chunk")
    (length,) = struct.unpack_from(">I", data, position)
    end = position + 12 + length
    if length > 0x7FFFFFFF or end > len(data):
        raise _damaged("a chunk reaches past the end of the file")
    if zlib.crc32(memoryview(data)[position + 4 : end - 4]) != struct.unpack_from(">I", data, end - 4)[0]:
        raise _damaged("a chunk fails its checksum")
    return data[position + 4 : position + 8], end


def _read_header(payload: bytes, limits: FilmLimits) -> tuple[int, int, int, int, int]:
    if len(payload) != 13:
        raise _damaged("its header has a wrong length")
    width, height, bit_depth, colour_type, compression, filtering, interlace = struct.unpack(">IIBBBBB", payload)
    if bit_depth not in _DEPTHS.get(colour_type, ()) or compression or filtering or interlace > 1:
        raise _damaged("its header states an impossible encoding")
    check_dimensions(height, width, limits)
    return width, height, bit_depth, colour_type, interlace


def _check_pixel_bytes(packed: list[memoryview], header: tuple[int, int, int, int, int]) -> None:
    """Refuse a picture with fewer pixels than its header says: Pillow fills the rest with black and says nothing."""
    width, height, bit_depth, colour_type, interlace = header
    bits = bit_depth * _CHANNELS[colour_type]
    passes = _ADAM7 if interlace else ((0, 0, 1, 1),)
    needed = 0
    for top, left, down, right in passes:
        rows, columns = -(-max(0, height - top) // down), -(-max(0, width - left) // right)
        needed += rows * (1 + (columns * bits + 7) // 8) if columns else 0
    check_expansion(sum(len(piece) for piece in packed), needed)
    inflater = zlib.decompressobj()
    try:
        for piece in packed:
            rest: bytes | memoryview = piece
            while rest and needed > 0:
                needed -= len(inflater.decompress(rest, _INFLATE_STEP))
                rest = inflater.unconsumed_tail
        while needed > 0 and (more := inflater.decompress(b"", _INFLATE_STEP)):
            needed -= len(more)
    except zlib.error as error:
        raise _damaged("its pixels do not decompress") from error
    if needed > 0:
        raise _damaged("it has fewer pixels than it says")
