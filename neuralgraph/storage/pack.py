"""Packing and unpacking: records are copied byte for byte, so digests and leaves stay what they were."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from neuralgraph.container.reader import Container
from neuralgraph.container.writer import ContainerWriter
from neuralgraph.errors import OutputError
from neuralgraph.storage.archive import located, ngr_files, study_id_at
from neuralgraph.storage.atomic import atomic_file
from neuralgraph.storage.files import FileSource
from neuralgraph.wire.limits import Limits

__all__ = ["pack", "unpack"]

_PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}", re.ASCII)


def _copy(container: Container, position: int, writer: ContainerWriter) -> None:
    """Copy one record after verifying its leaf, its streams and its content digest."""
    container.verify_leaf(position)
    columns = container.columns(position)
    study_id = study_id_at(container, position)
    writer.add(container.record_bytes(position), study_id=study_id, method=columns.method)


def pack(
    paths: Sequence[str | os.PathLike[str]], archive: str | os.PathLike[str], *, limits: Limits | None = None
) -> int:
    """Put the studies of files and folders into one archive, in the order given; the number of studies.

    Raises
    ------
    FormatError : an input is damaged; nothing is written.
    FormatError (E_DUP) : two studies have the same id.
    OutputError (E_OUTPUT, E_WRITE) : the archive cannot be written.
    """
    files = [file for path in map(Path, paths) for file in (ngr_files(path) if path.is_dir() else [path])]
    count = 0
    with atomic_file(archive) as stream:
        writer = ContainerWriter(stream, limits=limits)
        for file in files:
            with FileSource(file) as source, located(file):
                container = Container(source, limits=limits)
                for position in range(len(container)):
                    _copy(container, position, writer)
            count += len(container)
        writer.finish()
    return count


def unpack(
    archive: str | os.PathLike[str], folder: str | os.PathLike[str], *, limits: Limits | None = None
) -> list[Path]:
    """Write every study of an archive to a file of its own, named by its id; the paths, in order.

    Ids that are no plain file names become ``study-<position>``. Existing files are not replaced.

    Raises
    ------
    FormatError : the archive is damaged.
    OutputError (E_OUTPUT) : the folder cannot be created or a file exists already; nothing is overwritten.
    """
    target = Path(folder)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot create the folder ({error.strerror})", where=str(folder)) from error
    written = []
    with FileSource(archive) as source, located(archive):
        container = Container(source, limits=limits)
        for position in range(len(container)):
            study_id = study_id_at(container, position)
            plain = _PLAIN_NAME.fullmatch(study_id) and not study_id.endswith(".")
            path = target / f"{study_id if plain else f'study-{position:07d}'}.ngr"
            if path.exists():
                raise OutputError("the file exists already; choose an empty folder", where=str(path))
            with atomic_file(path) as stream:
                writer = ContainerWriter(stream, limits=limits)
                _copy(container, position, writer)
                writer.finish()
            written.append(path)
    return written
