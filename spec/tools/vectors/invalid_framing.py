"""Broken prologues, trailers and extents (FORMAT.md section 3)."""

from __future__ import annotations

import struct
from dataclasses import replace
from functools import partial

from spec.tools.vectors.draft import both, put
from spec.tools.vectors.studies import basic, draft_of, textual
from spec.tools.vectors.vector import Table, each

__all__ = ["framing_vectors"]

MAX32, MAX64 = 2**32 - 1, 2**64 - 1


def framing_vectors() -> Table:
    """All of them."""
    return {**_whole_files(), **_prologues(), **_trailers(), **_envelopes()}


def _whole_files() -> Table:
    smallest = draft_of(textual("a")).pack()
    heads = {
        "png": b"\x89PNG\r\n\x1a\n",
        "text": b"neuralgraph: not a file of this kind",
        "newline": b"\x89NGR\n\x1a\n\x00",
    }
    return {
        "E_TRUNCATED F5 empty: a file without a byte": b"",
        **each("E_TRUNCATED F5 first-{value}: the first {value} bytes of a file", (1, 7, 8, 31, 32, 100, 127),
            lambda length: smallest[:length]),
        "E_TRUNCATED F4 two-ends: prologue and trailer with nothing between them": smallest[:32] + smallest[-96:],
        **each("E_TRUNCATED F4 cut-{name}: {value} bytes are missing at the end",
            {"by-1": 1, "by-8": 8, "by-96": 96, "in-half": len(smallest) // 2}, lambda cut: smallest[:-cut]),
        "E_MAGIC R1 cut-in-front: the first eight bytes are missing": smallest[8:],
        "E_TRUNCATED F4 cut-inside: eight bytes are missing inside": smallest[:200] + smallest[208:],
        "E_TRAILING F4 grown-inside: eight bytes more inside": smallest[:200] + bytes(8) + smallest[200:],
        "E_TRUNCATED F4 R1 appended-byte: a byte follows the trailer": smallest + b"\x00",
        "E_TRAILING F4 R1 twice: a file behind a file: the trailer says one": smallest * 2,
        "E_MAGIC R1 preamble: a file behind 128 bytes, as in DICOM": bytes(128) + smallest,
        "E_TRUNCATED R1 zip-behind: an empty ZIP archive appended": smallest + b"PK\x05\x06" + bytes(18),
        **each("E_MAGIC R1 magic-{name}: the first bytes are those of {name}", heads,
            lambda head: head + smallest[len(head) :]),
        "E_TRUNCATED F5 short-text: four bytes of something else": b"text",
        "E_MAGIC F5 R1 short-magic: 21 bytes of something else": b"text that is no study",
    }  # fmt: skip


def _prologues() -> Table:
    basic_with = partial(replace, draft_of(basic()))
    return {
        **each("E_FEATURE R15 F2 bit-{value}: required feature {value}", (0, 1, 2, 3, 31, 32, 63),
            lambda bit: basic_with(prologue=put(8, "Q", 1 << bit))),
        "E_FEATURE R15 F2 all: all required features: bits, and no integer": basic_with(prologue=put(8, "Q", MAX64)),
        **each("E_PROLOGUE R1 major-{value}: major version {value}", (0, 2, 255),
            lambda major: basic_with(prologue=put(24, "B", major))),
        **each("E_PROLOGUE R15 reserved-{value}: reserved bits are set", (1, 0x8000, 0xFFFF),
            lambda bits: basic_with(prologue=put(26, "H", bits))),
        **each("E_PROLOGUE R3 flipped-{name}: a flipped bit in {name}",
            {"optional-features": 16, "minor": 25, "checksum": 28},
            lambda offset: basic_with(sealed_prologue=put(offset, "B", 0x5A))),
        "E_PROLOGUE F1 major-big-endian: major and minor exchanged": basic_with(prologue=put(24, "s", b"\x00\x01")),
        "E_FEATURE F1 big-endian: a feature bit in the byte order of no file":
            basic_with(prologue=put(8, "s", struct.pack(">Q", 1))),
    }  # fmt: skip


def _trailers() -> Table:
    draft = draft_of(basic())
    data = draft.pack()
    toc_offset, toc_bytes = struct.unpack_from("<QI", data, len(data) - 96)
    size, last = len(data), data[-17]
    basic_with = partial(replace, draft)
    return {
        **each("{code} F6 F2 toc-offset-{name}: toc offset {words}: {value}", {
            "E_RANGE plus-8": toc_offset + 8,
            "E_COVER minus-8": toc_offset - 8,
            "E_RANGE plus-1": toc_offset + 1,
            "E_COVER 0": 0,
            "E_RANGE end-of-file": size - size % 8,
            "E_RANGE max-integer": 2**53 - 8,
            "E_OVERFLOW beyond-integers": 2**53,
            "E_OVERFLOW max": MAX64 - 7,
            "E_OVERFLOW wrap": MAX64 - toc_bytes + 1 & ~7,
        }, lambda value: basic_with(trailer=put(0, "Q", value))),
        **each("{code} F6 R10 toc-bytes-{name}: toc bytes {words}: {value}", {
            "E_COVER 0": 0,
            "E_COVER minus-8": toc_bytes - 8,
            "E_RANGE plus-8": toc_bytes + 8,
            "E_RANGE limit": 2**22,
            "E_TOC_SIZE over-limit": 2**22 + 1,
            "E_TOC_SIZE max": MAX32,
        }, lambda value: basic_with(trailer=put(8, "I", value))),
        "E_TOC_CRC R3 toc-crc: another CRC of the contents": basic_with(trailer=put(12, "I", 0)),
        **each("{code} F4 F2 file-bytes-{name}: file bytes {words}: {value}", {
            "E_TRAILING minus-1": size - 1,
            "E_TRUNCATED plus-1": size + 1,
            "E_TRAILING 0": 0,
            "E_TRAILING 128": 128,
            "E_TRUNCATED max-integer": 2**53 - 1,
            "E_OVERFLOW beyond-integers": 2**53,
            "E_OVERFLOW max": MAX64,
            "E_OVERFLOW wrap": 2**64 - size,
        }, lambda value: basic_with(trailer=put(16, "Q", value))),
        **each("{code} F18 R10 n-records-{name}: n records {words}: {value}", {
            "E_INDEX 0": 0,
            "E_SECTION 2": 2,
            "E_SECTION limit": 2**22,
            "E_LIMIT over-limit": 2**22 + 1,
            "E_LIMIT max": MAX32,
        }, lambda value: basic_with(trailer=put(24, "I", value))),
        **each("E_TRAILER R15 reserved-1-{value}: reserved 1 {value}: {value}", (1, MAX32),
            lambda value: basic_with(trailer=put(28, "I", value))),
        **each("E_TRAILER R15 reserved-2-{value}: reserved 2 {value}: {value}", (1, MAX32),
            lambda value: basic_with(trailer=put(80, "I", value))),
        "E_TRAILER R3 flipped-checksum: a flipped bit in the CRC": basic_with(sealed_trailer=put(84, "I", 0)),
        "E_TRAILER R3 flipped-root: a flipped bit in the root, the CRC not renewed":
            basic_with(sealed_trailer=put(48, "B", 0x5A)),
        "E_DIGEST R5 root: another root": basic_with(trailer=put(48, "s", bytes(32))),
        "E_DIGEST R5 root-last-bit: the last bit of the root": basic_with(trailer=put(79, "B", last ^ 1)),
        "E_TRUNCATED R1 end-magic: another end magic": basic_with(sealed_trailer=put(88, "s", b"NGR\x1aEND\x00")),
    }  # fmt: skip


def _envelopes() -> Table:
    """The decoded bytes and streams that the trailer states, mostly of two records."""
    two, one = draft_of(basic(), textual("t")), draft_of(basic())
    total, largest, streams = struct.unpack_from("<QII", two.pack()[-96:], 32)
    alone, streams_alone = struct.unpack_from("<II", one.pack()[-96:], 40)
    two_with, one_with = partial(replace, two), partial(replace, one)
    too_small = put(32, "Q", largest - 1)
    return {
        **each("{code} R2 F2 total-{name}: total {words}: {value}", {
            "E_BUDGET minus-1": total - 1,
            "E_BUDGET plus-1": total + 1,
            "E_BUDGET 0": 0,
            "E_BUDGET max-integer": 2**53 - 1,
            "E_OVERFLOW beyond-integers": 2**53,
            "E_OVERFLOW max": MAX64,
        }, lambda value: two_with(trailer=put(32, "Q", value))),
        **each("{code} R2 F2 largest-{name}: largest {words}: {value}", {
            "E_BUDGET minus-1": largest - 1,
            "E_BUDGET plus-1": largest + 1,
            "E_BUDGET 0": 0,
            "E_BUDGET limit": 2**26,
            "E_LIMIT over-limit": 2**26 + 1,
            "E_LIMIT max": MAX32,
        }, lambda value: two_with(trailer=put(40, "I", value))),
        "E_DIGEST R5 root-of-two: another root of two studies": two_with(trailer=put(48, "s", bytes(32))),
        "E_BUDGET R2 only-record: an envelope of more record than the only record has":
            one_with(trailer=both(put(32, "Q", alone + 8), put(40, "I", alone + 8))),
        "E_BUDGET R2 only-streams: an envelope of more streams than the only record has":
            one_with(trailer=put(44, "I", streams_alone + 1)),
        **each(f"E_BUDGET F38 total-{{name}}: the decoded sizes of two records, at most {largest} each, are {{value}} "
            "together", {"below-the-largest": largest - 1, "of-more-records": 2 * largest + 1},
            lambda value: two_with(trailer=put(32, "Q", value))),
        "E_BUDGET F38 R12 total-before-contents: a wrong total, and contents too large":
            two_with(trailer=both(too_small, put(8, "I", MAX32))),
        "E_INDEX F18 R12 total-of-no-record: a wrong total of no record":
            two_with(trailer=both(too_small, put(24, "I", 0))),
        "E_LIMIT R10 R12 total-after-limits: a wrong total, and a record over the limit":
            two_with(trailer=both(put(32, "Q", 0), put(40, "I", 2**26 + 1))),
        **each("{code} R2 F2 streams-{name}: streams {words}: {value}", {
            "E_BUDGET minus-1": streams - 1,
            "E_BUDGET plus-1": streams + 1,
            "E_BUDGET 0": 0,
            "E_BUDGET limit": 32,
            "E_LIMIT over-limit": 33,
            "E_LIMIT max": MAX32,
        }, lambda value: two_with(trailer=put(44, "I", value))),
    }  # fmt: skip
