"""A collection and its commits: the newest manifest is the state, and creating the next one changes it."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuralgraph.access.files import located
from neuralgraph.collection.places import Room, Where, room_at
from neuralgraph.container.reader import Container
from neuralgraph.errors import DISTRIBUTION, CollectionError, FormatError, OutputError
from neuralgraph.storage.lookup import study_id_at
from neuralgraph.storage.manifest import (
    MANIFESTS,
    MARKER,
    Commit,
    Manifest,
    Member,
    manifest_name,
    newest_manifest,
    read_manifest,
    write_manifest,
)

__all__ = ["ARCHIVE_STUDIES", "Change", "Collection", "id_hashes", "member_ids"]

ARCHIVE_STUDIES = 8192
"""Studies an archive is made for: removing one study rewrites so many at most."""
ATTEMPTS = 8
"""How often an operation is begun anew after it lost against other writers."""
_CHUNK = 8192
_LINES = 100_000
"""Of the log that a manifest carries; older ones are dropped."""


@dataclass
class Change:
    """What an operation wants to commit: new archives, written already, and what they replace."""

    operation: str
    added: list[Member] = field(default_factory=list)
    dropped: set[str] = field(default_factory=set)
    """Names of archives that no longer count."""
    successors: dict[str, list[Member]] = field(default_factory=dict)
    """Of the new archives those that stand where a dropped one stood, by its name; the others come last."""
    tombstones: set[str] = field(default_factory=set)
    revived: set[str] = field(default_factory=set)
    """Tombstones that are taken back."""
    studies_added: int = 0
    studies_removed: int = 0
    touched: NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, np.uint64))
    """``id_hashes`` of the studies that are added or removed, ascending: another writer must not have added them."""


class Collection:
    """A collection to be changed. To read studies, ``neuralgraph.open`` its place.

    Parameters
    ----------
    place : folder or URL.
    options : of the file system, for a URL.

    Raises
    ------
    FormatError (E_OPEN) : there is no collection, or it cannot be read.
    FormatError (E_MANIFEST) : its marker is damaged, or of another version.
    """

    def __init__(self, place: Where, *, options: Mapping[str, Any] | None = None) -> None:
        self.room: Room = room_at(place, options=options)
        try:
            marker = json.loads(self.room.read(MARKER))
        except FormatError as error:
            if not isinstance(error.__cause__, FileNotFoundError | NotADirectoryError):
                raise
            reason = "there is no collection here; make one with: ngr collection create"
            raise FormatError(reason, code="E_OPEN", where=self.room.where) from error
        except ValueError as error:
            raise FormatError("the marker of the collection is damaged", code="E_MANIFEST", where=MARKER) from error
        if not isinstance(marker, dict) or marker.get("format") != "neuralgraph collection 1":
            reason = "the collection is of a version this program does not know"
            raise FormatError(reason, code="E_MANIFEST", where=self.room.where)

    @classmethod
    def create(
        cls,
        place: Where,
        *,
        catalogue: bool = True,
        archive_studies: int = ARCHIVE_STUDIES,
        options: Mapping[str, Any] | None = None,
    ) -> Collection:
        """Make an empty collection.

        Parameters
        ----------
        place : an empty or absent folder, or a URL.
        catalogue : keep tables for ``ngr find``; needs the extra ``catalog``.
        archive_studies : studies per archive.

        Raises
        ------
        OutputError (E_OUTPUT) : there is something already.
        """
        if archive_studies < 2:
            raise OutputError(
                "an archive of a collection is made for at least 2 studies", code="E_OUTPUT", where="archive_studies"
            )
        room = room_at(place, options=options)
        if room.names("") or room.names(MANIFESTS):
            raise OutputError("the place is not empty; choose another", code="E_OUTPUT", where=room.where)
        commit = Commit(1, now(), "create", 0, 0, 0, program())
        first = Manifest(secrets.token_hex(16), 1, secrets.token_hex(16), catalogue, archive_studies, history=(commit,))
        marker = {"format": "neuralgraph collection 1", "manifests": MANIFESTS}
        if not room.create(manifest_name(1), write_manifest(first)):
            raise OutputError("another process makes a collection here", code="E_OUTPUT", where=room.where)
        room.create(MARKER, json.dumps(marker, indent=1).encode() + b"\n")
        return cls(place, options=options)

    def head(self) -> Manifest:
        """The state now.

        Raises
        ------
        FormatError (E_MANIFEST, E_OPEN) : the newest manifest is damaged or cannot be read.
        """
        return newest_manifest(self.room.names(MANIFESTS), self.room.read, where=self.room.where)

    def at(self, snapshot: int) -> Manifest:
        """An earlier state, as long as ``vacuum`` has left it."""
        return read_manifest(self.room.read(manifest_name(snapshot)), where=manifest_name(snapshot))

    def new_name(self) -> str:
        """A name for an archive that tells nothing."""
        return secrets.token_hex(16)

    def commit(self, prepare: Callable[[Manifest], Change | None]) -> Manifest:
        """Prepare a change and make it the next state; when others were faster, on top of what they did.

        Parameters
        ----------
        prepare : given the state, writes new archives and says what changes; None when nothing does. Called again when
            what another writer has done cannot stand beside it.

        Returns
        -------
        the new state, or the old one when nothing changed.

        Raises
        ------
        CollectionError (E_CONFLICT) : others were faster again and again.
        """
        for _ in range(ATTEMPTS):
            base = self.head()
            change = prepare(base)
            if change is None:
                return base
            latest = base
            while self._fits(change, base, latest):
                following = _next(latest, change)
                if self.room.create(manifest_name(following.snapshot), write_manifest(following)):
                    return following
                latest = self.head()
            self.discard(change.added)
        reason = f"other writers changed the collection {ATTEMPTS} times meanwhile; nothing was changed, try again"
        raise CollectionError(reason, code="E_CONFLICT", where=self.room.where)

    def _fits(self, change: Change, base: Manifest, latest: Manifest) -> bool:
        """Whether a change that was prepared for one state may be made to a later one."""
        if latest is base:
            return True
        known = {member.name for member in base.archives}
        if not change.dropped <= {member.name for member in latest.archives}:
            return False
        if len(change.touched) and set(latest.removed) != set(base.removed):
            return False
        for member in latest.archives:
            if member.name not in known:
                for ids in member_ids(self.room, member):
                    if np.isin(id_hashes(ids), change.touched).any():
                        return False
        return True

    def discard(self, members: Iterable[Member]) -> None:
        """Delete archives that were written and are not committed."""
        for member in members:
            for name in files_of(member):
                self.room.delete(name)

    def ids(self, manifest: Manifest | None = None) -> Iterator[tuple[Member, int, list[str]]]:
        """All study ids: archive, position of the first, and some thousand ids at a time."""
        for member in (manifest or self.head()).archives:
            start = 0
            for ids in member_ids(self.room, member):
                yield member, start, ids
                start += len(ids)


def files_of(member: Member) -> list[str]:
    """Every file that an archive of this name may have."""
    tables = [member.table_path(table) for table in ("studies", "concepts", "triples")]
    return [member.path, member.receipts_path, *tables]


def member_ids(room: Room, member: Member) -> Iterator[list[str]]:
    """The ids of an archive, some thousand at a time.

    Raises
    ------
    FormatError : the archive is damaged, or not the one the manifest means.
    """
    with room.source(member.path) as source, located(room.place(member.path)):
        container = Container(source)
        if len(container) != member.studies or container.root.hex() != member.root:
            reason = "the archive is not the one that the manifest means; it was replaced or damaged"
            raise FormatError(reason, code="E_MANIFEST", where=member.path)
        if container.keys is None:
            yield [study_id_at(container, 0)]
            return
        for first in range(0, len(container), _CHUNK):
            yield container.keys.study_ids(first, min(first + _CHUNK, len(container)))


def id_hashes(study_ids: Iterable[str]) -> NDArray[np.uint64]:
    """64 bits of the SHA-256 of each id, to find those that may be equal without holding all."""
    digests = b"".join(hashlib.sha256(study_id.encode()).digest()[:8] for study_id in study_ids)
    return np.frombuffer(digests, np.uint64)


def program() -> str:
    """The version of this package, as the log has it; "" where it is not installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return ""


def now() -> str:
    """The time, as the log has it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _next(latest: Manifest, change: Change) -> Manifest:
    archives: list[Member] = []
    for member in latest.archives:
        archives += change.successors.get(member.name, []) if member.name in change.dropped else [member]
    placed = {member.name for found in change.successors.values() for member in found}
    archives += [member for member in change.added if member.name not in placed]
    studies = sum(member.studies for member in archives)
    commit = Commit(
        latest.snapshot + 1,
        now(),
        change.operation,
        change.studies_added,
        change.studies_removed,
        studies,
        program(),
    )
    return replace(
        latest,
        snapshot=latest.snapshot + 1,
        archives=tuple(archives),
        removed=tuple(sorted((set(latest.removed) | change.tombstones) - change.revived)),
        history=(*latest.history, commit)[-_LINES:],
    )
