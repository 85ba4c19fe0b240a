"""Does anything of a source show in what was made of it? A search for known identifiers in every form they may take.

Searched are the bytes of files as they are, and what is inside: every stream of every study, decoded, and the content
of gzip files. Looked for is each identifier as text (any case, UTF-8, UTF-16, Latin-1), in hex, in base64, and its
plain MD5, SHA-1 and SHA-256, which whoever has the source could compute too. Finding nothing is no proof of anonymity:
an audit knows only the identifiers it is given.
"""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from neuralgraph.access.files import FileSource
from neuralgraph.bulk.identifiers import Identifier
from neuralgraph.bulk.patterns import Patterns
from neuralgraph.container.reader import Container
from neuralgraph.errors import NeuralGraphError, SourceError
from neuralgraph.sources.files import read_whole_file
from neuralgraph.storage.gate import Level, prove

__all__ = ["Finding", "audit"]

_MAX_SOURCE_BYTES = 256 * 1024 * 1024
_MAX_UNPACKED = 256 * 1024 * 1024


@dataclass(frozen=True)
class Finding:
    """One identifier in one place."""

    path: str
    place: str
    """ "file name", "bytes", "unpacked", or the study and stream ("record[3].text")."""
    identifier: str
    """Its name."""
    form: str
    """How it was written: "text", "utf-16", "hex", "base64", "sha-256" and so on."""


def audit(
    paths: Sequence[str | os.PathLike[str]],
    identifiers: Sequence[Identifier],
    *,
    told: Callable[[int, int], None] | None = None,
) -> Iterator[Finding]:
    """Every identifier in every file.

    Parameters
    ----------
    paths : files and folders; of folders every file, hidden ones too.
    identifiers : what must not show.
    told : called after each file with files done and files in all.

    Raises
    ------
    MissingExtraError (E_EXTRA) : pyahocorasick is not installed.
    SourceError (E_SOURCE_READ, E_SOURCE_SIZE) : a file cannot be read; an audit that skips one would promise too much.
    """
    if not identifiers:
        return
    patterns = Patterns(identifiers)
    files = list(_files(paths))
    for done, path in enumerate(files, 1):
        try:
            for place, data in _contents(path):
                for identifier, form in patterns.found_in(data):
                    yield Finding(str(path), place, identifier.name, form)
        except SourceError as error:
            error.where = str(path)
            raise
        if told is not None:
            told(done, len(files))


def _files(paths: Sequence[str | os.PathLike[str]]) -> Iterator[Path]:
    for path in map(Path, paths):
        if path.is_dir():
            yield from sorted(found for found in path.rglob("*") if found.is_file())
        else:
            yield path


def _contents(path: Path) -> Iterator[tuple[str, bytes]]:
    """A file's name, its bytes, and what they unpack to."""
    yield "file name", path.name.encode(errors="surrogateescape")
    data = b"" if path.is_file() and not path.stat().st_size else read_whole_file(path, max_bytes=_MAX_SOURCE_BYTES)
    yield "bytes", data
    if data.startswith(b"\x1f\x8b"):
        try:
            with gzip.open(path) as stream:
                unpacked = stream.read(_MAX_UNPACKED + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise SourceError("a gzip file cannot be unpacked", code="E_SOURCE_DAMAGED") from error
        if len(unpacked) > _MAX_UNPACKED:
            raise SourceError("a gzip file unpacks to more than is searched", code="E_SOURCE_SIZE")
        yield "unpacked", unpacked
    if data.startswith(b"\x89NGR"):
        yield from _streams(path)


def _streams(path: Path) -> Iterator[tuple[str, bytes]]:
    """Every stream of every study of an .ngr file, decoded."""
    try:
        with FileSource(path) as source:
            container = Container(source)
            for position in range(len(container)):
                columns = prove(container, position, level=Level.STREAMS)
                place = f"record[{position}]"
                yield f"{place}.method", columns.method
                for name, array in columns.graph.items():
                    yield f"{place}.{name}", array.tobytes()
                yield f"{place}.embedding", columns.embedding.tobytes()
                yield f"{place}.concept_vectors", columns.concept_vectors.tobytes()
                for name, data in (
                    ("report", columns.report),
                    ("pixels", columns.pixels),
                    ("words", columns.word_attention),
                ):
                    if data is not None:
                        yield f"{place}.{name}", bytes(data)
                for name, extension in columns.extensions.items():
                    yield f"{place}.extensions", name.encode() + b"\0" + bytes(extension)
    except NeuralGraphError as error:
        raise SourceError(f"an .ngr file cannot be searched ({error.code})", code="E_SOURCE_DAMAGED") from error
