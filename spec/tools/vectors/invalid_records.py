"""Broken record headers and stream tables (FORMAT.md sections 5.1 and 5.2)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import replace

from neuralgraph.graph.study import Study
from spec.tools.vectors.draft import Draft, Edit, RecordDraft, StreamDraft, both, put, record_draft
from spec.tools.vectors.studies import MENTIONS, REPORT, basic, concept_vectors, draft_of
from spec.tools.vectors.vector import Vector

__all__ = ["record_vector", "record_vectors"]

MAX16, MAX32 = 2**16 - 1, 2**32 - 1
COUNTS = (
    "n_views",
    "n_cells",
    "n_patches",
    "embedding_dim",
    "n_edges",
    "n_concepts",
    "n_concept_vectors",
    "concept_dim",
    "n_mentions",
    "n_triples",
    "n_fusion",
    "n_labels",
    "text_bytes",
)


def full() -> Study:
    """A study with every kind of stream."""
    vectors = concept_vectors([0, 1, 1], 3)
    extensions = {"x.org.example.a": b"1234"}
    return basic("full", report=REPORT, concept_vectors=vectors, mentions=MENTIONS, extensions=extensions)


def record_vector(
    code: str,
    name: str,
    reason: str,
    change: Callable[[RecordDraft], None],
    *requirements: str,
    of: Study | None = None,
) -> Vector:
    """A file of one record that ``change`` has broken; index, root and envelope are those of the broken record."""
    draft = draft_of(of or full())
    record = record_draft(draft.records[0])
    change(record)
    return Vector(name, draft.with_records(record.pack()).pack(), reason, requirements, code)


def _edited(edit: Edit) -> Callable[[RecordDraft], None]:
    def change(record: RecordDraft) -> None:
        record.edit = edit

    return change


def record_vectors() -> Iterator[Vector]:
    """All of them."""
    yield from _headers()
    yield from _counts()
    yield from _tables()
    yield from _presence()
    yield from _sizes()
    yield from _orders()


def _headers() -> Iterator[Vector]:
    size = len(draft_of(full()).records[0])

    def header(name: str, edit: Edit, *requirements: str) -> Vector:
        return record_vector("E_RECORD", name, f"record header: {name.replace('-', ' ')}", _edited(edit), *requirements)

    yield header("sync", put(0, "s", b"NGR?"), "R1")
    for name, value in (("0", 0), ("minus-8", size - 8), ("plus-8", size + 8), ("plus-1", size + 1), ("max", MAX32)):
        yield header(f"record-bytes-{name}", put(8, "I", value), "F4")
    for value in (1, 2, 0x8000, MAX16):
        yield header(f"flags-{value}", put(14, "H", value), "R15")
    for name, at in (("sync", 3), ("counts", 40), ("digest", 90), ("table", 110)):

        def flip(record: RecordDraft, at: int = at) -> None:
            record.sealed_edit = lambda data: data.__setitem__(at, data[at] ^ 0x10)

        yield record_vector("E_RECORD", f"flipped-{name}", f"a flipped bit in {name}, the CRC not renewed", flip, "R3")

    def reserved_end(record: RecordDraft) -> None:
        record.sealed_edit = put(108 + 16 * len(record.streams), "I", 1)

    yield record_vector(
        "E_RECORD", "reserved-after-table", "the reserved bytes after the CRC are set", reserved_end, "R15"
    )

    def n_streams(value: int) -> Edit:
        return put(12, "H", value)

    small = draft_of(basic())
    table = record_draft(small.records[0])
    table.edit = n_streams(32)
    beyond = replace(small, records=[table.pack()[:576]], envelope=(0, 0))
    yield Vector("n-streams-beyond", beyond.pack(), "a stream table longer than the record", ("R6",), "E_RECORD")
    yield record_vector(
        "E_RECORD",
        "n-streams-minus-1",
        "one stream less than the table has rows",
        _edited(n_streams(len(record_draft(draft_of(full()).records[0]).streams) - 1)),
        "R3",
    )

    def no_streams(record: RecordDraft) -> None:
        record.streams = []

    yield record_vector("E_STREAM", "no-streams", "a record without streams", no_streams, "F10")

    def many(record: RecordDraft) -> None:
        record.streams += [StreamDraft(0x8001 + number, 0, b"\x0fx.org.example.b", 16) for number in range(24)]

    yield record_vector("E_LIMIT", "streams-33", "33 streams", many, "R10")
    draft = draft_of(full())
    for name, length in (("empty", 0), ("of-8-bytes", 8), ("of-104-bytes", 104)):
        short = ShortDraft([draft.records[0][:length]], draft.methods, draft.study_ids, envelope=(0, 0))
        yield Vector(f"record-{name}", short.pack(), f"a record {name.replace('-', ' ')}", ("F7",), "E_RECORD")
    for name, tag in (("0", 0), ("max", MAX32)):
        yield record_vector("E_METHOD", f"tag-{name}", f"method tag {tag}", _edited(put(68, "I", tag)), "F39")
    yield record_vector(
        "E_DIGEST", "content-digest", "another content digest", _edited(put(72, "s", bytes(32))), "R4", "W4"
    )
    yield record_vector(
        "E_DIGEST",
        "content-digest-last-bit",
        "the last bit of the content digest",
        _edited(lambda data: data.__setitem__(103, data[103] ^ 1)),
        "R4",
    )
    twin = draft_of(basic("a"), basic("b"))
    odd = [record[:-4] + bytes(4) for record in twin.records]
    odd = [odd[0] + bytes(4), odd[1] + bytes(4)]
    yield Vector(
        "length-not-a-multiple-of-8",
        twin.with_records(*odd).pack(),
        "two records of a length that is not a multiple of 8",
        ("F9",),
        "E_RECORD",
    )


class ShortDraft(Draft):
    """A file whose record is too short to state counts; the index states none."""

    def _index(self) -> bytes:
        return struct.pack("<QI5I", 32, len(self.records[0]), 0, 0, 0, 0, 0) + self.leaves()[0]


def _counts() -> Iterator[Vector]:
    """Each count at -1, +1, 0, just over its limit and at the end of u32; the index states the same."""
    counts = dict(zip(COUNTS, struct.unpack_from("<13I", draft_of(full()).records[0], 16), strict=True))
    wrong: dict[str, dict[str, tuple[int, str]]] = {
        "n_views": {"minus-1": (0, "E_RECORD"), "plus-1": (2, "E_SIZE"), "over-cells": (13, "E_RECORD"),
            "over-limit": (17, "E_LIMIT"), "max": (MAX32, "E_LIMIT")},
        "n_cells": {"minus-1": (11, "E_SIZE"), "plus-1": (13, "E_SIZE"), "0": (0, "E_RECORD"),
            "over-limit": (2**20 + 1, "E_LIMIT"), "max": (MAX32, "E_LIMIT")},
        "n_patches": {"minus-1": (3, "E_SIZE"), "plus-1": (5, "E_SIZE"), "0": (0, "E_RECORD"),
            "over-cells": (13, "E_RECORD"), "over-limit": (2**16 + 1, "E_LIMIT"), "max": (MAX32, "E_LIMIT")},
        "embedding_dim": {"minus-1": (3, "E_SIZE"), "plus-1": (5, "E_SIZE"), "0": (0, "E_RECORD"),
            "over-limit": (8_193, "E_LIMIT"), "max": (MAX32, "E_LIMIT")},
        "n_edges": {"minus-1": (counts["n_edges"] - 1, "E_SIZE"), "plus-1": (counts["n_edges"] + 1, "E_SIZE"),
            "0": (0, "E_SIZE"), "over-limit": (2**18 + 1, "E_LIMIT"), "max": (MAX32, "E_LIMIT")},
        "n_concepts": {"minus-1": (2, "E_SIZE"), "plus-1": (4, "E_SIZE"), "0": (0, "E_RECORD"), "1": (1, "E_RECORD"),
            "over-limit": (65_536, "E_LIMIT"), "max": (MAX32, "E_LIMIT")},
        "n_concept_vectors": {"minus-1": (1, "E_SIZE"), "plus-1": (3, "E_SIZE"), "0": (0, "E_RECORD"),
            "over-concepts": (4, "E_RECORD"), "max": (MAX32, "E_LIMIT")},
        "concept_dim": {"minus-1": (2, "E_SIZE"), "plus-1": (4, "E_SIZE"), "0": (0, "E_RECORD"),
            "over-limit": (8_193, "E_LIMIT"), "max": (MAX32, "E_LIMIT")},
        "n_mentions": {"minus-1": (2, "E_SIZE"), "plus-1": (4, "E_SIZE"), "0": (0, "E_SIZE"),
            "over-limit": (65_536, "E_LIMIT"), "max": (MAX32, "E_LIMIT")},
        "n_triples": {"minus-1": (2, "E_SIZE"), "plus-1": (4, "E_SIZE"), "0": (0, "E_SIZE"),
            "over-limit": (2**18 + 1, "E_LIMIT"), "max": (MAX32, "E_LIMIT")},
        "n_fusion": {"minus-1": (0, "E_SIZE"), "plus-1": (2, "E_RECORD"), "max": (MAX32, "E_RECORD")},
        "n_labels": {"minus-1": (1, "E_SIZE"), "plus-1": (3, "E_SIZE"), "0": (0, "E_SIZE"),
            "over-limit": (1_025, "E_LIMIT"), "max": (MAX32, "E_LIMIT")},
        "text_bytes": {"minus-1": (counts["text_bytes"] - 1, "E_SIZE"),
            "plus-1": (counts["text_bytes"] + 1, "E_SIZE"), "0": (0, "E_SIZE"), "over-limit": (2**22 + 1, "E_LIMIT"),
            "max": (MAX32, "E_LIMIT")},
    }  # fmt: skip
    requirements = {"E_RECORD": "F7", "E_SIZE": "F11", "E_LIMIT": "R10"}
    for count, values in wrong.items():
        for label, (value, code) in values.items():
            name = f"{count.replace('_', '-')}-{label}"
            yield record_vector(
                code,
                name,
                f"{count} is {value} instead of {counts[count]}",
                _edited(put(16 + 4 * COUNTS.index(count), "I", value)),
                requirements[code],
                "R6",
            )
    edgeless = basic("e", fusion=None)
    for name, pairs, reason in (
        ("edges-of-one-patch", {"n_patches": 1, "n_edges": 1}, "an edge with one patch"),
        ("fusion-without-patches", {"n_patches": 0, "n_edges": 0, "n_fusion": 1}, "a fusion edge without patches"),
        ("fusion-without-concepts", {"n_concepts": 0, "n_triples": 0, "n_fusion": 1}, "a fusion edge without concepts"),
        ("triples-of-one-concept", {"n_concepts": 1, "n_triples": 1}, "a triple with one concept"),
        ("mentions-without-concepts", {"n_concepts": 0, "n_triples": 0, "n_mentions": 1}, "a mention of no concept"),
        ("cells-without-views", {"n_views": 0}, "cells without a view"),
        ("vectors-without-width", {"n_concept_vectors": 1}, "concept vectors without a width"),
        ("width-without-vectors", {"concept_dim": 1}, "a width without concept vectors"),
    ):
        edit = both(*(put(16 + 4 * COUNTS.index(count), "I", value) for count, value in pairs.items()))
        yield record_vector("E_RECORD", name, reason, _edited(edit), "F7", of=edgeless)


def _tables() -> Iterator[Vector]:
    def swap(record: RecordDraft) -> None:
        record.streams[1], record.streams[2] = record.streams[2], record.streams[1]

    def double(record: RecordDraft) -> None:
        record.streams.insert(1, record.streams[0])

    def zero(record: RecordDraft) -> None:
        record.streams.insert(0, StreamDraft(0, 0, b"", 0))

    yield record_vector("E_STREAM", "ids-swapped", "two streams in the wrong order", swap, "F8")
    yield record_vector("E_STREAM", "id-twice", "the graph stream twice", double, "F8")
    yield record_vector("E_STREAM", "id-0", "a stream 0", zero, "F8", "F10")
    for name, value, code in (
        ("stored-plus-8", 8, "E_STREAM"),
        ("stored-minus-8", -8, "E_COVER"),
        ("stored-max", None, "E_STREAM"),
    ):

        def last(record: RecordDraft, value: int | None = value) -> None:
            stream = record.streams[-1]
            stream.stored_bytes = MAX32 if value is None else len(stream.stored) + value

        yield record_vector(code, f"{name}", f"stored_bytes of the last stream: {name[7:]}", last, "F9")

    def first_max(record: RecordDraft) -> None:
        record.streams[0].stored_bytes = MAX32

    def wrap(record: RecordDraft) -> None:
        record.streams[-2].stored_bytes = 2**32 - 8
        record.streams[-1].stored_bytes = 16 + len(record.streams[-2].stored)

    yield record_vector("E_STREAM", "stored-max-first", "stored_bytes of the first stream: 2^32 - 1", first_max, "F9")
    yield record_vector("E_STREAM", "stored-wrap", "stored_bytes whose sum wraps around at 2^32", wrap, "F9", "F2")

    def padding(record: RecordDraft) -> None:
        stream = next(stream for stream in record.streams if len(stream.stored) % 8)
        stream.padding = bytes(-len(stream.stored) % 8 - 1) + b"\x01"

    yield record_vector("E_COVER", "stream-padding", "padding of a stream is not zero", padding, "F3")

    def tail(record: RecordDraft) -> None:
        record.tail = bytes(8)

    yield record_vector("E_COVER", "record-tail", "eight bytes after the last stream", tail, "F9")

    def less_padding(record: RecordDraft) -> None:
        stream = next(stream for stream in record.streams if len(stream.stored) % 8)
        stream.padding = bytes(-len(stream.stored) % 8 + 8)

    yield record_vector(
        "E_COVER", "stream-more-padding", "sixteen bytes of padding where eight suffice", less_padding, "F9"
    )


def _presence() -> Iterator[Vector]:  # noqa: C901 - one vector after another
    def without(*ids: int) -> Callable[[RecordDraft], None]:
        def change(record: RecordDraft) -> None:
            record.streams = [stream for stream in record.streams if stream.stream_id not in ids]

        return change

    def renamed(old: int, new: int) -> Callable[[RecordDraft], None]:
        def change(record: RecordDraft) -> None:
            record.stream(old).stream_id = new
            record.streams.sort(key=lambda stream: stream.stream_id)

        return change

    def added(*ids: int) -> Callable[[RecordDraft], None]:
        def change(record: RecordDraft) -> None:
            size = len(record.stream(0x20).stored)
            record.streams += [StreamDraft(stream_id, 0, bytes(size), size) for stream_id in ids]
            record.streams.sort(key=lambda stream: stream.stream_id)

        return change

    def vector(name: str, reason: str, change: Callable[[RecordDraft], None]) -> Vector:
        return record_vector(
            "E_STREAM", name, reason, change, "F10", of=basic("plain", concept_vectors=concept_vectors([0, 0, 0], 4))
        )

    yield vector("no-graph", "the graph stream is missing", without(0x01))
    for plane in range(4):
        yield vector(f"no-plane-{plane}", f"plane {plane} of the embedding is missing", without(0x20 + plane))
    yield vector("no-embedding", "no plane of the embedding", without(0x20, 0x21, 0x22, 0x23))
    yield vector("no-vectors", "no plane of the concept vectors", without(0x60, 0x61, 0x62, 0x63))
    yield vector("two-forms", "planes of two forms", added(0x28, 0x29))
    yield vector("mixed-forms", "planes of different forms make one matrix", renamed(0x22, 0x28))
    for offset, planes, name in (
        (0x04, 1, "float32_interleaved"), (0x05, 1, "bfloat16_interleaved"), (0x06, 1, "float16_interleaved"),
        (0x12, 2, "int4"), (0x18, 4, "klt"),
    ):  # fmt: skip

        def of_draft(record: RecordDraft, offset: int = offset, planes: int = planes) -> None:
            added(*range(0x20 + offset, 0x20 + offset + planes))(record)
            record.streams = [stream for stream in record.streams if not 0x20 <= stream.stream_id < 0x24]

        yield vector(
            f"form-{name.replace('_', '-')}", f"planes of {name}, which only drafts of the format had", of_draft
        )
    for stream_id in (0x24, 0x2C, 0x32, 0x5F):
        yield vector(f"plane-0x{stream_id:x}", f"plane 0x{stream_id:x} beside those of float32", added(stream_id))
    for stream_id in (0x04, 0x0F, 0xA0, 0x100, 0x7FFF, 0xC000, 0xFFFF):
        yield vector(f"unknown-0x{stream_id:x}", f"stream 0x{stream_id:x} is not known", added(stream_id))
    empty = basic("n", concepts=(), triples=(), labels={})
    yield record_vector(
        "E_STREAM",
        "vectors-of-nothing",
        "planes of concept vectors that the counts do not have",
        added(0x60, 0x61, 0x62, 0x63),
        "F10",
        of=empty,
    )


def _sizes() -> Iterator[Vector]:
    def sized(stream_id: int, decoded: int) -> Callable[[RecordDraft], None]:
        def change(record: RecordDraft) -> None:
            record.stream(stream_id).decoded_bytes = decoded

        return change

    for name, stream_id in (("graph", 0x01), ("plane", 0x21)):
        right = record_draft(draft_of(full()).records[0]).stream(stream_id).decoded_bytes
        for label, value, code in (
            ("minus-1", right - 1, "E_SIZE"),
            ("plus-1", right + 1, "E_SIZE"),
            ("0", 0, "E_SIZE"),
            ("over-limit", 2**26, "E_LIMIT"),
            ("max", MAX32, "E_LIMIT"),
        ):
            yield record_vector(
                code,
                f"{name}-decoded-{label}",
                f"decoded_bytes of {name}: {value} instead of {right}",
                sized(stream_id, value),
                "F11" if code == "E_SIZE" else "R10",
                "R6",
            )
    report = len(REPORT)
    yield record_vector(
        "E_SIZE",
        "report-beyond-ratio",
        "a report that claims to expand more than F12 allows",
        sized(0x02, 65_536 + 1_024 * report + 1),
        "F12",
        "R6",
    )
    yield record_vector(
        "E_SIZE",
        "extension-beyond-ratio",
        "an extension that claims 60 MiB from 20 bytes",
        sized(0x8000, 60 * 2**20),
        "F12",
        "R6",
    )


def _orders() -> Iterator[Vector]:
    """Two rules broken at once: the one that stands first decides (R12). Found by fuzzing, where readers differed."""

    def graph_and_padding(record: RecordDraft) -> None:
        record.streams = [stream for stream in record.streams if stream.stream_id != 1]
        last = record.streams[-1]
        last.padding = b"\x01" * (-len(last.stored) % 8)

    yield record_vector(
        "E_STREAM", "no-graph-dirty-padding", "no graph stream, and padding that is not zero", graph_and_padding, "R12"
    )
    draft = draft_of(full())
    record = record_draft(draft.records[0])
    record.edit = put(16 + 4 * COUNTS.index("n_triples"), "I", 99)
    broken = replace(draft.with_records(record.pack()), index=put(24, "I", 98))
    reason = "a count that neither the index nor the size of the graph stream agrees with"
    yield Vector("index-and-size", broken.pack(), reason, ("R8", "R12"), "E_RECORD")
