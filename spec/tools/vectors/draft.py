"""A file as parts that can be changed one by one: everything around a change is sealed anew, so one rule breaks alone.

The layout is written out here from FORMAT.md a second time and shares nothing with ``neuralgraph.container``.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from neuralgraph.wire import canonical

__all__ = [
    "INDEXED_COUNTS",
    "Draft",
    "Edit",
    "RecordDraft",
    "SectionDraft",
    "StreamDraft",
    "both",
    "put",
    "record_draft",
]

Edit = Callable[[bytearray], None]
"""Changes one structure before the checksum over it is computed (or after it, for the ``sealed_`` edits)."""

PAGE = 65_536
COUNTS_AT = 16
INDEXED_COUNTS = (2, 4, 5, 9, 10)
"""Positions of n_patches, n_edges, n_concepts, n_triples, n_fusion among the thirteen counts."""


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def pad8(length: int) -> int:
    return -length % 8


def put(offset: int, kind: str, value: int | float | bytes) -> Edit:
    """An edit that packs ``value`` at ``offset``; kind is "B", "H", "I", "Q" or "f", or "s" for bytes as they are."""

    def edit(data: bytearray) -> None:
        packed = value if isinstance(value, bytes) else struct.pack("<" + kind, value)
        data[offset : offset + len(packed)] = packed

    return edit


def both(*edits: Edit) -> Edit:
    """Several edits, one after another."""

    def edit(data: bytearray) -> None:
        for each in edits:
            each(data)

    return edit


def nothing(_: bytearray) -> None:
    """The edit that changes nothing."""


@dataclass
class StreamDraft:
    """One stream of a record; ``crc32`` None means the right one."""

    stream_id: int
    encoding: int
    stored: bytes
    decoded_bytes: int
    crc32: int | None = None
    stored_bytes: int | None = None
    padding: bytes | None = None

    def row(self) -> bytes:
        """The 16 bytes of the stream table."""
        crc = zlib.crc32(self.stored) if self.crc32 is None else self.crc32
        stored_bytes = len(self.stored) if self.stored_bytes is None else self.stored_bytes
        return struct.pack("<HHIII", self.stream_id, self.encoding, stored_bytes, self.decoded_bytes, crc)

    def body(self) -> bytes:
        """The stored bytes with their padding."""
        return self.stored + (bytes(pad8(len(self.stored))) if self.padding is None else self.padding)


@dataclass
class RecordDraft:
    """A record: the fixed part of its header, its streams, and edits of the header."""

    fixed: bytes
    """The first 104 bytes, as they were read."""
    streams: list[StreamDraft]
    edit: Edit = nothing
    """Of the header without its CRC; the CRC is computed afterwards."""
    sealed_edit: Edit = nothing
    """Of the whole record, CRC included."""
    tail: bytes = b""
    """After the last stream."""

    def pack(self) -> bytes:
        """The bytes of the record."""
        table = b"".join(stream.row() for stream in self.streams)
        body = b"".join(stream.body() for stream in self.streams) + self.tail
        head = bytearray(self.fixed)
        struct.pack_into("<IH", head, 8, 104 + len(table) + 8 + len(body), len(self.streams))
        head += table
        self.edit(head)
        record = head + struct.pack("<II", zlib.crc32(head), 0) + body
        self.sealed_edit(record)
        return bytes(record)

    def stream(self, stream_id: int) -> StreamDraft:
        """The stream of this id."""
        return next(stream for stream in self.streams if stream.stream_id == stream_id)


def record_draft(record: bytes) -> RecordDraft:
    """The draft of a valid record."""
    (n_streams,) = struct.unpack_from("<H", record, 12)
    streams, position = [], 104 + 16 * n_streams + 8
    for number in range(n_streams):
        row = struct.unpack_from("<HHIII", record, 104 + 16 * number)
        stored = record[position : position + row[2]]
        streams.append(StreamDraft(row[0], row[1], stored, row[3]))
        position += row[2] + pad8(row[2])
    return RecordDraft(record[:104], streams)


@dataclass
class SectionDraft:
    """A section; ``edit`` changes the payload before it is sealed, ``sealed_edit`` payload, table and padding."""

    name: str
    flags: int
    payload: bytes
    edit: Edit = nothing
    sealed_edit: Edit = nothing
    table_edit: Edit = nothing
    """Of the page table, before the contents state its CRC."""

    def pack(self) -> tuple[bytes, int, int]:
        """Bytes with table and padding, length of the payload, CRC-32 of the table."""
        payload = bytearray(self.payload)
        self.edit(payload)
        table = bytearray()
        for start in range(0, len(payload), PAGE):
            table += struct.pack("<I", zlib.crc32(payload[start : start + PAGE]))
        self.table_edit(table)
        whole = payload + table
        whole += bytes(pad8(len(whole)))
        self.sealed_edit(whole)
        return bytes(whole), len(payload), zlib.crc32(table)


@dataclass
class Draft:
    """A whole file. Fields hold parts and edits; ``pack`` seals what is not edited afterwards."""

    records: list[bytes]
    methods: list[bytes]
    study_ids: list[bytes]
    prologue: Edit = nothing
    sealed_prologue: Edit = nothing
    index: Edit = nothing
    sealed_index: Edit = nothing
    keys: Edit = nothing
    sealed_keys: Edit = nothing
    more_sections: list[SectionDraft] = field(default_factory=list)
    sections: Callable[[list[SectionDraft]], list[SectionDraft]] | None = None
    toc: Callable[[Any], Any] | None = None
    """Changes the contents as a value."""
    toc_bytes: Callable[[bytes], bytes] | None = None
    """Changes the contents as bytes."""
    toc_padding: bytes | None = None
    before_toc: bytes = b""
    trailer: Edit = nothing
    sealed_trailer: Edit = nothing
    envelope: tuple[int, int] | None = None
    """Decoded bytes and streams that the trailer states, where the records do not say them."""
    file: Callable[[bytes], bytes] | None = None

    def with_records(self, *records: bytes) -> Draft:
        """The same file with other records."""
        return replace(self, records=list(records))

    def pack(self) -> bytes:
        """The bytes of the file."""
        prologue = self._prologue()
        data = prologue + b"".join(self.records)
        sections = [SectionDraft("index", 1, self._index(), self.index, self.sealed_index)]
        if len(self.records) > 1:
            sections.append(SectionDraft("keys", 0, self._keys(), self.keys, self.sealed_keys))
        sections += self.more_sections
        if self.sections is not None:
            sections = self.sections(sections)
        rows = []
        for section in sections:
            packed, length, table_crc = section.pack()
            rows.append([section.name, section.flags, len(data), length, table_crc])
            data += packed
        data += self.before_toc
        methods = [canonical.decode(method, where="") for method in sorted(set(self.methods), key=sha256)]
        value: Any = {"layout": {"sections": rows}, "meta": {"methods": methods}}
        if self.toc is not None:
            value = self.toc(value)
        toc = canonical.encode(value)
        if self.toc_bytes is not None:
            toc = self.toc_bytes(toc)
        meta = canonical.encode(value["meta"]) if isinstance(value, dict) and "meta" in value else b""
        toc_offset = len(data)
        data += toc + (bytes(pad8(len(toc))) if self.toc_padding is None else self.toc_padding)
        data += self._trailer(prologue, meta, toc, toc_offset, len(data) + 96)
        return data if self.file is None else self.file(data)

    def _prologue(self) -> bytes:
        body = bytearray(b"\x89NGR\r\n\x1a\n" + bytes(16) + b"\x01\x00\x00\x00")
        self.prologue(body)
        whole = body + struct.pack("<I", zlib.crc32(body))
        self.sealed_prologue(whole)
        return bytes(whole)

    def leaves(self) -> list[bytes]:
        """The leaf of every record (FORMAT.md section 4.3)."""
        return [sha256(b"\x00" + record) for record in self.records]

    def _index(self) -> bytes:
        lengths = [len(record) for record in self.records]
        offsets = [32 + sum(lengths[:number]) for number in range(len(lengths))]
        columns = [struct.pack(f"<{len(lengths)}Q", *offsets), struct.pack(f"<{len(lengths)}I", *lengths)]
        for count in INDEXED_COUNTS:
            columns += [record[COUNTS_AT + 4 * count : COUNTS_AT + 4 * count + 4] for record in self.records]
        return b"".join(columns + self.leaves())

    def _keys(self) -> bytes:
        n = len(self.study_ids)
        order = sorted(range(n), key=self.study_ids.__getitem__)
        ends = [sum(map(len, self.study_ids[: number + 1])) for number in range(n)]
        pad = bytes(pad8(4 * n))
        return struct.pack(f"<{n}I", *order) + pad + struct.pack(f"<{n}I", *ends) + pad + b"".join(self.study_ids)

    def _root(self, prologue: bytes, meta: bytes) -> bytes:
        level = self.leaves() or [bytes(32)]
        while len(level) > 1:
            pairs = [sha256(b"\x01" + level[i] + level[i + 1]) for i in range(0, len(level) - 1, 2)]
            level = pairs + level[len(level) - len(level) % 2 :]
        return sha256(b"NGR1-ROOT\x00" + prologue + level[0] + sha256(meta))

    def _trailer(self, prologue: bytes, meta: bytes, toc: bytes, toc_offset: int, file_bytes: int) -> bytes:
        sizes, streams = [], []
        for record in self.records if self.envelope is None else []:
            n_streams = min(struct.unpack_from("<H", record, 12)[0], (len(record) - 112) // 16)
            table = [struct.unpack_from("<HHIII", record, 104 + 16 * number) for number in range(n_streams)]
            sizes.append(sum(row[3] for row in table))
            streams.append(n_streams)
        if self.envelope is not None:
            sizes, streams = [self.envelope[0]], [self.envelope[1]]
        body = bytearray(
            struct.pack(
                "<QIIQIIQII",
                toc_offset,
                len(toc),
                zlib.crc32(toc),
                file_bytes,
                len(self.records),
                0,
                sum(sizes),
                min(max(sizes, default=0), 2**32 - 1),
                max(streams, default=0),
            )
            + self._root(prologue, meta)
            + bytes(4)
        )
        self.trailer(body)
        whole = body + struct.pack("<I", zlib.crc32(body)) + b"NGR\x1aEND\n"
        self.sealed_trailer(whole)
        return bytes(whole)
