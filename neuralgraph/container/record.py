"""A record: one study, the same bytes in a file of its own and in an archive (FORMAT.md section 5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuralgraph.codecs.forms import Buffer
from neuralgraph.codecs.registry import FORM_OF_STREAM, ExtraCodecs, FormEntry, decode_bytes
from neuralgraph.container.layout import ALIGNMENT, padding
from neuralgraph.container.streams import (
    CONCEPT_VECTOR_STREAMS,
    EMBEDDING_STREAMS,
    ENTRY,
    EXTENSION_STREAMS,
    GRAPH_STREAM,
    HEADER,
    MATRIX_STREAMS,
    MINIMUM_BYTES,
    OPTIONAL_STREAMS,
    PIXELS_STREAM,
    REPORT_STREAM,
    TAIL,
    WORD_ATTENTION_STREAM,
)
from neuralgraph.errors import ChecksumError, FormatError
from neuralgraph.wire.checksums import crc32
from neuralgraph.wire.columns import Counts, graph_bytes, split_graph
from neuralgraph.wire.limits import Limits
from neuralgraph.wire.study_columns import StudyColumns

__all__ = ["Record", "StreamEntry"]

_FREE_STREAMS = ((REPORT_STREAM, PIXELS_STREAM, WORD_ATTENTION_STREAM), OPTIONAL_STREAMS, EXTENSION_STREAMS)
"""Streams whose size does not follow from the counts."""

_RATIO_ALLOWANCE = 65_536
_RATIO = 1_024


class StreamEntry(NamedTuple):
    """One row of a record's stream table."""

    stream_id: int
    encoding: int
    stored_bytes: int
    decoded_bytes: int
    crc32: int
    offset: int
    """First byte, from the start of the record."""


class Record:
    """A record of a file: its header is checked on construction, each stream when it is read.

    Parameters
    ----------
    data : exactly the bytes of the record.
    where : how messages name it.
    limits : what to accept.
    disagreement : names the first count that the index states otherwise, or None; asked in its place among the rules.
    envelope : the largest decoded size and number of streams that the trailer allows.
    extra_codecs : decoders of private encodings that the reader brings along, by id.

    Raises
    ------
    FormatError (E_RECORD, E_STREAM, E_SIZE, E_COVER) : the header is damaged, or contradicts itself or the index.
    FormatError (E_BUDGET) : it exceeds the envelope.
    LimitError (E_LIMIT) : a count is above its limit.
    """

    def __init__(
        self,
        data: memoryview,
        *,
        where: str,
        limits: Limits,
        disagreement: Callable[[Counts], str | None] = lambda _: None,
        envelope: tuple[int, int] | None = None,
        extra_codecs: ExtraCodecs | None = None,
    ) -> None:
        self._extra_codecs = extra_codecs
        self.data, self.where, self.limits = data, where, limits
        limits.check("record_bytes", len(data), where=where)
        if len(data) < MINIMUM_BYTES:
            raise self._error("the record is shorter than its header")
        if len(data) % ALIGNMENT:
            raise self._error(f"the length of the record is not a multiple of {ALIGNMENT}")
        n_streams = int.from_bytes(data[HEADER.offset("n_streams") : HEADER.offset("n_streams") + 2], "little")
        table_end = HEADER.size + n_streams * ENTRY.size
        body = table_end + TAIL.size
        if body > len(data):
            raise self._error("the stream table is longer than the record")
        tail = TAIL.unpack(data[table_end:body], code="E_RECORD", where=where)
        if crc32(data[:table_end]) != tail["header_crc32"]:
            raise ChecksumError("the record header is damaged", code="E_RECORD", where=where)
        limits.check("streams", n_streams, where=where)
        header = HEADER.unpack(data[: HEADER.size], code="E_RECORD", where=where)
        if header["record_bytes"] != len(data):
            raise self._error(f"the record says {header['record_bytes']} bytes, the index {len(data)}")
        self.counts = Counts.unpack(data[HEADER.offset("counts") : HEADER.offset("counts") + Counts.SIZE])
        self.counts.check(limits, where=where)
        if name := disagreement(self.counts):
            raise self._error(f"record and index state different {name}")
        self.method_tag = int(header["method_tag"])
        self.content_digest = bytes(data[HEADER.offset("content_digest") : HEADER.size])
        self.streams = self._table(n_streams, body)
        self.decoded_bytes = sum(entry.decoded_bytes for entry in self.streams.values())
        limits.check("decoded_bytes", self.decoded_bytes, where=where)
        self._check_sizes()
        if envelope is not None and (self.decoded_bytes > envelope[0] or n_streams > envelope[1]):
            raise self._error("the record exceeds the envelope in the trailer", code="E_BUDGET")
        self._check_padding()

    def _error(self, reason: str, *, code: str = "E_RECORD", at: str = "") -> FormatError:
        return FormatError(reason, code=code, where=f"{self.where}{at}")

    def _table(self, n_streams: int, offset: int) -> dict[int, StreamEntry]:
        entries: dict[int, StreamEntry] = {}
        previous = 0
        for row in ENTRY.rows(self.data[HEADER.size : HEADER.size + n_streams * ENTRY.size]):
            entry = StreamEntry._make((*row, offset))
            if entry.stream_id <= previous:
                raise self._error("streams are not in ascending order of their ids", code="E_STREAM")
            previous = entry.stream_id
            end = offset + entry.stored_bytes
            offset = end + padding(end)
            if offset > len(self.data):
                raise self._error("a stream ends outside the record", code="E_STREAM", at=self._name(entry.stream_id))
            entries[entry.stream_id] = entry
        if offset != len(self.data):
            raise self._error("the streams do not fill the record", code="E_COVER")
        return entries

    def _check_padding(self) -> None:
        for entry in self.streams.values():
            end = entry.offset + entry.stored_bytes
            if padding(end) and any(self.data[end : end + padding(end)]):
                raise self._error("padding is not zero", code="E_COVER", at=self._name(entry.stream_id))

    def _check_sizes(self) -> None:
        """Every decoded size must follow from the counts, before a byte is decoded."""
        expected: dict[int, int] = {GRAPH_STREAM: graph_bytes(self.counts)}
        for base, rows, width in (
            (EMBEDDING_STREAMS, self.counts.n_patches, self.counts.embedding_dim),
            (CONCEPT_VECTOR_STREAMS, self.counts.n_concept_vectors, self.counts.concept_dim),
        ):
            entry = self.form(base)
            if (entry is None) == bool(rows):
                reason = "the matrix has no streams" if rows else "streams of an empty matrix"
                raise self._error(reason, code="E_STREAM", at=self._name(base))
            if entry is not None:
                first = base + entry.offset
                expected |= {first + plane: size for plane, size in enumerate(entry.form.plane_bytes(rows, width))}
        for stream_id in sorted(expected.keys() - self.streams.keys()):
            raise self._error("a stream is missing", code="E_STREAM", at=self._name(stream_id))
        for stream_id in self.streams:
            if stream_id not in expected and not any(stream_id in ids for ids in _FREE_STREAMS):
                raise self._error("a stream that this version does not know", code="E_STREAM", at=self._name(stream_id))
        for entry_ in self.streams.values():
            reason = ""
            if entry_.stream_id == WORD_ATTENTION_STREAM and not self._whole_words(entry_.decoded_bytes):
                reason = "the stream is not a whole number of words"
            elif entry_.decoded_bytes != expected.get(entry_.stream_id, entry_.decoded_bytes):
                reason = f"{entry_.decoded_bytes} bytes are stated, the counts require {expected[entry_.stream_id]}"
            elif entry_.decoded_bytes > _RATIO_ALLOWANCE + _RATIO * entry_.stored_bytes:
                reason = "the stream claims to expand beyond belief"
            if reason:
                raise self._error(reason, code="E_SIZE", at=self._name(entry_.stream_id))

    def _whole_words(self, size: int) -> bool:
        """Whether word attention may have this size: a step, then a span and a code per cell for every word."""
        words, rest = divmod(size - 4, 8 + self.counts.n_cells)
        return words >= 1 and rest == 0 and self.counts.n_cells >= 1

    @staticmethod
    def _name(stream_id: int) -> str:
        return f".stream[0x{stream_id:02x}]"

    def form(self, base: int) -> FormEntry | None:
        """The form of the matrix whose streams start at ``base``, or None when it has none.

        Raises
        ------
        FormatError (E_STREAM) : its streams belong to no form, or to several.
        """
        present = [stream_id - base for stream_id in self.streams if base <= stream_id < base + MATRIX_STREAMS]
        if not present:
            return None
        entry = FORM_OF_STREAM.get(present[0])
        if entry is None or any(FORM_OF_STREAM.get(offset) != entry for offset in present):
            raise self._error("the streams of a matrix belong to no known form", code="E_STREAM", at=self._name(base))
        return entry

    def read(self, stream_id: int) -> Buffer:
        """Decoded bytes of a stream, its checksum verified; a column of a later version comes as it is stored.

        Raises
        ------
        ChecksumError (E_CRC) : the stored bytes are damaged.
        CodecError (E_STREAM, E_SIZE, E_ZSTD) : the stream does not decode.
        """
        entry, where = self.streams[stream_id], self.where + self._name(stream_id)
        stored = self.data[entry.offset : entry.offset + entry.stored_bytes]
        if crc32(stored) != entry.crc32:
            raise ChecksumError("the stored bytes are damaged", code="E_CRC", where=where)
        if stream_id in OPTIONAL_STREAMS:
            return stored
        size = entry.decoded_bytes
        return decode_bytes(entry.encoding, stored, size, where=where, extra_codecs=self._extra_codecs)

    def columns(self, method: bytes, streams: Mapping[int, Buffer]) -> StudyColumns:
        """Everything the record holds.

        Parameters
        ----------
        method : the method map that ``method_tag`` names.
        streams : all streams by id, as ``read`` gives them.

        Raises
        ------
        CodecError (E_FILTER, E_NUM) : a matrix has parameters or values that its form does not allow.
        FormatError (E_STREAM, E_NAME) : extensions are not in order, or have no name.
        """
        report, pixels, words = map(streams.get, (REPORT_STREAM, PIXELS_STREAM, WORD_ATTENTION_STREAM))
        return StudyColumns(
            counts=self.counts,
            method=method,
            graph=split_graph(self.counts, streams[GRAPH_STREAM]),
            embedding=self._matrix(EMBEDDING_STREAMS, streams),
            concept_vectors=self._matrix(CONCEPT_VECTOR_STREAMS, streams),
            report=None if report is None else bytes(report),
            pixels=None if pixels is None else bytes(pixels),
            word_attention=None if words is None else bytes(words),
            extensions=self._extensions(streams),
        )

    def _matrix(self, base: int, streams: Mapping[int, Buffer]) -> NDArray[np.float32]:
        counts = self.counts
        rows, width = counts.n_patches, counts.embedding_dim
        if base == CONCEPT_VECTOR_STREAMS:
            rows, width = counts.n_concept_vectors, counts.concept_dim
        entry = self.form(base)
        if entry is None:
            return np.empty((rows, width), np.float32)
        planes = [streams[base + entry.offset + plane] for plane in range(entry.form.n_planes)]
        return entry.form.decode(planes, rows, width, where=self.where + self._name(base))

    def _extensions(self, streams: Mapping[int, Buffer]) -> dict[str, bytes]:
        stream_ids = [stream_id for stream_id in self.streams if stream_id in EXTENSION_STREAMS]
        named = [self._extension(bytes(streams[stream_id])) for stream_id in stream_ids]
        if stream_ids != list(EXTENSION_STREAMS[: len(stream_ids)]):
            raise self._error("extensions do not take the stream ids from 0x8000 upwards", code="E_STREAM")
        names = [name for name, _ in named]
        if names != sorted(set(names)):
            raise self._error("extensions are not in ascending order of their names, each once", code="E_STREAM")
        return dict(named)

    def _extension(self, data: bytes) -> tuple[str, bytes]:
        length = data[0] if data else 0
        try:
            name = data[1 : 1 + length].decode("utf-8")
        except UnicodeDecodeError:
            name = ""
        if not name or len(data) < 1 + length:
            reason = "an extension stream does not begin with its name"
            raise self._error(reason, code="E_NAME", at=".extensions")
        return name, data[1 + length :]
