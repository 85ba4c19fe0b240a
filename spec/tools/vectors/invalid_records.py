"""Broken record headers and stream tables (FORMAT.md sections 5.1 and 5.2)."""

from __future__ import annotations

import struct
from dataclasses import replace

from spec.tools.vectors.draft import (
    COUNTS,
    Draft,
    RecordChange,
    StreamDraft,
    both,
    count_at,
    header,
    put,
    record_draft,
    stream,
    streams,
    without,
)
from spec.tools.vectors.studies import REPORT, basic, concept_vectors, draft_of, full
from spec.tools.vectors.vector import Table, each

__all__ = ["record_vectors"]

MAX16, MAX32 = 2**16 - 1, 2**32 - 1


FULL = draft_of(full())
RIGHT = record_draft(FULL.records[0])
NO_ENVELOPE = put(32, "s", bytes(16))
"""The trailer of records that state no streams."""


def record_vectors() -> Table:
    """All of them."""
    return {**_headers(), **_counts(), **_contradictions(), **_tables(), **_presence(), **_sizes(), **_orders()}


def _flipped(at: int, bits: int) -> Draft:
    """Bits of the record are flipped, the CRC not renewed."""
    flip = put(at, "B", FULL.records[0][at] ^ bits)
    return FULL.changed(lambda record: replace(record, sealed_edit=flip))


def _header(offset: int, kind: str, value: int | bytes) -> Draft:
    return FULL.changed(header(put(offset, kind, value)))


def _headers() -> Table:
    size, n_streams = len(FULL.records[0]), len(RIGHT.streams)
    small = draft_of(basic()).changed(header(put(12, "H", 32)))
    # Records too short to state counts: the index states none.
    short = replace(FULL, index=put(12, "s", bytes(20)), trailer=NO_ENVELOPE)
    twin = draft_of(basic("a"), basic("b"))
    many = [StreamDraft(0x8001 + number, 0, b"\x0fx.org.example.b", 16) for number in range(24)]
    return {
        "E_RECORD R1 sync: record header: sync": _header(0, "s", b"NGR?"),
        **each("E_RECORD F4 record-bytes-{name}: record header: record bytes {words}",
            {"0": 0, "minus-8": size - 8, "plus-8": size + 8, "plus-1": size + 1, "max": MAX32},
            lambda value: _header(8, "I", value)),
        **each("E_RECORD R15 flags-{value}: record header: flags {value}", (1, 2, 0x8000, MAX16),
            lambda flags: _header(14, "H", flags)),
        **each("E_RECORD R3 flipped-{name}: a flipped bit in {name}, the CRC not renewed",
            {"sync": 3, "counts": 40, "digest": 90, "table": 110}, lambda at: _flipped(at, 0x10)),
        "E_RECORD R15 reserved-after-table: the reserved bytes after the CRC are set":
            _flipped(108 + 16 * n_streams, 1),
        "E_RECORD R6 n-streams-beyond: a stream table longer than the record":
            replace(small, records=[small.records[0][:576]], trailer=NO_ENVELOPE),
        "E_RECORD R3 n-streams-minus-1: one stream less than the table has rows": _header(12, "H", n_streams - 1),
        "E_STREAM F10 no-streams: a record without streams": FULL.changed(streams(lambda _: [])),
        "E_LIMIT R10 streams-33: 33 streams": FULL.changed(without((), *many)),
        **each("E_RECORD F7 record-{name}: a record {words}", {"empty": 0, "of-8-bytes": 8, "of-104-bytes": 104},
            lambda length: short.with_records(short.records[0][:length])),
        **each("E_METHOD F39 tag-{name}: method tag {value}", {"0": 0, "max": MAX32},
            lambda tag: _header(68, "I", tag)),
        "E_DIGEST R4 W4 content-digest: another content digest": _header(72, "s", bytes(32)),
        "E_DIGEST R4 content-digest-last-bit: the last bit of the content digest":
            _header(103, "B", RIGHT.fixed[103] ^ 1),
        "E_RECORD F9 length-not-a-multiple-of-8: two records of a length that is not a multiple of 8":
            twin.with_records(*(record[:-4] + bytes(8) for record in twin.records)),
    }  # fmt: skip


def _stating(**counts: int) -> RecordChange:
    """A header that states other counts."""
    return header(both(*(put(count_at(name), "I", value) for name, value in counts.items())))


def _counts() -> Table:
    """Each count at -1, +1, other wrong numbers, just over its limit and at the end of u32; the index says the same."""
    counts = dict(zip(COUNTS, struct.unpack_from("<13I", RIGHT.fixed, 16), strict=True))
    # Codes for one less and one more; other numbers and their codes; one more than the limit.
    wrong: dict[str, tuple[str, str, dict[str, tuple[int, str]], int | None]] = {
        "n_views": ("E_RECORD", "E_SIZE", {"over-cells": (13, "E_RECORD")}, 17),
        "n_cells": ("E_SIZE", "E_SIZE", {"0": (0, "E_RECORD")}, 2**20 + 1),
        "n_patches": ("E_SIZE", "E_SIZE", {"0": (0, "E_RECORD"), "over-cells": (13, "E_RECORD")}, 2**16 + 1),
        "embedding_dim": ("E_SIZE", "E_SIZE", {"0": (0, "E_RECORD")}, 8_193),
        "n_edges": ("E_SIZE", "E_SIZE", {"0": (0, "E_SIZE")}, 2**18 + 1),
        "n_concepts": ("E_SIZE", "E_SIZE", {"0": (0, "E_RECORD"), "1": (1, "E_RECORD")}, 65_536),
        "n_concept_vectors": ("E_SIZE", "E_SIZE", {"0": (0, "E_RECORD"), "over-concepts": (4, "E_RECORD")}, None),
        "concept_dim": ("E_SIZE", "E_SIZE", {"0": (0, "E_RECORD")}, 8_193),
        "n_mentions": ("E_SIZE", "E_SIZE", {"0": (0, "E_SIZE")}, 65_536),
        "n_triples": ("E_SIZE", "E_SIZE", {"0": (0, "E_SIZE")}, 2**18 + 1),
        "n_fusion": ("E_SIZE", "E_RECORD", {}, None),
        "n_labels": ("E_SIZE", "E_SIZE", {"0": (0, "E_SIZE")}, 1_025),
        "text_bytes": ("E_SIZE", "E_SIZE", {"0": (0, "E_SIZE")}, 2**22 + 1),
    }
    requirements = {"E_RECORD": "F7", "E_SIZE": "F11", "E_LIMIT": "R10"}
    rows: Table = {}
    for count, (less, more, others, over_limit) in wrong.items():
        right = counts[count]
        values = {"minus-1": (right - 1, less), "plus-1": (right + 1, more), **others}
        if over_limit is not None:
            values["over-limit"] = over_limit, "E_LIMIT"
        values["max"] = MAX32, "E_RECORD" if count == "n_fusion" else "E_LIMIT"
        for label, (value, code) in values.items():
            name = f"{count.replace('_', '-')}-{label}"
            title = f"{code} {requirements[code]} R6 {name}: {count} is {value} instead of {right}"
            rows[title] = FULL.changed(_stating(**{count: value}))
    return rows


def _contradictions() -> Table:
    """Counts of a study without a fusion edge that contradict each other."""
    changed = draft_of(basic("e", fusion=None)).changed
    contradicting = {
        "edges-of-one-patch: an edge with one patch": {"n_patches": 1, "n_edges": 1},
        "fusion-without-patches: a fusion edge without patches": {"n_patches": 0, "n_edges": 0, "n_fusion": 1},
        "fusion-without-concepts: a fusion edge without concepts": {"n_concepts": 0, "n_triples": 0, "n_fusion": 1},
        "triples-of-one-concept: a triple with one concept": {"n_concepts": 1, "n_triples": 1},
        "mentions-without-concepts: a mention of no concept": {"n_concepts": 0, "n_triples": 0, "n_mentions": 1},
        "cells-without-views: cells without a view": {"n_views": 0},
        "vectors-without-width: concept vectors without a width": {"n_concept_vectors": 1},
        "width-without-vectors: a width without concept vectors": {"concept_dim": 1},
    }
    return {f"E_RECORD F7 {title}": changed(_stating(**counts)) for title, counts in contradicting.items()}


def _tables() -> Table:
    last, before_last = RIGHT.streams[-1], RIGHT.streams[-2]
    padded = next(stream for stream in RIGHT.streams if len(stream.stored) % 8)
    short_of_8 = -len(padded.stored) % 8

    def changed(stream_id: int, **fields: int | bytes) -> Draft:
        return FULL.changed(stream(stream_id, **fields))

    def wrapped(before: list[StreamDraft]) -> list[StreamDraft]:
        beyond, around = replace(before_last, stored_bytes=2**32 - 8), 16 + len(before_last.stored)
        return [*before[:-2], beyond, replace(last, stored_bytes=around)]

    return {
        "E_STREAM F8 ids-swapped: two streams in the wrong order":
            FULL.changed(streams(lambda before: [before[0], before[2], before[1], *before[3:]])),
        "E_STREAM F8 id-twice: the graph stream twice": FULL.changed(streams(lambda before: [before[0], *before])),
        "E_STREAM F8 F10 id-0: a stream 0": FULL.changed(without((), StreamDraft(0, 0, b"", 0))),
        **each("{code} F9 stored-{name}: stored_bytes of the last stream: {name}", {
            "E_STREAM plus-8": len(last.stored) + 8,
            "E_COVER minus-8": len(last.stored) - 8,
            "E_STREAM max": MAX32,
        }, lambda value: changed(last.stream_id, stored_bytes=value)),
        "E_STREAM F9 stored-max-first: stored_bytes of the first stream: 2^32 - 1": changed(1, stored_bytes=MAX32),
        "E_STREAM F9 F2 stored-wrap: stored_bytes whose sum wraps around at 2^32": FULL.changed(streams(wrapped)),
        "E_COVER F3 stream-padding: padding of a stream is not zero":
            changed(padded.stream_id, padding=bytes(short_of_8 - 1) + b"\x01"),
        "E_COVER F9 record-tail: eight bytes after the last stream":
            changed(last.stream_id, padding=bytes(-len(last.stored) % 8 + 8)),
        "E_COVER F9 stream-more-padding: sixteen bytes of padding where eight suffice":
            changed(padded.stream_id, padding=bytes(short_of_8 + 8)),
    }  # fmt: skip


def _presence() -> Table:
    """Which streams there are."""
    plain = draft_of(basic("plain", concept_vectors=concept_vectors([0, 0, 0], 4)))
    empty = draft_of(basic("n", concepts=(), triples=(), labels={}))
    embedding = (0x20, 0x21, 0x22, 0x23)
    vectors = (0x60, 0x61, 0x62, 0x63)

    def added(*ids: int, leaving_out: tuple[int, ...] = (), to: Draft = plain) -> Draft:
        """Planes of zeros, as long as a study like this has them."""
        return to.changed(without(leaving_out, *(StreamDraft(stream_id, 0, bytes(16), 16) for stream_id in ids)))

    def missing(*ids: int) -> Draft:
        return plain.changed(without(ids))

    return {
        "E_STREAM F10 no-graph: the graph stream is missing": missing(0x01),
        **each("E_STREAM F10 no-plane-{value}: plane {value} of the embedding is missing", range(4),
            lambda plane: missing(embedding[plane])),
        "E_STREAM F10 no-embedding: no plane of the embedding": missing(*embedding),
        "E_STREAM F10 no-vectors: no plane of the concept vectors": missing(*vectors),
        "E_STREAM F10 two-forms: planes of two forms": added(0x28, 0x29),
        "E_STREAM F10 mixed-forms: planes of different forms make one matrix":
            plain.changed(stream(0x22, stream_id=0x28)),
        **each("E_STREAM F10 form-{name}: planes of {value[0]}, which only drafts of the format had", {
            "float32-interleaved": ("float32_interleaved", 0x24),
            "bfloat16-interleaved": ("bfloat16_interleaved", 0x25),
            "float16-interleaved": ("float16_interleaved", 0x26),
            "int4": ("int4", 0x32, 0x33),
            "klt": ("klt", 0x38, 0x39, 0x3A, 0x3B),
        }, lambda form: added(*form[1:], leaving_out=embedding)),
        **each("E_STREAM F10 plane-0x{value:x}: plane 0x{value:x} beside those of float32", (0x24, 0x2C, 0x32, 0x5F),
            added),
        **each("E_STREAM F10 unknown-0x{value:x}: stream 0x{value:x} is not known",
            (0x04, 0x0F, 0xA0, 0x100, 0x7FFF, 0xC000, 0xFFFF), added),
        "E_STREAM F10 vectors-of-nothing: planes of concept vectors that the counts do not have":
            added(*vectors, to=empty),
    }  # fmt: skip


def _sizes() -> Table:
    def decoded(stream_id: int, value: int) -> Draft:
        return FULL.changed(stream(stream_id, decoded_bytes=value))

    rows: Table = {}
    for name, stream_id in (("graph", 0x01), ("plane", 0x21)):
        right = RIGHT.stream(stream_id).decoded_bytes
        rows |= each(f"{{code}} R6 {name}-decoded-{{name}}: decoded_bytes of {name}: {{value}} instead of {right}", {
            "E_SIZE F11 minus-1": right - 1,
            "E_SIZE F11 plus-1": right + 1,
            "E_SIZE F11 0": 0,
            "E_LIMIT R10 over-limit": 2**26,
            "E_LIMIT R10 max": MAX32,
        }, lambda value, stream_id=stream_id: decoded(stream_id, value))  # fmt: skip
    return rows | {
        "E_SIZE F12 R6 report-beyond-ratio: a report that claims to expand more than F12 allows":
            decoded(0x02, 65_536 + 1_024 * len(REPORT) + 1),
        "E_SIZE F12 R6 extension-beyond-ratio: an extension that claims 60 MiB from 20 bytes":
            decoded(0x8000, 60 * 2**20),
    }  # fmt: skip


def _orders() -> Table:
    """Two rules broken at once: the one that stands first decides (R12). Found by fuzzing, where readers differed."""
    last = RIGHT.streams[-1]
    dirty = replace(last, padding=b"\x01" * (-len(last.stored) % 8))
    return {
        "E_STREAM R12 no-graph-dirty-padding: no graph stream, and padding that is not zero":
            FULL.changed(without((0x01, last.stream_id), dirty)),
        "E_RECORD R8 R12 index-and-size: a count that neither the index nor the size of the graph stream agrees with":
            replace(FULL.changed(_stating(n_triples=99)), index=put(24, "I", 98)),
    }  # fmt: skip
