"""The parts of a record: header, stream table, and what each stream id means (FORMAT.md sections 5.1 and 5.2)."""

from __future__ import annotations

from neuralgraph.container.layout import SYNC
from neuralgraph.wire.columns import Counts
from neuralgraph.wire.fields import Field, Structure

__all__ = [
    "CONCEPT_VECTOR_STREAMS",
    "EMBEDDING_STREAMS",
    "ENTRY",
    "EXTENSION_STREAMS",
    "GRAPH_STREAM",
    "HEADER",
    "MATRIX_STREAMS",
    "MINIMUM_BYTES",
    "OPTIONAL_STREAMS",
    "PIXELS_STREAM",
    "REPORT_STREAM",
    "TAIL",
    "WORD_ATTENTION_STREAM",
]

HEADER = Structure(
    Field("sync", "8s", equals=SYNC),
    Field("record_bytes", "I"),
    Field("n_streams", "H"),
    Field("flags", "H", equals=0),
    Field("counts", f"{Counts.SIZE}s"),
    Field("method_tag", "I"),
    Field("content_digest", "32s"),
)
ENTRY = Structure(
    Field("stream_id", "H"),
    Field("encoding", "H"),
    Field("stored_bytes", "I"),
    Field("decoded_bytes", "I"),
    Field("crc32", "I"),
)
TAIL = Structure(Field("header_crc32", "I"), Field("reserved", "I", equals=0))

GRAPH_STREAM = 0x01
REPORT_STREAM = 0x02
PIXELS_STREAM = 0x03
WORD_ATTENTION_STREAM = 0x10
OPTIONAL_STREAMS = range(0x11, 0x20)
"""Columns of later minor versions, which a reader that does not know them ignores."""
EMBEDDING_STREAMS = 0x20
CONCEPT_VECTOR_STREAMS = 0x60
MATRIX_STREAMS = 0x40
"""Stream ids from a matrix's base that belong to its forms."""
EXTENSION_STREAMS = range(0x8000, 0xC000)

MINIMUM_BYTES = HEADER.size + TAIL.size
