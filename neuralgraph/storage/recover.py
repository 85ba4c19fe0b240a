"""Salvaging whole studies from a damaged file into a new one, with the list of what was lost.

A study is recovered when its header, every stream, its content digest and every rule of the graph hold: the record is
then copied byte for byte. Nothing is repaired, and nothing is taken for a study that the file held only as the content
of another one; ``neuralgraph.container.salvage`` says how records are found.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from neuralgraph.access.files import FileSource, located
from neuralgraph.container.encode import method_tag
from neuralgraph.container.reader import Container
from neuralgraph.container.record import Record
from neuralgraph.container.salvage import Place, Survey, survey
from neuralgraph.container.streams import ENTRY, HEADER
from neuralgraph.container.writer import ContainerWriter
from neuralgraph.errors import ChecksumError, FormatError, NeuralGraphError, Problem
from neuralgraph.storage.atomic import atomic_file, check_writable
from neuralgraph.storage.gate import Claims, Level, examine_record, first_error
from neuralgraph.wire import canonical
from neuralgraph.wire.checksums import crc32
from neuralgraph.wire.limits import Limits
from neuralgraph.wire.study_columns import StudyColumns

__all__ = ["Loss", "Recovered", "Recovery", "recover"]


class Recovered(NamedTuple):
    """A study of the new file."""

    study_id: str
    offset: int
    """Where its record stood in the damaged file."""
    length: int
    without_method: bool
    """Its method was lost: the new record names an empty one, and has a new content digest."""
    searched: bool
    """Found by searching: it may have been the content of a damaged study."""


class Loss(NamedTuple):
    """Bytes of the damaged file that could not be recovered."""

    offset: int
    length: int
    problem: Problem
    study_id: str | None
    """The study that stood there, where the keys of the archive say so."""


@dataclass(frozen=True)
class Recovery:
    """What became of a damaged file."""

    recovered: tuple[Recovered, ...] = ()
    """Studies of the new file, in order; empty when none was written."""
    lost: tuple[Loss, ...] = ()
    suspects: tuple[Recovered, ...] = ()
    """Studies that searching found and that were not asked for."""
    damage: tuple[Problem, ...] = ()
    """Damage to what is not a study: prologue, index, keys, contents, trailer."""
    complete: bool = False
    """``recovered`` and ``lost`` are all that the file held."""

    @property
    def whole(self) -> bool:
        """Every study of the damaged file is in the new one, unchanged."""
        return self.complete and not self.lost and not any(study.without_method for study in self.recovered)


class _Salvaged(NamedTuple):
    record: bytes | memoryview
    method: bytes
    report: Recovered


def recover(
    damaged: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    methods_from: Sequence[str | os.PathLike[str]] = (),
    without_method: bool = False,
    search: bool = False,
    limits: Limits | None = None,
) -> Recovery:
    """Write the whole studies of a damaged file to a new one. Atomic; nothing is written when there is none.

    The content digest of a study covers its method map, which stands in the table of contents at the end of the file.
    Where that is lost, as in every truncated file, studies can only be verified with the map from elsewhere.
    Records are copied byte for byte.

    Parameters
    ----------
    damaged : the file; it is not changed.
    output : the file to create or replace.
    methods_from : undamaged files of the same conversion, whose method maps are tried; the digest proves the right one.
    without_method : recover studies whose method is lost with an empty method map and a new content digest. Their
        checksums and the rules of the graph are verified as always; how they were made is lost.
    search : take studies found by searching, too, although they may have been the content of a damaged study.
    limits : what to accept.

    Raises
    ------
    FormatError (E_OPEN) : the file cannot be read.
    FormatError (E_PROLOGUE, E_FEATURE) : a file of a version, or with features, that this reader does not know.
    FormatError : a file of ``methods_from`` is not valid.
    OutputError (E_OUTPUT, E_WRITE) : the new file cannot be written.
    """
    check_writable(output)
    accepted = limits or Limits()
    with FileSource(damaged) as source, located(damaged):
        found = survey(source, accepted, search=search)
        bench = _Bench(source, found, accepted, _methods_of(methods_from), without_method=without_method)
        lost = [Loss(gap.offset, gap.length, gap.problem, None) for gap in found.gaps]
        salvaged = bench.salvage(found.places, lost)
        recovered = []
        first = next(salvaged, None)
        if first is not None:
            with atomic_file(output) as stream:
                writer = ContainerWriter(stream, limits=limits)
                for record, method, report in chain([first], salvaged):
                    writer.add(record, study_id=report.study_id, method=method)
                    recovered.append(report)
                writer.finish()
        suspects = [each.report for each in bench.salvage(found.suspects, [])]
    return Recovery(
        recovered=tuple(recovered),
        lost=tuple(sorted(lost, key=lambda loss: loss.offset)),
        suspects=tuple(suspects),
        damage=tuple(found.problems),
        complete=found.complete,
    )


def _methods_of(paths: Iterable[str | os.PathLike[str]]) -> list[bytes]:
    methods: list[bytes] = []
    for path in paths:
        with FileSource(path) as source, located(path):
            methods += Container(source).contents.methods.values()
    return methods


class _Bench:
    """Tries records one after another."""

    def __init__(
        self, source: FileSource, found: Survey, limits: Limits, elsewhere: list[bytes], *, without_method: bool
    ) -> None:
        self._source, self._keys, self._limits = source, found.tail.keys, limits
        self._without_method = without_method
        self._ids: set[str] = set()
        self._methods = [*found.methods, *elsewhere]

    def salvage(self, places: Iterable[Place], lost: list[Loss]) -> Iterator[_Salvaged]:
        """The good records of ``places``; the others are put into ``lost``."""
        for place in places:
            try:
                if place.problem is not None:
                    raise FormatError(place.problem.message, code=place.problem.code, where=place.problem.where)
                salvaged = self._try(place)
            except NeuralGraphError as error:
                lost.append(Loss(place.offset, place.length, error.problem, self._study_id(place)))
            else:
                yield salvaged

    def _study_id(self, place: Place) -> str | None:
        if self._keys is None or place.number is None or place.number >= len(self._keys):
            return None
        try:
            return self._keys.study_id(place.number)
        except NeuralGraphError:
            return None

    def _try(self, place: Place) -> _Salvaged:
        where = f"byte {place.offset}" if place.number is None else f"record[{place.number}]"
        self._limits.check("record_bytes", place.length, where=where)
        data = self._source.read(place.offset, place.length)
        columns, without_method = self._columns(data, where)
        study_id = columns.study_id.decode()
        if study_id in self._ids:
            raise FormatError("a study of the same id was recovered already", code="E_DUP", where=where)
        self._ids.add(study_id)
        report = Recovered(study_id, place.offset, place.length, without_method, place.searched)
        return _Salvaged(_resealed(data, columns) if without_method else data, columns.method, report)

    def _columns(self, data: memoryview, where: str) -> tuple[StudyColumns, bool]:
        """The columns of a record, and whether its method was lost; its digest is proven unless it was."""
        record = Record(data, where=where, limits=self._limits)
        candidates = [method for method in self._methods if method_tag(method) == record.method_tag]
        if not candidates and not self._without_method:
            reason = "its method, without which it cannot be verified, is lost"
            raise FormatError(reason, code="E_METHOD", where=where)
        lost = not candidates
        for number, method in enumerate(candidates or [canonical.encode({})], 1):
            try:
                columns = first_error(
                    examine_record(record, method, Claims(content_digest=not lost), level=Level.MEANING)
                )
            except ChecksumError as error:
                # Another method may have the same tag: the digest proves the right one.
                if error.code != "E_DIGEST" or number == len(candidates):
                    raise
            else:
                assert columns is not None, "a record without errors has columns"
                return columns, lost
        raise AssertionError("the last candidate returns or raises")


def _resealed(data: bytes | memoryview, columns: StudyColumns) -> bytes:
    """A record with another method: tag, content digest and header checksum are new, the streams stay."""
    changed = bytearray(data)
    body = HEADER.size + ENTRY.size * int.from_bytes(data[HEADER.offset("n_streams") :][:2], "little")
    at = HEADER.offset("method_tag")
    changed[at : at + 4] = method_tag(columns.method).to_bytes(4, "little")
    at = HEADER.offset("content_digest")
    changed[at : at + 32] = columns.digest()
    changed[body : body + 4] = crc32(bytes(changed[:body])).to_bytes(4, "little")
    return bytes(changed)
