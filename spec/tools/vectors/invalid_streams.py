"""Broken streams: checksums, codecs, forms, pixels, extensions (FORMAT.md sections 5.5, 7 and 12.2)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from neuralgraph.codecs import zstd
from neuralgraph.graph.study import Study
from neuralgraph.graph.words import WordAttention
from neuralgraph.wire.study_columns import StudyColumns
from spec.tools.vectors.draft import RecordDraft, StreamDraft
from spec.tools.vectors.invalid_forms import broken_svd_vectors, embedding_planes
from spec.tools.vectors.invalid_meaning import sealed
from spec.tools.vectors.invalid_records import full, record_vector
from spec.tools.vectors.studies import REPORT, basic, textual
from spec.tools.vectors.vector import Vector

__all__ = ["stream_vectors"]

Change = Callable[[RecordDraft], None]


def stream_vectors() -> Iterator[Vector]:
    """All of them."""
    yield from _checksums()
    yield from _zstd()
    yield from _forms()
    yield from broken_svd_vectors()
    yield from _pixels()
    yield from _words()
    yield from _extensions()


def _stored(stream_id: int, encoding: int, stored: bytes, decoded: int | None = None) -> Change:
    def change(record: RecordDraft) -> None:
        stream = record.stream(stream_id)
        stream.encoding, stream.stored = encoding, stored
        stream.decoded_bytes = stream.decoded_bytes if decoded is None else decoded

    return change


def _checksums() -> Iterator[Vector]:
    for name, stream_id in (
        ("graph", 0x01),
        ("report", 0x02),
        ("plane", 0x23),
        ("vectors", 0x60),
        ("extension", 0x8000),
    ):

        def flip(record: RecordDraft, stream_id: int = stream_id) -> None:
            stream = record.stream(stream_id)
            stream.crc32 = 0x12345678

        yield record_vector("E_CRC", f"stream-{name}", f"another CRC of stream {name}", flip, "R3", of=full())

    def optional(record: RecordDraft) -> None:
        record.streams.insert(2, StreamDraft(0x11, 0, b"later", 5, crc32=1))

    yield record_vector(
        "E_CRC", "stream-optional-column", "another CRC of a column that a reader ignores", optional, "R3", of=full()
    )


def _zstd() -> Iterator[Vector]:  # noqa: PLR0915 - one vector after another
    text = REPORT * 9
    data = text.encode()
    size = len(data)
    study = basic("z", report=text)
    frame = zstd.encode(data)

    def block(kind: int, body: bytes, length: int, *, last: bool = True) -> bytes:
        return (length << 3 | kind << 1 | int(last)).to_bytes(3, "little") + body

    raw = block(0, data, size)
    content = (size - 256).to_bytes(2, "little")
    magic = b"\x28\xb5\x2f\xfd"

    def vector(
        code: str, name: str, reason: str, stored: bytes, decoded: int | None = None, of: Study = study
    ) -> Vector:
        return record_vector(code, f"zstd-{name}", f"zstd: {reason}", _stored(2, 1, stored, decoded), "F20", of=of)

    for encoding in (2, 3, 4, 0x7FFF, 0x8000, 0xFFFF):
        yield record_vector(
            "E_STREAM", f"encoding-{encoding}", f"encoding {encoding}", _stored(2, encoding, frame), "F10", of=study
        )
    yield record_vector(
        "E_SIZE", "store-short", "a stored stream one byte short", _stored(2, 0, data[:-1]), "F11", of=study
    )
    yield record_vector(
        "E_SIZE", "store-long", "a stored stream one byte long", _stored(2, 0, data + b"."), "F11", of=study
    )
    yield vector("E_ZSTD", "empty", "no byte", b"")
    yield vector("E_ZSTD", "no-magic", "no frame magic", data)
    yield vector("E_ZSTD", "magic-only", "the magic alone", magic)
    yield vector("E_ZSTD", "skippable", "a skippable frame in front", b"\x50\x2a\x4d\x18\x04\x00\x00\x00abcd" + frame)
    yield vector("E_ZSTD", "skippable-behind", "a skippable frame behind", frame + b"\x50\x2a\x4d\x18\x00\x00\x00\x00")
    yield vector("E_ZSTD", "two-frames", "two frames", frame + zstd.encode(b""))
    yield vector("E_ZSTD", "trailing", "a byte behind the frame", frame + b"\x00")
    yield vector("E_ZSTD", "cut", "the frame is cut", frame[:-1])
    yield vector("E_ZSTD", "header-only", "a header without a block", magic + b"\x60" + content)
    yield vector("E_ZSTD", "header-cut", "the header is cut in its content size", magic + b"\x60" + content[:1])
    yield vector("E_ZSTD", "no-content-size", "no content size", magic + b"\x00\x58" + raw)
    yield vector("E_ZSTD", "reserved-bit", "the reserved bit", magic + b"\x68" + content + raw)
    yield vector("E_ZSTD", "unused-bit", "the unused bit", magic + b"\x70" + content + raw)
    yield vector("E_ZSTD", "checksum", "a frame checksum", magic + b"\x64" + content + raw + bytes(4))
    yield vector("E_ZSTD", "dictionary", "a dictionary id", magic + b"\x61\x07" + content + raw)
    yield vector(
        "E_ZSTD", "dictionary-0", "a dictionary id of two bytes that is 0", magic + b"\x62\x00\x00" + content + raw
    )
    yield vector("E_ZSTD", "window", "a window of more than 8 MiB", magic + b"\x40\x69" + content + raw)
    yield vector("E_ZSTD", "window-max", "the largest window there is", magic + b"\x40\xff" + content + raw)
    yield vector(
        "E_ZSTD", "block-reserved", "a block of the reserved type", magic + b"\x60" + content + block(3, data, size)
    )
    yield vector(
        "E_ZSTD", "block-beyond", "a block longer than the frame", magic + b"\x60" + content + block(0, data, size + 1)
    )
    yield vector(
        "E_ZSTD", "block-not-last", "no last block", magic + b"\x60" + content + block(0, data, size, last=False)
    )
    yield vector(
        "E_ZSTD",
        "content-less",
        "less content than the frame states",
        magic + b"\x60" + content + block(0, data[:-1], size - 1),
    )
    yield vector(
        "E_ZSTD",
        "content-more",
        "more content than the frame states",
        magic + b"\x60" + content + block(0, data + b".", size + 1),
    )
    for name, stated in (("minus-1", size - 1), ("plus-1", size + 1)):
        header = magic + b"\x60" + (stated - 256).to_bytes(2, "little")
        yield vector(
            "E_SIZE", f"content-size-{name}", f"the frame states {stated} bytes, the record {size}", header + raw
        )
    yield vector(
        "E_SIZE", "content-size-u32", "the frame states 2^20 bytes", magic + b"\xa0" + struct.pack("<I", 2**20) + raw
    )
    for name, stated in (("2-53", 2**53), ("2-63", 2**63), ("max", 2**64 - 1)):
        head = magic + b"\xe0" + struct.pack("<Q", stated)
        yield vector("E_SIZE", f"content-size-{name}", f"a single segment of {stated} bytes", head + raw)
    both = magic + b"\x40\xff" + (size - 255).to_bytes(2, "little") + raw
    yield vector("E_SIZE", "content-size-and-window", "another content size and too large a window", both)
    both = magic + b"\x44\x58" + (size - 255).to_bytes(2, "little") + raw + bytes(4)
    yield vector("E_ZSTD", "content-size-and-checksum", "another content size and a frame checksum", both)
    yield vector(
        "E_SIZE",
        "content-size-windowed-max",
        "2^64 - 1 bytes in a small window",
        magic + b"\xc0\x58" + b"\xff" * 8 + raw,
    )
    yield vector("E_SIZE", "decoded-minus-1", "the record states a byte less", frame, size - 1)
    yield vector("E_SIZE", "decoded-0", "the record states no byte", frame, 0)
    empty = basic("z", report="")
    good = zstd.encode(b"")
    yield vector("E_ZSTD", "empty-trailing", "a byte behind a frame without content", good + b"\x00", of=empty)
    yield vector("E_ZSTD", "empty-twice", "two frames without content", good + good, of=empty)
    yield vector("E_ZSTD", "empty-cut", "a frame without content, cut", good[:-1], of=empty)
    yield vector(
        "E_ZSTD",
        "empty-with-content",
        "content in a frame that states none",
        magic + b"\x20\x00" + block(0, b"a", 1),
        of=empty,
    )


def _forms() -> Iterator[Vector]:
    study = basic("f")
    for form, planes, values in (
        (
            "float32",
            4,
            {"nan": 0x7FC00000, "infinite": 0x7F800000, "minus-infinite": 0xFF800000, "signalling": 0x7F800001},
        ),
        ("bfloat16", 2, {"nan": 0x7FC0, "infinite": 0x7F80, "minus-infinite": 0xFF80}),
        ("float16", 2, {"nan": 0x7E00, "infinite": 0x7C00, "minus-infinite": 0xFC00}),
    ):
        offset = {"float32": 0x20, "bfloat16": 0x28, "float16": 0x2A}[form]
        for name, bits in values.items():
            # The last of 16 values.
            matrix = [bytes(15) + bytes([bits >> 8 * plane & 255]) for plane in range(planes)]
            yield record_vector(
                "E_NUM",
                f"{form}-{name}",
                f"a value of the embedding is {name.replace('-', ' ')}",
                embedding_planes(offset, matrix),
                "F21",
                "F28",
                of=study,
            )
    codes, scales = bytes(range(16)), np.array([0, 1, 2, 0.5], "<f4")

    def int8(name: str, reason: str, codes: bytes, scales: np.ndarray, code: str = "E_FILTER") -> Vector:
        return record_vector(
            code,
            f"int8-{name}",
            f"int8: {reason}",
            embedding_planes(0x30, [codes, scales.astype("<f4").tobytes()]),
            "F21",
            of=study,
        )

    yield int8("code", "the code -128", codes[:-1] + b"\x80", scales)
    for name, value in (("negative", -1.0), ("minus-zero", -0.0), ("nan", float("nan")), ("infinite", float("inf"))):
        yield int8(f"scale-{name}", f"a scale is {name.replace('-', ' ')}", codes, np.append(scales[:3], value))
    yield int8("overflow", "code times scale overflows f32", codes, np.append(scales[:3], 3e38), "E_NUM")


def _pixels() -> Iterator[Vector]:
    columns = basic("p", pixels=np.arange(16, dtype=np.uint8).reshape(4, 2, 2)).columns()

    def pixels(name: str, reason: str, blob: bytes) -> Vector:
        return sealed("E_SIZE", f"pixels-{name}", f"pixel patches: {reason}", replace(columns, pixels=blob), "F13")

    body = bytes(16)
    yield pixels("empty", "no byte", b"")
    yield pixels("header-cut", "seven bytes", bytes(7))
    yield pixels("short", "a byte is missing", struct.pack("<4H", 2, 2, 1, 0) + body[:-1])
    yield pixels("long", "a byte too many", struct.pack("<4H", 2, 2, 1, 0) + body + b"\x00")
    yield pixels("height-max", "a height of 65,535", struct.pack("<4H", 65_535, 2, 1, 0) + body)
    yield pixels("both-max", "65,535 x 65,535", struct.pack("<4H", 65_535, 65_535, 2, 0) + body)
    yield pixels("height-0", "a height of 0 with pixels", struct.pack("<4H", 0, 2, 1, 0) + body)
    for itemsize in (0, 3, 4, 65_535):
        yield pixels(
            f"itemsize-{itemsize}",
            f"{itemsize} bytes per pixel",
            struct.pack("<4H", 2, 2, itemsize, 0) + bytes(16 * min(itemsize, 4)),
        )
    yield pixels("reserved", "the fourth field is not 0", struct.pack("<4H", 2, 2, 1, 1) + body)


def _words() -> Iterator[Vector]:
    study = basic("w", word_attention=WordAttention.from_maps([0, 4], [3, 9], np.arange(24).reshape(2, 12)))
    columns = study.columns()

    def words(code: str, name: str, reason: str, *edits: tuple[int, bytes]) -> Vector:
        stream = bytearray(columns.word_attention or b"")
        for at, new in edits:
            stream[at : at + len(new)] = new
        changed = replace(columns, word_attention=bytes(stream))
        return sealed(code, f"word-attention-{name}", f"word attention: {reason}", changed, "F32")

    def sized(name: str, reason: str, stream: bytes, of: StudyColumns = columns) -> Vector:
        changed = replace(of, word_attention=stream)
        return sealed("E_SIZE", f"word-attention-{name}", f"word attention: {reason}", changed, "F31")

    yield sized("empty", "no byte", b"")
    yield sized("step-only", "a step and no word", bytes(4))
    yield sized("short", "a byte is missing", bytes(4 + 2 * 20 - 1))
    yield sized("long", "a byte too many", bytes(4 + 2 * 20 + 1))
    yield sized("no-cells", "a word in a study without a film", bytes(12), textual("w").columns())
    yield words("E_TEXT", "no-letter", "the first word ends where it starts", (12, struct.pack("<I", 0)))
    yield words("E_TEXT", "backwards", "the second word ends before it starts", (16, struct.pack("<I", 3)))
    yield words("E_ORDER", "overlap", "the second word starts within the first", (8, struct.pack("<I", 2)))
    yield words("E_ORDER", "order", "the second word stands before the first", (4, struct.pack("<4I", 4, 0, 9, 3)))
    for name, step in (("nan", float("nan")), ("infinite", float("inf")), ("negative", -1.0), ("minus-zero", -0.0)):
        yield words("E_NUM", f"step-{name}", f"a step that is {name}", (0, struct.pack("<f", step)))
    yield words("E_NUM", "too-large", "an attention beyond f32", (0, struct.pack("<f", 3e38)))

    def damaged(record: RecordDraft) -> None:
        record.stream(0x10).crc32 = 1

    yield record_vector("E_CRC", "word-attention-crc", "another CRC of word attention", damaged, "R3", of=study)
    change = _stored(0x10, 9, (columns.word_attention or b""), 4 + 2 * 20)
    yield record_vector("E_STREAM", "word-attention-encoding", "word attention in encoding 9", change, "F10", of=study)


def _extensions() -> Iterator[Vector]:
    study = basic("e", extensions={"x.org.example.a": b"1", "x.org.example.b": b"2"})

    alone = basic("e", extensions={"x.org.example.a": b"1"})

    def first(name: str, reason: str, stored: bytes) -> Vector:
        change = _stored(0x8000, 0, stored, len(stored))
        return record_vector("E_NAME", f"extension-{name}", f"extension: {reason}", change, "F10", of=alone)

    def named(text: bytes) -> bytes:
        return bytes([len(text)]) + text + b"1"

    yield first("empty", "no byte", b"")
    yield first("no-name", "a name of no byte", b"\x00payload")
    yield first("name-cut", "the name ends outside the stream", b"\x20x.org.example.a")
    yield first("name-max", "a name of 255 bytes that are not there", b"\xff" + b"x.org.example.a")
    for label, text in (
        ("core", b"vitals"), ("one-label", b"x.org.a"), ("upper", b"X.org.example.a"),
        ("upper-label", b"x.Org.example.a"), ("empty-label", b"x.org..a"),
        ("underscore", b"x.org.example.a_b"), ("utf-8", "x.org.example.é".encode()),
        ("no-utf-8", b"x.org.example.\xff"), ("newline", b"x.org.example.a\n"),
        ("hyphen-first", b"x.org.-example.a"),
    ):  # fmt: skip
        yield first(label, f"the name {text!r}", named(text))

    def change_both(record: RecordDraft) -> None:
        a, b = record.stream(0x8000), record.stream(0x8001)
        a.stored, b.stored = b.stored, a.stored

    def same(record: RecordDraft) -> None:
        record.stream(0x8001).stored = record.stream(0x8000).stored

    def gap(record: RecordDraft) -> None:
        record.stream(0x8001).stream_id = 0x8002

    def late(record: RecordDraft) -> None:
        record.stream(0x8001).stream_id = 0xBFFF
        record.stream(0x8000).stream_id = 0x8001

    yield record_vector(
        "E_STREAM",
        "extensions-descend",
        "extensions not in ascending order of their names",
        change_both,
        "F10",
        of=study,
    )
    yield record_vector("E_STREAM", "extension-twice", "two extensions of one name", same, "F10", of=study)
    yield record_vector("E_STREAM", "extension-id-left-out", "extension ids 0x8000 and 0x8002", gap, "F10", of=study)
    yield record_vector("E_STREAM", "extension-ids-late", "extension ids 0x8001 and 0xBFFF", late, "F10", of=study)
