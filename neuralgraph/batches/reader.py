"""The studies of a file, an archive, or a folder of them, for batches: as studies, or as arrays by the kernel."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuralgraph.access.files import located
from neuralgraph.batches import kernel
from neuralgraph.batches.arrays import Allocate, GraphBatch, chosen_attributes, width_error
from neuralgraph.batches.features import LEAST_WIDTH, check_source
from neuralgraph.batches.kernel import Kernel, NotForKernelError, TargetColumns
from neuralgraph.batches.pruning import Pruning
from neuralgraph.batches.remembered import RememberedFeatures
from neuralgraph.batches.splits import split_positions
from neuralgraph.batches.targets import check_targets
from neuralgraph.errors import FormatError, StudyNotFoundError
from neuralgraph.graph.rules import text_problem
from neuralgraph.graph.study import Study
from neuralgraph.storage.archive import Archive
from neuralgraph.storage.opening import open_archive
from neuralgraph.wire.computed import computed

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
    y_as_saved : plain graphs have the ``y`` they were saved with, not one of ``labels``; None is yes where no labels
        are named.

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
        y_as_saved: bool | None = None,
    ) -> None:
        check_targets(() if labels is None else labels, uncertain)
        check_source(concept_features)
        self.columns = chosen_attributes(columns)
        self.uncertain, self.concept_features = uncertain, concept_features
        self.pruning = pruning or Pruning()
        self.y_as_saved = labels is None if y_as_saved is None else y_as_saved
        self.archive = path if isinstance(path, Archive) else open_archive(path)
        try:
            self._kernel = None if kernel.compiled is None else Kernel(self.archive)
            self.positions: NDArray[np.int64] = (
                np.arange(len(self.archive)) if split is None else split_positions(self.archive, split)
            )
            self.label_names: tuple[str, ...] = self._all_labels() if labels is None else tuple(labels)
            """Names of the columns of ``y``."""
            self._targets = TargetColumns.of(self.label_names, uncertain)
            self._features = RememberedFeatures()
        except BaseException:
            self.close()
            raise

    def __len__(self) -> int:
        """Number of studies to read from: those of ``split``, or all."""
        return len(self.positions)

    @computed
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
        names = self._labels_by_kernel()
        if names is None:
            names = set()
            for chunk in self._chunks():
                names.update(*(study.labels for study in self.archive.read_many(chunk.tolist())))
        return tuple(sorted(names, key=str.encode))

    def _labels_by_kernel(self) -> set[str] | None:
        names: set[bytes] = set()
        if self._kernel is None:
            return None
        try:
            for chunk in self._chunks():
                with self._kernel.batch(chunk, with_x=False) as batch:
                    names |= batch.label_names()
        except NotForKernelError:
            return None
        # Of a name that breaks a rule, the definition says in which study it is.
        return None if any(map(text_problem, names)) else {name.decode() for name in names}

    def _chunks(self) -> Iterator[NDArray[np.int64]]:
        for start in range(0, len(self), _STUDIES_AT_ONCE):
            yield self.positions[start : start + _STUDIES_AT_ONCE]

    def read(self, numbers: ArrayLike, allocate: Allocate, *, also: frozenset[str] = frozenset()) -> GraphBatch | None:
        """The graphs of some studies as one batch, made by the kernel.

        Checksums are verified, and the rules of FORMAT.md section 8.2 that speak of what the batch holds; of content
        digests and of streams that no batch needs, it is ``studies`` that verifies them.

        Parameters
        ----------
        numbers : as for ``studies``.
        allocate : makes the arrays.
        also : ``ATTRIBUTES`` to read besides those of the reader.

        Returns
        -------
        None where there is no kernel, or a study has what it does not read: then ``studies`` is where to go.

        Raises
        ------
        StudyNotFoundError, FormatError, StudyError : as for ``studies`` and ``check_width``.
        """
        return self._read(self._positions(numbers), self.width, self.columns | also, allocate)

    def read_single(self, number: int, allocate: Allocate) -> GraphBatch | None:
        """The graph of one study, whatever the width of its embedding; as ``read``."""
        if not 0 <= number < len(self):
            raise StudyNotFoundError(f"position {number} of {len(self)} studies", where=str(number))
        return self._read(self.positions[number : number + 1], None, self.columns, allocate)

    def _read(
        self, positions: NDArray[np.int64], width: int | None, columns: frozenset[str], allocate: Allocate
    ) -> GraphBatch | None:
        if self._kernel is None or self.concept_features == "stored":
            return None
        with_x = "x" in columns
        try:
            with self._kernel.batch(positions, with_x=with_x) as batch:
                if batch.may_carry or (self.concept_features == "auto" and batch.has_vectors):
                    return None
                if width is None:
                    width = batch.width_of(0) or self.width
                if with_x and width < LEAST_WIDTH:
                    return None
                if with_x:
                    batch.find_features(self._features, width)
                if self.pruning:
                    batch.prune(self.pruning)
                return batch.fill(columns, width, self._targets, allocate)
        except NotForKernelError:
            return None

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

    def foresee(self, numbers: ArrayLike, *, now: bool = False) -> None:
        """Say which studies will be read next; arguments and errors as ``studies`` and ``Archive.foresee``."""
        if any(source.far for _, source, _ in self.archive.files) and len(np.asarray(numbers).reshape(-1)):
            self.archive.foresee(self._positions(numbers).tolist(), now=now)

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
            raise width_error(width, self.width, study.study_id)

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
