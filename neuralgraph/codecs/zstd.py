"""Byte codec 1, ``zstd``: exactly one frame of RFC 8878, under rules a small reader can check (codecs/zstd/SPEC.md)."""

from __future__ import annotations

import threading
from typing import NamedTuple

import zstandard

from neuralgraph.errors import CodecError

__all__ = ["LEVEL", "MAX_WINDOW_BYTES", "decode", "encode"]

LEVEL = 15
"""Default level. Levels 9 to 15 gave the same bytes with libzstd 1.5.2 to 1.5.7, level 19 did not."""

MAX_WINDOW_BYTES = 2**23
"""Largest window a reader must provide: what RFC 8878 recommends every decoder to support."""

_WRITER_WINDOW_LOG = 20
_REUSED_BITS = 14
_MAGIC = b"\x28\xb5\x2f\xfd"
_CONTENT_SIZE_BYTES = (0, 2, 4, 8)
_MOST_HEADER_BYTES = 18
_LARGEST_BLOCK = 1 << 17
_RUN_BLOCK, _RESERVED_BLOCK = 1, 3


def encode(data: bytes, *, level: int = LEVEL) -> bytes:
    """One frame: content size written, no checksum (the record has one), no dictionary, window of at most 1 MiB."""
    size_bits = (len(data) - 1).bit_length()
    if not 6 < size_bits <= _REUSED_BITS:
        return _compressor(len(data), level).compress(data)
    # Sizes of as many bits have the same parameters; setting a compressor up takes half as long as compressing.
    compressor = _PER_THREAD.compressors.get((level, size_bits))
    if compressor is None:
        compressor = _PER_THREAD.compressors[level, size_bits] = _compressor(len(data), level)
    return compressor.compress(data)


def _compressor(size: int, level: int) -> zstandard.ZstdCompressor:
    return zstandard.ZstdCompressor(compression_params=_parameters(size, level))


def _parameters(size: int, level: int) -> zstandard.ZstdCompressionParameters:
    return zstandard.ZstdCompressionParameters.from_level(
        level,
        source_size=size,
        window_log=min(_WRITER_WINDOW_LOG, max(10, (size - 1).bit_length())),
        write_content_size=True,
        write_checksum=False,
        write_dict_id=False,
    )


def decode(stored: memoryview, decoded_bytes: int, *, where: str) -> bytes:
    """The content of the frame; nothing is allocated before the frame header agrees with ``decoded_bytes``.

    Raises
    ------
    CodecError (E_ZSTD) : the frame breaks a rule, or libzstd refuses it.
    CodecError (E_SIZE) : the frame states another content size.
    """
    header = _frame_header(stored, where)
    size = header.content_bytes
    if size != decoded_bytes:
        raise CodecError(f"the frame holds {size} bytes, {decoded_bytes} are required", code="E_SIZE", where=where)
    if header.window_bytes > MAX_WINDOW_BYTES:
        reason = f"not an acceptable zstd frame: a window of {header.window_bytes} bytes"
        raise CodecError(reason, code="E_ZSTD", where=where)
    _check_blocks(stored, header, where)
    try:
        if not size:
            return _decode_nothing(stored, where)
        return bytes(_PER_THREAD.decompressor.decompress(stored, max_output_size=size, allow_extra_data=False))
    except zstandard.ZstdError as error:
        raise CodecError(f"the zstd frame does not decode ({error})", code="E_ZSTD", where=where) from error


class _PerThread(threading.local):
    """What every thread has of its own: a (de)compressor that two use at once writes over its own memory."""

    def __init__(self) -> None:
        self.compressors: dict[tuple[int, int], zstandard.ZstdCompressor] = {}
        """By level and bits of the size; for small data only, whose compressors are small."""
        self.decompressor = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES)


_PER_THREAD = _PerThread()


def _decode_nothing(stored: memoryview, where: str) -> bytes:
    """The content of a frame that states none: the one-shot call would not look at what follows the header."""
    frame = _PER_THREAD.decompressor.decompressobj()
    content = frame.decompress(stored)
    if content or not frame.eof or frame.unused_data:
        raise CodecError("the zstd frame is not one whole frame of no content", code="E_ZSTD", where=where)
    return b""


class _FrameHeader(NamedTuple):
    """What the header of a frame says."""

    header_bytes: int
    content_bytes: int
    window_bytes: int


def _check_blocks(stored: memoryview, header: _FrameHeader, where: str) -> None:
    """Walk the blocks: none above the largest size, and the last ends the stream (RFC 8878 section 3.1.1.2).

    libzstd lets stored and repeated blocks pass that are larger than the window; a reader that keeps only a window's
    worth of memory cannot, and readers must agree.
    """
    largest = min(header.window_bytes, _LARGEST_BLOCK)
    position, last = header.header_bytes, False
    while not last:
        block = int.from_bytes(stored[position : position + 3], "little")
        last, kind, size = bool(block & 1), block >> 1 & 3, block >> 3
        position += 3 + (1 if kind == _RUN_BLOCK else size)
        if kind == _RESERVED_BLOCK or size > largest or position > len(stored):
            raise CodecError("not an acceptable zstd frame: a block breaks the rules", code="E_ZSTD", where=where)
    if position != len(stored):
        raise CodecError("not an acceptable zstd frame: bytes follow it", code="E_ZSTD", where=where)


def _frame_header(stored: memoryview, where: str) -> _FrameHeader:
    """The header that begins a frame, checked (RFC 8878 section 3.1.1.1).

    Raises
    ------
    CodecError (E_ZSTD) : it breaks a rule, or states no content size.
    """

    def refuse(reason: str) -> CodecError:
        return CodecError(f"not an acceptable zstd frame: {reason}", code="E_ZSTD", where=where)

    header = bytes(stored[:_MOST_HEADER_BYTES])
    if len(header) < 6 or header[:4] != _MAGIC:
        raise refuse("no frame magic")
    descriptor = header[4]
    if descriptor & 0x1C:
        raise refuse("reserved bit, unused bit or checksum is set")
    if descriptor & 3:
        raise refuse("it names a dictionary")
    single_segment = bool(descriptor & 0x20)
    size_bytes = _CONTENT_SIZE_BYTES[descriptor >> 6] or (1 if single_segment else 0)
    if size_bytes == 0:
        raise refuse("no content size")
    size_at = 5 if single_segment else 6
    if len(header) < size_at + size_bytes:
        raise refuse("the header is truncated")
    content_bytes = int.from_bytes(header[size_at : size_at + size_bytes], "little") + (256 if size_bytes == 2 else 0)
    if single_segment:
        window_bytes = content_bytes
    else:
        base = 1 << (10 + (header[5] >> 3))
        window_bytes = base + (base >> 3) * (header[5] & 7)
    return _FrameHeader(size_at + size_bytes, content_bytes, window_bytes)
