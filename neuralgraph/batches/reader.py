"""The studies of a file, an archive, or a folder of them, for batches."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from functools import cached_property
from types import TracebackType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuralgraph.batches.arrays import chosen_attributes
from neuralgraph.batches.features import check_source
from neuralgraph.batches.pruning import Pruning
from neuralgraph.batches.splits import split_positions
from neuralgraph.batches.targets import check_targets
from neuralgraph.errors import FormatError, StudyError, StudyNotFoundError
from neuralgraph.graph.study import Study
from neuralgraph.storage.archive import Archive
from neuralgraph.storage.files import located
from neuralgraph.storage.opening import open_archive

__all__ = ["BatchReader"]

_STUDIES_AT_ONCE = 256
"""Studies whose labels are read together."""
_LOOKED_AT = 16
"""Records of a file that are asked for the width of embeddings when none of them has any."""


class BatchReader:
    """Reads the studies that batches are made of; may be used by several threads at once.

    Parameters
    ----------
    path : what ``neuralgraph.open`` takes, or an open archive.
    labels : names of the columns of ``y``; None takes every label of the chosen studies, sorted by name, for which
        every one of them is read once.
    split : ids of the studies to take, in this order; None takes all.
    uncertain, concept_features : as for ``adapters.pyg.to_data``.
    columns : the ``ATTRIBUTES`` to read; None reads all.
    pruning : patches to keep.

    Raises
    ------
    FormatError : ``path`` cannot be opened, or is damaged.
    StudyNotFoundError (E_NOT_FOUND) : ``split`` names a study that is not there.
    StudyError (E_IDX, E_DUP, E_STUDY) : an argument cannot be meant.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | Archive,
        *,
        labels: Sequence[str] | None = None,
        split: Iterable[str] | None = None,
        uncertain: str = "mask",
        concept_features: str = "auto",
        columns: Iterable[str] | None = None,
        pruning: Pruning | None = None,
    ) -> None:
        check_targets(() if labels is None else labels, uncertain)
        check_source(concept_features)
        self.columns = chosen_attributes(columns)
        self.uncertain, self.concept_features = uncertain, concept_features
        self.pruning = pruning or Pruning()
        self.archive = path if isinstance(path, Archive) else open_archive(path)
        try:
            self.positions: NDArray[np.int64] = (
                np.arange(len(self.archive)) if split is None else split_positions(self.archive, split)
            )
            self.label_names: tuple[str, ...] = self._all_labels() if labels is None else tuple(labels)
            """Names of the columns of ``y``."""
        except BaseException:
            self.close()
            raise

    def __len__(self) -> int:
        """Number of studies to read from: those of ``split``, or all."""
        return len(self.positions)

    @cached_property
    def width(self) -> int:
        """Width of the embeddings, 0 when no study says; what a study without patches takes for its concepts.

        Raises
        ------
        FormatError (E_SIZE) : files with embeddings of different widths.
        """
        widths = set()
        for name, _, container in self.archive.files:
            with located(name):
                filled = np.flatnonzero(np.asarray(container.index.counts["n_patches"][:]))
                looked_at = filled[:1].tolist() or range(min(len(container), _LOOKED_AT))
                widths.add(max(container.record(position).counts.embedding_dim for position in looked_at))
        widths -= {0}
        if len(widths) > 1:
            reason = f"files with embeddings of different widths ({', '.join(map(str, sorted(widths)))}) form no batch"
            raise FormatError(reason, code="E_SIZE")
        return widths.pop() if widths else 0

    def _all_labels(self) -> tuple[str, ...]:
        names: set[str] = set()
        for start in range(0, len(self), _STUDIES_AT_ONCE):
            for study in self.archive.read_many(self.positions[start : start + _STUDIES_AT_ONCE].tolist()):
                names.update(study.labels)
        return tuple(sorted(names, key=str.encode))

    def studies(self, numbers: ArrayLike) -> list[Study]:
        """Some studies, with the patches they keep: what a batch is defined by.

        Parameters
        ----------
        numbers : int [B], at least one, positions among the studies to read from; any order, repetition allowed.

        Raises
        ------
        StudyNotFoundError (E_NOT_FOUND) : no such study.
        FormatError, StudyError : a study is damaged or breaks a rule.
        """
        return [self.pruning.of(study) for study in self.archive.read_many(self._positions(numbers).tolist())]

    def _positions(self, numbers: ArrayLike) -> NDArray[np.int64]:
        chosen = np.asarray(numbers, np.int64).reshape(-1)
        if not len(chosen) or int(chosen.min()) < 0 or int(chosen.max()) >= len(self):
            raise StudyNotFoundError(f"positions outside 0 to {len(self) - 1}, or none", where="batch")
        return self.positions[chosen]

    def check_width(self, study: Study) -> None:
        """Refuse a study that fits no batch of the others.

        Raises
        ------
        StudyError (E_SIZE) : its embedding has another width than those of the archive.
        """
        width = study.patches.embedding.shape[1]
        if len(study.patches) and width != self.width:
            reason = f"an embedding of width {width} among those of width {self.width}: no batch has both"
            raise StudyError(reason, code="E_SIZE", where=study.study_id)

    def close(self) -> None:
        """Close the files; harmless when closed already."""
        self.archive.close()

    def __enter__(self) -> BatchReader:
        """The reader itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the files."""
        self.close()
