"""Archives of a fixed number of studies, written from finished studies; the same studies give the same archives.

Which study goes where is decided once, from the order of pseudonyms, and kept: a study that comes later goes into a
further archive, and a study that failed and is converted after all goes where it would have gone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from neuralgraph.access.files import FileSource
from neuralgraph.container.reader import Container
from neuralgraph.container.writer import ContainerWriter
from neuralgraph.errors import OutputError
from neuralgraph.storage.atomic import atomic_file
from neuralgraph.storage.lookup import study_id_at
from neuralgraph.storage.save import copy_record
from neuralgraph.wire.json_reading import parsed_json

__all__ = ["assign", "build"]


def assign(path: Path, study_ids: Iterable[str], size: int) -> list[list[str]]:
    """The studies of each archive: those noted already, and further archives for the rest; noted before returning.

    Parameters
    ----------
    path : where they are noted.
    study_ids : of all studies of the plan, in ascending order.
    size : studies per archive.

    Raises
    ------
    OutputError (E_OUTPUT, E_WRITE) : the note cannot be read or written.
    """
    try:
        packs: list[list[str]] = [parsed_json(line) for line in path.read_bytes().splitlines()] if path.exists() else []
    except (OSError, ValueError) as error:
        raise OutputError(
            "the list of archives in the folder cannot be read; choose another folder", code="E_OUTPUT"
        ) from error
    known = {study for members in packs for study in members}
    rest = [study for study in study_ids if study not in known]
    if rest:
        packs += [rest[start : start + size] for start in range(0, len(rest), size)]
        with atomic_file(path) as stream:
            stream.writelines(json.dumps(members).encode() + b"\n" for members in packs)
    return packs


def build(archive: Path, members: Iterable[tuple[str, Path]], *, profile: str = "compact") -> None:
    """Write an archive of records that have been verified; the same studies give the same bytes, wherever they stood.

    Parameters
    ----------
    archive : the file to create or replace; it may be one of the files that are read.
    members : (study id, file that holds it) in the order of the archive.
    profile : one of ``PROFILES``.

    Raises
    ------
    FormatError : a file is damaged.
    OutputError (E_OUTPUT, E_WRITE) : the archive cannot be written.
    """
    with ExitStack() as stack, atomic_file(archive) as stream:
        writer = ContainerWriter(stream)
        earlier: Container | None = None
        for study_id, path in members:
            if path == archive:
                earlier = earlier or Container(stack.enter_context(FileSource(path)))
                copy_record(writer, earlier, _position(earlier, study_id), profile=profile)
            else:
                with FileSource(path) as source:
                    container = Container(source)
                    copy_record(writer, container, _position(container, study_id), profile=profile)
        writer.finish()


def _position(container: Container, study_id: str) -> int:
    if container.keys is not None:
        found = container.keys.find(study_id)
        if found is not None:
            return found
    elif study_id_at(container, 0) == study_id:
        return 0
    raise OutputError("a finished study is not in the file that should hold it", code="E_WRITE")
