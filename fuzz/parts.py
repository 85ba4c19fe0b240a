"""What must hold for the parts of a file on their own: they run ten to a hundred times as often as a whole file does.

Each function takes any bytes whatever and returns how they end: "valid", or the code they are refused with. Numbers
that a part gets from elsewhere in the file come from the first bytes of the input.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

import msgpack
import numpy as np
import zstandard

import neuralgraph as ng
from neuralgraph.codecs import zstd
from neuralgraph.codecs.registry import FORMS
from neuralgraph.container.contents import parse_contents
from neuralgraph.container.index import ROW_BYTES, Index
from neuralgraph.container.keys import Keys
from neuralgraph.container.pages import Pages
from neuralgraph.container.record import Record
from neuralgraph.container.streams import ENTRY, HEADER, TAIL
from neuralgraph.graph.rules import study_problems
from neuralgraph.graph.study import Study
from neuralgraph.wire import canonical
from neuralgraph.wire.columns import GRAPH_COLUMNS, Counts, graph_bytes, split_graph
from neuralgraph.wire.limits import Limits
from neuralgraph.wire.study_columns import StudyColumns

__all__ = ["PARTS", "seal_record"]

_LIMITS = Limits(decoded_bytes=2**20)
"""So that an execution stays fast."""
_EMPTY_MAP = b"\x80"
_MOST_GRAPH_BYTES = 2**16
_MOST_FRAME_BYTES = 2**20


def check_map(data: bytes) -> str:
    """A canonical map (FORMAT.md section 6.1): what is accepted is the one encoding of its value."""
    try:
        value = canonical.decode(data, where="map")
    except ng.FormatError as error:
        _expect(error.code == "E_TOC_FORM", f"refused with {error.code}")
        return error.code
    _expect(canonical.encode(value) == data, "the value has another encoding")
    _expect(msgpack.unpackb(data) == value, "another decoder reads another value")
    return "valid"


def check_frame(data: bytes) -> str:
    """A zstd frame (FORMAT.md section 7.1): what is accepted is one frame with the content its header states."""
    try:
        stated = zstandard.frame_content_size(data)
    except zstandard.ZstdError:
        stated = 0
    size = stated if 0 <= stated <= _MOST_FRAME_BYTES else 0
    try:
        content = zstd.decode(memoryview(data), size, where="frame")
    except ng.CodecError as error:
        _expect(error.code in ("E_ZSTD", "E_SIZE"), f"refused with {error.code}")
        return error.code
    stream = zstandard.ZstdDecompressor().decompressobj()
    _expect(stream.decompress(data) == content and len(content) == size, "another decoder reads another content")
    _expect(stream.eof and not stream.unused_data, "more than one frame")
    return "valid"


def check_contents(data: bytes) -> str:
    """Contents (FORMAT.md section 6.2), after a u16 in units of 8 bytes for the place where they stand."""
    offset = 8 * int.from_bytes(data[:2], "little")
    try:
        contents = parse_contents(data[2:], toc_offset=offset, limits=_LIMITS)
    except ng.NeuralGraphError as error:
        return error.code
    sections = list(contents.sections.values())
    ends = [section.end for section in sections]
    _expect([section.offset for section in sections[1:]] == ends[:-1], "a gap between sections")
    _expect(ends[-1] == offset and bool(contents.methods), "sections that do not reach the contents")
    return "valid"


def check_index(data: bytes) -> str:
    """An index (FORMAT.md section 6.4), after a u8 number of records and the u32 where they end."""
    count = data[0] % 16 + 1 if data else 1
    payload = _exactly(data[5:], ROW_BYTES * count)
    try:
        index = Index(Pages(memoryview(payload)), count, end=int.from_bytes(data[1:5], "little"))
    except ng.NeuralGraphError as error:
        return error.code
    places = list(zip(index.offset[:].tolist(), index.length[:].tolist(), strict=True))
    _expect(places[0][0] == 32, "a first record that is not behind the prologue")
    _expect([a + n for a, n in places[:-1]] == [a for a, _ in places[1:]], "a gap between records")
    return "valid"


def check_keys(data: bytes) -> str:
    """Keys (FORMAT.md section 6.5), after a u8 number of records: every id is found where it is."""
    count = data[0] % 16 + 2 if data else 2
    try:
        keys = Keys(Pages(memoryview(data[1:])), count)
        keys.check_order()
        found = [keys.find(keys.study_id(position)) for position in range(count)]
    except ng.NeuralGraphError as error:
        return error.code
    _expect(found == list(range(count)), "an id is not found where it is")
    return "valid"


def seal_record(data: bytes) -> bytes:
    """A record with its length and its CRC-32s made right, as far as its stream table goes."""
    file = bytearray(data + bytes(-len(data) % 8))
    if len(file) < HEADER.size + TAIL.size:
        return bytes(file)
    struct.pack_into("<I", file, 8, len(file))
    table_end = HEADER.size + ENTRY.size * int.from_bytes(file[12:14], "little")
    if table_end + TAIL.size > len(file):
        return bytes(file)
    position = table_end + TAIL.size
    for row in range(HEADER.size, table_end, ENTRY.size):
        (stored,) = struct.unpack_from("<I", file, row + 4)
        struct.pack_into("<I", file, row + 12, zlib.crc32(file[position : position + stored]))
        position += stored + -stored % 8
    struct.pack_into("<I", file, table_end, zlib.crc32(file[:table_end]))
    return bytes(file)


def check_record(data: bytes) -> str:
    """A record (FORMAT.md section 5), sealed: what is accepted decodes to the sizes its counts require."""
    try:
        record = Record(memoryview(seal_record(data)), where="record", limits=_LIMITS)
        columns = record.columns(_EMPTY_MAP, {stream_id: record.read(stream_id) for stream_id in record.streams})
    except ng.NeuralGraphError as error:
        return error.code
    counts = record.counts
    _expect(columns.embedding.shape[0] == counts.n_patches, "another number of embeddings")
    _expect(sum(column.nbytes for column in columns.graph.values()) == graph_bytes(counts), "another graph stream")
    _expect(record.decoded_bytes <= _LIMITS.decoded_bytes, "more than the limit")
    return _meaning(columns)


def check_columns(data: bytes) -> str:
    """The graph stream (FORMAT.md sections 5.3 and 8), after its thirteen counts as u8: valid columns are a study."""
    counts = Counts(*_exactly(data, 13)[:13])
    try:
        counts.check(_LIMITS, where="counts")
        size = graph_bytes(counts)
    except ng.NeuralGraphError as error:
        return error.code
    if size > _MOST_GRAPH_BYTES:
        return "E_LIMIT"
    columns = StudyColumns(
        counts=counts,
        method=_EMPTY_MAP,
        graph=split_graph(counts, _exactly(data[13:], size)),
        embedding=np.zeros((counts.n_patches, counts.embedding_dim), np.float32),
        concept_vectors=np.zeros((counts.n_concept_vectors, counts.concept_dim), np.float32),
    )
    return _meaning(columns)


def _meaning(columns: StudyColumns) -> str:
    """What the rules of the graph say; columns that break none make a study with the same columns."""
    for problem in study_problems(columns):
        return problem.code
    again = Study.from_columns(columns).columns()
    for column in GRAPH_COLUMNS:
        same = np.array_equal(again.graph[column.name], columns.graph[column.name])
        _expect(same, f"{column.name} changes in a round trip")
    return "valid"


def check_form(data: bytes) -> str:
    """A matrix in one of its forms (FORMAT.md section 7.2), after u8 form, rows and width."""
    kind, rows, width = _exactly(data, 3)[:3]
    form = list(FORMS.values())[kind % len(FORMS)].form
    rows, width, rest, planes = rows % 16, width % 32 + 1, data[3:], []
    for size in form.plane_bytes(rows, width):
        planes.append(_exactly(rest, size))
        rest = rest[size:]
    try:
        matrix = form.decode(planes, rows, width, where="matrix")
    except ng.CodecError as error:
        return error.code
    _expect(matrix.shape == (rows, width) and matrix.dtype == np.float32, "another matrix than the counts say")
    return "valid" if np.isfinite(matrix).all() else "E_NUM"


def _exactly(data: bytes, size: int) -> bytes:
    return data[:size] + bytes(max(0, size - len(data)))


def _expect(holds: bool, otherwise: str) -> None:  # noqa: FBT001  reads as a sentence
    if not holds:
        raise AssertionError(otherwise)


PARTS: dict[str, Callable[[bytes], str]] = {
    "map": check_map,
    "frame": check_frame,
    "contents": check_contents,
    "index": check_index,
    "keys": check_keys,
    "record": check_record,
    "columns": check_columns,
    "form": check_form,
}
"""Name of a fuzz target -> what it checks."""
