"""Files whose graph streams have short numbers, or lean on a dictionary (FORMAT.md sections 7.8 and 7.9)."""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Iterator

from neuralgraph.codecs.dictionary import Dictionary

from bench.vectors.draft import Draft, SectionDraft, record_draft
from bench.vectors.studies import REPORT, basic, concept_vectors, draft_of, film, grid_study, ramp, textual
from bench.vectors.vector import Vector
from neuralgraph.codecs import zstd
from neuralgraph.graph.study import Concept, Study

__all__ = [
    "DICTIONARY",
    "REPORT_TEXT",
    "WORDS",
    "archive",
    "change_first",
    "dictionary_section",
    "encoding_vectors",
    "named",
    "number",
    "raw_block",
    "sealed",
    "short",
    "with_stream",
]

DICTIONARY = base64.b64decode(
    "N6Qw7IUnc24nENBBknT//////8+A6L3LIuXmgNyNJPIDmv9Z0WwjXKfZ66IZ1WgCIzAAUIjQqHxgDAAABEAABCQ9MDMfHhiMR3IYBCEMwDAA"
    "wAAAAAAAwHoAaEAAAAAAABSPp4X1EpMxBEAAAAAAAAAAAAAAAQAAAAQAAAAIAAAATWlsZCBlbmxhcmdlZCBvcGFjaXR5IGlzIGNvbnNvbGlk"
    "YXRpb24gcG5ldW1vdGhvcmF4IG1pbGQgZW5sYXJnZWQgYXJlIG9wYWNpdHkgZWZmdXNpb24gbm9ybWFsLiBUaGUgaGVhcnQgaXMgZW5sYXJn"
    "ZWQuIE5vIGVmZnVzaW9uLk5vcm1hbCBsb2JlIHRoZSBubyB0aGUgbm9ybWFsIHBsZXVuZ3MgY2xlYXIgZW5sYXJnZWQgc2l6ZSBpcyBzaXpl"
    "IGxvd2VyIGxvd2VyIGVmZnVzaW9uIG5vIG9wYWNpdHkuIFRoZSBoZWFydCBpcyBlbmxhcmdlZC4gTm8gZWZmdXNpb24uT3BhY2l0eSBjbGVh"
    "ciBsb2JlIGxvYmUgcG5ldW1vdGhvcmF4IHNpbGhvdWV0dGUgY2xlYXIgbGVmdCBub3JtYWwgbWlsZCBjbGVhciBlZmZ1c2lvbi4gVGhlIGhl"
    "YXJ0IGlzIGVubGFyZ2VkLiBObyBlZmZ1c2lvbi5Mb3dlciBwbGV1cmFsIGlzIGVubGFyZ2VkIGNvbnNvbGlkYXRpb24gbG93ZXIgc2lsaG91"
    "ZXR0ZSBvcGFjaXR5IHNpemUgZWZmdXNpb24gbG9iZSBjb25zb2xpZGF0aW9uLiBUaGUgaGVhcnQgaXMgZW5sYXJnZWQuIE5vIGVmZnVzaW9u"
    "Lk1pbGQgY2xlYXIgaXMgYXJlIHBsZXVyYWwgbWlsZCBsdW5ncyBzaXplIGVubGFyZ2VkIA=="
)
"""Trained once on studies like ``basic`` and on reports of these words; kept, so that no library decides about it."""

WORDS = "Mild consolidation is no effusion. Enlarged silhouette, right opacity; left lobe normal. "
_PLAIN = {
    "view_patch_height",
    "view_patch_width",
    "view_score_step",
    "view_position",
    "cell_score",
    "patch_score",
    "concept_label",
    "triple_relation",
    "label_value",
    "text",
}


def number(difference: int) -> bytes:
    """Zig-zag and seven bits to a byte."""
    value = 2 * difference if difference >= 0 else -2 * difference - 1
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def short(study: Study, **instead: bytes) -> bytes:
    """The short graph stream of a study, some columns replaced."""
    out = b""
    for name, values in study.columns().graph.items():
        if name in instead:
            out += instead[name]
        elif name in _PLAIN:
            out += values.tobytes()
        else:
            width = 2 if name == "edge" else 1
            numbers = values.ravel().tolist()
            out += b"".join(number(b - a) for a, b in zip([0] * width + numbers, numbers, strict=False))
    return out


def with_stream(study: Study, stream_id: int, encoding: int, stored: bytes) -> Draft:
    """The file of a study, one of its streams stored otherwise."""
    draft = draft_of(study)
    record = record_draft(draft.records[0])
    stream = record.stream(stream_id)
    stream.encoding, stream.stored = encoding, stored
    return draft.with_records(record.pack())


def _short_draft(study: Study, **instead: bytes) -> Draft:
    return with_stream(study, 1, 2, zstd.encode(short(study, **instead)))


def encoding_vectors() -> Iterator[Vector]:
    """Files that every reader accepts."""

    def valid(name: str, draft: Draft, reason: str, *requirements: str) -> Vector:
        return Vector(name, draft.pack(), reason, requirements)

    yield valid("short-numbers", _short_draft(basic("short")), "a graph stream with short numbers", "F35")
    yield valid("short-numbers-text", _short_draft(textual("t")), "most columns have no rows", "F35")
    vectors = basic("vectors", concept_vectors=concept_vectors([0, 1, 1], 3), report=REPORT)
    yield valid(
        "short-numbers-vectors", _short_draft(vectors), "with references to concept vectors, and a report", "F35"
    )
    spans = (
        Concept("a", "Anatomy::definitely present", 0, 2**32 - 1),
        Concept("b", "Anatomy::definitely present", 1, 2),
        Concept("c", "Anatomy::definitely present", 2**32 - 2, 2**32 - 1),
    )
    extremes = textual("extremes", concepts=spans)
    yield valid("short-numbers-extremes", _short_draft(extremes), "differences of 33 bits, both signs", "F35")
    wide = grid_study("wide", [film(17, 31), film(2, 3)], 300, ramp(300, 1))
    yield valid("short-numbers-wide", _short_draft(wide), "indices of two bytes, two films, many edges", "F35")
    raw = short(basic("raw"))
    block = (len(raw) << 3 | 1).to_bytes(3, "little") + raw
    frame = b"\x28\xb5\x2f\xfd\x60" + struct.pack("<H", len(raw) - 256) + block
    yield valid("short-numbers-raw", with_stream(basic("raw"), 1, 2, frame), "a frame of one raw block", "F35")

    yield valid("dictionary", archive(), "two studies whose graph stream and report lean on a dictionary", "F36", "F37")
    yield valid("dictionary-once", archive(leaning=(0,)), "one of two studies leans on it", "F36", "F37")
    yield valid("dictionary-unused", archive(leaning=()), "no study leans on it", "F36")
    both = archive()
    both.more_sections.append(dictionary_section(sealed(DICTIONARY + b"more")))
    both.more_sections.sort(key=lambda each: each.name)
    yield valid("dictionary-two", both, "a second dictionary that nothing leans on", "F36")
    empty = archive(report="")
    yield valid("dictionary-empty", empty, "an empty report leans on it", "F37")
    raw_report = archive()
    plain = REPORT_TEXT.encode()
    change_first(raw_report, 2, named(raw_block(plain), plain))
    yield valid("dictionary-raw", raw_report, "a frame that names a dictionary and does without it", "F37")


REPORT_TEXT = WORDS * 3


def raw_block(data: bytes) -> bytes:
    """The last block of a frame, not compressed."""
    return (len(data) << 3 | 1).to_bytes(3, "little") + data


def named(blocks: bytes, content: bytes, *, dictionary: int | None = None) -> bytes:
    """A frame of these blocks that names a dictionary; its content is shorter than 256 bytes or longer."""
    assert len(content) >= 256
    number = int.from_bytes(DICTIONARY[4:8], "little") if dictionary is None else dictionary
    return b"\x28\xb5\x2f\xfd\x63" + struct.pack("<IH", number, len(content) - 256) + blocks


def sealed(data: bytes) -> bytes:
    """A dictionary with the id of its content."""
    (head,) = struct.unpack("<I", hashlib.sha256(data[8:]).digest()[:4])
    return data[:4] + struct.pack("<I", 65_536 + head % (2**31 - 65_536)) + data[8:]


def dictionary_section(data: bytes) -> SectionDraft:
    """The section of a dictionary."""
    return SectionDraft(f"dictionary_{int.from_bytes(data[4:8], 'little'):08x}", 2, data)


def archive(*, leaning: tuple[int, ...] = (0, 1), report: str = REPORT_TEXT, data: bytes = DICTIONARY) -> Draft:
    """Two studies, some of which lean on the dictionary, which the file holds."""
    studies = [basic(name, report=report) for name in ("one", "two")]
    draft = draft_of(*studies)
    records = [record_draft(record) for record in draft.records]
    for position in leaning:
        columns = studies[position].columns()
        for stream_id, content in ((1, columns.graph_stream()), (2, report.encode())):
            stream = records[position].stream(stream_id)
            stream.encoding, stream.stored = 3, Dictionary(DICTIONARY).encode(content)
    draft = draft.with_records(*(record.pack() for record in records))
    draft.more_sections = [dictionary_section(data)]
    return draft


def change_first(draft: Draft, stream_id: int, stored: bytes) -> None:
    """Let a stream of the first record store other bytes."""
    record = record_draft(draft.records[0])
    record.stream(stream_id).stored = stored
    draft.records[0] = record.pack()
