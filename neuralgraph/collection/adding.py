"""Adding studies to a collection: what is equal is there already, what differs is refused or replaced."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from neuralgraph.access.files import located
from neuralgraph.collection.collection import Change, Collection, id_hashes, member_ids
from neuralgraph.collection.receipts import StudyReceipt, read_receipts
from neuralgraph.collection.rewriting import rewrite
from neuralgraph.collection.writing import ArchiveWriter, Progress, receipt_of
from neuralgraph.container.reader import Container
from neuralgraph.errors import CollectionError, FormatError
from neuralgraph.storage.archive import Archive
from neuralgraph.storage.gate import Level, prove
from neuralgraph.storage.lookup import study_id_at
from neuralgraph.storage.manifest import Manifest, Member
from neuralgraph.storage.opening import open_archive

__all__ = ["Added", "add"]

_SHOWN = 5


@dataclass(frozen=True)
class Added:
    """What adding did."""

    added: int = 0
    """Studies that are new."""
    replaced: int = 0
    """Studies that were there and are now as they were given."""
    equal: int = 0
    """Studies that were there already, with the same content digest."""
    removed: tuple[str, ...] = ()
    """Ids that were left out because they were removed from the collection earlier."""
    snapshot: int = 0
    """The state it made, or that was there already."""
    archives: int = 0
    """Written."""


@dataclass
class _Known:
    """What a collection holds of the studies that are to be added."""

    equal: set[str] = field(default_factory=set)
    different: dict[str, tuple[Member, str]] = field(default_factory=dict)
    """By id: the archive that has it, and the file that is to be added."""
    removed: set[str] = field(default_factory=set)


def add(
    collection: Collection,
    places: Sequence[str | os.PathLike[str]],
    *,
    replace: bool = False,
    again: bool = False,
    skip_removed: bool = False,
    receipts: Mapping[str, StudyReceipt] | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Added:
    """Add the studies of files, archives, folders or URLs, in one commit.

    A study that is there already with the same content digest is left as it is, so that adding twice does nothing the
    second time.

    Parameters
    ----------
    collection : which.
    places : what ``neuralgraph.open`` takes, in order.
    replace : let a study take the place of one with the same id and another content.
    again : let studies in that were removed from the collection.
    skip_removed : pass over studies that were removed, instead of refusing them; they are named in the result.
    receipts : what is known of studies beside their records, by id; replaces what was known.
    dry_run : say what would be done, and do nothing.
    progress : told how many studies of the collection have been compared; then how many are written.

    Raises
    ------
    FormatError (E_DUP) : two studies that are given have one id, or one is there with another content; both are named.
    CollectionError (E_REMOVED) : a study was removed earlier, and neither ``again`` nor ``skip_removed`` is given.
    CollectionError (E_CONFLICT) : other writers were faster again and again.
    FormatError, StudyError : a file is damaged or breaks a rule; nothing is added.
    """
    known = receipts or {}
    done = Added()

    def prepare(manifest: Manifest) -> Change | None:
        nonlocal done
        with open_archive(list(places)) as archive:
            hashes = _hashes(archive)
            found = _compare(collection, manifest, archive, hashes, again=again, progress=progress)
            if found.different and not replace:
                raise _duplicate(found.different)
            if found.removed and not (again or skip_removed):
                raise _removed(found.removed, collection)
            renewed = _renewed(collection, manifest, found.equal, known)
            left_out = (found.equal | found.removed) - renewed
            count, replaced = len(archive) - len(left_out), len(found.different)
            added = count - replaced - len(renewed)
            done = Added(added, replaced, len(found.equal), tuple(sorted(found.removed)), manifest.snapshot)
            if not count or dry_run:
                return None
            change = Change("replace" if replaced else "add", touched=hashes)
            change.studies_added, change.studies_removed = added + replaced, replaced
            if again:
                change.revived = {manifest.tombstone(study_id) for study_id in _tombstoned(manifest, archive)}
            if gone := renewed | found.different.keys():
                rewrite(collection, manifest, change, gone, progress=progress)
            with ArchiveWriter(collection, manifest, change) as writer:
                _copy(archive, left_out, known, writer, progress)
            return change

    after = collection.commit(prepare)
    changed = after.snapshot != done.snapshot
    return Added(done.added, done.replaced, done.equal, done.removed, after.snapshot, int(changed))


def _copy(
    archive: Archive,
    left_out: set[str],
    receipts: Mapping[str, StudyReceipt],
    writer: ArchiveWriter,
    progress: Progress | None,
) -> None:
    """Write all studies that are given but those left out."""
    written, count = 0, len(archive) - len(left_out)
    for path, _, container in archive.files:
        with located(path):
            for position in range(len(container)):
                study_id = study_id_at(container, position)
                if study_id in left_out:
                    continue
                writer.copy(container, position, receipt_of(receipts, study_id))
                written += 1
                if progress is not None:
                    progress(written, count)


def _hashes(archive: Archive) -> NDArray[np.uint64]:
    """Hashes of the ids that are given, ascending.

    Raises
    ------
    FormatError (E_DUP) : two are equal; their files are named.
    """
    hashes = id_hashes(_each_id(archive))
    ordered = np.sort(hashes)
    if (ordered[1:] == ordered[:-1]).any():
        _refuse_given_twice(archive)
    return ordered


def _named_ids(archive: Archive) -> Iterator[tuple[str, str]]:
    """Name of the file and id of every study, in order."""
    for path, _, container in archive.files:
        with located(path):
            if container.keys is None:
                yield str(path), study_id_at(container, 0)
            else:
                for start in range(0, len(container), 8192):
                    for study_id in container.keys.study_ids(start, min(start + 8192, len(container))):
                        yield str(path), study_id


def _each_id(archive: Archive) -> Iterator[str]:
    return (study_id for _, study_id in _named_ids(archive))


def _compare(
    collection: Collection,
    manifest: Manifest,
    archive: Archive,
    hashes: NDArray[np.uint64],
    *,
    again: bool,
    progress: Progress | None,
) -> _Known:
    """Which of the studies that are given the collection holds, or held."""
    found = _Known()
    if manifest.removed and not again:
        found.removed = _tombstoned(manifest, archive)
    looked_at = 0
    for member in manifest.archives:
        candidates = [
            ids[row]
            for ids in member_ids(collection.room, member)
            for row in np.flatnonzero(np.isin(id_hashes(ids), hashes)).tolist()
            if ids[row] in archive.ids
        ]
        looked_at += member.studies - len(candidates)
        if candidates:
            with collection.room.source(member.path) as source, located(member.path):
                held = Container(source)
                for study_id in candidates:
                    _compare_one(found, study_id, member, held, archive)
                    looked_at += 1
                    if progress is not None:
                        progress(looked_at, manifest.studies)
        elif progress is not None:
            progress(looked_at, manifest.studies)
    return found


def _compare_one(found: _Known, study_id: str, member: Member, held: Container, archive: Archive) -> None:
    """Whether what is given under an id is what an archive holds under it."""
    position = held.keys.find(study_id) if held.keys else 0
    assert position is not None, "the keys listed it"
    number, within = archive.locate(study_id)
    path, _, given = archive.files[number]
    if _digest(held, position) == _digest(given, within):
        found.equal.add(study_id)
    else:
        found.different[study_id] = (member, str(path))


def _tombstoned(manifest: Manifest, archive: Archive) -> set[str]:
    stones = set(manifest.removed)
    return {study_id for study_id in _each_id(archive) if manifest.tombstone(study_id) in stones}


def _digest(container: Container, position: int) -> bytes:
    """The content digest of a record, proven."""
    data = container.record_bytes(position)
    prove(container, position, level=Level.DIGEST, data=data)
    return bytes(container.record(position, data).content_digest)


def _renewed(
    collection: Collection, manifest: Manifest, equal: set[str], receipts: Mapping[str, StudyReceipt]
) -> set[str]:
    """Of the equal studies those of which something else is known now; they are written again with it."""
    if not equal & receipts.keys():
        return set()
    earlier: dict[str, StudyReceipt] = {}
    for member in manifest.archives:
        held = read_receipts(collection.room, member)
        earlier.update((study_id, held[study_id]) for study_id in equal & held.keys())
    return {
        study_id
        for study_id in equal & receipts.keys()
        if receipts[study_id] != receipt_of(earlier, study_id) and not receipts[study_id].empty
    }


def _named(study_ids: Sequence[str]) -> str:
    shown = ", ".join(map(repr, study_ids[:_SHOWN]))
    more = f" and {len(study_ids) - _SHOWN} more" if len(study_ids) > _SHOWN else ""
    return f"{'study' if len(study_ids) == 1 else 'studies'} {shown}{more}"


def _refuse_given_twice(archive: Archive) -> None:
    """Say which studies are given twice, and of the first of them which files hold it; hashes alone may be equal."""
    first: dict[str, str] = {}
    second: dict[str, str] = {}
    for name, study_id in _named_ids(archive):
        if study_id in first:
            second.setdefault(study_id, name)
        else:
            first[study_id] = name
    if not second:
        return
    study_ids = sorted(second)
    one, other = first[study_ids[0]], second[study_ids[0]]
    reason = (
        f"{_named(study_ids)} {'is' if len(study_ids) == 1 else 'are'} given twice, {study_ids[0]!r} in {one} and in "
        f"{other}; give one of the files, or what ngr pack --skip-equal makes of them, which takes equal ones once"
    )
    raise FormatError(reason, code="E_DUP", where=other)


def _removed(study_ids: set[str], collection: Collection) -> CollectionError:
    reason = (
        f"{_named(sorted(study_ids))} {'was' if len(study_ids) == 1 else 'were'} removed from this collection; leave "
        "out, or say --again to let them in"
    )
    return CollectionError(reason, code="E_REMOVED", where=collection.room.where)


def _duplicate(different: Mapping[str, tuple[Member, str]]) -> FormatError:
    study_ids = sorted(different)
    member, path = different[study_ids[0]]
    reason = (
        f"{_named(study_ids)} in {path} differ{'s' if len(study_ids) == 1 else ''} from what {member.path} holds under "
        "the same id; say --replace to take the new ones (what is equal is skipped in any case)"
    )
    return FormatError(reason, code="E_DUP", where=path)
