"""Checksums and digests put right after damage, so that it reaches the rules behind them."""

from __future__ import annotations

import hashlib
import struct
import zlib

from neuralgraph.errors import NeuralGraphError
from neuralgraph.wire import canonical

PAGE = 65_536
TRAILER = 96


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def put_crc(data: bytearray, at: int, start: int, end: int) -> None:
    struct.pack_into("<I", data, at, zlib.crc32(data[start:end]))


def reseal(damaged: bytes) -> bytes:
    """The same bytes with every checksum, leaf and root right, as far as the file can still be understood."""
    data = bytearray(damaged)
    if len(data) < 32 + TRAILER:
        return damaged
    try:
        put_crc(data, 28, 0, 28)
        _reseal_contents(data)
    except (struct.error, NeuralGraphError, KeyError, IndexError, TypeError, ValueError):
        pass
    end = len(data) - TRAILER
    put_crc(data, end + 84, end, end + 84)
    return bytes(data)


def _reseal_contents(data: bytearray) -> None:
    end = len(data) - TRAILER
    toc_offset, toc_bytes = struct.unpack_from("<QI", data, end)
    if toc_offset + toc_bytes > end:
        return
    toc = canonical.decode(bytes(data[toc_offset : toc_offset + toc_bytes]), where="toc")
    rows = toc["layout"]["sections"]
    index = rows[0]
    count = min(index[3] // 64, 64)
    leaves = []
    for number in range(count):
        (start,) = struct.unpack_from("<Q", data, index[2] + 8 * number)
        (length,) = struct.unpack_from("<I", data, index[2] + 8 * count + 4 * number)
        if start + length > len(data):
            return
        _reseal_record(data, start, length)
        leaves.append(sha256(b"\x00", data[start : start + length]))
        at = index[2] + 32 * count + 32 * number
        data[at : at + 32] = leaves[-1]
    for row in rows:
        offset, length = row[2], row[3]
        table = offset + length
        pages = -(-length // PAGE)
        if table + 4 * pages > end:
            return
        for page in range(pages):
            put_crc(data, table + 4 * page, offset + PAGE * page, min(offset + PAGE * (page + 1), table))
        row[4] = zlib.crc32(data[table : table + 4 * pages])
    encoded = canonical.encode(toc)
    if len(encoded) == toc_bytes:
        data[toc_offset : toc_offset + toc_bytes] = encoded
    put_crc(data, end + 12, toc_offset, toc_offset + toc_bytes)
    while len(leaves) > 1:
        pairs = [sha256(b"\x01", leaves[i], leaves[i + 1]) for i in range(0, len(leaves) - 1, 2)]
        leaves = pairs + leaves[len(leaves) - len(leaves) % 2 :]
    root = sha256(b"NGR1-ROOT\x00", data[:32], leaves[0], sha256(canonical.encode(toc["meta"])))
    data[end + 48 : end + 80] = root


def _reseal_record(data: bytearray, start: int, length: int) -> None:
    (n_streams,) = struct.unpack_from("<H", data, start + 12)
    table = start + 104
    body = table + 16 * n_streams
    if n_streams > 64 or body + 8 > start + length:
        return
    position = body + 8
    for number in range(n_streams):
        (stored,) = struct.unpack_from("<I", data, table + 16 * number + 4)
        if position + stored > start + length:
            break
        put_crc(data, table + 16 * number + 12, position, position + stored)
        position += stored + -stored % 8
    put_crc(data, body, start, body)
