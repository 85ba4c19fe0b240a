"""What a server has open: the newest state of a collection, looked for anew every second."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from neuralgraph.catalogue.database import Catalogue
from neuralgraph.collection import Collection, catalogue_of
from neuralgraph.collection.places import Folder
from neuralgraph.errors import CollectionError, FormatError
from neuralgraph.storage.archive import Archive
from neuralgraph.storage.manifest import Manifest
from neuralgraph.storage.opening import open_archive

__all__ = ["ServedState"]

_LOOK_EVERY = 1.0


class ServedState:
    """A collection of this machine, open to be read by one thread at a time.

    Parameters
    ----------
    place : its folder.

    Raises
    ------
    FormatError (E_OPEN, E_MANIFEST) : there is no collection, or it cannot be read.
    """

    def __init__(self, place: str) -> None:
        self.collection = Collection(place)
        if not isinstance(self.collection.room, Folder):
            reason = "a server serves a folder of its own machine; readers open a bucket themselves"
            raise FormatError(reason, code="E_OPEN", where=self.collection.room.where)
        self.folder = self.collection.room.path
        self._lock = threading.RLock()
        self._stack = ExitStack()
        self._looked = 0.0
        self._manifest: Manifest | None = None
        self._archive: Archive | None = None
        self._catalogue: Catalogue | None = None
        self.manifest()

    def manifest(self) -> Manifest:
        """The newest state."""
        with self._lock:
            if self._manifest is None or time.monotonic() - self._looked > _LOOK_EVERY:
                head = self.collection.head()
                self._looked = time.monotonic()
                if self._manifest is None or head.snapshot != self._manifest.snapshot:
                    self._close()
                    self._manifest = head
            return self._manifest

    def _close(self) -> None:
        self._stack.close()
        self._stack = ExitStack()
        self._archive = self._catalogue = None

    @contextmanager
    def archive(self) -> Iterator[Archive]:
        """The archive, for one thread.

        Raises
        ------
        CollectionError (E_QUERY) : the collection is empty.
        """
        with self._lock:
            manifest = self.manifest()
            if not manifest.archives:
                raise CollectionError("the collection is empty", code="E_QUERY")
            if self._archive is None:
                files = [self.folder / member.path for member in manifest.archives]
                self._archive = self._stack.enter_context(open_archive(files))
            yield self._archive

    @contextmanager
    def catalogue(self) -> Iterator[Catalogue]:
        """The catalogue, for one thread.

        Raises
        ------
        CollectionError (E_QUERY) : the collection keeps none, or is empty.
        """
        with self._lock:
            manifest = self.manifest()
            if self._catalogue is None:
                self._catalogue = self._stack.enter_context(catalogue_of(self.collection, manifest))
            yield self._catalogue

    def archive_name(self, name: str) -> Any:
        """The path of an archive that counts now, or None."""
        known = {f"{member.name}.ngr": member for member in self.manifest().archives}
        return self.folder / known[name].path if name in known else None

    def close(self) -> None:
        """Let the files go."""
        with self._lock:
            self._close()
