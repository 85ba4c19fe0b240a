"""Seeds of whole files and of programs for the fuzz targets; ``fuzz.part_seeds`` has those of the parts of files.

Seeds of files are the small valid vectors of ``spec/vectors``, and each again with all its streams stored as they are,
so that a mutation of a byte is a mutation of a value. Seeds of programs are those of lists of graphs.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import neuralgraph as ng
from neuralgraph.codecs.registry import BYTE_CODECS, STORE
from neuralgraph.container.reader import BytesSource, Container
from neuralgraph.container.record import Record
from neuralgraph.container.streams import ENTRY, HEADER, TAIL
from neuralgraph.container.writer import ContainerWriter
from neuralgraph.storage.lookup import study_id_at
from neuralgraph.wire.checksums import crc32

__all__ = ["file_seeds", "program_seeds", "uncompressed"]

_VECTORS = Path(__file__).parents[1] / "spec" / "vectors" / "valid"
_MAX_BYTES = 4_096


def file_seeds() -> Iterator[bytes]:
    """Small valid files, as they are and uncompressed."""
    for path in sorted(_VECTORS.glob("*.ngr")):
        data = path.read_bytes()
        if len(data) <= _MAX_BYTES:
            yield data
            container = Container(BytesSource(data))
            content = BytesIO()
            writer = ContainerWriter(content)
            for position in range(len(container)):
                record = container.record(position)
                stored = uncompressed(record)
                writer.add(stored, study_id=study_id_at(container, position), method=container.method(record))
            writer.finish()
            if content.tell() <= _MAX_BYTES and content.getvalue() != data and ng.validate_bytes(content.getvalue()).ok:
                yield content.getvalue()


def uncompressed(record: Record) -> bytes:
    """The record with every stream stored as it is; its content digest stays right."""
    table, body = b"", b""
    for stream_id, entry in record.streams.items():
        # A column of a later version comes as it is stored.
        known = entry.encoding in BYTE_CODECS
        data = bytes(record.read(stream_id))
        size = len(data)
        table += ENTRY.pack(
            stream_id=stream_id,
            encoding=STORE if known else entry.encoding,
            stored_bytes=size,
            decoded_bytes=size if known else entry.decoded_bytes,
            crc32=crc32(data),
        )
        body += data + bytes(-size % 8)
    head = bytearray(record.data[: HEADER.size])
    head[8:12] = (HEADER.size + len(table) + TAIL.size + len(body)).to_bytes(4, "little")
    return bytes(head) + table + TAIL.pack(header_crc32=crc32(bytes(head) + table)) + body


def program_seeds() -> Iterator[bytes]:
    """Descriptions of lists of graphs, in the forms of PyG 1 and 2."""
    for store in (False, True):
        graphs = b"".join(_graph(number, store=store) for number in range(2))
        yield b"\x80\x02]q\x00(" + graphs + b"e."


def _graph(number: int, *, store: bool) -> bytes:
    attributes = b"".join(
        _text(name) + _tensor(3 * number + place, kind, rows)
        for place, (name, kind, rows) in enumerate((("x", "Float", 3), ("edge_index", "Long", 2), ("y", "Float", 1)))
    )
    state = b"}(" + attributes + _text("name") + b"N" + _text("n") + b"M\x01\x02" + _text("s") + b"G" + bytes(8) + b"u"
    if store:
        inner = b"ctorch_geometric.data.storage\nGlobalStorage\n)\x81}(" + _text("_mapping") + state + b"ub"
        described = _text("_edge_attr_cls") + b"ctorch_geometric.data.data\nDataEdgeAttr\n"
        state = b"}(" + described + _text("_store") + inner + b"u"
    return b"ctorch_geometric.data.data\nData\n)\x81" + state + b"b"


def _tensor(key: int, kind: str, rows: int) -> bytes:
    storage = (
        b"(" + _text("storage") + f"ctorch\n{kind}Storage\n".encode() + _text(str(key)) + _text("cpu") + b"K\x08tQ"
    )
    view = b"K\x00" + b"(K" + bytes([rows]) + b"K\x02t" + b"(K\x02K\x01t"
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + view + b"\x89ccollections\nOrderedDict\n)RtR"


def _text(value: str) -> bytes:
    return b"X" + len(value).to_bytes(4, "little") + value.encode()
