"""Broken short numbers and dictionaries (FORMAT.md sections 7.8 and 7.9)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from neuralgraph.codecs.dictionary import Dictionary

from bench.vectors.draft import Draft, RecordDraft, SectionDraft, put, record_draft
from bench.vectors.studies import REPORT, basic, concept_vectors, draft_of
from bench.vectors.valid_encodings import (
    DICTIONARY,
    REPORT_TEXT,
    WORDS,
    archive,
    change_first,
    dictionary_section,
    named,
    number,
    raw_block,
    sealed,
    short,
    with_stream,
)
from bench.vectors.vector import Vector
from neuralgraph.codecs import zstd

__all__ = ["broken_encoding_vectors"]


def broken_encoding_vectors() -> Iterator[Vector]:
    """Files that every reader refuses."""
    yield from _broken_numbers()
    yield from _broken_dictionaries()
    yield from _broken_frames()


def _broken_numbers() -> Iterator[Vector]:
    study = basic("n")
    columns = study.columns()
    graph = columns.graph

    def vector(code: str, name: str, reason: str, content: bytes) -> Vector:
        draft = with_stream(study, 1, 2, zstd.encode(content))
        return Vector(f"short-numbers-{name}", draft.pack(), f"short numbers: {reason}", ("F35",), code)

    def column(name: str, *differences: int | bytes) -> bytes:
        numbers = [each if isinstance(each, bytes) else number(each) for each in differences]
        return short(study, **{name: b"".join(numbers)})

    whole = short(study)
    yield vector("E_FILTER", "cut", "the last byte is missing", whole[:-1])
    yield vector("E_FILTER", "more", "a byte follows", whole + b"\0")
    yield vector("E_FILTER", "empty", "nothing", b"")
    yield vector("E_FILTER", "cut-number", "it ends within a number", number(3) + b"\x80")
    yield vector("E_FILTER", "cut-plain", "it ends within a column of floating-point numbers", whole[:8])
    yield vector("E_FILTER", "negative", "a value of -1", column("view_rows", -1))
    yield vector("E_FILTER", "u16-max", "a value of 65,536 in a column of u16", column("view_rows", 2**16))
    yield vector("E_FILTER", "u32-max", "a value of 2^32 in a column of u32", column("view_height", 2**32))
    yield vector("E_FILTER", "wrap", "a value of 2^34 in a column of u32", column("view_height", 2**34 - 1))
    cells = graph["patch_cell"].tolist()
    steps = [b - a for a, b in zip([0, *cells], cells, strict=False)]
    yield vector(
        "E_FILTER", "index-max", "a value of 256 in an index of one byte", column("patch_cell", 256, *steps[1:])
    )
    later = [*steps[:-1], -sum(steps[:-1]) - 1]
    yield vector("E_FILTER", "negative-later", "a value of -1 in the last row", column("patch_cell", *later))
    rows = int(graph["view_rows"][0])
    yield vector(
        "E_FILTER", "long", "a number of two bytes that one can hold", column("view_rows", bytes([2 * rows | 128, 0]))
    )
    yield vector("E_FILTER", "zero-long", "a zero of two bytes", column("view_rows", b"\x80\x00"))
    yield vector(
        "E_FILTER", "five-zero", "a number of five bytes, the last one 0", column("view_rows", b"\x86\x80\x80\x80\0")
    )
    yield vector("E_FILTER", "six", "a number of six bytes", column("view_rows", b"\x86\x80\x80\x80\x80\x01"))
    yield vector("E_FILTER", "endless", "bytes that all say that another one follows", b"\xff" * 60)
    size = len(columns.graph_stream())
    yield vector("E_SIZE", "larger", "more content than the graph stream has", whole.ljust(size + 1, b"\0"))
    yield vector("E_FILTER", "as-large", "as much content as the graph stream has", whole.ljust(size, b"\0"))

    def frame(code: str, name: str, reason: str, stored: bytes) -> Vector:
        draft = with_stream(study, 1, 2, stored)
        return Vector(f"short-numbers-{name}", draft.pack(), f"short numbers: {reason}", ("F35", "F20"), code)

    yield frame("E_ZSTD", "store", "no frame", whole)
    yield frame("E_ZSTD", "behind", "a byte behind the frame", zstd.encode(whole) + b"\0")
    yield frame("E_ZSTD", "id", "a frame with a dictionary id", Dictionary(DICTIONARY).encode(whole))
    unsized = b"\x28\xb5\x2f\xfd\x00\x58" + raw_block(whole)
    yield frame("E_SIZE", "unsized", "no content size", unsized)
    for stream_id, name in ((2, "report"), (0x20, "plane")):
        of = basic("n", report=REPORT)
        stored = zstd.encode(short(of))
        yield Vector(
            f"short-numbers-{name}",
            with_stream(of, stream_id, 2, stored).pack(),
            f"short numbers in another stream, the {name}",
            ("F35",),
            "E_STREAM",
        )


def _broken_dictionaries() -> Iterator[Vector]:
    def vector(code: str, name: str, reason: str, draft: Draft, *requirements: str) -> Vector:
        return Vector(f"dictionary-{name}", draft.pack(), f"dictionary: {reason}", requirements or ("F36",), code)

    def of(data: bytes) -> Draft:
        return archive(data=data)

    def with_section(each: SectionDraft) -> Draft:
        draft = archive()
        draft.more_sections = [each]
        return draft

    alone = draft_of(basic("alone"))
    alone.more_sections = [dictionary_section(DICTIONARY)]
    yield vector("E_SECTION", "alone", "in a file of one study", alone)
    good = dictionary_section(DICTIONARY)
    for flags in (0, 1, 3):
        flagged = with_section(SectionDraft(good.name, flags, DICTIONARY))
        yield vector("E_SECTION", f"flags-{flags}", f"flags {flags}", flagged)
    for kind, spelt in (
        ("short", good.name[:-1]),
        ("long", good.name + "0"),
        ("letters", "dictionary_" + "g" * 8),
        ("bare", "dictionary_"),
    ):
        yield vector("E_SECTION", f"name-{kind}", f"the name {spelt}", with_section(SectionDraft(spelt, 2, DICTIONARY)))
    twice = archive()
    twice.more_sections *= 2
    yield vector("E_SECTION", "twice", "the same one twice", twice)
    other = "dictionary_" + ("0" if good.name[11] != "0" else "1") + good.name[12:]
    yield vector("E_DICT", "name", "the name of another id", with_section(SectionDraft(other, 2, DICTIONARY)))
    unsealed = DICTIONARY[:-1] + bytes([DICTIONARY[-1] ^ 1])
    yield vector("E_DICT", "content", "the id of other content", of(unsealed))
    (own,) = struct.unpack("<I", DICTIONARY[4:8])
    for name, value in (("minus-1", own - 1), ("plus-1", own + 1), ("0", 0), ("max", 2**32 - 1), ("wrap", own + 2**31)):
        changed = DICTIONARY[:4] + struct.pack("<I", value) + DICTIONARY[8:]
        yield vector("E_DICT", f"id-{name}", f"the id {value}", of(changed))
    for length in (1, 7, 8):
        yield vector(
            "E_DICT", f"cut-{length}", f"{length} bytes", with_section(SectionDraft(good.name, 2, DICTIONARY[:length]))
        )
    content_at = _content_at()
    for name, length in (
        ("tree", 12),
        ("tables", content_at - 20),
        ("offsets", content_at - 1),
        ("content", content_at),
    ):
        yield vector("E_DICT", f"cut-{name}", f"it ends in its {name}", of(sealed(DICTIONARY[:length])))
    yield vector("E_DICT", "magic", "another magic", of(sealed(b"\x37\xa4\x30\xed" + DICTIONARY[4:])))
    yield vector("E_DICT", "raw", "content alone", of(sealed(WORDS.encode())))
    for number_of, name in enumerate(("first", "second", "third")):
        at = content_at - 12 + 4 * number_of
        for kind, value in (("0", 0), ("beyond", len(DICTIONARY) - content_at + 1), ("max", 2**32 - 1)):
            changed = DICTIONARY[:at] + struct.pack("<I", value) + DICTIONARY[at + 4 :]
            yield vector("E_DICT", f"{name}-offset-{kind}", f"its {name} offset is {value}", of(sealed(changed)))
    damaged = dictionary_section(DICTIONARY)
    damaged.sealed_edit = put(300, "B", DICTIONARY[300] ^ 1)
    yield vector("E_CRC", "damaged", "a byte of it was changed", with_section(damaged), "R7")


def _content_at() -> int:
    """Where the content of ``DICTIONARY`` begins: behind the offsets 1, 4 and 8, which training leaves as they are."""
    return DICTIONARY.index(struct.pack("<III", 1, 4, 8)) + 12


def _broken_frames() -> Iterator[Vector]:
    plain = REPORT_TEXT.encode()

    def vector(code: str, name: str, reason: str, stored: bytes, *, stream_id: int = 2) -> Vector:
        draft = archive()
        change_first(draft, stream_id, stored)
        return Vector(f"leaning-{name}", draft.pack(), f"leaning on a dictionary: {reason}", ("F37",), code)

    good = Dictionary(DICTIONARY).encode(plain)
    size = struct.pack("<H", len(plain) - 256)
    magic, (own,) = b"\x28\xb5\x2f\xfd", struct.unpack("<I", DICTIONARY[4:8])
    yield vector("E_ZSTD", "no-id", "no dictionary id", zstd.encode(plain))
    rest, own_id = size + raw_block(plain), DICTIONARY[4:8]
    yield vector("E_ZSTD", "id-1", "an id of one byte", magic + b"\x61" + own_id[:1] + rest)
    yield vector("E_ZSTD", "id-2", "an id of two bytes", magic + b"\x62" + own_id[:2] + rest)
    yield vector("E_ZSTD", "checksum", "a frame checksum", magic + b"\x67" + own_id + rest + bytes(4))
    yield vector("E_ZSTD", "reserved", "the reserved bit", magic + b"\x6b" + own_id + rest)
    yield vector("E_ZSTD", "cut-id", "the header ends in the id", magic + b"\x63" + DICTIONARY[4:6])
    yield vector("E_ZSTD", "cut", "the frame is cut", good[:-1])
    yield vector("E_ZSTD", "behind", "a byte behind the frame", good + b"\0")
    yield vector("E_SIZE", "unsized", "no content size", magic + b"\x03\x58" + DICTIONARY[4:8] + raw_block(plain))
    yield vector(
        "E_SIZE",
        "size",
        "a content size that is one too large",
        good[:9] + struct.pack("<H", len(plain) - 255) + good[11:],
    )
    for name, value in (("minus-1", own - 1), ("plus-1", own + 1), ("0", 0), ("max", 2**32 - 1)):
        yield vector(
            "E_DICT",
            f"id-{name}",
            f"the id {value}, which the file does not hold",
            named(raw_block(plain), plain, dictionary=value),
        )
    both_wrong = named(raw_block(plain), plain + b".", dictionary=own + 1)
    yield vector("E_SIZE", "size-and-id", "a wrong size and an id that the file does not hold", both_wrong)
    missing = archive()
    missing.more_sections = []
    yield Vector("leaning-alone", missing.pack(), "leaning on a dictionary that is not there", ("F37",), "E_DICT")
    only = draft_of(basic("one", report=REPORT_TEXT))
    record: RecordDraft = record_draft(only.records[0])
    stream = record.stream(2)
    stream.encoding, stream.stored = 3, good
    yield Vector(
        "leaning-single",
        only.with_records(record.pack()).pack(),
        "a single study that leans on a dictionary",
        ("F37",),
        "E_DICT",
    )
    for stream_id, name in ((0x20, "plane"), (0x60, "vectors")):
        studies = [basic(each, concept_vectors=concept_vectors([0, 1, 1], 3)) for each in ("one", "two")]
        draft = draft_of(*studies)
        record = record_draft(draft.records[0])
        plane = record.stream(stream_id)
        plane.encoding, plane.stored = 3, Dictionary(DICTIONARY).encode(bytes(plane.decoded_bytes))
        draft.records[0] = record.pack()
        draft.more_sections = [dictionary_section(DICTIONARY)]
        yield Vector(
            f"leaning-{name}", draft.pack(), f"another stream leans on a dictionary: {name}", ("F37",), "E_STREAM"
        )
