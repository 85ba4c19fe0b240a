"""The studies of an archive as a PyTorch Geometric data set."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from torch_geometric.data import Dataset

from neuralgraph.access.places import lasting_places
from neuralgraph.adapters.pyg.batch import Batcher
from neuralgraph.batches.reader import BatchReader
from neuralgraph.batches.targets import check_targets
from neuralgraph.collection.asking import answering
from neuralgraph.errors import StudyError
from neuralgraph.storage.archive import Archive
from neuralgraph.storage.identity import check_same, identity_of
from neuralgraph.storage.manifest import is_collection
from neuralgraph.storage.opening import open_archive

__all__ = ["StudyDataset"]


class StudyDataset(Dataset):  # type: ignore[misc]  # PyG ships no types that mypy may follow
    """The studies of a file, an archive or a folder as a PyG data set.

    Nothing is written anywhere. Every process opens the files for itself at its first access, and refuses others that
    lie there by then, so the data set may be given to the workers of a ``DataLoader``, forked or spawned. What is read
    is verified each time it is read.

    Parameters
    ----------
    path : what ``neuralgraph.open`` takes.
    transform : applied to each graph when it is asked for.
    pre_filter : keeps the studies for whose graph (before ``transform``) it is true; reads every study once, at once.
    labels : names of the columns of ``y``. None takes every label of the chosen studies, sorted by name, and reads
        every study once, at once, to learn them; ``label_names`` holds them then.
    uncertain, concept_features : as for ``to_data``.
    split : ids of the studies to take, in this order; None takes all in the order of the archive. A file does not know
        which studies are of one patient: make the lists so that no patient is in two of them.
    where : only studies that answer this question, "right effusion present, no tube" (docs/how-to/collection.md); of a
        collection its catalogue is asked, of anything else every study is read once, at once. Findings that a model
        wrote do not count. The extra ``catalog``.
    heterogeneous : give graphs as ``to_hetero_data`` makes them.
    concept_width : as for ``to_hetero_data``; only with ``heterogeneous``.

    Raises
    ------
    FormatError : ``path`` cannot be opened, or is damaged.
    StudyNotFoundError (E_NOT_FOUND) : ``split`` names a study that is not there.
    StudyError (E_IDX, E_DUP, E_STUDY) : an argument cannot be meant; E_DUP when ``split`` names a study twice.
    """

    def __init__(  # noqa: PLR0913 - keywords of a data set, flat like those of the loader
        self,
        path: str | os.PathLike[str],
        *,
        transform: Callable[[Any], Any] | None = None,
        pre_filter: Callable[[Any], bool] | None = None,
        labels: Sequence[str] | None = None,
        uncertain: str = "mask",
        split: Iterable[str] | None = None,
        where: str | None = None,
        concept_features: str = "auto",
        heterogeneous: bool = False,
        concept_width: int | None = None,
    ) -> None:
        super().__init__(transform=transform, pre_filter=pre_filter)
        check_targets(() if labels is None else labels, uncertain)
        if concept_width is not None and not heterogeneous:
            raise StudyError("only heterogeneous graphs have a concept width", code="E_STUDY", where="concept_width")
        self.path = path
        self.uncertain = uncertain
        self.heterogeneous = heterogeneous
        self._options: dict[str, Any] = {"uncertain": uncertain, "concept_features": concept_features}
        self._concept_width = concept_width
        self._batcher: Batcher | None = None
        self._process = -1
        self._options["y_as_saved"] = labels is None
        self._place = lasting_places(path)
        archive = open_archive(self._place)
        weakref.finalize(self, archive.close)
        if isinstance(self._place, Path) and is_collection(self._place):
            # Its newest state may be another when a worker opens it; the files of this one are what is meant.
            self._place = [name for name, _, _ in archive.files]
        self._identity = identity_of(archive)
        if where is not None:
            split = answering(archive, path, where, split=split)
        taken = BatchReader(archive, labels=labels, split=split, **self._options)
        self.label_names: tuple[str, ...] = taken.label_names
        """Names of the columns of ``y``."""
        self._n_studies = len(archive)
        if split is not None:
            self._indices = taken.positions.tolist()
        self._use(archive)
        if pre_filter is not None:
            self._indices = [position for position in self.indices() if pre_filter(self.get(position))]

    def len(self) -> int:
        """Number of studies of the archive, before ``split`` and ``pre_filter``; ``len()`` counts after them."""
        return self._n_studies

    def get(self, idx: int) -> Any:
        """The graph of the study at position ``idx`` of the archive, before ``transform``.

        Raises
        ------
        FormatError, StudyError : the study is damaged or breaks a rule.
        """
        return self._opened().data(idx)

    def __getitems__(self, numbers: Sequence[int]) -> list[Any]:
        """The graphs of a batch, for a ``DataLoader``: of a URL with few requests."""
        indices = self.indices()
        graphs = self._opened().several([indices[number] for number in numbers])
        return graphs if self.transform is None else [self.transform(graph) for graph in graphs]

    def _opened(self) -> Batcher:
        if self._batcher is None or self._process != os.getpid():
            archive = open_archive(self._place)
            weakref.finalize(self, archive.close)
            check_same(archive, self._identity)
            return self._use(archive)
        return self._batcher

    def _use(self, archive: Archive) -> Batcher:
        reader = BatchReader(archive, labels=self.label_names, **self._options)
        self._batcher = Batcher(reader, heterogeneous=self.heterogeneous, concept_width=self._concept_width)
        self._process = os.getpid()
        return self._batcher

    def __getstate__(self) -> dict[str, Any]:
        """The state without open files: a copy, here or in a worker, opens its own."""
        return {**self.__dict__, "_batcher": None}
