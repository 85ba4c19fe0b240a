"""What the end of a damaged file still says: where records lie, and how they were made.

The trailer, the contents and the sections have checksums of their own, so each is used when its own checksum holds. The
tail may have moved: a file that lost or gained bytes ends with a trailer that states another length.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from neuralgraph.container.contents import INDEX, KEYS, Contents, parse_contents
from neuralgraph.container.index import ROW_BYTES, Index
from neuralgraph.container.keys import Keys
from neuralgraph.container.layout import PROLOGUE, TRAILER, parse_trailer
from neuralgraph.container.pages import Pages, section_payload
from neuralgraph.container.source import ByteSource
from neuralgraph.errors import ChecksumError, FormatError, NeuralGraphError, Problem
from neuralgraph.wire.checksums import crc32
from neuralgraph.wire.limits import Limits

__all__ = ["ShiftedSource", "Tail", "read_tail"]


class ShiftedSource:
    """A file whose end has moved: the byte that was at ``offset`` is at ``offset + shift``."""

    far, at_hand_from = False, 0

    def __init__(self, source: ByteSource, shift: int) -> None:
        self._source, self._shift = source, shift
        self.size = source.size - shift

    def read(self, offset: int, length: int) -> memoryview:
        """Exactly ``length`` bytes from where ``offset`` was.

        Raises
        ------
        FormatError (E_RANGE) : they lie outside what is left of the file.
        """
        start = offset + self._shift
        if min(offset, length, start) < 0 or start + length > self._source.size:
            raise FormatError("the bytes lie outside the file", code="E_RANGE", where="file")
        return self._source.read(start, length)

    def expect(self, offset: int, length: int) -> None:
        """A damaged file is read as it comes."""

    def begin(self) -> None:
        """A damaged file is read as it comes."""


@dataclass
class Tail:
    """The parts of a tail whose checksums hold; None where they do not."""

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


def read_tail(source: ByteSource, limits: Limits) -> Tail:
    """The tail of a file of any condition; never raises for what the file holds."""
    tail = Tail()
    if source.size < PROLOGUE.size + TRAILER.size:
        tail.problems.append(Problem("E_TRUNCATED", "file", f"{source.size} bytes are less than the smallest file"))
        return tail
    try:
        _read(tail, source, limits)
    except NeuralGraphError as error:
        tail.problems.append(error.problem)
    return tail


def _read(tail: Tail, source: ByteSource, limits: Limits) -> None:
    data = bytes(source.read(source.size - TRAILER.size, TRAILER.size))
    stated = int.from_bytes(data[TRAILER.offset("file_bytes") :][:8], "little")
    # Magic and checksum are verified here too; the length is what a moved tail states otherwise.
    trailer = parse_trailer(data, stated)
    tail.shift = source.size - stated
    if tail.shift:
        code = "E_TRUNCATED" if tail.shift < 0 else "E_TRAILING"
        tail.problems.append(Problem(code, "trailer", f"the trailer says {stated} bytes, the file has {source.size}"))
    moved = ShiftedSource(source, tail.shift)
    length = trailer["toc_bytes"]
    if length > limits.toc_bytes:
        raise FormatError(f"the table of contents has {length} bytes", code="E_TOC_SIZE", where="toc")
    toc = bytes(moved.read(trailer["toc_offset"], length))
    if crc32(toc) != trailer["toc_crc32"]:
        raise ChecksumError("the table of contents is damaged", code="E_TOC_CRC", where="toc")
    contents = parse_contents(toc, toc_offset=trailer["toc_offset"], limits=limits)
    section = contents.sections[INDEX]
    if trailer["n_records"] == 0 or section.length != ROW_BYTES * trailer["n_records"]:
        raise FormatError("the index is not that of the stated number of studies", code="E_INDEX", where="index")
    tail.contents = contents
    try:
        tail.index = Index(Pages(section_payload(moved, section)), trailer["n_records"], end=section.offset)
    except NeuralGraphError as error:
        tail.problems.append(error.problem)
    if KEYS in contents.sections:
        try:
            tail.keys = Keys(Pages(section_payload(moved, contents.sections[KEYS])), trailer["n_records"])
        except NeuralGraphError as error:
            tail.problems.append(error.problem)
