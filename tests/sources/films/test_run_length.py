"""RLE Lossless, its segments written by hand."""

from __future__ import annotations

import struct
from types import SimpleNamespace

import pytest

from neuralgraph.errors import SourceError
from neuralgraph.sources.films.run_length import decode_run_length


def frame(*segments: bytes) -> bytes:
    starts, at = [], 64
    for segment in segments:
        starts.append(at)
        at += len(segment)
    return struct.pack("<16I", len(segments), *starts, *[0] * (15 - len(starts))) + b"".join(segments)


def picture(bits: int = 8, *, is_signed: bool = False) -> SimpleNamespace:
    return SimpleNamespace(rows=2, columns=3, bits_allocated=bits, is_signed=is_signed)


# Two bytes as they stand, a byte that says nothing, a run of four.
SEGMENT = bytes([1, 5, 6, 128, 253, 9])


def test_literals_and_runs():
    decoded = decode_run_length(frame(SEGMENT), picture())
    assert (decoded.dtype.name, decoded.tolist()) == ("uint8", [[5, 6, 9], [9, 9, 9]])


def test_the_most_significant_byte_comes_first():
    high = bytes([251, 0xFF])
    decoded = decode_run_length(frame(high, SEGMENT), picture(16, is_signed=True))
    assert (decoded.dtype.name, decoded.tolist()) == ("int16", [[-251, -250, -247], [-247, -247, -247]])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        frame(SEGMENT, SEGMENT),
        frame(SEGMENT[:-1]),
        frame(bytes([1, 5, 6])),
        frame(bytes([129, 9])),
        frame(bytes([5, 1, 2])),
        frame(SEGMENT)[:4] + b"\xff" * 4 + frame(SEGMENT)[8:],
    ],
    ids=["empty", "segments", "cut", "short", "long", "literal", "start"],
)
def test_what_does_not_make_the_picture_is_damaged(data):
    with pytest.raises(SourceError) as caught:
        decode_run_length(data, picture())
    assert caught.value.code == "E_SOURCE_DAMAGED"
