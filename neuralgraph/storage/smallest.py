"""The profile "smallest": light columns and reports in whatever takes the fewest bytes (FORMAT.md sections 7.8, 7.9).

An archive gets a dictionary, trained on its first studies. Nothing of a study changes but how two of its streams are
stored; a file of one study stays whole.
"""

from __future__ import annotations

from typing import NamedTuple

from neuralgraph.codecs import short_numbers
from neuralgraph.codecs.dictionary import Dictionary, train_dictionary
from neuralgraph.codecs.registry import SHORT_NUMBERS, ZSTD_DICTIONARY
from neuralgraph.container.encode import Recoding, plain_encoding, recoded
from neuralgraph.container.layout import padding
from neuralgraph.container.record import Record, StreamEntry
from neuralgraph.container.streams import GRAPH_STREAM, LEANING_STREAMS
from neuralgraph.container.writer import ContainerWriter
from neuralgraph.wire.columns import Counts
from neuralgraph.wire.limits import Limits

__all__ = ["SAMPLE", "SmallestWriter", "without_dictionary"]

SAMPLE = 1_000
"""Studies that a dictionary is trained on, the first ones; they are held in memory until then."""
_SAMPLE_BYTES = 2**26
"""Bytes of records from which on it is trained on fewer."""
_DICTIONARY_BYTES = 8_192
"""More saves little more (docs/measurements/graph_stream.md)."""


class _Waiting(NamedTuple):
    record: Record
    study_id: str
    method: bytes


class SmallestWriter:
    """Writes records to ``writer``, each as small as it can be without a look at its embedding.

    Parameters
    ----------
    writer : where they go; it is finished by its owner, after ``finish`` here.
    limits : what records to accept.
    """

    def __init__(self, writer: ContainerWriter, *, limits: Limits | None = None) -> None:
        self._writer, self._limits = writer, limits or Limits()
        self._waiting: list[_Waiting] | None = []
        self._waiting_bytes = 0
        self._dictionary: Dictionary | None = None

    def add(self, record: bytes | memoryview, *, study_id: str, method: bytes) -> None:
        """Append a record that leans on no dictionary, now or when there is one; errors as ``ContainerWriter.add``."""
        # A copy: it may wait for longer than its file stays open.
        parsed = Record(memoryview(bytes(record)), where=study_id, limits=self._limits)
        each = _Waiting(parsed, study_id, method)
        if self._waiting is None:
            self._write(each)
            return
        self._waiting.append(each)
        self._waiting_bytes += len(record)
        if len(self._waiting) == SAMPLE or self._waiting_bytes > _SAMPLE_BYTES:
            self._begin(self._waiting)

    def finish(self) -> None:
        """Write what still waits."""
        if self._waiting:
            self._begin(self._waiting)

    def _begin(self, waiting: list[_Waiting]) -> None:
        self._waiting = None
        self._dictionary = _worthwhile([each.record for each in waiting])
        if self._dictionary is not None:
            self._writer.add_dictionary(self._dictionary)
        for each in waiting:
            self._write(each)

    def _write(self, each: _Waiting) -> None:
        data = recoded(each.record, LEANING_STREAMS, _smallest(each.record.counts, self._dictionary))
        self._writer.add(data, study_id=each.study_id, method=each.method)


def without_dictionary(record: Record) -> bytes | memoryview:
    """The record as it stands when it leans on no dictionary, and written anew without one otherwise."""
    leaning = [stream_id for stream_id, entry in record.streams.items() if entry.encoding == ZSTD_DICTIONARY]
    return recoded(record, leaning, lambda _, data: plain_encoding(data)) if leaning else record.data


def _smallest(counts: Counts, dictionary: Dictionary | None) -> Recoding:
    """Of all encodings the one that gives the fewest bytes, of equal ones the first in the book."""

    def choose(entry: StreamEntry, data: bytes) -> tuple[int, bytes]:
        candidates = [plain_encoding(data)]
        if entry.stream_id == GRAPH_STREAM and (short := short_numbers.encode(data, counts)) is not None:
            candidates.append((SHORT_NUMBERS, short))
        if dictionary is not None:
            candidates.append((ZSTD_DICTIONARY, dictionary.encode(data)))
        return min(candidates, key=lambda each: (len(each[1]), each[0]))

    return choose


def _padded(size: int) -> int:
    return size + padding(size)


def _worthwhile(records: list[Record]) -> Dictionary | None:
    """A dictionary for these records, unless it takes more bytes than it saves in them."""
    streams = [
        (record.counts, record.streams[stream_id], bytes(record.read(stream_id)))
        for record in records
        for stream_id in LEANING_STREAMS
        if stream_id in record.streams
    ]
    dictionary = (
        train_dictionary([data for _, _, data in streams], size=_DICTIONARY_BYTES) if len(records) > 1 else None
    )
    if dictionary is None:
        return None
    alone, together = (
        sum(_padded(len(_smallest(counts, each)(entry, data)[1])) for counts, entry, data in streams)
        for each in (None, dictionary)
    )
    return dictionary if alone - together > len(dictionary.data) else None
