"""A part of a record: the streams asked for, and no others, are read, verified and decoded.

The checksum of a stream covers all of it, so a stream is read whole or not at all. What cannot be verified from a part,
the content digest and the leaf, is not: every byte that is used is under the checksum of its stream, and that under
the checksum of the record's header.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from neuralgraph.container.layout import padding
from neuralgraph.container.reader import Container
from neuralgraph.container.record import Record
from neuralgraph.container.streams import (
    CONCEPT_VECTOR_STREAMS,
    EMBEDDING_STREAMS,
    ENTRY,
    EXTENSION_STREAMS,
    GRAPH_STREAM,
    HEADER,
    MATRIX_STREAMS,
    PIXELS_STREAM,
    REPORT_STREAM,
    TAIL,
)
from neuralgraph.errors import StudyError
from neuralgraph.wire.columns import split_graph
from neuralgraph.wire.study_columns import StudyColumns

__all__ = ["PARTS", "check_parts", "partial_columns", "partial_records"]

_STREAMS: dict[str, Iterable[int]] = {
    "embedding": range(EMBEDDING_STREAMS, EMBEDDING_STREAMS + MATRIX_STREAMS),
    "concept_vectors": range(CONCEPT_VECTOR_STREAMS, CONCEPT_VECTOR_STREAMS + MATRIX_STREAMS),
    "report": (REPORT_STREAM,),
    "pixels": (PIXELS_STREAM,),
    "extensions": EXTENSION_STREAMS,
}
PARTS: tuple[str, ...] = tuple(_STREAMS)
"""What a record may hold besides its graph."""

WORTH_A_REQUEST = 2**18
"""From far away, records of at most so many bytes are read whole: that is less than another round trip takes."""
_READ_AHEAD = {False: 2**12, True: 2**15}
"""Bytes read with a header, near and far: the graph is among them in most studies."""


def check_parts(names: Iterable[str]) -> frozenset[str]:
    """The names as a set.

    Raises
    ------
    StudyError (E_IDX) : one is not among ``PARTS``.
    """
    parts = frozenset([names] if isinstance(names, str) else names)
    for name in sorted(parts - set(PARTS)):
        reason = f"{name!r} is no column to ask for; the graph always comes, with any of {', '.join(PARTS)}"
        raise StudyError(reason, code="E_IDX", where="columns")
    return parts


def partial_columns(record: Record, method: bytes, parts: frozenset[str]) -> StudyColumns:
    """The graph and the ``parts`` of a record, decoded; the others come as [0, width], None or {}.

    Raises
    ------
    FormatError : a stream is damaged or does not decode.
    """
    counts, streams = record.counts, record.streams
    return StudyColumns(
        counts=counts,
        method=method,
        graph=split_graph(counts, record.read(GRAPH_STREAM)),
        embedding=record.matrix(EMBEDDING_STREAMS)
        if "embedding" in parts
        else np.empty((0, counts.embedding_dim), np.float32),
        concept_vectors=record.matrix(CONCEPT_VECTOR_STREAMS)
        if "concept_vectors" in parts
        else np.empty((0, counts.concept_dim), np.float32),
        report=bytes(record.read(REPORT_STREAM)) if "report" in parts and REPORT_STREAM in streams else None,
        pixels=bytes(record.read(PIXELS_STREAM)) if "pixels" in parts and PIXELS_STREAM in streams else None,
        extensions=record.extensions() if "extensions" in parts else {},
    )


def partial_records(container: Container, positions: Sequence[int], parts: frozenset[str]) -> dict[int, Record]:
    """Records, by position, of which only header, graph and the streams of ``parts`` have been read.

    Raises
    ------
    FormatError (E_RECORD, E_STREAM, E_SIZE, E_COVER, E_BUDGET) : a header is damaged or contradicts the index.
    FormatError (E_OPEN) : the file was replaced while it was open.
    """
    source = container.source
    wanted = np.array(sorted(set(positions)), np.int64)
    if not len(wanted):
        return {}
    if source.far:
        container.index.fetch(wanted)
    places = list(zip(wanted.tolist(), *(part.tolist() for part in container.index.places(wanted)), strict=True))
    whole = [position for position, _, length in places if source.far and length <= WORTH_A_REQUEST]
    records = dict(container.records(whole))
    places = [place for place in places if place[0] not in records]
    head = HEADER.size + ENTRY.size * container.trailer["max_streams"] + TAIL.size + _READ_AHEAD[source.far]
    buffers = {}
    for _, offset, length in places:
        source.expect(offset, min(head, length))
    for position, offset, length in places:
        container.limits.check("record_bytes", length, where=f"record[{position}]")
        # Streams that are not asked for stay zeros, in memory that is not taken until it is written to.
        buffer = np.zeros(length, np.uint8).data
        buffer[: min(head, length)] = source.read(offset, min(head, length))
        buffers[position] = buffer
    extents = []
    for position, offset, _ in places:
        record = container.parsed(position, buffers[position].toreadonly())
        records[position] = record
        extents += [(position, offset, *extent) for extent in _missing(record, parts, head)]
    for _, offset, start, stop in extents:
        source.expect(offset + start, stop - start)
    for position, offset, start, stop in extents:
        buffers[position][start:stop] = source.read(offset + start, stop - start)
    if places and source.far:
        source.check_size()
    return records


def _missing(record: Record, parts: frozenset[str], at_hand: int) -> list[tuple[int, int]]:
    """Extents of the record still to be read, neighbours as one."""
    ids = {GRAPH_STREAM, *(stream_id for part in parts for stream_id in record.streams.keys() & set(_STREAMS[part]))}
    extents: list[tuple[int, int]] = []
    for stream_id, entry in record.streams.items():
        stop = entry.offset + entry.stored_bytes
        if stream_id in ids and stop > at_hand:
            start = max(entry.offset, at_hand)
            if extents and start <= extents[-1][1] + padding(extents[-1][1]):
                start = extents.pop()[0]
            extents.append((start, stop))
    return extents
