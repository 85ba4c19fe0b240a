"""Broken prologues, trailers and extents (FORMAT.md section 3)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from spec.tools.vectors.draft import both, put
from spec.tools.vectors.studies import basic, draft_of, textual
from spec.tools.vectors.vector import Vector

__all__ = ["framing_vectors"]

MAX32, MAX64 = 2**32 - 1, 2**64 - 1


def framing_vectors() -> Iterator[Vector]:
    """All of them."""
    yield from _whole_files()
    yield from _prologues()
    yield from _trailers()
    yield from _envelopes()


def _v(
    code: str, name: str, reason: str, *requirements: str, file: Callable[[bytes], bytes] | None = None, **edits: Any
) -> Vector:
    return Vector(name, replace(draft_of(basic()), file=file, **edits).pack(), reason, requirements, code)


def _whole_files() -> Iterator[Vector]:
    smallest = draft_of(textual("a")).pack()
    yield Vector("empty", b"", "a file without a byte", ("F5",), "E_TRUNCATED")
    for length in (1, 7, 8, 31, 32, 100, 127):
        yield Vector(
            f"first-{length}", smallest[:length], f"the first {length} bytes of a file", ("F5",), "E_TRUNCATED"
        )
    yield Vector(
        "two-ends",
        smallest[:32] + smallest[-96:],
        "prologue and trailer with nothing between them",
        ("F4",),
        "E_TRUNCATED",
    )
    for name, cut in (("cut-by-1", 1), ("cut-by-8", 8), ("cut-by-96", 96), ("cut-in-half", len(smallest) // 2)):
        yield Vector(name, smallest[:-cut], f"{cut} bytes are missing at the end", ("F4",), "E_TRUNCATED")
    yield Vector("cut-in-front", smallest[8:], "the first eight bytes are missing", ("R1",), "E_MAGIC")
    yield Vector(
        "cut-inside", smallest[:200] + smallest[208:], "eight bytes are missing inside", ("F4",), "E_TRUNCATED"
    )
    yield Vector(
        "grown-inside", smallest[:200] + bytes(8) + smallest[200:], "eight bytes more inside", ("F4",), "E_TRAILING"
    )
    yield Vector("appended-byte", smallest + b"\x00", "a byte follows the trailer", ("F4", "R1"), "E_TRUNCATED")
    yield Vector("twice", smallest * 2, "a file behind a file: the trailer says one", ("F4", "R1"), "E_TRAILING")
    yield Vector("preamble", bytes(128) + smallest, "a file behind 128 bytes, as in DICOM", ("R1",), "E_MAGIC")
    yield Vector(
        "zip-behind", smallest + b"PK\x05\x06" + bytes(18), "an empty ZIP archive appended", ("R1",), "E_TRUNCATED"
    )
    for name, head in (
        ("png", b"\x89PNG\r\n\x1a\n"),
        ("text", b"neuralgraph: not a file of this kind"),
        ("newline", b"\x89NGR\n\x1a\n\x00"),
    ):
        yield Vector(
            f"magic-{name}", head + smallest[len(head) :], f"the first bytes are those of {name}", ("R1",), "E_MAGIC"
        )
    yield Vector("short-text", b"text", "four bytes of something else", ("F5",), "E_TRUNCATED")
    yield Vector("short-magic", b"text that is no study", "21 bytes of something else", ("F5", "R1"), "E_MAGIC")


def _prologues() -> Iterator[Vector]:
    for bit in (0, 1, 2, 3, 31, 32, 63):
        yield _v("E_FEATURE", f"bit-{bit}", f"required feature {bit}", "R15", "F2", prologue=put(8, "Q", 1 << bit))
    yield _v(
        "E_FEATURE", "all", "all required features: bits, and no integer", "R15", "F2", prologue=put(8, "Q", MAX64)
    )
    for major in (0, 2, 255):
        yield _v("E_PROLOGUE", f"major-{major}", f"major version {major}", "R1", prologue=put(24, "B", major))
    for value in (1, 0x8000, 0xFFFF):
        yield _v("E_PROLOGUE", f"reserved-{value}", "reserved bits are set", "R15", prologue=put(26, "H", value))
    for name, offset in (("optional-features", 16), ("minor", 25), ("checksum", 28)):
        yield _v(
            "E_PROLOGUE", f"flipped-{name}", f"a flipped bit in {name}", "R3", sealed_prologue=put(offset, "B", 0x5A)
        )
    swapped = struct.pack(">Q", 1)
    yield _v("E_PROLOGUE", "major-big-endian", "major and minor exchanged", "F1", prologue=put(24, "s", b"\x00\x01"))
    yield _v(
        "E_FEATURE", "big-endian", "a feature bit in the byte order of no file", "F1", prologue=put(8, "s", swapped)
    )


def _trailers() -> Iterator[Vector]:
    draft = draft_of(basic())
    data = draft.pack()
    trailer = data[-96:]
    toc_offset, toc_bytes = struct.unpack_from("<QI", trailer)
    size = len(data)

    def field(code: str, name: str, offset: int, kind: str, value: int, *requirements: str, why: str = "") -> Vector:
        return _v(
            code, name, why or f"{name.replace('-', ' ')}: {value}", *requirements, trailer=put(offset, kind, value)
        )

    for name, value, code in (
        ("plus-8", toc_offset + 8, "E_RANGE"),
        ("minus-8", toc_offset - 8, "E_COVER"),
        ("plus-1", toc_offset + 1, "E_RANGE"),
        ("0", 0, "E_COVER"),
        ("end-of-file", size - size % 8, "E_RANGE"),
        ("max-integer", 2**53 - 8, "E_RANGE"),
        ("beyond-integers", 2**53, "E_OVERFLOW"),
        ("max", MAX64 - 7, "E_OVERFLOW"),
        ("wrap", MAX64 - toc_bytes + 1 & ~7, "E_OVERFLOW"),
    ):
        yield field(code, f"toc-offset-{name}", 0, "Q", value, "F6", "F2")
    for name, value, code in (
        ("0", 0, "E_COVER"),
        ("minus-8", toc_bytes - 8, "E_COVER"),
        ("plus-8", toc_bytes + 8, "E_RANGE"),
        ("limit", 2**22, "E_RANGE"),
        ("over-limit", 2**22 + 1, "E_TOC_SIZE"),
        ("max", MAX32, "E_TOC_SIZE"),
    ):
        yield field(code, f"toc-bytes-{name}", 8, "I", value, "F6", "R10")
    yield field("E_TOC_CRC", "toc-crc", 12, "I", 0, "R3", why="another CRC of the contents")
    for name, value, code in (
        ("minus-1", size - 1, "E_TRAILING"),
        ("plus-1", size + 1, "E_TRUNCATED"),
        ("0", 0, "E_TRAILING"),
        ("128", 128, "E_TRAILING"),
        ("max-integer", 2**53 - 1, "E_TRUNCATED"),
        ("beyond-integers", 2**53, "E_OVERFLOW"),
        ("max", MAX64, "E_OVERFLOW"),
        ("wrap", 2**64 - size, "E_OVERFLOW"),
    ):
        yield field(code, f"file-bytes-{name}", 16, "Q", value, "F4", "F2")
    for name, value, code in (
        ("0", 0, "E_INDEX"),
        ("2", 2, "E_SECTION"),
        ("limit", 2**22, "E_SECTION"),
        ("over-limit", 2**22 + 1, "E_LIMIT"),
        ("max", MAX32, "E_LIMIT"),
    ):
        yield field(code, f"n-records-{name}", 24, "I", value, "F18", "R10")
    for number, offset in ((1, 28), (2, 80)):
        for value in (1, MAX32):
            yield field("E_TRAILER", f"reserved-{number}-{value}", offset, "I", value, "R15")
    yield _v("E_TRAILER", "flipped-checksum", "a flipped bit in the CRC", "R3", sealed_trailer=put(84, "I", 0))
    yield _v(
        "E_TRAILER",
        "flipped-root",
        "a flipped bit in the root, the CRC not renewed",
        "R3",
        sealed_trailer=put(48, "B", 0x5A),
    )
    yield _v("E_DIGEST", "root", "another root", "R5", trailer=put(48, "s", bytes(32)))
    yield _v("E_DIGEST", "root-last-bit", "the last bit of the root", "R5", trailer=put(79, "B", trailer[79] ^ 1))
    yield _v("E_TRUNCATED", "end-magic", "another end magic", "R1", sealed_trailer=put(88, "s", b"NGR\x1aEND\x00"))


def _envelopes() -> Iterator[Vector]:
    draft = draft_of(basic(), textual("t"))
    trailer = draft.pack()[-96:]
    total, largest, streams = struct.unpack_from("<QII", trailer, 32)

    def envelope(name: str, offset: int, kind: str, value: int, code: str = "E_BUDGET") -> Vector:
        reason = f"{name.replace('-', ' ')}: {value}"
        return Vector(name, replace(draft, trailer=put(offset, kind, value)).pack(), reason, ("R2", "F2"), code)

    yield envelope("total-minus-1", 32, "Q", total - 1)
    yield envelope("total-plus-1", 32, "Q", total + 1)
    yield envelope("total-0", 32, "Q", 0)
    yield envelope("total-max-integer", 32, "Q", 2**53 - 1)
    yield envelope("total-beyond-integers", 32, "Q", 2**53, "E_OVERFLOW")
    yield envelope("total-max", 32, "Q", MAX64, "E_OVERFLOW")
    yield envelope("largest-minus-1", 40, "I", largest - 1)
    yield envelope("largest-plus-1", 40, "I", largest + 1)
    yield envelope("largest-0", 40, "I", 0)
    yield envelope("largest-limit", 40, "I", 2**26)
    yield envelope("largest-over-limit", 40, "I", 2**26 + 1, "E_LIMIT")
    yield envelope("largest-max", 40, "I", MAX32, "E_LIMIT")
    data = replace(draft, trailer=put(48, "s", bytes(32))).pack()
    yield Vector("root-of-two", data, "another root of two studies", ("R5",), "E_DIGEST")
    only = draft_of(basic())
    alone, streams_alone = struct.unpack_from("<II", only.pack(), len(only.pack()) - 56)
    for name, edit in (
        ("record", both(put(32, "Q", alone + 8), put(40, "I", alone + 8))),
        ("streams", put(44, "I", streams_alone + 1)),
    ):
        data = replace(only, trailer=edit).pack()
        yield Vector(f"only-{name}", data, f"an envelope of more {name} than the only record has", ("R2",), "E_BUDGET")
    for name, each in (("below-the-largest", largest - 1), ("of-more-records", 2 * largest + 1)):
        data = replace(draft, trailer=put(32, "Q", each)).pack()
        reason = f"the decoded sizes of two records, at most {largest} each, are {each} together"
        yield Vector(f"total-{name}", data, reason, ("F38",), "E_BUDGET")
    contradicting = both(put(32, "Q", largest - 1), put(8, "I", MAX32))
    data = replace(draft, trailer=contradicting).pack()
    yield Vector("total-before-contents", data, "a wrong total, and contents too large", ("F38", "R12"), "E_BUDGET")
    data = replace(draft, trailer=both(put(32, "Q", largest - 1), put(24, "I", 0))).pack()
    yield Vector("total-of-no-record", data, "a wrong total of no record", ("F18", "R12"), "E_INDEX")
    data = replace(draft, trailer=both(put(32, "Q", 0), put(40, "I", 2**26 + 1))).pack()
    yield Vector("total-after-limits", data, "a wrong total, and a record over the limit", ("R10", "R12"), "E_LIMIT")
    yield envelope("streams-minus-1", 44, "I", streams - 1)
    yield envelope("streams-plus-1", 44, "I", streams + 1)
    yield envelope("streams-0", 44, "I", 0)
    yield envelope("streams-limit", 44, "I", 32)
    yield envelope("streams-over-limit", 44, "I", 33, "E_LIMIT")
    yield envelope("streams-max", 44, "I", MAX32, "E_LIMIT")
