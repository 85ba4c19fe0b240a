"""Computes every checksum of a changed file anew, in place, so that a mutation meets the code behind the checksums.

The extents the file states are followed as far as they make sense; where they do not, what is left stays as it is.
Nothing changes its length.
"""

from __future__ import annotations

import struct
import zlib
from contextlib import suppress
from hashlib import sha256

import msgpack

import neuralgraph as ng
from neuralgraph.container.record import Record

__all__ = ["record_extents", "seal"]

_PROLOGUE, _TRAILER, _HEADER, _ENTRY = 32, 96, 104, 16
_MAX_RECORDS = 64


def record_extents(data: bytes | bytearray) -> list[tuple[int, int]]:
    """Offset and end of every record that the index of a file states and that lies inside the file."""
    index = _index(data)
    if index is None:
        return []
    offset, count = index
    if count > _MAX_RECORDS or offset + 12 * count > len(data):
        return []
    offsets = struct.unpack_from(f"<{count}Q", data, offset)
    lengths = struct.unpack_from(f"<{count}I", data, offset + 8 * count)
    return [(a, a + n) for a, n in zip(offsets, lengths, strict=True) if a + n <= len(data) and n >= _HEADER + 8]


def seal(data: bytes) -> bytes:
    """``data`` with all checksums and digests that can be found made right; valid files stay as they are."""
    file = bytearray(data)
    if len(file) < _PROLOGUE + _TRAILER:
        return data
    _put(file, 28, zlib.crc32(file[:28]))
    # Odd files are the point here: whatever cannot be followed is left alone.
    with suppress(struct.error, IndexError):
        extents = record_extents(file)
        methods = _methods(file)
        for start, end in extents:
            _seal_record(file, start, end, methods)
        _seal_index(file, extents)
        _seal_sections(file)
        _seal_trailer(file)
    _put(file, len(file) - 12, zlib.crc32(file[-_TRAILER:-12]))
    return bytes(file)


def _put(file: bytearray, offset: int, value: int) -> None:
    file[offset : offset + 4] = struct.pack("<I", value)


def _toc(data: bytes | bytearray) -> tuple[int, bytes]:
    offset, length = struct.unpack_from("<QI", data, len(data) - _TRAILER)
    return offset, bytes(data[offset : offset + length]) if offset + length <= len(data) else b""


def _contents(data: bytes | bytearray) -> tuple[list[list[object]], list[object]]:
    """Section rows and method maps, as far as they have the right types."""
    try:
        toc = msgpack.unpackb(_toc(data)[1])
        rows = [row for row in toc["layout"]["sections"] if [type(item) for item in row] == [str, int, int, int, int]]
        return rows, list(toc["meta"]["methods"])
    except (ValueError, TypeError, KeyError, msgpack.UnpackException):
        return [], []


def _index(data: bytes | bytearray) -> tuple[int, int] | None:
    rows, _ = _contents(data)
    count = int.from_bytes(data[-_TRAILER + 24 : -_TRAILER + 28], "little")
    offset = next((int(str(row[2])) for row in rows if row[0] == "index"), -1)
    return (offset, count) if 0 <= offset <= len(data) else None


def _methods(data: bytes | bytearray) -> dict[int, bytes]:
    found = {}
    for method in _contents(data)[1]:
        packed = bytes(msgpack.packb(method, use_bin_type=True))
        found[int.from_bytes(sha256(packed).digest()[:4], "little")] = packed
    return found


def _seal_record(file: bytearray, start: int, end: int, methods: dict[int, bytes]) -> None:
    n_streams = int.from_bytes(file[start + 12 : start + 14], "little")
    table_end = start + _HEADER + _ENTRY * n_streams
    position = table_end + 8
    if position > end:
        return
    for row in range(start + _HEADER, table_end, _ENTRY):
        stored = int.from_bytes(file[row + 4 : row + 8], "little")
        _put(file, row + 12, zlib.crc32(file[position : min(position + stored, end)]))
        position += stored + -stored % 8
    _put(file, table_end, zlib.crc32(file[start:table_end]))
    with suppress(ng.NeuralGraphError, KeyError):
        record = Record(memoryview(bytes(file[start:end])), where="", limits=ng.Limits())
        streams = {stream_id: record.read(stream_id) for stream_id in record.streams}
        file[start + 72 : start + 104] = record.columns(methods[record.method_tag], streams).digest()
        _put(file, table_end, zlib.crc32(file[start:table_end]))


def _seal_index(file: bytearray, extents: list[tuple[int, int]]) -> None:
    index = _index(file)
    if index is None or index[1] != len(extents):
        return
    leaves = index[0] + 32 * index[1]
    if leaves + 32 * len(extents) > len(file):
        return
    for number, (start, end) in enumerate(extents):
        leaf = sha256(b"\0" + file[start:end]).digest()
        file[leaves + 32 * number : leaves + 32 * (number + 1)] = leaf


def _seal_sections(file: bytearray) -> None:
    at, toc = _toc(file)
    for _, _, offset, length, old in _contents(file)[0]:
        first, size = int(str(offset)), int(str(length))
        table = first + size
        if min(first, size) < 0 or table + 4 * -(-size // 65536) > len(file):
            continue
        for page in range(-(-size // 65536)):
            start = first + 65536 * page
            _put(file, table + 4 * page, zlib.crc32(file[start : min(start + 65536, table)]))
        new = zlib.crc32(file[table : table + 4 * -(-size // 65536)])
        place = toc.find(b"\xce" + struct.pack(">Q", int(str(old)) % 2**64)[4:])
        if place >= 0:
            file[at + place + 1 : at + place + 5] = struct.pack(">I", new)


def _seal_trailer(file: bytearray) -> None:
    trailer = len(file) - _TRAILER
    _, toc = _toc(file)
    extents = record_extents(file)
    tables = []
    for start, _ in extents:
        n_streams = int.from_bytes(file[start + 12 : start + 14], "little")
        rows = range(start + _HEADER, start + _HEADER + _ENTRY * min(n_streams, 64), _ENTRY)
        tables.append([int.from_bytes(file[row + 8 : row + 12], "little") for row in rows])
    sizes = [sum(table) for table in tables] or [0]
    _put(file, trailer + 12, zlib.crc32(toc))
    file[trailer + 16 : trailer + 24] = struct.pack("<Q", len(file))
    most = max(map(len, tables), default=0)
    file[trailer + 32 : trailer + 48] = struct.pack("<QII", sum(sizes), min(max(sizes), 2**32 - 1), most)
    meta = toc[toc.find(b"\xa4meta") + 5 :]
    level = [sha256(b"\0" + file[start:end]).digest() for start, end in extents] or [bytes(32)]
    while len(level) > 1:
        pairs = [sha256(b"\1" + a + b).digest() for a, b in zip(level[::2], level[1::2], strict=False)]
        level = pairs + ([level[-1]] if len(level) % 2 else [])
    root = sha256(b"NGR1-ROOT\0" + file[:_PROLOGUE] + level[0] + sha256(meta).digest()).digest()
    file[trailer + 48 : trailer + 80] = root
