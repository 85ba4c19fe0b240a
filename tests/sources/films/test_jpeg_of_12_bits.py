"""JPEG extended (process 2 and 4), which older films of 12 bits are stored in."""

from __future__ import annotations

import builtins
import struct

import numpy as np
import pytest

from neuralgraph.errors import MissingExtraError, SourceError
from neuralgraph.sources.films.dicom import read_dicom_film, read_stored_film

SYNTAX = "1.2.840.10008.1.2.4.51"
GREY = np.array([[0, 4095, 2048], [100, 1000, 3000]])


def segment(marker, body):
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def jpeg_of_12_bits(grey):
    """Blocks of 8 x 8 pixels of one value each: only the DC coefficients, 8 * (value - 2048), quantised by 1.

    Sixteen categories have codes of five bits, in order; the only AC code is "0", the end of the block.
    """
    bits, earlier = "", 0
    for value in grey.ravel().tolist():
        difference, earlier = 8 * (value - 2048) - earlier, 8 * (value - 2048)
        size = abs(difference).bit_length()
        code = difference if difference > 0 else difference + (1 << size) - 1
        bits += f"{size:05b}" + (f"{code:0{size}b}" if size else "") + "0"
    bits += "1" * (-len(bits) % 8)
    scan = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")
    rows, cols = grey.shape
    return b"".join(
        [
            b"\xff\xd8",
            segment(0xDB, b"\0" + b"\1" * 64),
            segment(0xC1, struct.pack(">BHHB", 12, 8 * rows, 8 * cols, 1) + b"\1\x11\0"),
            segment(0xC4, b"\0" + bytes([0, 0, 0, 0, 16, *[0] * 11]) + bytes(range(16))),
            segment(0xC4, b"\x10" + bytes([1, *[0] * 15]) + b"\0"),
            segment(0xDA, b"\1\1\0\0\x3f\0") + scan,
            b"\xff\xd9",
        ]
    )


@pytest.fixture
def film(make_dicom):
    pixels = np.kron(GREY, np.ones((8, 8))).astype(np.uint16)

    def make(stream=None, **elements):
        stream = jpeg_of_12_bits(GREY) if stream is None else stream
        return make_dicom(pixels, syntax=SYNTAX, stream=stream, BitsStored=12, **elements)

    return make


def test_every_value_comes_back(film):
    stored = read_stored_film(film())
    assert stored.values.dtype == np.uint16
    assert (stored.values == np.kron(GREY, np.ones((8, 8)))).all()
    assert read_dicom_film(film()).facts["lossy"] is True


def test_signed_values_come_back(film):
    stored = read_stored_film(film(PixelRepresentation=1))
    signed = np.where(GREY >= 2048, GREY - 4096, GREY)
    assert (stored.values == np.kron(signed, np.ones((8, 8)))).all()


def test_a_damaged_stream_is_refused(film):
    whole = jpeg_of_12_bits(GREY)
    scan = whole.index(b"\xff\xda") + 10
    for stream in (whole[:-2], whole[:scan] + b"\xff\xc8" + whole[scan + 2 :]):
        with pytest.raises(SourceError) as caught:
            read_stored_film(film(stream))
        assert caught.value.code == "E_SOURCE_DAMAGED"


def test_without_its_library_the_reason_is_said(film, monkeypatch):
    real = builtins.__import__

    def absent(name, *rest):
        if name == "imagecodecs":
            raise ImportError(name=name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(MissingExtraError, match="12 bits"):
        read_stored_film(film())
