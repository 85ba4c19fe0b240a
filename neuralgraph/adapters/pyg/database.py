"""An archive as a PyG ``Database``, so that ``OnDiskDataset`` reads it; nothing is written, nothing is pickled."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from torch_geometric.data import Database, OnDiskDataset

from neuralgraph.access.places import lasting_places
from neuralgraph.adapters.pyg.batch import Batcher
from neuralgraph.batches.reader import BatchReader
from neuralgraph.errors import OutputError
from neuralgraph.storage.identity import ArchiveIdentity, check_same, identity_of
from neuralgraph.storage.opening import open_archive

__all__ = ["ArchiveDataset", "StudyDatabase"]


class StudyDatabase(Database):  # type: ignore[misc]  # PyG ships no types that mypy may follow
    """The studies of a file, an archive or a folder, read-only, as ``to_data`` gives them.

    Every process opens the files for itself, and refuses others that lie there by then.

    Parameters
    ----------
    path : what ``neuralgraph.open`` takes.
    options : as for ``neuralgraph.batches.reader.BatchReader``: ``labels``, ``split``, ``uncertain``,
        ``concept_features``, ``columns``, ``pruning``.

    Raises
    ------
    FormatError, StudyError : as for ``BatchReader``.
    """

    def __init__(self, path: str | os.PathLike[str], **options: Any) -> None:
        super().__init__(schema=object)
        self.path, self._options, self._place = path, options, lasting_places(path)
        self._batcher: Batcher | None = None
        self._identity: ArchiveIdentity | None = None
        self._process = -1
        self.connect()

    def connect(self) -> None:
        """Open the files, where this process has not done so."""
        if self._batcher is None or self._process != os.getpid():
            archive = open_archive(self._place)
            self._identity = self._identity or identity_of(archive)
            check_same(archive, self._identity)
            self._batcher = Batcher(BatchReader(archive, **self._options))
            self._process = os.getpid()

    def close(self) -> None:
        """Close the files; the next access opens them again."""
        if self._batcher is not None and self._process == os.getpid():
            self._batcher.reader.close()
        self._batcher = None

    def _open(self) -> Batcher:
        self.connect()
        assert self._batcher is not None
        return self._batcher

    def get(self, index: int) -> Any:
        """The graph of one study.

        Raises
        ------
        StudyNotFoundError (E_NOT_FOUND) : no such position.
        FormatError, StudyError : the study is damaged or breaks a rule.
        """
        return self._open().data(index)

    def _multi_get(self, indices: Sequence[int]) -> list[Any]:
        return self._open().several([int(index) for index in indices])

    def insert(self, index: int, data: Any) -> None:  # noqa: ARG002  the interface of Database
        """Refused: archives are written by ``neuralgraph.save`` and ``ngr pack``.

        Raises
        ------
        OutputError (E_OUTPUT) : always.
        """
        raise OutputError(
            "an archive is read-only; write one with neuralgraph.save or ngr pack",
            code="E_OUTPUT",
            where=str(self.path),
        )

    def __len__(self) -> int:
        """Number of studies."""
        return len(self._open().reader)

    def __getstate__(self) -> dict[str, Any]:
        """The state without open files: a copy, here or in a worker, opens its own."""
        return {**self.__dict__, "_batcher": None}


class ArchiveDataset(OnDiskDataset):  # type: ignore[misc]  # PyG ships no types that mypy may follow
    """An ``OnDiskDataset`` over an archive: what code written for that class expects, without a data base to fill.

    Parameters
    ----------
    path : what ``neuralgraph.open`` takes.
    transform : applied to each graph when it is asked for.
    options : as for ``StudyDatabase``.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, transform: Callable[[Any], Any] | None = None, **options: Any
    ) -> None:
        self.path, self._options = path, options
        self._database: StudyDatabase | None = None
        super().__init__(root=os.path.dirname(os.path.abspath(path)), transform=transform, log=False)

    @property
    def db(self) -> StudyDatabase:
        """The data base; opened at the first access."""
        if self._database is None:
            self._db = self._database = StudyDatabase(self.path, **self._options)
        return self._database
