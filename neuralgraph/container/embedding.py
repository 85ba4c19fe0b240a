"""The embedding of a record without the rest of it: where its planes stand, and those of a verified record decoded."""

from __future__ import annotations

import struct
from typing import NamedTuple

from neuralgraph.codecs import store, zstd
from neuralgraph.codecs.forms import Buffer, Form
from neuralgraph.codecs.registry import STORE, ZSTD, form_of_stream
from neuralgraph.container.layout import padding
from neuralgraph.container.streams import EMBEDDING_STREAMS, ENTRY, HEADER, MATRIX_STREAMS, TAIL
from neuralgraph.errors import ChecksumError, FormatError
from neuralgraph.wire.checksums import crc32
from neuralgraph.wire.columns import Counts

__all__ = ["Plane", "header_bytes", "proven_planes", "stored_planes"]

_ROW = struct.Struct("<HHIII")
"""``ENTRY`` as a tuple: the names of its fields take longer than all else."""
_N_STREAMS = HEADER.offset("n_streams")


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
    n_streams = int.from_bytes(header[_N_STREAMS : _N_STREAMS + 2], "little")
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


def proven_planes(record: memoryview, rows: int, width: int, *, where: str) -> tuple[Form, list[Buffer]] | None:
    """Form and decoded planes of the embedding of a record that has been verified before: no checksum is looked at.

    Sizes are held against the counts all the same: the file may have been written over.

    Parameters
    ----------
    record : the whole record.
    rows, width : of the embedding, as the index states them.

    Returns
    -------
    None when a plane is in an encoding of a private agreement, or the record has no such embedding (any more).

    Raises
    ------
    CodecError (E_ZSTD, E_SIZE) : a plane does not decode to its size.
    """
    n_streams = int.from_bytes(record[_N_STREAMS : _N_STREAMS + 2], "little")
    position = HEADER.size + ENTRY.size * n_streams + TAIL.size
    if position > len(record):
        return None
    form: Form | None = None
    planes: list[Buffer] = []
    for number in range(n_streams):
        stream_id, encoding, size, _, _ = _ROW.unpack_from(record, HEADER.size + ENTRY.size * number)
        offset = stream_id - EMBEDDING_STREAMS
        if 0 <= offset < MATRIX_STREAMS:
            if form is None:
                entry = form_of_stream(offset)
                if entry is None or entry.offset != offset:
                    return None
                form = entry.form
                sizes = form.plane_bytes(rows, width)
            stored = record[position : position + size]
            if len(planes) == len(sizes) or encoding not in (STORE, ZSTD):
                return None
            wanted = sizes[len(planes)]
            planes.append(
                zstd.decode_again(stored, wanted, where=where)
                if encoding == ZSTD
                else store.decode(stored, wanted, where=where)
            )
        position += size + padding(size)
    return None if form is None or len(planes) != len(sizes) else (form, planes)
