"""Take .ngr files apart, change them and seal them again, from FORMAT.md alone and without the package under test.

A changed file is resealed so that the change itself is found, not the checksum it broke: stream CRC, content digest,
header CRC, leaf, page tables, contents CRC, root and trailer CRC are computed anew, in this order.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from dataclasses import dataclass, field
from typing import Any

import msgpack
import numpy as np
import zstandard

COUNTS = (
    "views",
    "cells",
    "patches",
    "dim",
    "edges",
    "concepts",
    "vectors",
    "vdim",
    "mentions",
    "triples",
    "fusion",
    "labels",
    "text",
)


def pad8(n: int) -> int:
    return -n % 8


def padded(data: bytes) -> bytes:
    return data + bytes(pad8(len(data)))


def sha(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def pack(value: Any) -> bytes:
    """Canonical map: keys sorted by their bytes."""

    def ordered(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: ordered(node[key]) for key in sorted(node, key=lambda key: str(key).encode())}
        return [ordered(item) for item in node] if isinstance(node, list) else node

    return bytes(msgpack.packb(ordered(value), use_bin_type=True))


@dataclass
class Stream:
    id: int
    encoding: int
    stored: bytes
    decoded_bytes: int

    def decoded(self) -> bytes | None:
        if self.encoding == 0:
            return self.stored
        try:
            return zstandard.ZstdDecompressor().decompress(self.stored, max_output_size=self.decoded_bytes)
        except zstandard.ZstdError:
            return None


@dataclass
class Record:
    counts: list[int]
    method_tag: int
    content_digest: bytes
    streams: list[Stream]
    flags: int = 0

    def stream(self, stream_id: int) -> Stream:
        for stream in self.streams:
            if stream.id == stream_id:
                return stream
        raise LookupError(f"there is no stream {stream_id:#x}")

    def set(self, stream_id: int, data: bytes, *, encoding: int = 0, decoded_bytes: int | None = None) -> None:
        """Replace or add a stream, kept in order."""
        self.streams = [stream for stream in self.streams if stream.id != stream_id]
        self.streams.append(Stream(stream_id, encoding, data, len(data) if decoded_bytes is None else decoded_bytes))
        self.streams.sort(key=lambda stream: stream.id)

    def digest(self, methods: list[bytes]) -> bytes:
        """The content digest of what the streams hold; the old one when something does not decode."""
        found = {stream.id: stream.decoded() for stream in self.streams}
        method = [m for m in methods if struct.unpack("<I", sha(m)[:4])[0] == self.method_tag]
        if not method or any(data is None for data in found.values()):
            return self.content_digest
        count = dict(zip(COUNTS, self.counts, strict=True))
        try:
            parts = [
                found.get(1) or b"",
                matrix(found, 0x20, count["patches"], count["dim"]),
                matrix(found, 0x60, count["vectors"], count["vdim"]),
                found.get(2) or b"",
                found.get(3) or b"",
            ]
        except (KeyError, ValueError):
            return self.content_digest
        head = sha(method[0]) + struct.pack("<13I", *self.counts)
        return sha(b"NGR1-STUDY\0", head, *(struct.pack("<Q", len(part)) + part for part in parts))

    def build(self, methods: list[bytes]) -> bytes:
        self.content_digest = self.digest(methods)
        body = b"".join(padded(stream.stored) for stream in self.streams)
        size = 112 + 16 * len(self.streams) + len(body)
        head = bytes.fromhex("4E475272B19D5EC3") + struct.pack("<IHH", size, len(self.streams), self.flags)
        head += struct.pack("<14I", *self.counts, self.method_tag) + self.content_digest
        for s in self.streams:
            head += struct.pack("<HHIII", s.id, s.encoding, len(s.stored), s.decoded_bytes, zlib.crc32(s.stored))
        return head + struct.pack("<II", zlib.crc32(head), 0) + body


def matrix(found: dict[int, bytes | None], base: int, rows: int, width: int) -> bytes:
    """The decoded f32 values of a matrix, row by row."""
    planes = [(i - base, np.frombuffer(found[i] or b"", "u1")) for i in sorted(found) if base <= i < base + 0x40]
    if not planes:
        return b""
    offset = planes[0][0]
    if offset == 0:
        return np.stack([plane for _, plane in planes], 1).astype("u1").tobytes()
    if offset == 0x10:
        codes = planes[0][1].view("i1").reshape(rows, width).astype("f4")
        with np.errstate(all="ignore"):
            return (codes * planes[1][1].copy().view("<f4")[:, None]).astype("<f4").tobytes()
    pairs = np.stack([plane for _, plane in planes], 1).tobytes()
    if offset == 0x08:
        return (np.frombuffer(pairs, "<u2").astype("<u4") << 16).tobytes()
    with np.errstate(all="ignore"):
        return np.frombuffer(pairs, "<f2").astype("<f4").tobytes()


@dataclass
class File:
    prologue: bytes
    records: list[Record]
    extra_sections: list[tuple[str, int, bytes]]
    meta: dict[str, Any]
    envelope: tuple[int, int, int] | None = None
    """Total, largest record, most streams; None to compute them."""
    overrides: dict[str, Any] = field(default_factory=dict)
    """``index`` and ``keys``: functions from payload to payload; ``sections``: from rows to rows;
    ``toc``: from bytes to bytes; ``trailer``: from the 84 checked bytes to 84."""

    @property
    def methods(self) -> list[bytes]:
        methods = self.meta.get("methods")
        return [pack(method) for method in methods] if isinstance(methods, list) else []

    def build(self) -> bytes:
        change = {
            name: self.overrides.get(name, lambda value: value)
            for name in ("index", "keys", "sections", "toc", "trailer")
        }
        records = [record.build(self.methods) for record in self.records]
        leaves = [sha(b"\0", record) for record in records]
        sections = [("index", 1, change["index"](self._index(records, leaves)))]
        if len(records) > 1:
            sections.append(("keys", 0, change["keys"](self._keys())))
        data = self.prologue + b"".join(records)
        rows = []
        for name, flags, payload in [*sections, *self.extra_sections]:
            table = b"".join(
                struct.pack("<I", zlib.crc32(payload[i : i + 65536])) for i in range(0, len(payload), 65536)
            )
            rows.append([name, flags, len(data), len(payload), zlib.crc32(table)])
            data += padded(payload + table)
        meta = pack(self.meta)
        toc = change["toc"](b"\x82\xa6layout" + pack({"sections": change["sections"](rows)}) + b"\xa4meta" + meta)
        toc_offset = len(data)
        data += padded(toc)
        sizes = [sum(stream.decoded_bytes for stream in record.streams) for record in self.records]
        total, largest, most = self.envelope or (sum(sizes), max(sizes), max(len(r.streams) for r in self.records))
        root = sha(b"NGR1-ROOT\0", self.prologue, merkle(leaves), sha(meta))
        trailer = struct.pack("<QIIQII", toc_offset, len(toc), zlib.crc32(toc), len(data) + 96, len(records), 0)
        trailer = change["trailer"](trailer + struct.pack("<QII", total, largest, most) + root + bytes(4))
        return data + trailer + struct.pack("<I", zlib.crc32(trailer)) + bytes.fromhex("4E47521A454E440A")

    def _index(self, records: list[bytes], leaves: list[bytes]) -> bytes:
        lengths = [len(record) for record in records]
        offsets = [32 + sum(lengths[:i]) for i in range(len(records))]
        columns = [np.array(offsets, "<u8"), np.array(lengths, "<u4")]
        columns += [np.array([record.counts[i] for record in self.records], "<u4") for i in (2, 4, 5, 9, 10)]
        return b"".join(column.tobytes() for column in columns) + b"".join(leaves)

    def _keys(self) -> bytes:
        ids = [
            graph_columns(record)["text"].tobytes()[: int(graph_columns(record)["string_bytes"][0])]
            for record in self.records
        ]
        order = sorted(range(len(ids)), key=ids.__getitem__)
        ends = np.cumsum([len(one) for one in ids])
        return padded(np.array(order, "<u4").tobytes()) + padded(ends.astype("<u4").tobytes()) + b"".join(ids)


def merkle(leaves: list[bytes]) -> bytes:
    while len(leaves) > 1:
        pairs = [sha(b"\1", *leaves[i : i + 2]) if i + 1 < len(leaves) else leaves[i] for i in range(0, len(leaves), 2)]
        leaves = pairs
    return leaves[0]


def parse(data: bytes) -> File:
    """Take a valid file apart."""
    toc_offset, toc_bytes, _, _, n, _ = struct.unpack("<QIIQII", data[-96:-64])
    toc = msgpack.unpackb(data[toc_offset : toc_offset + toc_bytes])
    rows = toc["layout"]["sections"]
    index = rows[0][2]
    offsets = struct.unpack(f"<{n}Q", data[index : index + 8 * n])
    records = [parse_record(data[offset:]) for offset in offsets]
    extra = [(r[0], r[1], data[r[2] : r[2] + r[3]]) for r in rows if r[0] not in ("index", "keys")]
    return File(data[:32], records, extra, toc["meta"])


def parse_record(data: bytes) -> Record:
    n_streams = struct.unpack_from("<H", data, 12)[0]
    streams, at = [], 112 + 16 * n_streams
    for i in range(n_streams):
        stream_id, encoding, stored, decoded, _ = struct.unpack_from("<HHIII", data, 104 + 16 * i)
        streams.append(Stream(stream_id, encoding, data[at : at + stored], decoded))
        at += stored + pad8(stored)
    *counts, method_tag = struct.unpack_from("<14I", data, 16)
    return Record(counts, method_tag, data[72:104], streams)


def stored_uncompressed(file: File) -> File:
    """The same file with every stream as ``store``, so that its bytes can be edited in place."""
    for record in file.records:
        for stream in record.streams:
            stream.stored, stream.encoding = stream.decoded() or b"", 0
    return file


def graph_layout(record: Record) -> list[tuple[str, str, int]]:
    """Name, type and number of values of every column, in stored order."""
    c = dict(zip(COUNTS, record.counts, strict=True))

    def index(n: int) -> str:
        return "<u1" if n <= 256 else "<u2" if n <= 65536 else "<u4"

    return [
        *((f"view_{name}", kind, c["views"]) for name, kind in VIEW_COLUMNS),
        ("cell_score", "<u1", c["cells"]),
        ("patch_cell", index(c["cells"]), c["patches"]),
        ("patch_score", "<f4", c["patches"]),
        ("edge", index(c["patches"]), 2 * c["edges"]),
        ("concept_label", "<u1", c["concepts"]),
        ("concept_start", "<u4", c["concepts"]),
        ("concept_end", "<u4", c["concepts"]),
        ("concept_section", "<u1", c["concepts"]),
        ("concept_vector", index(c["vectors"]), c["concepts"] if c["vectors"] else 0),
        ("mention_concept", index(c["concepts"]), c["mentions"]),
        ("mention_label", "<u1", c["mentions"]),
        ("mention_section", "<u1", c["mentions"]),
        ("mention_start", "<u4", c["mentions"]),
        ("mention_end", "<u4", c["mentions"]),
        ("triple_head", index(c["concepts"]), c["triples"]),
        ("triple_relation", "<u1", c["triples"]),
        ("triple_tail", index(c["concepts"]), c["triples"]),
        ("fusion_patch", index(c["patches"]), c["fusion"]),
        ("fusion_concept", index(c["concepts"]), c["fusion"]),
        ("label_value", "<f4", c["labels"]),
        ("string_bytes", index(c["text"]), 2 + c["concepts"] + c["labels"]),
        ("text", "<u1", c["text"]),
    ]


def graph_columns(record: Record) -> dict[str, np.ndarray]:
    """The columns of the graph stream, writable, in stored order."""
    data, at, columns = record.stream(1).decoded() or b"", 0, {}
    for name, kind, count in graph_layout(record):
        columns[name] = np.frombuffer(data, kind, count, at).copy()
        at += columns[name].nbytes
    return columns


VIEW_COLUMNS = (
    ("rows", "<u2"), ("cols", "<u2"), ("height", "<u4"), ("width", "<u4"),
    ("patch_height", "<f4"), ("patch_width", "<f4"), ("score_step", "<f4"), ("position", "<u1"),
)  # fmt: skip


def set_columns(record: Record, columns: dict[str, np.ndarray]) -> None:
    record.set(1, b"".join(column.tobytes() for column in columns.values()))


def strings(record: Record) -> list[bytes]:
    columns = graph_columns(record)
    ends = np.cumsum(columns["string_bytes"].astype(int))
    text = columns["text"].tobytes()
    return [text[end - size : end] for end, size in zip(ends, columns["string_bytes"].astype(int), strict=True)]


def set_strings(record: Record, pieces: list[bytes]) -> None:
    """Replace the strings; counts of concepts and labels stay."""
    columns = graph_columns(record)
    text = b"".join(pieces)
    record.counts[12] = len(text)
    kind = "<u1" if len(text) <= 256 else "<u2" if len(text) <= 65536 else "<u4"
    columns["string_bytes"] = np.array([len(piece) for piece in pieces], kind)
    columns["text"] = np.frombuffer(text, "u1")
    set_columns(record, columns)
