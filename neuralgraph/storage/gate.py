"""The one gate: what a record must prove before anything of it is handed out (FORMAT.md section 11, R12).

Nothing is remembered: each access proves the bytes that it read. Whoever wants all that is wrong takes every error of
``examine``; whoever wants the study takes the first (``prove``). Levels say how far to go.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import partial

from neuralgraph.codecs.forms import Buffer
from neuralgraph.container.contents import INDEX, KEYS
from neuralgraph.container.pages import section_payload
from neuralgraph.container.reader import ENVELOPE, Container
from neuralgraph.container.record import Record
from neuralgraph.errors import ChecksumError, FormatError, NeuralGraphError, StudyError
from neuralgraph.graph import provenance
from neuralgraph.graph.rules import study_problems
from neuralgraph.wire import canonical
from neuralgraph.wire.checksums import leaf_digest
from neuralgraph.wire.study_columns import StudyColumns

__all__ = ["Claims", "Examination", "Level", "examine", "examine_file", "examine_record", "first_error", "prove"]

Examination = Generator[NeuralGraphError, None, StudyColumns | None]
"""Errors in the order of R12; at the end the columns, unless a record below the level of streams, or a broken one."""


class Level(IntEnum):
    """How far a record is examined; each level includes those before it."""

    HEADER = 1
    """Header and stream table: counts, sizes, limits, the row of the index, the method."""
    STREAMS = 2
    """Every stream has its checksum and decodes to what the counts require."""
    DIGEST = 3
    """Content digest and leaf; in a file with one study the root."""
    MEANING = 4
    """The rules of the graph, and the id in the keys."""


@dataclass(frozen=True)
class Claims:
    """What is said of a record besides its header, and who can tell whether it is true."""

    content_digest: bool = True
    """The content digest of the header is that of this method; False when the method is lost."""
    leaf: Callable[[], bytes] | None = None
    """The leaf digest that the index states."""
    root: Callable[[], None] | None = None
    """Raises when the root does not hold; of a file with one study only."""
    key: Callable[[], bytes] | None = None
    """The study id that the keys state, UTF-8."""


def examine(container: Container, position: int, record: Record, *, level: Level, with_keys: bool) -> Examination:
    """Every broken rule of the record at ``position``, with what its file claims of it; as ``examine_record``.

    ``with_keys`` compares the study id with the keys, the last rule of all.
    """

    def key() -> bytes:
        assert container.keys is not None, "a file of several studies has keys"
        return container.keys.study_id_bytes(position)

    try:
        method = container.method(record)
    except NeuralGraphError as error:
        yield error
        return None
    claims = Claims(
        leaf=lambda: container.index.leaf(position),
        root=container.verify_root if len(container) == 1 else None,
        key=key if with_keys and len(container) > 1 else None,
    )
    return (yield from examine_record(record, method, claims, level=level))


def examine_record(record: Record, method: bytes, claims: Claims, *, level: Level) -> Examination:
    """Every broken rule of a record whose header is sound, wherever its bytes come from.

    Parameters
    ----------
    record : its header, parsed, and its bytes.
    method : the method map that the record names.
    claims : what is said of it elsewhere.
    level : how far to go.

    Yields
    ------
    NeuralGraphError : what is wrong, not raised, in the order of R12.

    Returns
    -------
    the columns; None where they cannot be had, or below the level of streams.
    """
    if level < Level.STREAMS:
        return None
    columns = yield from _decode(record, method)
    if level >= Level.DIGEST:
        yield from _digests(record, columns, claims)
    if level >= Level.MEANING and columns is not None:
        yield from _meaning(record, columns, claims)
    return columns


def _decode(record: Record, method: bytes) -> Examination:
    streams: dict[int, Buffer] = {}
    for stream_id in record.streams:
        try:
            streams[stream_id] = record.read(stream_id)
        except NeuralGraphError as error:
            yield error
    if len(streams) < len(record.streams):
        return None
    try:
        return record.columns(method, streams)
    except NeuralGraphError as error:
        yield error
    return None


def _digests(record: Record, columns: StudyColumns | None, claims: Claims) -> Iterator[NeuralGraphError]:
    if columns is not None and claims.content_digest and columns.digest() != record.content_digest:
        yield ChecksumError("the content does not match its digest", code="E_DIGEST", where=record.where)
    if claims.leaf is not None and leaf_digest(record.data) != claims.leaf():
        yield ChecksumError("the record does not match its leaf digest", code="E_DIGEST", where=record.where)
    if claims.root is not None:
        yield from _raised(claims.root)


def _meaning(record: Record, columns: StudyColumns, claims: Claims) -> Iterator[NeuralGraphError]:
    sound = True
    for problem in study_problems(columns):
        sound = False
        yield StudyError(problem.message, code=problem.code, where=f"{record.where}.{problem.where}")
    if not sound or claims.key is None:
        return
    try:
        key = claims.key()
    except NeuralGraphError as error:
        yield error
        return
    if key != columns.study_id:
        yield FormatError(f"the id of {record.where} is not the one in its record", code="E_INDEX", where="keys")


def first_error(examination: Iterator[NeuralGraphError]) -> StudyColumns | None:
    """What an examination gives when nothing is wrong.

    Raises
    ------
    NeuralGraphError : the first thing that is wrong.
    """
    try:
        error = next(examination)
    except StopIteration as end:
        columns: StudyColumns | None = end.value
        return columns
    raise error


def prove(
    container: Container, position: int, *, level: Level = Level.MEANING, data: memoryview | None = None
) -> StudyColumns:
    """The columns of a record, proven up to ``level``, which is at least that of streams.

    Parameters
    ----------
    container, position : the file, and which of its records.
    level : how far to go.
    data : the bytes of the record, if they have been read already; they are read once otherwise.

    Raises
    ------
    NeuralGraphError : the first broken rule in the order of R12.
    """
    record = container.record(position, data)
    columns = first_error(examine(container, position, record, level=level, with_keys=True))
    assert columns is not None, "from the level of streams on, a record without errors has columns"
    return columns


def examine_file(
    container: Container, *, level: Level, take: Callable[[StudyColumns], None] = lambda _: None
) -> Iterator[NeuralGraphError]:
    """Every broken rule of an open file, in the order of R12: what opening it did not ask for, record by record, and
    what only all records together can show.

    Parameters
    ----------
    container : the file.
    level : how far to go; below that of streams, sections and keys are not read, below that of digests no root.
    take : called with the columns of each record that has them.
    """
    yield from _method_errors(container)
    try:
        container.index.check()
    except NeuralGraphError as error:
        # Where the index is broken, nothing behind it is trusted (R13).
        yield error
        return
    damaged = list(_section_errors(container)) if level >= Level.STREAMS else []
    yield from damaged
    envelope: list[int] | None = [0, 0, 0]
    for position in range(len(container)):
        try:
            record = container.record(position)
        except NeuralGraphError as error:
            yield error
            envelope = None
            continue
        if envelope:
            size, streams = record.decoded_bytes, len(record.streams)
            envelope = [envelope[0] + size, max(envelope[1], size), max(envelope[2], streams)]
        columns = yield from examine(container, position, record, level=level, with_keys=not damaged)
        if columns is not None:
            take(columns)
    if envelope and envelope != [container.trailer[name] for name in ENVELOPE]:
        yield FormatError("the envelope is not that of the records", code="E_BUDGET", where="trailer")
    if level >= Level.DIGEST and len(container) > 1:
        yield from _raised(container.verify_root)


def _method_errors(container: Container) -> Iterator[NeuralGraphError]:
    for method in container.contents.methods.values():
        for problem in provenance.problems(canonical.decode(method, where="method"), {}):
            yield FormatError(problem.message, code=problem.code, where=problem.where)


def _section_errors(container: Container) -> Iterator[NeuralGraphError]:
    for name in container.contents.sections:
        if name != INDEX:
            yield from _raised(partial(_check_section, container, name))


def _check_section(container: Container, name: str) -> None:
    if name == KEYS and container.keys is not None:
        container.keys.check()
    else:
        section_payload(container.source, container.contents.sections[name])


def _raised(check: Callable[[], object]) -> Iterator[NeuralGraphError]:
    """What ``check`` raises, as a value."""
    try:
        check()
    except NeuralGraphError as error:
        yield error
