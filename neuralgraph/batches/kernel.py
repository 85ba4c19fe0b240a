"""Batches by the compiled kernel, where there is one.

The kernel (``kernel_source``) reads records, verifies what it uses, and fills arrays, without the interpreter's lock.
Between its steps Python does what stands once in Python: it decompresses frames, makes the feature vectors of concepts
that are new, and chooses fusion edges of graphs that lose patches. A record that the kernel refuses is shown to the
gate, which says what is wrong with it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import fields
from typing import Any, NamedTuple, NoReturn

import numpy as np
import zstandard
from numpy.typing import NDArray

from neuralgraph.access.files import FileSource, located
from neuralgraph.access.sources import Source
from neuralgraph.batches.arrays import ATTRIBUTES, Allocate, GraphBatch, width_error
from neuralgraph.batches.features import FEATURISER
from neuralgraph.batches.pruning import Pruning
from neuralgraph.batches.remembered import RememberedFeatures, fusion_of_pruned
from neuralgraph.batches.targets import UNCERTAIN
from neuralgraph.codecs.zstd import MAX_WINDOW_BYTES
from neuralgraph.container.reader import ENVELOPE, Container
from neuralgraph.errors import FormatError
from neuralgraph.graph.rules import text_problem
from neuralgraph.storage.archive import Archive
from neuralgraph.storage.gate import prove
from neuralgraph.wire.columns import Counts, split_graph

try:
    from neuralgraph.batches import _kernel as compiled
except ImportError:
    compiled = None  # type: ignore[assignment]  # there was no compiler when the package was built
else:
    if compiled.INTERFACE != 4:
        raise ImportError("the compiled kernel is of another version: install neuralgraph again (pip install -e .)")

__all__ = ["Kernel", "KernelBatch", "NotForKernelError", "TargetColumns", "compiled"]

_LIMITS = (
    "views", "cells", "patches", "embedding_dim", "edges", "concepts", "concepts", "embedding_dim", "mentions",
    "triples", None, "labels", "text_bytes",
)  # fmt: skip
"""Names in ``Limits`` of the counts of a record, in their order; a fusion edge needs none."""
_INDEXED = ("n_patches", "n_edges", "n_concepts", "n_triples", "n_fusion")
"""Counts that the index has too."""
_COUNTS = tuple(field.name for field in fields(Counts))
_FACTS = (*_COUNTS, "method_tag", "extended")
"""What the kernel says of each study first, in its order."""


class NotForKernelError(Exception):
    """The definition has to make this batch: of a form, an encoding or vectors that the kernel does not read."""


class TargetColumns(NamedTuple):
    """Columns of ``y`` as the kernel takes them, in ascending order of their names."""

    text: bytes
    """The names, UTF-8, one after another."""
    names: NDArray[np.uint32]
    """uint32 [n, 2]: bytes of each name, and which column it is."""
    uncertain: int
    """Position in ``UNCERTAIN``."""

    @classmethod
    def of(cls, names: Sequence[str], uncertain: str) -> TargetColumns:
        """The columns that have these names, in this order."""
        # No file holds a surrogate, so that such a name is in no study.
        encoded = [name.encode(errors="surrogatepass") for name in names]
        order = sorted(range(len(encoded)), key=encoded.__getitem__)
        rows = np.array([(len(encoded[number]), number) for number in order], np.uint32).reshape(-1, 2)
        return cls(b"".join(encoded[number] for number in order), rows, UNCERTAIN.index(uncertain))


class _File(NamedTuple):
    """One file of an archive."""

    name: str
    source: Source
    container: Container


class _Part(NamedTuple):
    """Studies of a batch that one file holds."""

    file: _File
    number: int
    """Of the file in the archive."""
    studies: NDArray[np.int64] | slice
    """int64 [n]: their numbers in the batch, or all."""
    positions: NDArray[np.int64]
    """int64 [n]: their positions in the file."""


class _Bench:
    """What one batch at a time is made with; its memory is used again by the next."""

    def __init__(self) -> None:
        self.reader = compiled.Reader()
        self.decompress = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES).decompress


class Kernel:
    """The records of an archive as the kernel reads them; may be used by several threads at once."""

    def __init__(self, archive: Archive) -> None:
        self._files = [_File(str(name), source, held) for name, source, held in archive.files]
        self._rules = np.array([_rules(file.container) for file in self._files], np.uint64)
        self._ends = np.cumsum([len(file.container) for file in self._files])
        self._benches: deque[_Bench] = deque()

    @contextmanager
    def batch(self, positions: NDArray[np.int64], *, with_x: bool) -> Iterator[KernelBatch]:
        """The studies at these positions of the archive, read, verified and checked.

        Parameters
        ----------
        positions : int64 [B], in range.
        with_x : embeddings are wanted; otherwise they are not read.

        Raises
        ------
        NotForKernelError : the kernel does not read them.
        FormatError, StudyError : a study is damaged or breaks a rule.
        """
        try:
            bench = self._benches.pop()
        except IndexError:
            bench = _Bench()
        parts = self._parts(positions)
        with ExitStack() as open_files:
            try:
                places = np.empty((len(positions), 4 + len(_INDEXED)), np.int64)
                records: list[memoryview | None] = [None] * len(positions)
                for part in parts:
                    with located(part.file.name):
                        _place(part, places, records, open_files)
                batch = KernelBatch(bench.reader, positions, self._refuse)
                batch.read(bench.decompress, with_x, places, self._rules, records)
                for part in parts:
                    batch.check_methods(part.studies, part.file.container.contents.methods.keys())
                yield batch
                for part in parts:
                    if isinstance(part.file.source, FileSource):
                        with located(part.file.name):
                            part.file.source.check_unchanged()
            finally:
                bench.reader.end()
                self._benches.append(bench)

    def _parts(self, positions: NDArray[np.int64]) -> list[_Part]:
        if len(self._files) == 1:
            return [_Part(self._files[0], 0, slice(None), positions)]
        owner = np.searchsorted(self._ends, positions, side="right")
        parts = []
        for number in np.flatnonzero(np.bincount(owner)).tolist():
            mine = np.flatnonzero(owner == number)
            parts.append(_Part(self._files[number], number, mine, positions[mine] - self._start(number)))
        return parts

    def _start(self, number: int) -> int:
        return int(self._ends[number]) - len(self._files[number].container)

    def _refuse(self, position: int, why: str) -> NoReturn:
        """Raise what the gate says of a record that the kernel refuses."""
        number = int(np.searchsorted(self._ends, position, side="right"))
        file, within = self._files[number], position - self._start(number)
        with located(file.name):
            prove(file.container, within)
            reason = (
                f"the kernel refuses this record ({why}) and the gate does not: it changed meanwhile, or this is an "
                "error of neuralgraph, which please report"
            )
            raise FormatError(reason, code="E_RECORD", where=f"record[{within}]")


def _rules(container: Container) -> list[int]:
    """What the kernel is to accept of the records of a file."""
    limits, trailer = container.limits, container.trailer
    total, largest, most = (trailer[name] for name in ENVELOPE)
    alone = len(container) == 1
    return [
        limits.record_bytes,
        total if alone else 0,
        min(limits.decoded_bytes, largest),
        most if alone else 0,
        min(limits.streams, most),
        *(1 if name is None else getattr(limits, name) for name in _LIMITS),
    ]


def _place(part: _Part, places: NDArray[np.int64], records: list[memoryview | None], open_files: ExitStack) -> None:
    """Say where records are (number of the file, descriptor, offset, length) and what is indexed; or their bytes."""
    container, source = part.file.container, part.file.source
    if source.far:
        container.index.fetch(part.positions)
    offsets, lengths = container.index.places(part.positions)
    descriptor = open_files.enter_context(source.at_work()) if isinstance(source, FileSource) else -1
    indexed = (container.index.counts[name][part.positions] for name in _INDEXED)
    for column, values in enumerate((part.number, descriptor, offsets, lengths, *indexed)):
        places[part.studies, column] = values
    if descriptor < 0:
        found = dict(container.records_bytes(part.positions.tolist()))
        numbers = np.arange(len(records))[part.studies]
        for number, position in zip(numbers.tolist(), part.positions.tolist(), strict=True):
            records[number] = found[position]


class KernelBatch:
    """One batch between the steps of the kernel.

    Parameters
    ----------
    reader : of the kernel.
    positions : int64 [B], of the studies in the archive.
    refuse : raises what is wrong with the study at a position; told why the kernel refuses it.
    """

    def __init__(self, reader: Any, positions: NDArray[np.int64], refuse: Callable[[int, str], NoReturn]) -> None:
        self._reader, self._positions, self._refuse_position = reader, positions, refuse

    def __len__(self) -> int:
        """Number of studies."""
        return len(self._positions)

    def read(self, decompress: Callable[[memoryview], bytes], *record: Any) -> None:
        """Read and verify headers, graphs and what is compressed of embeddings, and check the rules of the graphs.

        Parameters
        ----------
        decompress : gives what a frame holds.
        record : what ``read`` of the compiled reader takes.

        Raises
        ------
        NotForKernelError : the kernel does not read a study.
        FormatError, StudyError : a study is damaged or breaks a rule.
        """
        decoded: list[bytes] = []
        try:
            frames = self._reader.read(*record)
            with suppress(zstandard.ZstdError):  # what is missing then is refused by the next step
                decoded.extend(map(decompress, frames))
            facts = self._reader.graphs(decoded)
        except compiled.Refused as error:
            self._refuse(*error.args)

        self._facts = np.frombuffer(facts, np.uint32).reshape(len(self), -1)

    def _fact(self, name: str) -> NDArray[np.uint32]:
        return self._facts[:, _FACTS.index(name)]

    def check_methods(self, studies: NDArray[np.int64] | slice, known: Set[int]) -> None:
        """Refuse a study whose method its file does not state.

        Parameters
        ----------
        studies : numbers in the batch, all of one file.
        known : tags of the methods of that file.

        Raises
        ------
        FormatError (E_METHOD) : there is such a study.
        """
        tags = self._fact("method_tag").tolist()
        for number in np.arange(len(self))[studies].tolist():
            if tags[number] not in known:
                self._refuse(number, "method")

    @property
    def has_vectors(self) -> bool:
        """A study has stored vectors of its concepts."""
        return bool(self._fact("n_concept_vectors").any())

    @property
    def may_carry(self) -> bool:
        """A study without patches and concepts has an extension, which may be a plain graph (``graph.carried``)."""
        if not (extended := self._fact("extended")).any():
            return False
        return bool((extended * (self._fact("n_patches") + self._fact("n_concepts") == 0)).any())

    def width_of(self, number: int) -> int:
        """Width of the embedding of a study, 0 without patches."""
        return int(self._fact("embedding_dim")[number]) if self._fact("n_patches")[number] else 0

    def find_features(self, features: RememberedFeatures, width: int) -> None:
        """Find the feature vectors of all concepts, and make those that are new."""
        known = features.known(width)
        while missing := self._reader.missing(known):
            for number, concept in missing:
                if text_problem(concept[1:]):
                    self._refuse(number, "text of a concept")
            features.add(known, width, [concept for _, concept in missing])

    def prune(self, pruning: Pruning) -> None:
        """Leave out patches, and choose the fusion edges of the studies that lose some anew."""
        counts = [Counts(*row) for row in self._facts[:, : len(_COUNTS)].tolist()]
        kept = [pruning.kept(each.n_patches, each.n_cells) for each in counts]
        fusion = np.full((len(self), 2), -1, np.int64)
        for number, each in enumerate(counts):
            if kept[number] < each.n_patches and each.n_fusion:
                graph = split_graph(each, self._reader.graph(number))
                triples = np.stack([graph[f"triple_{part}"] for part in ("head", "relation", "tail")], axis=1)
                fusion[number] = fusion_of_pruned(kept[number], graph["edge"], each.n_concepts, triples)
        self._reader.keep(np.array(kept, np.uint32), fusion)

    def fill(self, columns: frozenset[str], width: int, labels: TargetColumns, allocate: Allocate) -> GraphBatch:
        """The arrays of the batch; embeddings that are stored are read and verified on the way.

        Parameters
        ----------
        columns : the ``ATTRIBUTES`` to make.
        width : of a row of ``x``.
        labels : columns of ``y``.
        allocate : makes the arrays.
        """
        starts = np.empty((3, len(self) + 1), np.int64)
        self._reader.starts(starts)
        nodes, pairs, fused = starts[:, -1].tolist()
        targets = (len(self), len(labels.names))
        shapes: tuple[tuple[str, tuple[int, ...], type[np.generic]], ...] = (
            ("x", (nodes, width), np.float32),
            ("edge_index", (2, pairs), np.int64),
            ("edge_type", (pairs,), np.int64),
            ("node_type", (nodes,), np.int64),
            ("node_view", (nodes,), np.int64),
            ("pos", (nodes, 2), np.float32),
            ("attention", (nodes,), np.float32),
            ("fusion_edge_index", (2, fused), np.int64),
            ("y", targets, np.float32),
            ("y_mask", targets, np.bool_),
        )
        arrays = {name: allocate(name, shape, dtype) for name, shape, dtype in shapes if name in columns}
        filled = {**arrays, "graph": np.empty(nodes, np.int64)}
        if ("y" in columns) != ("y_mask" in columns):
            filled |= {"y": np.empty(targets, np.float32), "y_mask": np.empty(targets, np.bool_)} | arrays
        try:
            self._reader.fill([filled.get(name) for name in (*ATTRIBUTES, "graph")], width, labels)
        except compiled.Refused as error:
            number, why = error.args
            if why == compiled.OTHER_WIDTH:
                raise width_error(self.width_of(number), width, self._study_ids()[number]) from None
            self._refuse(number, why)
        recipes = [FEATURISER] * len(self)
        node_start, pair_start, fusion_start = starts
        return GraphBatch(arrays, node_start, pair_start, fusion_start, filled["graph"], recipes, self._study_ids())

    def _study_ids(self) -> list[str]:
        ids: list[str] = self._reader.study_ids()
        joined = "".join(ids)
        if not joined.isascii() or not joined.isprintable():
            for number, study_id in enumerate(ids):
                if text_problem(study_id.encode(errors="surrogateescape")):
                    self._refuse(number, "study id")
        return ids

    def label_names(self) -> set[bytes]:
        """The names of all labels, UTF-8."""
        return {name.encode(errors="surrogateescape") for name in self._reader.label_names()}

    def _refuse(self, number: int, why: str) -> NoReturn:
        if why == compiled.UNSUPPORTED:
            raise NotForKernelError
        self._refuse_position(int(self._positions[number]), why)
