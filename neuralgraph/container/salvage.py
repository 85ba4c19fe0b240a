"""Where the records of a damaged file are. Only recovery looks for them; readers never do (FORMAT.md section 2, R1).

A stream may hold anything, a whole record or a whole file included, and such bytes must not come back as a study of
their own. So records are found in this order:

1. by the index, when it is this file's: a row is used when the bytes there have the leaf digest of the row;
2. in step: the first record stands behind the prologue, each further one where the one before ends. A header whose
   checksum holds states that end. For a damaged one the end is taken only when the two ways in which a header states it
   agree, and a header whose checksum holds, or the end of the records, follows there. Nothing inside a record is ever
   looked at;
3. by searching for the sync marker, behind the place where step was lost. What is found there may be the content of a
   damaged record, so it is listed, and taken only when the caller asks for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice

from neuralgraph.container.contents import INDEX, KEYS, Contents, Section, parse_contents
from neuralgraph.container.index import ROW_BYTES, Index
from neuralgraph.container.keys import Keys
from neuralgraph.container.layout import ALIGNMENT, PROLOGUE, SYNC, TRAILER, padding, parse_prologue, parse_trailer
from neuralgraph.container.pages import Pages, section_payload
from neuralgraph.container.source import ByteSource
from neuralgraph.container.streams import ENTRY, HEADER, MINIMUM_BYTES, TAIL
from neuralgraph.errors import ChecksumError, FormatError, NeuralGraphError, Problem
from neuralgraph.wire import canonical
from neuralgraph.wire.checksums import crc32, leaf_digest
from neuralgraph.wire.limits import HARD_LIMITS, Limits

__all__ = ["Place", "Survey", "survey"]

_CHUNK = 2**20
_METHODS = b"\xa7methods"
_MAX_CANDIDATES = 16


@dataclass
class Tail:
    """What the end of a damaged file still says: the parts whose checksums hold; None where they do not.

    The end may have moved: a file that lost or gained bytes ends with a trailer that states another length.
    """

    problems: list[Problem] = field(default_factory=list)
    """What is wrong with it."""
    shift: int = 0
    """By how much the tail stands behind its original place."""
    contents: Contents | None = None
    index: Index | None = None
    keys: Keys | None = None

    @property
    def records_end(self) -> int | None:
        """First byte after the last record in the undamaged file, or None when it is not known."""
        return None if self.contents is None else self.contents.sections[INDEX].offset


@dataclass(frozen=True)
class Place:
    """Where a record stands, or stood; or bytes in which several may have stood."""

    offset: int
    length: int
    number: int | None = None
    """Which study of the file it is, counted from 0; None when that is not known."""
    problem: Problem | None = None
    """Why the record cannot be read; None when it can be tried."""
    searched: bool = False
    """Found by searching: it may be the content of another record."""


@dataclass
class Survey:
    """What is known about a damaged file."""

    tail: Tail
    places: list[Place] = field(default_factory=list)
    """Records, in the order of the file."""
    suspects: list[Place] = field(default_factory=list)
    """Records found by searching that were not asked for."""
    problems: list[Problem] = field(default_factory=list)
    """Damage to what is not a record."""
    complete: bool = False
    """No record stood anywhere else."""
    methods: list[bytes] = field(default_factory=list)
    """Method maps that were found. Of a damaged table of contents they prove themselves by the content digests."""


def survey(source: ByteSource, limits: Limits, *, search: bool) -> Survey:
    """Find the records of a file of any condition.

    Parameters
    ----------
    source : the bytes.
    limits : what to accept.
    search : take what is found by searching.

    Raises
    ------
    FormatError (E_PROLOGUE, E_FEATURE) : a file of a version, or with features, that this reader does not know.
    """
    tail = _read_tail(source, limits)
    result = Survey(tail, problems=[*_prologue_problems(source), *tail.problems])
    if tail.index is not None and _is_ours(source, tail, search=search):
        result.places = list(_by_index(source, tail))
        result.complete = True
    else:
        if tail.index is not None:
            reason = "the index at the end contradicts the records, or belongs to another file"
            result.problems.append(Problem("E_INDEX", "index", reason))
            result.tail = tail = Tail(tail.problems)
        _in_step(source, result, search=search)
    result.methods = list(tail.contents.methods.values()) if tail.contents else _methods(source, result)
    return result


def _read_tail(source: ByteSource, limits: Limits) -> Tail:
    """The tail of a file of any condition; never raises for what the file holds."""
    tail = Tail()
    if source.size < PROLOGUE.size + TRAILER.size:
        tail.problems.append(Problem("E_TRUNCATED", "file", f"{source.size} bytes are less than the smallest file"))
        return tail
    try:
        _read_parts(tail, source, limits)
    except NeuralGraphError as error:
        tail.problems.append(error.problem)
    return tail


def _read_parts(tail: Tail, source: ByteSource, limits: Limits) -> None:
    data = bytes(source.read(source.size - TRAILER.size, TRAILER.size))
    stated = int.from_bytes(data[TRAILER.offset("file_bytes") :][:8], "little")
    # Magic and checksum are verified here too; the length is what a moved tail states otherwise.
    trailer = parse_trailer(data, stated)
    tail.shift = source.size - stated
    if tail.shift:
        code = "E_TRUNCATED" if tail.shift < 0 else "E_TRAILING"
        tail.problems.append(Problem(code, "trailer", f"the trailer says {stated} bytes, the file has {source.size}"))
    start, length = trailer["toc_offset"] + tail.shift, trailer["toc_bytes"]
    if length > limits.toc_bytes:
        raise FormatError(f"the table of contents has {length} bytes", code="E_TOC_SIZE", where="toc")
    if start < 0 or start + length > source.size:
        raise _outside()
    toc = bytes(source.read(start, length))
    if crc32(toc) != trailer["toc_crc32"]:
        raise ChecksumError("the table of contents is damaged", code="E_TOC_CRC", where="toc")
    contents = parse_contents(toc, toc_offset=trailer["toc_offset"], limits=limits)
    section = contents.sections[INDEX]
    if trailer["n_records"] == 0 or section.length != ROW_BYTES * trailer["n_records"]:
        raise FormatError("the index is not that of the stated number of studies", code="E_INDEX", where="index")
    tail.contents = contents
    try:
        tail.index = Index(_pages(source, section, tail.shift), trailer["n_records"], end=section.offset)
    except NeuralGraphError as error:
        tail.problems.append(error.problem)
    if KEYS in contents.sections:
        try:
            tail.keys = Keys(_pages(source, contents.sections[KEYS], tail.shift), trailer["n_records"])
        except NeuralGraphError as error:
            tail.problems.append(error.problem)


def _pages(source: ByteSource, section: Section, shift: int) -> Pages:
    """The payload of a section that stands ``shift`` bytes behind its original place."""
    if section.offset + shift < 0:
        raise _outside()
    return Pages(section_payload(source, replace(section, offset=section.offset + shift)))


def _outside() -> FormatError:
    return FormatError("the bytes lie outside the file", code="E_RANGE", where="file")


def _prologue_problems(source: ByteSource) -> list[Problem]:
    try:
        parse_prologue(bytes(source.read(0, min(PROLOGUE.size, source.size))).ljust(PROLOGUE.size, b"\0"))
    except FormatError as error:
        if error.code == "E_FEATURE" or (error.code == "E_PROLOGUE" and not isinstance(error, ChecksumError)):
            raise
        return [error.problem]
    return []


@dataclass(frozen=True)
class _Header:
    """The extent a header states."""

    length: int
    """The whole record, or 0 when the two ways to state it disagree or are impossible."""
    sound: bool
    """Its checksum holds."""


def _header(source: ByteSource, offset: int) -> _Header | None:
    """The header at ``offset``, or None when the file ends inside it."""
    if offset + MINIMUM_BYTES > source.size:
        return None
    fixed = bytes(source.read(offset, HEADER.size))
    n_streams = int.from_bytes(fixed[HEADER.offset("n_streams") :][:2], "little")
    body = HEADER.size + n_streams * ENTRY.size + TAIL.size
    if offset + body > source.size:
        return _Header(0, sound=False)
    data = bytes(source.read(offset, body))
    table_end = body - TAIL.size
    length = int.from_bytes(data[HEADER.offset("record_bytes") :][:4], "little")
    total = body
    for row in range(HEADER.size, table_end, ENTRY.size):
        stored = int.from_bytes(data[row + ENTRY.offset("stored_bytes") :][:4], "little")
        total += stored + padding(stored)
    if total != length or length > HARD_LIMITS["record_bytes"]:
        return _Header(0, sound=False)
    checksum = int.from_bytes(data[table_end : table_end + 4], "little")
    return _Header(length, sound=data[:8] == SYNC and crc32(data[:table_end]) == checksum)


def _is_ours(source: ByteSource, tail: Tail, *, search: bool) -> bool:
    """Whether an index belongs to the records of this file, and not to a file that one of them contains.

    It must not contradict any sound header at its rows. When it does not stand where it says, a record must
    have the leaf digest of its row, too; or else the caller has accepted what searching finds.
    """
    index = tail.index
    assert index is not None
    confirmed = tail.shift == 0 or search
    for row in range(len(index.length)):
        offset, length = int(index.offset[row]), int(index.length[row])
        header = _header(source, offset)
        if header is not None and header.sound:
            if header.length != length:
                return False
            confirmed = confirmed or _has_leaf(source, offset, length, index.leaf(row))
    return confirmed


def _has_leaf(source: ByteSource, offset: int, length: int, leaf: bytes) -> bool:
    inside = offset >= 0 and offset + length <= source.size
    return inside and leaf_digest(source.read(offset, length)) == leaf


def _by_index(source: ByteSource, tail: Tail) -> Iterator[Place]:
    index = tail.index
    assert index is not None
    for row in range(len(index.length)):
        offset, length = int(index.offset[row]), int(index.length[row])
        shifts = (0, tail.shift) if tail.shift else (0,)
        for shift in shifts:
            if _has_leaf(source, offset + shift, length, index.leaf(row)):
                yield Place(offset + shift, length, row)
                break
        else:
            problem = Problem("E_DIGEST", f"record[{row}]", "the record does not match its leaf digest")
            if tail.shift == 0 and (header := _header(source, offset)) and not header.sound:
                problem = Problem("E_RECORD", f"record[{row}]", "the record header is damaged")
            yield Place(offset, length, row, problem)


def _in_step(source: ByteSource, result: Survey, *, search: bool) -> None:
    """Follow the records from the first on; where step is lost, search."""
    end = result.tail.records_end if result.tail.shift == 0 else None
    stop = source.size if end is None else end
    position, number = PROLOGUE.size, 0
    while position < stop:
        header = _header(source, position)
        where = f"record[{number}]"
        if header is None or not header.length:
            break
        after = position + header.length
        if header.sound and after <= stop:
            result.places.append(Place(position, header.length, number))
        elif header.sound:
            problem = Problem("E_TRUNCATED", where, f"the file ends {after - stop} bytes before the study does")
            result.places.append(Place(position, stop - position, number, problem))
            return
        elif after == end or ((follows := _header(source, after)) and follows.sound):
            problem = Problem("E_RECORD", where, "the record header is damaged")
            result.places.append(Place(position, header.length, number, problem))
        else:
            break
        position, number = after, number + 1
    if position == end:
        result.complete = True
        return
    if end is None and _index_follows(source, position, result):
        result.complete = True
        return
    _search(source, result, position, stop, search=search)


def _index_follows(source: ByteSource, position: int, result: Survey) -> bool:
    """Whether the bytes at ``position`` are the index of exactly the records found, so that there were no others."""
    count = len(result.places)
    if not count or position + 12 * count > source.size:
        return False
    offsets = b"".join(place.offset.to_bytes(8, "little") for place in result.places)
    lengths = b"".join(place.length.to_bytes(4, "little") for place in result.places)
    return bytes(source.read(position, 12 * count)) == offsets + lengths


def _search(source: ByteSource, result: Survey, start: int, stop: int, *, search: bool) -> None:
    """Look for sound headers on 8-byte boundaries; never inside a record found."""
    if stop > start:
        reason = "no record stands where one should begin; how many studies stood here is not known"
        result.places.append(Place(start, stop - start, problem=Problem("E_RECORD", f"byte {start}", reason)))
    position = start
    while (found := _next_sync(source, position, stop)) is not None:
        header = _header(source, found)
        if header is None or not header.sound or found + header.length > stop:
            position = found + ALIGNMENT
            continue
        (result.places if search else result.suspects).append(Place(found, header.length, searched=True))
        position = found + header.length


def _next_sync(source: ByteSource, start: int, stop: int) -> int | None:
    """First sync marker at or behind ``start``, on an 8-byte boundary and wholly before ``stop``."""
    position = start + padding(start)
    while position + len(SYNC) <= stop:
        data = bytes(source.read(position, min(_CHUNK, stop - position)))
        at = data.find(SYNC)
        while at >= 0 and at % ALIGNMENT:
            at = data.find(SYNC, at + 1)
        if at >= 0:
            return position + at
        # Markers stand on boundaries and chunks are multiples of them, so none lies across two chunks.
        position += len(data) - len(data) % ALIGNMENT or ALIGNMENT
    return None


def _methods(source: ByteSource, result: Survey) -> list[bytes]:
    """Method maps of a table of contents whose checksum is lost or does not hold."""
    sound = [place for place in result.places if place.number is not None]
    behind = max((place.offset + place.length for place in sound), default=PROLOGUE.size)
    start = max(min(behind, source.size), source.size - HARD_LIMITS["toc_bytes"] - _CHUNK)
    data = bytes(source.read(start, source.size - start))
    methods: list[bytes] = []
    for found in islice(re.finditer(_METHODS, data), _MAX_CANDIDATES):
        try:
            value = canonical.decode_prefix(data[found.end() :], where="toc.meta.methods")
        except NeuralGraphError:
            continue
        if isinstance(value, list):
            methods += [canonical.encode(method) for method in value if isinstance(method, dict)]
    return methods
