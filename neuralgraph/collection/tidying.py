"""Keeping a collection in order: small archives become large ones, and what no longer counts is deleted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from neuralgraph.collection.collection import Change, Collection, files_of
from neuralgraph.collection.rewriting import copy_members
from neuralgraph.collection.writing import Progress
from neuralgraph.storage.manifest import MANIFESTS, Manifest, manifest_name, read_manifest

__all__ = ["FOLDERS", "Vacuumed", "compact", "vacuum"]

FOLDERS: tuple[str, ...] = ("archives", "receipts", "catalogue", MANIFESTS)
"""Where the files of a collection lie."""


@dataclass(frozen=True)
class Vacuumed:
    """What was deleted."""

    files: int
    bytes: int
    manifests: int
    """Of the files: earlier states, which cannot be opened any more."""


def compact(collection: Collection, *, dry_run: bool = False, progress: Progress | None = None) -> tuple[int, int]:
    """Merge archives of fewer than half the studies an archive is made for, neighbours into one; in one commit.

    Returns
    -------
    (archives merged, archives they became).

    Raises
    ------
    CollectionError (E_CONFLICT) : other writers were faster again and again.
    """
    done = (0, 0)

    def prepare(manifest: Manifest) -> Change | None:
        nonlocal done
        small = [member for member in manifest.archives if member.studies * 2 < manifest.archive_studies]
        total = sum(member.studies for member in small)
        done = (len(small), -(-total // manifest.archive_studies))
        if len(small) < 2:
            done = (0, 0)
        if len(small) < 2 or dry_run:
            return None
        change = Change("compact", dropped={member.name for member in small})
        copy_members(collection, manifest, change, small, progress=progress, total=total)
        return change

    collection.commit(prepare)
    return done


def vacuum(collection: Collection, *, older_than: float = 86_400.0, dry_run: bool = False) -> Vacuumed:
    """Delete every file that no state counts that was the newest within the last ``older_than`` seconds.

    Studies that were removed earlier than that are then in no file. Whoever still reads an older state fails with
    E_OPEN and has to open the collection again. With 0 nothing may write at the same time: archives that another
    writer has not committed yet would be deleted too.

    Parameters
    ----------
    collection : which.
    older_than : seconds.
    dry_run : count only.
    """
    room = collection.room
    head = collection.head()
    left = [name for name in room.names(MANIFESTS) if name.removesuffix(".json").isdecimal()]
    kept = {head.snapshot: head}
    gone: dict[int, Manifest] = {}
    recent = _recent(head, older_than)
    for name in left:
        number = int(name.removesuffix(".json"))
        if number != head.snapshot:
            states = kept if number in recent or number > head.snapshot else gone
            states[number] = read_manifest(room.read(f"{MANIFESTS}/{name}"), where=name)
    counting = {file for manifest in kept.values() for file in _files(manifest)}
    counted = {file for manifest in gone.values() for file in _files(manifest)} - counting
    doomed = [
        path
        for folder in FOLDERS
        for path in (f"{folder}/{name}" for name in room.names(folder))
        if path in counted or (path not in counting and room.age(path) >= older_than)
    ]
    # Manifests last: after a crash they say what is still to be deleted.
    doomed.sort(key=lambda path: path.startswith(f"{MANIFESTS}/"))
    size = sum(room.size(path) for path in doomed)
    if not dry_run:
        for path in doomed:
            room.delete(path)
    return Vacuumed(len(doomed), size, len(gone))


def _recent(head: Manifest, older_than: float) -> set[int]:
    """States that something newer has followed only within the last ``older_than`` seconds."""
    time = datetime.now(UTC).timestamp()
    followed = zip(head.history, head.history[1:], strict=False)
    return {
        earlier.snapshot
        for earlier, later in followed
        if time - datetime.fromisoformat(later.time).timestamp() < older_than
    }


def _files(manifest: Manifest) -> set[str]:
    files = {file for member in manifest.archives for file in files_of(member)}
    return files | {manifest_name(manifest.snapshot)}
