"""Verifying a collection: archives as ``ngr validate`` does, and that manifest, receipts and tables agree with them."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from neuralgraph.collection.collection import Collection, files_of
from neuralgraph.collection.receipts import read_receipts
from neuralgraph.collection.tidying import FOLDERS
from neuralgraph.collection.writing import Progress
from neuralgraph.container.reader import Container
from neuralgraph.errors import NeuralGraphError, Problem
from neuralgraph.rows.columns import arrow
from neuralgraph.storage.gate import Level, examine_file
from neuralgraph.storage.lookup import study_id_at
from neuralgraph.storage.manifest import MANIFESTS, Manifest, Member

__all__ = ["stray_files", "verify"]


def verify(
    collection: Collection, *, level: Level = Level.MEANING, progress: Progress | None = None
) -> Iterator[Problem]:
    """Everything that is wrong with the newest state.

    Parameters
    ----------
    collection : which.
    level : how far records are examined.
    progress : told how many studies of how many are done.

    Raises
    ------
    FormatError (E_MANIFEST, E_OPEN) : the manifest itself cannot be used.
    """
    manifest = collection.head()
    done = 0
    listed: dict[str, NDArray[np.uint64]] = {}
    for member in manifest.archives:
        try:
            yield from _member_problems(collection, manifest, member, level, listed)
        except NeuralGraphError as error:
            yield Problem(error.code, error.where or member.path, error.message)
        done += member.studies
        if progress is not None:
            progress(done, manifest.studies)
    yield from _duplicates(collection, listed)


def _member_problems(
    collection: Collection,
    manifest: Manifest,
    member: Member,
    level: Level,
    listed: dict[str, NDArray[np.uint64]],
) -> Iterator[Problem]:
    room = collection.room
    ids: list[str] = []
    with room.source(member.path) as source:
        container = Container(source)
        stated = (member.bytes, member.studies, member.root)
        if (source.size, len(container), container.root.hex()) != stated:
            yield Problem("E_MANIFEST", member.path, "the archive is not the one that the manifest means")
        for error in examine_file(container, level=level):
            yield Problem(error.code, f"{member.path}: {error.where}", error.message)
        ids = _ids(container)
    listed[member.path] = _hashes(ids)
    stones = set(manifest.removed)
    for study_id in ids:
        if stones and manifest.tombstone(study_id) in stones:
            yield Problem("E_REMOVED", member.path, f"study {study_id!r} was removed and is there")
    if not read_receipts(room, member).keys() <= set(ids):
        yield Problem("E_MANIFEST", member.receipts_path, "receipts of studies that the archive does not hold")
    if manifest.catalogue:
        yield from _table_problems(collection, member, ids)


def _ids(container: Container) -> list[str]:
    if container.keys is None:
        return [study_id_at(container, 0)]
    return container.keys.study_ids(0, len(container))


def _hashes(ids: list[str]) -> NDArray[np.uint64]:
    """Eight bytes for an id: the ids of millions of studies are not kept."""
    return np.frombuffer(b"".join(blake2b(each.encode(), digest_size=8).digest() for each in ids), np.uint64)


def _duplicates(collection: Collection, listed: dict[str, NDArray[np.uint64]]) -> Iterator[Problem]:
    """Ids that several archives hold. ``listed`` : by archive the hashes of its ids."""
    if not listed:
        return
    values, counts = np.unique(np.concatenate(list(listed.values())), return_counts=True)
    suspects = values[counts > 1]
    seen: dict[str, str] = {}
    for path, hashes in listed.items():
        if not len(suspects) or not np.isin(hashes, suspects).any():
            continue
        with collection.room.source(path) as source:
            ids = np.array(_ids(Container(source)), object)
        for study_id in ids[np.isin(hashes, suspects)]:
            if study_id in seen:
                yield Problem("E_DUP", path, f"study {study_id!r} is in {seen[study_id]} too")
            seen[study_id] = path


def _table_problems(collection: Collection, member: Member, ids: list[str]) -> Iterator[Problem]:
    arrow()
    from io import BytesIO

    import pyarrow
    from pyarrow import parquet

    path = member.table_path("studies")
    try:
        table = parquet.read_table(BytesIO(collection.room.read(path)), columns=["study_id", "position"])
    except (pyarrow.ArrowInvalid, OSError) as error:
        yield Problem("E_MANIFEST", path, f"the table cannot be read ({type(error).__name__})")
        return
    if table["study_id"].to_pylist() != ids or table["position"].to_pylist() != list(range(len(ids))):
        yield Problem("E_MANIFEST", path, "the table does not list the studies of the archive")


def stray_files(collection: Collection, manifest: Manifest) -> list[str]:
    """Files that the newest state does not count: earlier states, and what writers left; ``vacuum`` deletes them."""
    counting = {file for member in manifest.archives for file in files_of(member)}
    names = [f"{folder}/{name}" for folder in FOLDERS if folder != MANIFESTS for name in collection.room.names(folder)]
    return [name for name in names if name not in counting]
