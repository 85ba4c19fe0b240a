"""Validation: every problem of a file, with code, place and message (FORMAT.md section 11)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from neuralgraph.container.keys import Keys
from neuralgraph.container.reader import ByteSource, BytesSource, Container
from neuralgraph.container.record import Record
from neuralgraph.errors import NeuralGraphError, Problem
from neuralgraph.graph import provenance
from neuralgraph.graph.rules import study_problems
from neuralgraph.storage.remote import open_source, place_name
from neuralgraph.wire import canonical
from neuralgraph.wire.limits import Limits
from neuralgraph.wire.study_columns import StudyColumns

__all__ = ["Report", "method_problems", "validate", "validate_bytes"]


@dataclass(frozen=True)
class Report:
    """The verdict on one file."""

    path: str
    """The file as it was named, or "" for bytes in memory."""
    problems: tuple[Problem, ...]
    """Everything found, in file order."""
    n_studies: int
    """Studies the file says it holds; 0 when that could not be read."""

    @property
    def ok(self) -> bool:
        """No problem was found."""
        return not self.problems


def validate(path: str | os.PathLike[str], *, limits: Limits | None = None) -> Report:
    """Check one file completely: framing, checksums and digests, sizes, and the rules of the graph.

    Problems are listed, never raised. Where the framing is damaged nothing behind it can be trusted: the list ends.
    """
    try:
        with open_source(path) as source:
            return _report(place_name(path), source, limits)
    except NeuralGraphError as error:
        return Report(place_name(path), (error.problem,), 0)


def validate_bytes(data: bytes | memoryview, *, limits: Limits | None = None) -> Report:
    """Check a file held in memory; like ``validate``."""
    return _report("", BytesSource(data), limits)


def _report(path: str, source: ByteSource, limits: Limits | None) -> Report:
    try:
        container = Container(source, limits=limits)
    except NeuralGraphError as error:
        return Report(path, (error.problem,), 0)
    return Report(path, tuple(_problems(container)), len(container))


def method_problems(container: Container) -> Iterator[Problem]:
    """Members of the method maps of a file that are unknown or of the wrong type."""
    for method in container.contents.methods.values():
        yield from provenance.problems(canonical.decode(method, where="method"), {})


def _problems(container: Container) -> Iterator[Problem]:
    yield from method_problems(container)
    keys = None
    try:
        keys = container.keys
        if keys is not None:
            keys.check()
    except NeuralGraphError as error:
        yield error.problem
    for name in container.contents.sections:
        if name not in ("index", "keys"):
            try:
                container.section(name)
            except NeuralGraphError as error:
                yield error.problem
    try:
        container.index.check()  # without it no record can be found
    except NeuralGraphError as error:
        yield error.problem
        return
    try:
        container.verify_root()
    except NeuralGraphError as error:
        yield error.problem
    envelope = {"total_decoded_bytes": 0, "max_record_decoded_bytes": 0, "max_streams": 0}
    for position in range(len(container)):
        try:
            record = container.record(position)
        except NeuralGraphError as error:
            yield error.problem
            envelope = {}
            continue
        yield from _record_problems(container, position, record, keys)
        if envelope:
            envelope["total_decoded_bytes"] += record.decoded_bytes
            envelope["max_record_decoded_bytes"] = max(envelope["max_record_decoded_bytes"], record.decoded_bytes)
            envelope["max_streams"] = max(envelope["max_streams"], len(record.streams))
    for name, value in envelope.items():
        if container.trailer[name] != value:
            reason = f"the trailer says {container.trailer[name]}, the records have {value}"
            yield Problem("E_BUDGET", f"trailer.{name}", reason)


def _record_problems(container: Container, position: int, record: Record, keys: Keys | None) -> Iterator[Problem]:
    where = f"record[{position}]"
    try:
        method = container.method(record)
    except NeuralGraphError as error:
        yield error.problem
        return
    damaged = record.problems()
    yield from damaged
    try:
        container.verify_leaf(position)
    except NeuralGraphError as error:
        yield error.problem
    if damaged:
        return
    try:
        columns = record.columns(method)
    except NeuralGraphError as error:
        yield error.problem
        return
    if columns.digest() != record.content_digest:
        yield Problem("E_DIGEST", where, "the content does not match its digest")
    for problem in study_problems(columns):
        yield Problem(problem.code, f"{where}.{problem.where}", problem.message)
    if keys is not None and keys.study_id_bytes(position) != _study_id(columns):
        yield Problem("E_INDEX", "keys", f"the id of study {position} is not the one in its record")


def _study_id(columns: StudyColumns) -> bytes:
    """The first string of the pool, whatever it holds."""
    length = int(columns.graph["string_bytes"][0])
    return columns.graph["text"][:length].tobytes()
