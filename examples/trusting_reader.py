"""A reader of .ngr files in some 130 lines, written from FORMAT.md and without neuralgraph, for files that you trust.

    python examples/trusting_reader.py spec/vectors/valid/basic.ngr

It verifies the CRC-32 of what it reads and believes the rest; docs/how-to/write-a-reader.md says what a reader of files
of unknown origin adds. Numbers in docstrings are sections of FORMAT.md.
"""

import struct
import sys
import zlib
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import msgpack
import numpy as np
import zstandard

COUNTS = (
    "views", "cells", "patches", "width", "edges", "concepts", "vectors", "vector_width", "mentions", "triples",
    "fusion", "labels", "text",
)  # fmt: skip
PLANES = {0x00: 4, 0x08: 2, 0x0A: 2, 0x10: 2, 0x14: 4}


def verified(data, crc):
    if zlib.crc32(data) != crc:
        raise SystemExit("E_CRC: damaged")
    return data


def columns(data, n):
    """5.3"""

    def index(count):
        return "u1" if count <= 256 else "<u2" if count <= 65_536 else "<u4"

    patch, concept = index(n.patches), index(n.concepts)
    layout = [
        ("view_rows view_cols", "<u2", n.views), ("view_height view_width", "<u4", n.views),
        ("view_patch_height view_patch_width view_score_step", "<f4", n.views), ("view_position", "u1", n.views),
        ("cell_score", "u1", n.cells), ("patch_cell", index(n.cells), n.patches), ("patch_score", "<f4", n.patches),
        ("edge", patch, 2 * n.edges), ("concept_label", "u1", n.concepts),
        ("concept_start concept_end", "<u4", n.concepts), ("concept_section", "u1", n.concepts),
        ("concept_vector", index(n.vectors), n.concepts if n.vectors else 0), ("mention_concept", concept, n.mentions),
        ("mention_label mention_section", "u1", n.mentions), ("mention_start mention_end", "<u4", n.mentions),
        ("triple_head", concept, n.triples), ("triple_relation", "u1", n.triples), ("triple_tail", concept, n.triples),
        ("fusion_patch", patch, n.fusion), ("fusion_concept", concept, n.fusion), ("label_value", "<f4", n.labels),
        ("string_bytes", index(n.text), 2 + n.concepts + n.labels), ("text", "u1", n.text),
    ]  # fmt: skip
    found, at = SimpleNamespace(), 0
    for names, kind, rows in layout:
        for name in names.split():
            setattr(found, name, np.frombuffer(data, kind, rows, at))
            at += getattr(found, name).nbytes
    return found


def svd(head, exponents, upper, lower, rows, width):
    """7.3"""
    upper = np.frombuffer(upper, "u1").reshape(rows, width)
    bits = np.unpackbits(np.frombuffer(lower, "u1"), bitorder="little")
    factor = struct.unpack_from("<f", head)[0] * 2.0 ** np.frombuffer(exponents, "i1").astype(float)
    values, at, used = np.empty((rows, width), np.float32), 4, 0
    for first in range(0, rows, 32):
        size = min(32, rows - first)
        codes = upper[first : first + size].astype(np.int64)
        for component, shift in enumerate(head[at : at + size]):
            low = bits[used : used + width * shift].reshape(width, shift).astype(np.int64) << np.arange(shift)
            codes[component] = (codes[component] << shift) + low.sum(axis=1)
            used += width * shift
        codes = np.where(codes % 2, -(codes + 1) // 2, codes // 2)
        mixing = np.frombuffer(head, "i1", size * size, at + size).reshape(size, size).astype(np.int64)
        values[first : first + size] = (mixing.T @ codes) * factor
        at += size + size * size
    return values + np.float32(0)  # a zero is +0


def matrix(streams, base, rows, width):
    """7.2"""
    if rows == 0:
        return np.empty((0, width), np.float32)
    offset = min(number for number in streams if base <= number < base + 0x40) - base
    planes = [streams[base + offset + plane] for plane in range(PLANES[offset])]
    if offset == 0x14:
        return svd(*planes, rows, width)
    if offset == 0x10:
        codes, scales = np.frombuffer(planes[0], "i1").reshape(rows, width), np.frombuffer(planes[1], "<f4")
        return codes.astype(np.float32) * scales[:, None]
    joined = np.stack([np.frombuffer(plane, "u1") for plane in planes], axis=1).tobytes()
    if offset == 0x08:
        return (np.frombuffer(joined, "<u2").astype("<u4") << 16).view("<f4").reshape(rows, width)
    return np.frombuffer(joined, "<f4" if offset == 0x00 else "<f2").astype(np.float32).reshape(rows, width)


def attention(codes, step):
    """5.4"""
    return (codes.astype(float) ** 2 * float(step)).astype(np.float32)


def study(record, methods):
    """5.1, 5.2"""
    (n_streams,) = struct.unpack_from("<H", record, 12)
    *counts, method_tag = struct.unpack_from("<14I", record, 16)
    n, table_end = SimpleNamespace(**dict(zip(COUNTS, counts, strict=True))), 104 + 16 * n_streams
    verified(record[:table_end], *struct.unpack_from("<I", record, table_end))
    streams, at = {}, table_end + 8
    for row in range(104, table_end, 16):
        number, encoding, stored, decoded, crc = struct.unpack_from("<HHIII", record, row)
        data = verified(record[at : at + stored], crc)
        if encoding == 1:
            data = zstandard.ZstdDecompressor().decompress(data, max_output_size=decoded)
        streams[number] = data
        at += stored + -stored % 8
    g = columns(streams[1], n)
    ends = np.cumsum(g.string_bytes, dtype=np.int64).tolist()
    study_id, source, *strings = (g.text[a:b].tobytes() for a, b in zip([0, *ends], ends, strict=False))
    found = SimpleNamespace(id=study_id.decode(), digest=record[72:104], counts=n, columns=g)
    found.method, found.source = methods[method_tag], msgpack.unpackb(source)
    found.concepts = [string.decode() for string in strings[: n.concepts]]
    found.labels = [string.decode() for string in strings[n.concepts :]]
    found.embedding = matrix(streams, 0x20, n.patches, n.width)
    found.concept_vectors = matrix(streams, 0x60, n.vectors, n.vector_width)
    cell_ends = np.cumsum(g.view_rows.astype(int) * g.view_cols)
    maps = np.split(g.cell_score, cell_ends[:-1])
    found.attention = [attention(codes, step) for codes, step in zip(maps, g.view_score_step, strict=False)]
    found.view = np.searchsorted(cell_ends, g.patch_cell, side="right")
    own = g.patch_cell - np.append(0, cell_ends)[found.view]
    found.row, found.col = np.divmod(own, g.view_cols[found.view])
    found.report = streams[2].decode() if 2 in streams else None
    found.pixels = found.words = None
    if 3 in streams:  # 5.5
        height, width, size, _ = struct.unpack_from("<4H", streams[3])
        found.pixels = np.frombuffer(streams[3], f"<u{size}", offset=8).reshape(n.patches, height, width)
    if 0x10 in streams:  # 5.6
        n_words = (len(streams[0x10]) - 4) // (8 + n.cells)
        step, spans = np.frombuffer(streams[0x10], "<f4", 1)[0], np.frombuffer(streams[0x10], "<u4", 2 * n_words, 4)
        codes = np.frombuffer(streams[0x10], "u1", offset=4 + 8 * n_words).reshape(n_words, n.cells)
        found.words = SimpleNamespace(step=step, spans=spans.reshape(2, n_words).T, maps=attention(codes, step))
    named = [data for number, data in streams.items() if number >= 0x8000]
    found.extensions = {data[1 : 1 + data[0]].decode(): data[1 + data[0] :] for data in named}
    return found


def studies(data):
    """All studies of a file, one after another: trailer (3.2), contents (6.2), index (6.4), records."""
    toc_offset, toc_bytes, toc_crc, _, n_records = struct.unpack_from("<QIIQI", data, len(data) - 96)
    verified(data[-96:-12], *struct.unpack_from("<I", data, len(data) - 12))
    contents = msgpack.unpackb(verified(data[toc_offset : toc_offset + toc_bytes], toc_crc))
    tags = [sha256(msgpack.packb(method)).digest()[:4] for method in contents["meta"]["methods"]]
    methods = {int.from_bytes(tag, "little"): each for tag, each in zip(tags, contents["meta"]["methods"], strict=True)}
    _, _, offset, length, table_crc = contents["layout"]["sections"][0]
    index, end = data[offset : offset + length], offset + length
    table = struct.iter_unpack("<I", verified(data[end : end + 4 * -(-length // 65_536)], table_crc))
    for page, (crc,) in enumerate(table):
        verified(index[65_536 * page : 65_536 * (page + 1)], crc)
    offsets = struct.unpack_from(f"<{n_records}Q", index)
    lengths = struct.unpack_from(f"<{n_records}I", index, 8 * n_records)
    for start, size in zip(offsets, lengths, strict=True):
        yield study(data[start : start + size], methods)


if __name__ == "__main__":
    for each in studies(Path(sys.argv[1]).read_bytes()):
        print(each.id, each.embedding.shape, each.concepts, each.labels)
