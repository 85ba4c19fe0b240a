"""A file as parts that can be changed one by one: everything around a change is sealed anew, so one rule breaks alone.

The layout is written out here from FORMAT.md a second time and shares nothing with ``neuralgraph.container``.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Callable, Container
from dataclasses import dataclass, field, replace
from typing import Any

from neuralgraph.wire import canonical

__all__ = [
    "COUNTS",
    "INDEXED_COUNTS",
    "ZSTD_MAGIC",
    "Draft",
    "Edit",
    "RecordChange",
    "RecordDraft",
    "SectionDraft",
    "StreamDraft",
    "both",
    "count_at",
    "header",
    "put",
    "record_draft",
    "stream",
    "streams",
    "without",
    "zstd_block",
]

Edit = Callable[[bytearray], None]
"""Changes one structure before the checksum over it is computed (or after it, for the ``sealed_`` edits)."""

PAGE = 65_536
COUNTS = (
    "n_views", "n_cells", "n_patches", "embedding_dim", "n_edges", "n_concepts", "n_concept_vectors", "concept_dim",
    "n_mentions", "n_triples", "n_fusion", "n_labels", "text_bytes",
)  # fmt: skip
INDEXED_COUNTS = ("n_patches", "n_edges", "n_concepts", "n_triples", "n_fusion")


def count_at(name: str) -> int:
    """Where a record states a count."""
    return 16 + 4 * COUNTS.index(name)


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def padding(length: int) -> bytes:
    return bytes(-length % 8)


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


ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


def zstd_block(body: bytes, length: int | None = None, *, kind: int = 0, last: bool = True) -> bytes:
    """A block of a zstd frame, raw (kind 0) or repeating one byte (1); ``length`` if it states another than it has."""
    length = len(body) if length is None else length
    return (length << 3 | kind << 1 | int(last)).to_bytes(3, "little") + body


def nothing(_: bytearray) -> None:
    """The edit that changes nothing."""


def same(value: Any) -> Any:
    """The change that changes nothing."""
    return value


def sealed(body: bytearray, edit: Edit) -> bytes:
    """A structure edited, and the CRC-32 of it."""
    edit(body)
    return bytes(body) + struct.pack("<I", zlib.crc32(body))


def edited(data: bytes, edit: Edit) -> bytes:
    """Bytes edited."""
    whole = bytearray(data)
    edit(whole)
    return bytes(whole)


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
        return self.stored + (padding(len(self.stored)) if self.padding is None else self.padding)


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

    def pack(self) -> bytes:
        """The bytes of the record."""
        table = b"".join(stream.row() for stream in self.streams)
        body = b"".join(stream.body() for stream in self.streams)
        head = bytearray(self.fixed)
        struct.pack_into("<IH", head, 8, 104 + len(table) + 8 + len(body), len(self.streams))
        return edited(sealed(head + table, self.edit) + bytes(4) + body, self.sealed_edit)

    def stream(self, stream_id: int) -> StreamDraft:
        """The stream of this id."""
        return next(stream for stream in self.streams if stream.stream_id == stream_id)


def stream_table(record: bytes) -> list[tuple[int, ...]]:
    """The rows that a record has room for: id, encoding, stored bytes, decoded bytes, CRC-32."""
    n_streams = min(int.from_bytes(record[12:14], "little"), max(len(record) - 112, 0) // 16)
    return [struct.unpack_from("<HHIII", record, 104 + 16 * number) for number in range(n_streams)]


def record_draft(record: bytes) -> RecordDraft:
    """The draft of a valid record."""
    table = stream_table(record)
    streams, position = [], 104 + 16 * len(table) + 8
    for stream_id, encoding, size, decoded, _ in table:
        streams.append(StreamDraft(stream_id, encoding, record[position : position + size], decoded))
        position += size + -size % 8
    return RecordDraft(record[:104], streams)


RecordChange = Callable[[RecordDraft], RecordDraft]


def header(edit: Edit) -> RecordChange:
    """Edits the header before its CRC is computed."""
    return lambda record: replace(record, edit=edit)


def streams(change: Callable[[list[StreamDraft]], list[StreamDraft]]) -> RecordChange:
    """Changes the list of streams."""
    return lambda record: replace(record, streams=change(record.streams))


def stream(stream_id: int, /, **fields: Any) -> RecordChange:
    """Gives one stream other fields; the streams stay in order of their ids."""
    return lambda record: without((stream_id,), replace(record.stream(stream_id), **fields))(record)


def without(ids: Container[int], *more: StreamDraft) -> RecordChange:
    """Leaves streams out; ``more`` come in, where their ids belong."""

    def change(before: list[StreamDraft]) -> list[StreamDraft]:
        kept = [each for each in before if each.stream_id not in ids]
        return sorted([*kept, *more], key=lambda each: each.stream_id)

    return streams(change)


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
        payload = edited(self.payload, self.edit)
        checksums = [zlib.crc32(payload[start : start + PAGE]) for start in range(0, len(payload), PAGE)]
        table = edited(struct.pack(f"<{len(checksums)}I", *checksums), self.table_edit)
        whole = payload + table + padding(len(payload + table))
        return edited(whole, self.sealed_edit), len(payload), zlib.crc32(table)


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
    more_sections: list[SectionDraft] = field(default_factory=list)
    sections: Callable[[list[SectionDraft]], list[SectionDraft]] = same
    toc: Callable[[Any], Any] = same
    """Changes the contents as a value."""
    toc_bytes: Callable[[bytes], bytes] = same
    """Changes the contents as bytes."""
    before_toc: bytes = b""
    trailer: Edit = nothing
    sealed_trailer: Edit = nothing

    def with_records(self, *records: bytes) -> Draft:
        """The same file with other records."""
        return replace(self, records=list(records))

    def changed(self, change: RecordChange) -> Draft:
        """The same file, its one record changed."""
        (record,) = self.records
        return self.with_records(change(record_draft(record)).pack())

    def pack(self) -> bytes:
        """The bytes of the file."""
        prologue = self._prologue()
        data = prologue + b"".join(self.records)
        sections = [SectionDraft("index", 1, self._index(), self.index, self.sealed_index)]
        if len(self.records) > 1:
            sections.append(SectionDraft("keys", 0, self._keys(), self.keys))
        rows = []
        for section in self.sections(sections + self.more_sections):
            packed, length, table_crc = section.pack()
            rows.append([section.name, section.flags, len(data), length, table_crc])
            data += packed
        data += self.before_toc
        methods = [canonical.decode(method, where="") for method in sorted(set(self.methods), key=sha256)]
        value = self.toc({"layout": {"sections": rows}, "meta": {"methods": methods}})
        toc = self.toc_bytes(canonical.encode(value))
        meta = canonical.encode(value["meta"]) if isinstance(value, dict) and "meta" in value else b""
        toc_offset = len(data)
        data += toc + padding(len(toc))
        return data + self._trailer(prologue, meta, toc, toc_offset, len(data) + 96)

    def _prologue(self) -> bytes:
        body = bytearray(b"\x89NGR\r\n\x1a\n" + bytes(16) + b"\x01\x00\x00\x00")
        return edited(sealed(body, self.prologue), self.sealed_prologue)

    def leaves(self) -> list[bytes]:
        """The leaf of every record (FORMAT.md section 4.3)."""
        return [sha256(b"\x00" + record) for record in self.records]

    def _index(self) -> bytes:
        lengths = [len(record) for record in self.records]
        offsets = [32 + sum(lengths[:number]) for number in range(len(lengths))]
        columns = [struct.pack(f"<{len(lengths)}Q", *offsets), struct.pack(f"<{len(lengths)}I", *lengths)]
        for count in INDEXED_COUNTS:
            at = count_at(count)
            columns += [record[at : at + 4].ljust(4, b"\0") for record in self.records]
        return b"".join(columns + self.leaves())

    def _keys(self) -> bytes:
        n = len(self.study_ids)
        order = sorted(range(n), key=self.study_ids.__getitem__)
        ends = [sum(map(len, self.study_ids[: number + 1])) for number in range(n)]
        pad = padding(4 * n)
        return struct.pack(f"<{n}I", *order) + pad + struct.pack(f"<{n}I", *ends) + pad + b"".join(self.study_ids)

    def _root(self, prologue: bytes, meta: bytes) -> bytes:
        level = self.leaves() or [bytes(32)]
        while len(level) > 1:
            pairs = [sha256(b"\x01" + level[i] + level[i + 1]) for i in range(0, len(level) - 1, 2)]
            level = pairs + level[len(level) - len(level) % 2 :]
        return sha256(b"NGR1-ROOT\x00" + prologue + level[0] + sha256(meta))

    def _trailer(self, prologue: bytes, meta: bytes, toc: bytes, toc_offset: int, file_bytes: int) -> bytes:
        tables = [stream_table(record) for record in self.records]
        sizes = [sum(decoded for _, _, _, decoded, _ in table) for table in tables]
        numbers = struct.pack("<QIIQII", toc_offset, len(toc), zlib.crc32(toc), file_bytes, len(tables), 0)
        largest, n_streams = min(max(sizes, default=0), 2**32 - 1), max(map(len, tables), default=0)
        envelope = struct.pack("<QII", sum(sizes), largest, n_streams)
        body = bytearray(numbers + envelope + self._root(prologue, meta) + bytes(4))
        return edited(sealed(body, self.trailer) + b"NGR\x1aEND\n", self.sealed_trailer)
