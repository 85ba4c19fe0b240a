"""Broken streams: checksums, codecs, planes, pixels, words, extensions (FORMAT.md sections 5.5, 7 and 12.2)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import replace
from math import inf, nan

import numpy as np

from neuralgraph.codecs import zstd
from neuralgraph.graph.study import Study
from neuralgraph.graph.words import WordAttention
from spec.tools.vectors.draft import ZSTD_MAGIC, Draft, StreamDraft, stream, without, zstd_block
from spec.tools.vectors.studies import REPORT, basic, draft_of, full, of_columns, textual
from spec.tools.vectors.valid_forms import svd_planes
from spec.tools.vectors.vector import Table, each

__all__ = ["stream_vectors"]


def stream_vectors() -> Table:
    """All of them."""
    return {
        **_checksums(), **_encodings(), **_frames(), **_sizes_of_frames(), **_empty_frames(), **_floats(), **_int8(),
        **_svd(), **_pixels(), **_words(), **_extension_names(), **_extensions(),
    }  # fmt: skip


def _checksums() -> Table:
    changed = draft_of(full()).changed
    ids = {"graph": 0x01, "report": 0x02, "plane": 0x23, "vectors": 0x60, "extension": 0x8000}
    return {
        **each("E_CRC R3 stream-{name}: another CRC of stream {name}", ids,
            lambda stream_id: changed(stream(stream_id, crc32=0x12345678))),
        "E_CRC R3 stream-optional-column: another CRC of a column that a reader ignores":
            changed(without((), StreamDraft(0x11, 0, b"later", 5, crc32=1))),
    }  # fmt: skip


DATA = (REPORT * 9).encode()
SIZE = len(DATA)
FRAME = zstd.encode(DATA)
SEGMENT = ZSTD_MAGIC + b"\x60"
"""Begins a frame without window, whose content size has two bytes."""
CONTENT = (SIZE - 256).to_bytes(2, "little")
RAW = zstd_block(DATA)


def _report(stored: bytes, encoding: int = 1, *, decoded: int = SIZE) -> Draft:
    """A study whose report is stored so."""
    study = basic("z", report=REPORT * 9)
    return draft_of(study).changed(stream(2, encoding=encoding, stored=stored, decoded_bytes=decoded))


def _encodings() -> Table:
    return {
        **each("E_STREAM F10 encoding-{value}: encoding {value}", (2, 3, 4, 0x7FFF, 0x8000, 0xFFFF),
            lambda encoding: _report(FRAME, encoding)),
        "E_SIZE F11 store-short: a stored stream one byte short": _report(DATA[:-1], 0),
        "E_SIZE F11 store-long: a stored stream one byte long": _report(DATA + b".", 0),
    }  # fmt: skip


def _frames() -> Table:
    """What no frame may be, in this format or at all."""
    skippable = b"\x50\x2a\x4d\x18\x04\x00\x00\x00abcd"
    frames = {
        "empty: zstd: no byte": b"",
        "no-magic: zstd: no frame magic": DATA,
        "magic-only: zstd: the magic alone": ZSTD_MAGIC,
        "skippable: zstd: a skippable frame in front": skippable + FRAME,
        "skippable-behind: zstd: a skippable frame behind": FRAME + b"\x50\x2a\x4d\x18\x00\x00\x00\x00",
        "two-frames: zstd: two frames": FRAME + zstd.encode(b""),
        "trailing: zstd: a byte behind the frame": FRAME + b"\x00",
        "cut: zstd: the frame is cut": FRAME[:-1],
        "header-only: zstd: a header without a block": SEGMENT + CONTENT,
        "header-cut: zstd: the header is cut in its content size": SEGMENT + CONTENT[:1],
        "no-content-size: zstd: no content size": ZSTD_MAGIC + b"\x00\x58" + RAW,
        "reserved-bit: zstd: the reserved bit": ZSTD_MAGIC + b"\x68" + CONTENT + RAW,
        "unused-bit: zstd: the unused bit": ZSTD_MAGIC + b"\x70" + CONTENT + RAW,
        "checksum: zstd: a frame checksum": ZSTD_MAGIC + b"\x64" + CONTENT + RAW + bytes(4),
        "dictionary: zstd: a dictionary id": ZSTD_MAGIC + b"\x61\x07" + CONTENT + RAW,
        "dictionary-0: zstd: a dictionary id of two bytes that is 0": ZSTD_MAGIC + b"\x62\x00\x00" + CONTENT + RAW,
        "window: zstd: a window of more than 8 MiB": ZSTD_MAGIC + b"\x40\x69" + CONTENT + RAW,
        "window-max: zstd: the largest window there is": ZSTD_MAGIC + b"\x40\xff" + CONTENT + RAW,
        "block-reserved: zstd: a block of the reserved type": SEGMENT + CONTENT + zstd_block(DATA, kind=3),
        "block-beyond: zstd: a block longer than the frame": SEGMENT + CONTENT + zstd_block(DATA, SIZE + 1),
        "block-not-last: zstd: no last block": SEGMENT + CONTENT + zstd_block(DATA, last=False),
        "content-less: zstd: less content than the frame states": SEGMENT + CONTENT + zstd_block(DATA[:-1]),
        "content-more: zstd: more content than the frame states": SEGMENT + CONTENT + zstd_block(DATA + b"."),
    }
    return {f"E_ZSTD F20 zstd-{title}": _report(frame) for title, frame in frames.items()}


def _sizes_of_frames() -> Table:
    one_more = (SIZE - 255).to_bytes(2, "little")
    return {
        **each(f"E_SIZE F20 zstd-content-size-{{name}}: zstd: the frame states {{value}} bytes, the record {SIZE}",
            {"minus-1": SIZE - 1, "plus-1": SIZE + 1},
            lambda stated: _report(SEGMENT + (stated - 256).to_bytes(2, "little") + RAW)),
        "E_SIZE F20 zstd-content-size-u32: zstd: the frame states 2^20 bytes":
            _report(ZSTD_MAGIC + b"\xa0" + struct.pack("<I", 2**20) + RAW),
        **each("E_SIZE F20 zstd-content-size-{name}: zstd: a single segment of {value} bytes",
            {"2-53": 2**53, "2-63": 2**63, "max": 2**64 - 1},
            lambda stated: _report(ZSTD_MAGIC + b"\xe0" + struct.pack("<Q", stated) + RAW)),
        "E_SIZE F20 zstd-content-size-and-window: zstd: another content size and too large a window":
            _report(ZSTD_MAGIC + b"\x40\xff" + one_more + RAW),
        "E_ZSTD F20 zstd-content-size-and-checksum: zstd: another content size and a frame checksum":
            _report(ZSTD_MAGIC + b"\x44\x58" + one_more + RAW + bytes(4)),
        "E_SIZE F20 zstd-content-size-windowed-max: zstd: 2^64 - 1 bytes in a small window":
            _report(ZSTD_MAGIC + b"\xc0\x58" + b"\xff" * 8 + RAW),
        "E_SIZE F20 zstd-decoded-minus-1: zstd: the record states a byte less": _report(FRAME, decoded=SIZE - 1),
        "E_SIZE F20 zstd-decoded-0: zstd: the record states no byte": _report(FRAME, decoded=0),
    }  # fmt: skip


def _empty_frames() -> Table:
    good = zstd.encode(b"")

    def empty(stored: bytes) -> Draft:
        return draft_of(basic("z", report="")).changed(stream(2, encoding=1, stored=stored))

    return {
        "E_ZSTD F20 zstd-empty-trailing: zstd: a byte behind a frame without content": empty(good + b"\x00"),
        "E_ZSTD F20 zstd-empty-twice: zstd: two frames without content": empty(good + good),
        "E_ZSTD F20 zstd-empty-cut: zstd: a frame without content, cut": empty(good[:-1]),
        "E_ZSTD F20 zstd-empty-with-content: zstd: content in a frame that states none":
            empty(ZSTD_MAGIC + b"\x20\x00" + zstd_block(b"a")),
    }  # fmt: skip


def _embedding(first: int, *planes: bytes) -> Draft:
    """A study whose embedding has these planes, in streams that begin with ``first``."""
    drafts = [StreamDraft(first + number, 0, plane, len(plane)) for number, plane in enumerate(planes)]
    return draft_of(basic("f")).changed(without(range(0x20, 0x60), *drafts))


def _floats() -> Table:
    def last(first: int, n_planes: int, bits: int) -> Draft:
        """The last of 16 values has these bits."""
        return _embedding(first, *(bytes(15) + bytes([byte]) for byte in bits.to_bytes(n_planes, "little")))

    return {
        **each("E_NUM F21 F28 float32-{name}: a value of the embedding is {words}",
            {"nan": 0x7FC00000, "infinite": 0x7F800000, "minus-infinite": 0xFF800000, "signalling": 0x7F800001},
            lambda bits: last(0x20, 4, bits)),
        **each("E_NUM F21 F28 bfloat16-{name}: a value of the embedding is {words}",
            {"nan": 0x7FC0, "infinite": 0x7F80, "minus-infinite": 0xFF80}, lambda bits: last(0x28, 2, bits)),
        **each("E_NUM F21 F28 float16-{name}: a value of the embedding is {words}",
            {"nan": 0x7E00, "infinite": 0x7C00, "minus-infinite": 0xFC00}, lambda bits: last(0x2A, 2, bits)),
    }  # fmt: skip


def _int8() -> Table:
    codes, scales = bytes(range(16)), [0, 1, 2, 0.5]

    def int8(codes: bytes, scales: Sequence[float]) -> Draft:
        return _embedding(0x30, codes, np.array(scales, "<f4").tobytes())

    return {
        "E_FILTER F21 int8-code: int8: the code -128": int8(codes[:-1] + b"\x80", scales),
        **each("E_FILTER F21 int8-scale-{name}: int8: a scale is {words}",
            {"negative": -1.0, "minus-zero": -0.0, "nan": nan, "infinite": inf},
            lambda value: int8(codes, [*scales[:3], value])),
        "E_NUM F21 int8-overflow: int8: code times scale overflows f32": int8(codes, [*scales[:3], 3e38]),
    }  # fmt: skip


def _svd() -> Table:
    unit = [[127 * (a == b) for b in range(4)] for a in range(4)]
    basis, exponents, upper, lower = svd_planes(1.0, [([0, 2, 0, 1], unit)], [0] * 4, [[1, -2, 3, -4]] * 4)
    used = 12

    def svd(*planes: bytes) -> Draft:
        return _embedding(0x34, *planes)

    def head(at: int, new: bytes) -> Draft:
        return svd(basis[:at] + new + basis[at + len(new) :], exponents, upper, lower)

    def bit_set(at: int, bit: int) -> Draft:
        return svd(basis, exponents, upper, lower[:at] + bytes([lower[at] | 1 << bit]) + lower[at + 1 :])

    return {
        **each("E_FILTER F30 svd-base-{name}: svd: the base is {words}",
            {"negative": -1.0, "minus-zero": -0.0, "infinite": inf, "nan": nan},
            lambda value: head(0, struct.pack("<f", value))),
        **each("E_FILTER F30 svd-shift-{value}: svd: a shift of {value}", (9, 16, 32, 255),
            lambda value: head(6, bytes([value]))),
        "E_FILTER F30 svd-mixing: svd: the mixing -128": head(23, b"\x80"),
        **{
            f"E_FILTER F30 svd-bits-{at}-{bit}: svd: bit {bit} of byte {at} behind the last lower part is set":
                bit_set(at, bit)
            for at, bit in ((used // 8, used % 8), (used // 8, 7), (used // 8 + 1, 0), (15, 7))
        },
        "E_NUM F21 svd-overflow: svd: a value overflows f32": head(0, struct.pack("<f", 3e38)),
        "E_NUM F21 svd-exponent: svd: an exponent that overflows f32": svd(basis, b"\x7f" * 4, upper, lower),
        "E_SIZE F11 svd-basis-short: svd: a basis a byte short": svd(basis[:-1], exponents, upper, lower),
        "E_SIZE F11 svd-basis-long: svd: a basis a byte long": svd(basis + b"\0", exponents, upper, lower),
        "E_SIZE F11 svd-exponents: svd: an exponent per row and channel": svd(basis, bytes(16), upper, lower),
        "E_SIZE F11 svd-lower-cut: svd: lower parts without the zero bits behind them":
            svd(basis, exponents, upper, lower[:2]),
        "E_STREAM F10 svd-no-lower: svd: the plane of lower parts is missing": svd(basis, exponents, upper),
    }  # fmt: skip


def _pixels() -> Table:
    columns = basic("p", pixels=np.arange(16, dtype=np.uint8).reshape(4, 2, 2)).columns()
    body = bytes(16)

    def head(height: int, width: int, itemsize: int, reserved: int = 0) -> bytes:
        return struct.pack("<4H", height, width, itemsize, reserved)

    blobs = {
        "empty: pixel patches: no byte": b"",
        "header-cut: pixel patches: seven bytes": bytes(7),
        "short: pixel patches: a byte is missing": head(2, 2, 1) + body[:-1],
        "long: pixel patches: a byte too many": head(2, 2, 1) + body + b"\x00",
        "height-max: pixel patches: a height of 65,535": head(65_535, 2, 1) + body,
        "both-max: pixel patches: 65,535 x 65,535": head(65_535, 65_535, 2) + body,
        "height-0: pixel patches: a height of 0 with pixels": head(0, 2, 1) + body,
        **each("itemsize-{value}: pixel patches: {value} bytes per pixel", (0, 3, 4, 65_535),
            lambda itemsize: head(2, 2, itemsize) + bytes(16 * min(itemsize, 4))),
        "reserved: pixel patches: the fourth field is not 0": head(2, 2, 1, 1) + body,
    }  # fmt: skip
    return {f"E_SIZE F13 pixels-{title}": of_columns(replace(columns, pixels=blob)) for title, blob in blobs.items()}


def _words() -> Table:
    study = basic("w", word_attention=WordAttention.from_maps([0, 4], [3, 9], np.arange(24).reshape(2, 12)))
    right = study.columns().word_attention or b""

    def words(stored: bytes, of: Study = study) -> Draft:
        return of_columns(replace(of.columns(), word_attention=stored))

    def at(place: int, new: bytes) -> Draft:
        return words(right[:place] + new + right[place + len(new) :])

    return {
        "E_SIZE F31 word-attention-empty: word attention: no byte": words(b""),
        "E_SIZE F31 word-attention-step-only: word attention: a step and no word": words(bytes(4)),
        "E_SIZE F31 word-attention-short: word attention: a byte is missing": words(bytes(4 + 2 * 20 - 1)),
        "E_SIZE F31 word-attention-long: word attention: a byte too many": words(bytes(4 + 2 * 20 + 1)),
        "E_SIZE F31 word-attention-no-cells: word attention: a word in a study without a film":
            words(bytes(12), textual("w")),
        "E_TEXT F32 word-attention-no-letter: word attention: the first word ends where it starts":
            at(12, struct.pack("<I", 0)),
        "E_TEXT F32 word-attention-backwards: word attention: the second word ends before it starts":
            at(16, struct.pack("<I", 3)),
        "E_ORDER F32 word-attention-overlap: word attention: the second word starts within the first":
            at(8, struct.pack("<I", 2)),
        "E_ORDER F32 word-attention-order: word attention: the second word stands before the first":
            at(4, struct.pack("<4I", 4, 0, 9, 3)),
        **each("E_NUM F32 word-attention-step-{name}: word attention: a step that is {name}",
            {"nan": nan, "infinite": inf, "negative": -1.0, "minus-zero": -0.0},
            lambda step: at(0, struct.pack("<f", step))),
        "E_NUM F32 word-attention-too-large: word attention: an attention beyond f32": at(0, struct.pack("<f", 3e38)),
        "E_CRC R3 word-attention-crc: another CRC of word attention": draft_of(study).changed(stream(0x10, crc32=1)),
        "E_STREAM F10 word-attention-encoding: word attention in encoding 9":
            draft_of(study).changed(stream(0x10, encoding=9, stored=right, decoded_bytes=4 + 2 * 20)),
    }  # fmt: skip


def _extension_names() -> Table:
    """What the first bytes of an extension stream may not be."""
    names = {
        "core": b"vitals", "one-label": b"x.org.a", "upper": b"X.org.example.a", "upper-label": b"x.Org.example.a",
        "empty-label": b"x.org..a", "underscore": b"x.org.example.a_b", "utf-8": "x.org.example.é".encode(),
        "no-utf-8": b"x.org.example.\xff", "newline": b"x.org.example.a\n", "hyphen-first": b"x.org.-example.a",
    }  # fmt: skip
    stored = {
        "empty: extension: no byte": b"",
        "no-name: extension: a name of no byte": b"\x00payload",
        "name-cut: extension: the name ends outside the stream": b"\x20x.org.example.a",
        "name-max: extension: a name of 255 bytes that are not there": b"\xff" + b"x.org.example.a",
        **{f"{label}: extension: the name {name!r}": bytes([len(name)]) + name + b"1" for label, name in names.items()},
    }
    changed = draft_of(basic("e", extensions={"x.org.example.a": b"1"})).changed
    return {
        f"E_NAME F10 extension-{title}": changed(stream(0x8000, encoding=0, stored=data, decoded_bytes=len(data)))
        for title, data in stored.items()
    }


def _extensions() -> Table:
    """Of two extensions that differ in the last byte of their names."""
    first, second = b"\x0fx.org.example.a1", b"\x0fx.org.example.b2"
    draft = draft_of(basic("e", extensions={"x.org.example.a": b"1", "x.org.example.b": b"2"}))

    def stored(*extensions: tuple[int, bytes]) -> Draft:
        return draft.changed(
            without((0x8000, 0x8001), *(StreamDraft(number, 0, data, len(data)) for number, data in extensions))
        )

    return {
        "E_STREAM F10 extensions-descend: extensions not in ascending order of their names":
            stored((0x8000, second), (0x8001, first)),
        "E_STREAM F10 extension-twice: two extensions of one name": stored((0x8000, first), (0x8001, first)),
        "E_STREAM F10 extension-id-left-out: extension ids 0x8000 and 0x8002":
            stored((0x8000, first), (0x8002, second)),
        "E_STREAM F10 extension-ids-late: extension ids 0x8001 and 0xBFFF": stored((0x8001, first), (0xBFFF, second)),
    }  # fmt: skip
