"""Seeds for the parts of files, cut from the valid vectors of ``spec/vectors``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import astuple

import numpy as np

from fuzz.seeds import file_seeds
from neuralgraph.codecs.registry import FORMS, ZSTD
from neuralgraph.container.contents import INDEX, KEYS
from neuralgraph.container.pages import section_payload
from neuralgraph.container.reader import BytesSource, Container
from neuralgraph.container.record import Record
from neuralgraph.container.streams import GRAPH_STREAM
from neuralgraph.wire import canonical

__all__ = ["PART_SEEDS"]

_MOST_BYTES = 1_024


def _containers() -> Iterator[Container]:
    return (Container(BytesSource(data)) for data in file_seeds())


def _records() -> Iterator[Record]:
    return (container.record(position) for container in _containers() for position in range(len(container)))


def _toc(container: Container) -> tuple[int, bytes]:
    offset, length = container.trailer["toc_offset"], container.trailer["toc_bytes"]
    return offset, bytes(container.source.read(offset, length))


def _maps() -> Iterator[bytes]:
    for container in _containers():
        yield _toc(container)[1]
    for value in (None, 0, -1, 255, -129, 2**16, 2**32, -(2**40), 2**53 - 1, 0.5, True, "a" * 40, b"\0", ["x"] * 20):
        yield canonical.encode({} if value is None else {"key": value, "zz": [value, {"a": value}]})


def _frames() -> Iterator[bytes]:
    for record in _records():
        for entry in record.streams.values():
            if entry.encoding == ZSTD:
                yield bytes(record.data[entry.offset : entry.offset + entry.stored_bytes])


def _contents() -> Iterator[bytes]:
    for container in _containers():
        offset, data = _toc(container)
        yield (offset // 8).to_bytes(2, "little") + data


def _payload(container: Container, name: str) -> bytes:
    return bytes(section_payload(container.source, container.contents.sections[name]))


def _indexes() -> Iterator[bytes]:
    for container in _containers():
        end = container.contents.sections[INDEX].offset
        yield bytes([len(container) - 1]) + end.to_bytes(4, "little") + _payload(container, INDEX)


def _keys() -> Iterator[bytes]:
    for container in _containers():
        if len(container) > 1:
            yield bytes([len(container) - 2]) + _payload(container, KEYS)


def _whole_records() -> Iterator[bytes]:
    return (bytes(record.data) for record in _records())


def _columns() -> Iterator[bytes]:
    for record in _records():
        counts = astuple(record.counts)
        if max(counts) < 256:
            yield bytes(counts) + bytes(record.read(GRAPH_STREAM))


def _forms() -> Iterator[bytes]:
    matrix = np.linspace(-2, 2, 12, dtype=np.float32).reshape(3, 4)
    for number, entry in enumerate(FORMS.values()):
        yield bytes([number, 3, 3]) + b"".join(entry.form.encode(matrix))


def _distinct(seeds: Callable[[], Iterator[bytes]]) -> Callable[[], Iterator[bytes]]:
    return lambda: iter(sorted({seed for seed in seeds() if len(seed) <= _MOST_BYTES}))


PART_SEEDS: dict[str, Callable[[], Iterator[bytes]]] = {
    "map": _distinct(_maps),
    "frame": _distinct(_frames),
    "contents": _distinct(_contents),
    "index": _distinct(_indexes),
    "keys": _distinct(_keys),
    "record": _distinct(_whole_records),
    "columns": _distinct(_columns),
    "form": _distinct(_forms),
}
"""Target -> what gives its seeds, sorted, each once."""
