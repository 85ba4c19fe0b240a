"""Removing studies: by id, by patient, or by what the catalogue says of them.

The archives concerned are written again without them and committed. The bytes themselves go with ``vacuum``, which
deletes what no longer counts. What stays is a line in the log, that so many studies went, and, unless not wanted, a
keyed hash of each id, so that the next night's run does not bring them back.
"""

from __future__ import annotations

from collections.abc import Collection as Ids
from dataclasses import dataclass

import numpy as np

from neuralgraph.collection.catalogued import where_ids
from neuralgraph.collection.collection import Change, Collection, id_hashes
from neuralgraph.collection.leftovers import check_idle, forget
from neuralgraph.collection.places import Folder
from neuralgraph.collection.receipts import read_receipts
from neuralgraph.collection.rewriting import holders, rewrite
from neuralgraph.collection.writing import Progress
from neuralgraph.errors import CollectionError, StudyNotFoundError
from neuralgraph.storage.manifest import Manifest

__all__ = ["Removed", "remove"]


@dataclass(frozen=True)
class Removed:
    """The receipt of a removal: how much went, not who."""

    studies: int
    archives: int
    """Written again, or dropped whole."""
    bytes: int
    """Of these archives before; they stay on disk until ``vacuum``."""
    remembered: int
    """Tombstones made."""
    snapshot: int
    time: str
    """When it was committed, UTC."""


def remove(
    collection: Collection,
    study_ids: Ids[str] = (),
    *,
    patients: Ids[str] = (),
    where: str | None = None,
    remember: bool = True,
    missing_ok: bool = False,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Removed:
    """Remove studies, in one commit. Readers that are open keep what they opened.

    Parameters
    ----------
    collection : which.
    study_ids : ids of studies.
    patients : pseudonyms of patients, as the receipts have them; all their studies go.
    where : an SQL expression over the table ``studies`` of the catalogue; the studies for which it holds when it is
        asked go.
    remember : keep a keyed hash of each id, so that the study is not added again.
    missing_ok : pass over ids and patients that are not there, and remember them all the same.
    dry_run : say what would be done, and do nothing.
    progress : told about every study that is copied.

    Raises
    ------
    StudyNotFoundError (E_NOT_FOUND) : an id or a patient is not there; nothing is removed.
    StudyError (E_QUERY) : ``where`` cannot be understood.
    CollectionError (E_CONFLICT) : other writers were faster again and again, or nothing was asked for.
    """
    if not (study_ids or patients or where):
        raise CollectionError("say which studies are to be removed", code="E_CONFLICT", where=collection.room.where)
    done = Removed(0, 0, 0, 0, 0, "")
    folder = collection.room.path if isinstance(collection.room, Folder) else None
    gone: set[str] = set()
    if folder is not None and not dry_run:
        check_idle(folder)

    def prepare(manifest: Manifest) -> Change | None:
        nonlocal done, gone
        wanted = set(study_ids) | _of_patients(collection, manifest, patients, missing_ok=missing_ok)
        if where:
            wanted |= set(where_ids(collection, manifest, where))
        found = holders(collection, manifest, wanted)
        there = {study_id for ids in found.values() for study_id in ids}
        if not missing_ok and there < wanted:
            missing = wanted - there
            reason = f"{len(missing)} of {len(wanted)} studies are not in the collection; nothing was removed"
            raise StudyNotFoundError(reason, where=min(missing))
        stones = {manifest.tombstone(study_id) for study_id in wanted} - set(manifest.removed) if remember else set()
        concerned = [member for member in manifest.archives if member.name in found]
        size = sum(member.bytes for member in concerned)
        done = Removed(len(there), len(concerned), size, len(stones), manifest.snapshot, "")
        gone = wanted
        if dry_run or not (there or stones):
            return None
        change = Change("remove", tombstones=stones, studies_removed=len(there))
        change.touched = np.sort(id_hashes(wanted))
        rewrite(collection, manifest, change, there, progress=progress)
        return change

    after = collection.commit(prepare)
    if folder is not None and not dry_run:
        forget(folder, gone)
    return Removed(done.studies, done.archives, done.bytes, done.remembered, after.snapshot, after.history[-1].time)


def _of_patients(collection: Collection, manifest: Manifest, patients: Ids[str], *, missing_ok: bool) -> set[str]:
    if not patients:
        return set()
    wanted, seen, found = set(patients), set(), set()
    for member in manifest.archives:
        for study_id, receipt in read_receipts(collection.room, member).items():
            if receipt.patient in wanted:
                found.add(study_id)
                seen.add(receipt.patient)
    if seen < wanted and not missing_ok:
        reason = f"{len(wanted - seen)} of {len(wanted)} patients have no study in the collection; nothing was removed"
        raise StudyNotFoundError(reason, where="patient")
    return found
