"""Validation: every problem of a file, with code, place and message (FORMAT.md section 11)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from neuralgraph.access.places import Place, place_name
from neuralgraph.access.sources import open_source
from neuralgraph.container.reader import ByteSource, BytesSource, Container
from neuralgraph.errors import NeuralGraphError, Problem
from neuralgraph.storage.gate import Level, examine_file
from neuralgraph.wire.limits import Limits

__all__ = ["DEPTHS", "Depth", "ValidationResult", "validate", "validate_bytes"]

Depth: TypeAlias = Literal["framing", "header", "streams", "digest", "meaning"]
"""How far a validation goes; each depth includes those before it.

- framing: prologue, trailer and contents are sound, and the parts of the file cover it exactly.
- header: the index, and the header of every record; the trailer's envelope is that of the records.
- streams: the pages of every section, the keys, and every stream: checksums, and sizes once decoded.
- digest: content digests, leaves and the root.
- meaning: the rules of the graph hold (FORMAT.md section 8), and the keys are the ids of the records.
"""
DEPTHS: tuple[Depth, ...] = get_args(Depth)
"""From the least thorough to the whole."""


@dataclass(frozen=True)
class ValidationResult:
    """The verdict on one file."""

    path: str
    """The file as it was named, or "" for bytes in memory."""
    problems: tuple[Problem, ...]
    """Everything found, in the order of FORMAT.md section 11."""
    n_studies: int
    """Studies the file says it holds; 0 when that could not be read."""
    level: Depth = "meaning"
    """How far the file was checked."""

    @property
    def ok(self) -> bool:
        """No problem was found, as far as the file was checked."""
        return not self.problems

    @property
    def was_read(self) -> bool:
        """False where the file, or a part of it, could not be had (E_OPEN): that is no verdict on the file."""
        return all(problem.code != "E_OPEN" for problem in self.problems)


def validate(
    path: Place,
    *,
    level: Depth = "meaning",
    limits: Limits | None = None,
    timeout: float | None = None,
    told: Callable[[int], None] | None = None,
) -> ValidationResult:
    """Check one file, by default completely: framing, checksums and digests, sizes, and the rules of the graph.

    Problems are listed, never raised. Where the framing is damaged nothing behind it can be trusted: the list ends.

    Parameters
    ----------
    path : an .ngr file, a URL of one, or one in memory (``io.BytesIO``).
    level : how far to check.
    limits : what to accept.
    timeout : of a URL: seconds that the server may take for a request, all attempts together, and for each further MiB
        of it; None is 30.
    told : called with the number of bytes read by each read.
    """
    try:
        with open_source(path, timeout=timeout) as source:
            counted = source if told is None else _Counted(source, told)
            return _report(place_name(path), counted, level, limits)
    except NeuralGraphError as error:
        return ValidationResult(place_name(path), (error.problem,), 0, level)


class _Counted:
    """A source that says how much is read of it."""

    def __init__(self, source: ByteSource, told: Callable[[int], None]) -> None:
        self._source, self._told = source, told
        self.size, self.far, self.at_hand_from = source.size, source.far, source.at_hand_from

    def read(self, offset: int, length: int) -> memoryview:
        """As the source."""
        data = self._source.read(offset, length)
        self._told(length)
        return data

    def expect(self, offset: int, length: int) -> None:
        """As the source."""
        self._source.expect(offset, length)

    def begin(self) -> None:
        """As the source."""
        self._source.begin()


def validate_bytes(
    data: bytes | memoryview, *, level: Depth = "meaning", limits: Limits | None = None
) -> ValidationResult:
    """Check a file held in memory; like ``validate``."""
    return _report("", BytesSource(data), level, limits)


def _report(path: str, source: ByteSource, level: Depth, limits: Limits | None) -> ValidationResult:
    try:
        container = Container(source, limits=limits)
    except NeuralGraphError as error:
        return ValidationResult(path, (error.problem,), 0, level)
    errors = () if level == "framing" else examine_file(container, level=Level[level.upper()])
    return ValidationResult(path, tuple(error.problem for error in errors), len(container), level)
