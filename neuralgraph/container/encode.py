"""Writing a record: columns to bytes, the same bytes wherever the record goes (FORMAT.md sections 5 and 10)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuralgraph.codecs import zstd
from neuralgraph.codecs.forms import Encoder
from neuralgraph.codecs.registry import FORMS, STORE, ZSTD
from neuralgraph.container.layout import padding
from neuralgraph.container.streams import (
    CONCEPT_VECTOR_STREAMS,
    EMBEDDING_STREAMS,
    ENTRY,
    EXTENSION_STREAMS,
    GRAPH_STREAM,
    HEADER,
    PIXELS_STREAM,
    REPORT_STREAM,
    TAIL,
    WORD_ATTENTION_STREAM,
)
from neuralgraph.errors import FormatError, LimitError
from neuralgraph.wire.checksums import crc32, sha256
from neuralgraph.wire.columns import Counts
from neuralgraph.wire.study_columns import StudyColumns

__all__ = ["encode_record", "method_tag"]

_PROBE_BYTES = 4_096


def method_tag(method: bytes) -> int:
    """The tag by which records name a method map: the first four bytes of its SHA-256, little-endian."""
    return int.from_bytes(sha256(method)[:4], "little")


def encode_record(
    columns: StudyColumns,
    *,
    embedding: Encoder,
    concept_vectors: Encoder,
    level: int = zstd.LEVEL,
    for_loaders: bool = False,
) -> bytes:
    """The record of a study.

    A stream is compressed when that saves at least 3 % of it, and stored otherwise. The content digest is that of the
    values a reader will decode, after the loss of a lossy form.

    Parameters
    ----------
    columns : the study.
    embedding, concept_vectors : forms of the two matrices.
    level : zstd level.
    for_loaders : never compress the graph and the embedding, so that a loader has nothing to undo.

    Raises
    ------
    StudyError (E_NUM) : a value does not fit its form.
    FormatError (E_SIZE) : a stream or the record exceeds 2^32 - 1 bytes.
    LimitError (E_LIMIT) : more extensions than there are ids for them.
    """
    streams: list[tuple[int, bytes]] = [(GRAPH_STREAM, columns.graph_stream())]
    if columns.report is not None:
        streams.append((REPORT_STREAM, columns.report))
    if columns.pixels is not None:
        streams.append((PIXELS_STREAM, columns.pixels))
    if columns.word_attention is not None:
        streams.append((WORD_ATTENTION_STREAM, columns.word_attention))
    decoded: dict[str, Any] = {}
    plain: set[int] = {GRAPH_STREAM} if for_loaders else set()
    for name, base, form in (
        ("embedding", EMBEDDING_STREAMS, embedding),
        ("concept_vectors", CONCEPT_VECTOR_STREAMS, concept_vectors),
    ):
        matrix: NDArray[np.float32] = getattr(columns, name)
        if matrix.shape[0] == 0:
            continue
        planes = form.encode(matrix)
        first = base + FORMS[form.name].offset
        streams += [(first + number, plane) for number, plane in enumerate(planes)]
        if for_loaders and base == EMBEDDING_STREAMS:
            plain |= set(range(first, first + len(planes)))
        decoded[name] = form.decode(planes, *matrix.shape, where=name)
    if len(columns.extensions) > len(EXTENSION_STREAMS):
        raise LimitError(
            f"{len(columns.extensions)} extensions, a record holds {len(EXTENSION_STREAMS)}", code="E_LIMIT"
        )
    for number, (name, payload) in enumerate(sorted(columns.extensions.items())):
        label = name.encode()
        streams.append((EXTENSION_STREAMS[number], bytes([len(label)]) + label + payload))
    digest = replace(columns, **decoded).digest()
    packed = [(i, *((STORE, data) if i in plain else _smaller(data, level=level)), len(data)) for i, data in streams]
    return _pack(columns.counts, method_tag(columns.method), digest, packed)


def _smaller(data: bytes, *, level: int = zstd.LEVEL) -> tuple[int, bytes]:
    """Encoding and stored bytes of a stream: zstd when that saves at least 3 %, as it is otherwise."""
    if not data or _is_noise(data):
        return STORE, data
    compressed = zstd.encode(data, level=level)
    return (ZSTD, compressed) if 100 * len(compressed) <= 97 * len(data) else (STORE, data)


def _is_noise(data: bytes) -> bool:
    """Whether the fastest level finds nothing in a stream of some length; no slower one would be worth its time."""
    return len(data) > _PROBE_BYTES and len(zstd.encode(data, level=1)) >= len(data)


def _pack(counts: Counts, tag: int, digest: bytes, streams: list[tuple[int, int, bytes, int]]) -> bytes:
    """The record of streams (id, encoding, stored bytes, decoded size)."""
    table, body = b"", b""
    for stream_id, encoding, stored, decoded_bytes in streams:
        if max(len(stored), decoded_bytes) >= 1 << 32:
            raise FormatError("a stream exceeds 2^32 - 1 bytes", code="E_SIZE", where=f"stream {stream_id}")
        table += ENTRY.pack(
            stream_id=stream_id,
            encoding=encoding,
            stored_bytes=len(stored),
            decoded_bytes=decoded_bytes,
            crc32=crc32(stored),
        )
        body += stored + bytes(padding(len(stored)))
    record_bytes = HEADER.size + len(table) + TAIL.size + len(body)
    if record_bytes >= 1 << 32:
        raise FormatError("the record exceeds 2^32 - 1 bytes", code="E_SIZE", where="record")
    header = HEADER.pack(
        record_bytes=record_bytes, n_streams=len(streams), counts=counts.pack(), method_tag=tag, content_digest=digest
    )
    head = header + table
    return head + TAIL.pack(header_crc32=crc32(head)) + body
