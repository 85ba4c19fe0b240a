"""The studies of an archive as a PyTorch Geometric data set."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from torch_geometric.data import Dataset

from neuralgraph.adapters.pyg.batch import Batcher, widen
from neuralgraph.adapters.pyg.graphs import to_data, to_hetero_data
from neuralgraph.container.contents import GRAPHS
from neuralgraph.errors import StudyError, StudyNotFoundError
from neuralgraph.graph.targets import check_targets
from neuralgraph.storage.archive import Archive
from neuralgraph.storage.batches.reader import BatchReader
from neuralgraph.storage.opening import open_archive

__all__ = ["StudyDataset"]


class StudyDataset(Dataset):  # type: ignore[misc]  # PyG ships no types that mypy may follow
    """The studies of a file, an archive or a folder as a PyG data set.

    Nothing is written anywhere. Every process opens the files for itself at its first access, so the data set may be
    given to the workers of a ``DataLoader``, forked or spawned. A study is read and completely verified each time it
    is asked for; homogeneous graphs of archives to train from (``profile="train"``) are read as ``ArchiveLoader``
    reads them, which is much faster: checksums are verified, at the first access.

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
    heterogeneous : give graphs as ``to_hetero_data`` makes them.
    concept_width : as for ``to_hetero_data``; only with ``heterogeneous``.

    Raises
    ------
    FormatError : ``path`` cannot be opened, or is damaged.
    StudyNotFoundError (E_NOT_FOUND) : ``split`` names a study that is not there.
    StudyError (E_IDX, E_DUP, E_STUDY) : an argument cannot be meant; E_DUP when ``split`` names a study twice.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        transform: Callable[[Any], Any] | None = None,
        pre_filter: Callable[[Any], bool] | None = None,
        labels: Sequence[str] | None = None,
        uncertain: str = "mask",
        split: Iterable[str] | None = None,
        concept_features: str = "auto",
        heterogeneous: bool = False,
        concept_width: int | None = None,
    ) -> None:
        super().__init__(transform=transform, pre_filter=pre_filter)
        check_targets(() if labels is None else labels, uncertain)
        if concept_width is not None and not heterogeneous:
            raise StudyError("only heterogeneous graphs have a concept width", where="concept_width")
        self.path = path
        self.uncertain = uncertain
        self.heterogeneous = heterogeneous
        self._options: dict[str, Any] = {"concept_features": concept_features}
        if heterogeneous:
            self._options["concept_width"] = concept_width
        self._archive: Archive | None = None
        self._batcher: Batcher | None = None
        self._process = -1
        self.label_names: tuple[str, ...] | None = None if labels is None else tuple(labels)
        """Names of the columns of ``y``."""
        archive = self._opened()
        self._n_studies = len(archive)
        if split is not None:
            self._indices = _positions(archive, split)
        if self.label_names is None:
            names = {name for position in self.indices() for name in archive[position].labels}
            self.label_names = tuple(sorted(names, key=str.encode))
            self._batcher = self._batcher_of(archive)
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
        archive = self._opened()
        if self._batcher is not None:
            return self._batcher.data(idx)
        study = archive[idx]
        convert = to_hetero_data if self.heterogeneous else to_data
        return convert(study, labels=self.label_names, uncertain=self.uncertain, **self._options)

    def _opened(self) -> Archive:
        if self._archive is None or self._process != os.getpid():
            self._archive, self._process = open_archive(self.path), os.getpid()
            weakref.finalize(self, self._archive.close)
            self._batcher = self._batcher_of(self._archive)
        return self._archive

    def _batcher_of(self, archive: Archive) -> Batcher | None:
        """Where graphs are read from without making a study first, when every file is made for that."""
        if self.heterogeneous or self.label_names is None:
            return None
        if any(GRAPHS not in container.contents.sections for _, _, container in archive.files):
            return None
        reader = BatchReader(
            archive,
            labels=self.label_names,
            uncertain=self.uncertain,
            concept_features=self._options["concept_features"],
            widen=widen,
        )
        return Batcher(reader)

    def __getstate__(self) -> dict[str, Any]:
        """The state without open files: a copy, here or in a worker, opens its own."""
        return {**self.__dict__, "_archive": None, "_batcher": None}


def _positions(archive: Archive, split: Iterable[str]) -> list[int]:
    """Positions of the studies that ``split`` names."""
    if isinstance(split, str):
        raise StudyError(f"split must be a list of study ids; write [{split!r}]", where="split")
    known = {study_id: position for position, study_id in enumerate(archive.ids)}
    positions: dict[int, None] = {}
    for study_id in split:
        if study_id not in known:
            raise StudyNotFoundError(
                f"split names {study_id!r}, which is not among {len(known)} studies", where="split"
            )
        if known[study_id] in positions:
            raise StudyError(f"split names {study_id!r} twice", code="E_DUP", where="split")
        positions[known[study_id]] = None
    return list(positions)
