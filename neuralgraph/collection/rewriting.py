"""Archives written again without some of their studies: how studies are removed, replaced and merged."""

from __future__ import annotations

from collections.abc import Collection as Ids
from collections.abc import Sequence

import numpy as np

from neuralgraph.collection.collection import Change, Collection, id_hashes, member_ids
from neuralgraph.collection.held import held_archive
from neuralgraph.collection.receipts import read_receipts
from neuralgraph.collection.writing import ArchiveWriter, Progress, receipt_of
from neuralgraph.storage.manifest import Manifest, Member

__all__ = ["copy_members", "holders", "rewrite"]


def holders(collection: Collection, manifest: Manifest, study_ids: Ids[str]) -> dict[str, set[str]]:
    """By name of the archive, which of these studies it holds."""
    wanted, hashes = set(study_ids), np.sort(id_hashes(study_ids))
    found: dict[str, set[str]] = {}
    for member in manifest.archives:
        for ids in member_ids(collection.room, member):
            rows = np.flatnonzero(np.isin(id_hashes(ids), hashes)).tolist()
            there = {ids[row] for row in rows} & wanted
            if there:
                found.setdefault(member.name, set()).update(there)
    return found


def rewrite(
    collection: Collection,
    manifest: Manifest,
    change: Change,
    study_ids: Ids[str],
    *,
    progress: Progress | None = None,
) -> set[str]:
    """Write the archives that hold some of these studies again without them; which were there.

    Each archive is written for itself, so that one study costs one archive. Nothing counts before the commit.
    """
    found = holders(collection, manifest, study_ids)
    concerned = [member for member in manifest.archives if member.name in found]
    total = sum(member.studies - len(found[member.name]) for member in concerned)
    done = 0
    for member in concerned:
        change.dropped.add(member.name)
        first = len(change.added)
        done = copy_members(
            collection,
            manifest,
            change,
            [member],
            without=found[member.name],
            progress=progress,
            done=done,
            total=total,
        )
        change.successors[member.name] = change.added[first:]
    return {study_id for there in found.values() for study_id in there}


def copy_members(
    collection: Collection,
    manifest: Manifest,
    change: Change,
    members: Sequence[Member],
    *,
    without: Ids[str] = (),
    progress: Progress | None = None,
    done: int = 0,
    total: int = 0,
) -> int:
    """Write the studies of archives into new ones, in order, receipts included; how many are done now."""
    with ArchiveWriter(collection, manifest, change) as writer:
        for member in members:
            receipts = read_receipts(collection.room, member)
            with held_archive(collection.room, member, tables=manifest.catalogue) as held:
                for position in range(len(held)):
                    study_id = held.study_id(position)
                    if study_id in without:
                        continue
                    writer.copy_held(held, position, receipt_of(receipts, study_id))
                    done += 1
                    if progress is not None:
                        progress(done, total)
    return done
