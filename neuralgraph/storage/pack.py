"""Packing and unpacking: records are copied byte for byte, so digests and leaves stay what they were.
In an archive to train from, embeddings are written anew instead: the same content digests, other bytes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from neuralgraph.access.files import located
from neuralgraph.access.places import Place, place_name
from neuralgraph.access.sources import open_source
from neuralgraph.container.reader import Container
from neuralgraph.container.writer import ContainerWriter
from neuralgraph.errors import FormatError, OutputError
from neuralgraph.storage.atomic import atomic_file, make_folder, refuse_url
from neuralgraph.storage.gate import Level, prove
from neuralgraph.storage.lookup import study_id_at
from neuralgraph.storage.opening import places_of
from neuralgraph.storage.save import check_profile, copy_record
from neuralgraph.wire.limits import Limits

__all__ = ["file_name", "pack", "unpack"]

_PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}", re.ASCII)
# Names that some systems keep for devices, whatever the suffix; and the names that other ids are given here.
_TAKEN_NAME = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?|study-[0-9]+", re.ASCII | re.IGNORECASE)


def pack(
    paths: Sequence[Place],
    archive: str | os.PathLike[str],
    *,
    profile: str = "compact",
    skip_equal: bool = False,
    limits: Limits | None = None,
    timeout: float | None = None,
    told: Callable[[int, int, int], None] | None = None,
) -> int:
    """Put the studies of files, URLs and folders into one archive, in the order given; the number of studies.

    Parameters
    ----------
    paths : files, folders, collections, and URLs of files and collections.
    archive : the archive to write.
    profile : "compact" copies records byte for byte. "train" stores embeddings without compression: every value and
        content digest stays, the bytes of the records and so their leaves change.
    skip_equal : of studies with one id and one content digest take the first.
    limits : what to accept.
    timeout : of a URL: seconds that the server may take for a request, all attempts together, and for each further MiB
        of it; None is 30.
    told : called after every study with files done, files in all, and studies copied.

    Raises
    ------
    StudyError (E_IDX) : unknown profile.
    FormatError, StudyError : an input is damaged or breaks a rule; nothing is written.
    FormatError (E_OPEN) : a folder holds no .ngr file.
    FormatError (E_DUP) : two studies have the same id; the id and both files are named.
    OutputError (E_OUTPUT, E_WRITE) : the archive cannot be written.
    """
    files = list(places_of(paths, timeout=timeout))
    check_profile(profile)
    taken: dict[str, tuple[Place, bytes]] = {}
    with atomic_file(archive) as stream:
        writer = ContainerWriter(stream, limits=limits)
        for done, file in enumerate(files):
            with open_source(file, timeout=timeout) as source, located(place_name(file)):
                container = Container(source, limits=limits)
                container.verify_root()
                for position in range(len(container)):
                    if _is_new(taken, container, position, file, skip_equal=skip_equal):
                        copy_record(writer, container, position, profile=profile)
                    if told is not None:
                        told(done, len(files), len(taken))
        writer.finish()
    return len(taken)


def _is_new(
    taken: dict[str, tuple[Place, bytes]], container: Container, position: int, file: Place, *, skip_equal: bool
) -> bool:
    """Whether a study is the first of its id; it is noted then."""
    study_id = study_id_at(container, position)
    digest = container.record(position).content_digest
    if study_id not in taken:
        taken[study_id] = (file, digest)
        return True
    first, earlier = taken[study_id]
    if digest == earlier and skip_equal:
        prove(container, position, level=Level.DIGEST)
        return False
    advice = "they are equal: say skip_equal (--skip-equal) to take one" if digest == earlier else "they differ"
    reason = f"two studies have the id {study_id!r}, in {place_name(first)} and in {place_name(file)}; {advice}"
    raise FormatError(reason, code="E_DUP")


def unpack(
    archive: Place, folder: str | os.PathLike[str], *, limits: Limits | None = None, timeout: float | None = None
) -> list[Path]:
    """Write every study of an archive to a file of its own, named by its id; the paths, in order.

    Records are copied byte for byte.

    Ids that are no plain file names become ``study-<position>``. Existing files are not replaced.

    Raises
    ------
    FormatError, StudyError : the archive is damaged, or a study breaks a rule.
    OutputError (E_OUTPUT) : the folder cannot be created or a file exists already; nothing is overwritten.
    """
    refuse_url(folder)
    place = Path(folder)
    with open_source(archive, timeout=timeout) as source, located(place_name(archive)):
        container = Container(source, limits=limits)
        container.verify_root()
        paths = [place / file_name(study_id_at(container, n), n) for n in range(len(container))]
        make_folder(place, where=folder)
        for path in paths:
            _refuse_existing(path)
        for position, path in enumerate(paths):
            # Again, because a file system that ignores case gives two ids the same file.
            _refuse_existing(path)
            with atomic_file(path) as stream:
                writer = ContainerWriter(stream, limits=limits)
                copy_record(writer, container, position)
                writer.finish()
    return paths


def file_name(study_id: str, position: int) -> str:
    """The name of the file that a study is unpacked into: its id, or a number where some system would not take that.

    Parameters
    ----------
    study_id : of the study.
    position : of its record in the archive.
    """
    plain = _PLAIN_NAME.fullmatch(study_id) and not study_id.endswith(".") and not _TAKEN_NAME.fullmatch(study_id)
    return f"{study_id if plain else f'study-{position:07d}'}.ngr"


def _refuse_existing(path: Path) -> None:
    if os.path.lexists(path):
        raise OutputError("the file exists already; choose an empty folder", code="E_OUTPUT", where=str(path))
