"""What a server has open: the newest state of a collection, looked for anew every second.

A state never changes, so what was asked of one may be remembered as long as it is the newest. Archive and catalogue are
each read by one thread at a time, and neither waits for the other; whoever only asks for the state waits for nobody.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from neuralgraph.catalogue.database import Catalogue
from neuralgraph.collection import Collection
from neuralgraph.collection.places import Folder
from neuralgraph.errors import CollectionError, FormatError
from neuralgraph.rows.columns import TABLES
from neuralgraph.storage.archive import Archive
from neuralgraph.storage.manifest import Manifest
from neuralgraph.storage.opening import open_archive

__all__ = ["OpenState", "ServedState"]

_LOOK_EVERY = 1.0
_MOST_ANSWERS = 64
"""Answers to questions that are remembered."""


class OpenState:
    """One state of a collection, open; what nobody refers to any more closes itself.

    Parameters
    ----------
    manifest : the state.
    folder : of the collection.
    """

    def __init__(self, manifest: Manifest, folder: Path) -> None:
        self.manifest, self._folder = manifest, folder
        self._archive_lock, self._catalogue_lock = threading.Lock(), threading.Lock()
        self._archive: Archive | None = None
        self._catalogue: Catalogue | None = None
        self._answers: OrderedDict[tuple[str, bool], list[str]] = OrderedDict()

    @contextmanager
    def archive(self) -> Iterator[Archive]:
        """The archive, for one thread.

        Raises
        ------
        CollectionError (E_QUERY) : the collection is empty.
        """
        if not self.manifest.archives:
            raise CollectionError("the collection is empty", code="E_QUERY")
        with self._archive_lock:
            if self._archive is None:
                self._archive = open_archive([self._folder / member.path for member in self.manifest.archives])
            yield self._archive

    @contextmanager
    def catalogue(self) -> Iterator[Catalogue]:
        """The catalogue, for one thread.

        Raises
        ------
        CollectionError (E_QUERY) : the collection keeps none, or is empty.
        """
        members = self.manifest.archives
        if not members or not self.manifest.catalogue:
            raise CollectionError("the collection is empty, or keeps no catalogue", code="E_QUERY")
        with self._catalogue_lock:
            if self._catalogue is None:
                files = {table: [str(self._folder / each.table_path(table)) for each in members] for table in TABLES}
                self._catalogue = Catalogue(files)
            yield self._catalogue

    def answer(self, question: str, *, generated: bool) -> list[str]:
        """Ids of the studies that answer a question, remembered for whoever asks the same; errors as ``catalogue``."""
        asked = (question, generated)
        found = self._answers.get(asked)
        if found is None:
            with self.catalogue() as catalogue:
                found = self._answers.get(asked)
                if found is None:
                    found = self._answers[asked] = catalogue.find(question, generated=generated)
                    while len(self._answers) > _MOST_ANSWERS:
                        self._answers.popitem(last=False)
        return found


class ServedState:
    """A collection of this machine, open to be read.

    Parameters
    ----------
    place : its folder.

    Raises
    ------
    FormatError (E_OPEN, E_MANIFEST) : there is no collection, or it cannot be read.
    """

    def __init__(self, place: str) -> None:
        self.collection = Collection(place)
        room = self.collection.room
        if not isinstance(room, Folder):
            reason = "a server serves a folder of its own machine; readers open a bucket themselves"
            raise FormatError(reason, code="E_OPEN", where=room.where)
        self.folder = room.path
        self._lock = threading.Lock()
        self._looked = time.monotonic()
        self._open = OpenState(self.collection.head(), self.folder)

    def now(self) -> OpenState:
        """The newest state; one thread looks for it, the others take what was the newest a moment ago."""
        if time.monotonic() - self._looked > _LOOK_EVERY and self._lock.acquire(blocking=False):
            try:
                head = self.collection.head()
                self._looked = time.monotonic()
                if head.snapshot != self._open.manifest.snapshot:
                    self._open = OpenState(head, self.folder)
            finally:
                self._lock.release()
        return self._open

    def manifest(self) -> Manifest:
        """The newest state as its manifest."""
        return self.now().manifest

    def archive_path(self, name: str) -> Path | None:
        """The path of an archive that counts now, by its file name; None for every other."""
        known = {f"{member.name}.ngr": member for member in self.manifest().archives}
        return self.folder / known[name].path if name in known else None
