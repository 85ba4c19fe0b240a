"""An embedding that stands in its record as it will stand in memory: where it is, without reading the rest."""

from __future__ import annotations

from typing import NamedTuple

from neuralgraph.codecs.registry import STORE, form_of_stream
from neuralgraph.container.layout import padding
from neuralgraph.container.streams import EMBEDDING_STREAMS, ENTRY, HEADER, TAIL
from neuralgraph.errors import ChecksumError, FormatError
from neuralgraph.wire.checksums import crc32
from neuralgraph.wire.columns import Counts

__all__ = ["Plane", "header_bytes", "stored_planes"]


class Plane(NamedTuple):
    """One stored plane."""

    offset: int
    """First byte, from the start of the record."""
    nbytes: int
    crc32: int


def header_bytes(n_streams: int) -> int:
    """Size of the header of a record of ``n_streams`` streams."""
    return HEADER.size + ENTRY.size * n_streams + TAIL.size


def stored_planes(header: memoryview, form_offset: int, *, where: str) -> tuple[Counts, list[Plane]]:
    """The counts of a record and the planes of its embedding, from a header whose checksum holds.

    Parameters
    ----------
    header : the beginning of the record, at least its header.
    form_offset : stream id offset of the form that the embedding is said to have.
    where : how messages name the record.

    Raises
    ------
    ChecksumError (E_RECORD) : the header is damaged.
    FormatError (E_INDEX) : the record does not hold a stored embedding of that form.
    """
    n_streams = int.from_bytes(header[HEADER.offset("n_streams") :][:2], "little")
    end = HEADER.size + ENTRY.size * n_streams
    if len(header) < end + TAIL.size:
        raise FormatError("the stream table is longer than the record", code="E_RECORD", where=where)
    if crc32(header[:end]) != int.from_bytes(header[end : end + 4], "little"):
        raise ChecksumError("the record header is damaged", code="E_RECORD", where=where)
    counts = Counts.unpack(header[HEADER.offset("counts") :][: Counts.SIZE])
    entry = form_of_stream(form_offset)
    planes: list[Plane] = []
    position = end + TAIL.size
    for number in range(n_streams):
        row = ENTRY.unpack(header[HEADER.size + ENTRY.size * number :][: ENTRY.size], code="E_STREAM", where=where)
        plane = row["stream_id"] - EMBEDDING_STREAMS - form_offset
        if entry is not None and 0 <= plane < entry.form.n_planes:
            size = entry.form.plane_bytes(counts.n_patches, counts.embedding_dim)[plane]
            if row["encoding"] != STORE or row["stored_bytes"] != size or plane != len(planes):
                break
            planes.append(Plane(position, size, row["crc32"]))
        position += row["stored_bytes"] + padding(row["stored_bytes"])
    if entry is None or len(planes) != entry.form.n_planes:
        raise FormatError("the embedding is not stored as the archive says", code="E_INDEX", where=where)
    return counts, planes
