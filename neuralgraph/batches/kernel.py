"""Batches by the compiled kernel, where there is one.

The kernel (``kernel_source``) reads records, verifies what it uses, and fills arrays, without the interpreter's lock.
Between its steps Python does what stands once in Python: it decompresses frames, makes the feature vectors of concepts
that are new, and chooses fusion edges of graphs that lose patches. A record that the kernel refuses is shown to the
gate, which says what is wrong with it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple, NoReturn

import numpy as np
import zstandard
from numpy.typing import NDArray

from neuralgraph.access.files import FileSource, located
from neuralgraph.access.sources import Source
from neuralgraph.batches.arrays import Allocate, GraphBatch, width_error
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
    if compiled.INTERFACE != 2:
        raise ImportError("the compiled kernel is of another version: install neuralgraph again (pip install -e .)")

__all__ = ["Kernel", "KernelBatch", "NotForKernelError", "TargetColumns", "compiled"]

_LIMITS = (
    "views", "cells", "patches", "embedding_dim", "edges", "concepts", "concepts", "embedding_dim", "mentions",
    "triples", None, "labels", "text_bytes",
)  # fmt: skip
"""Names in ``Limits`` of the counts of a record, in their order; a fusion edge needs none."""
_INDEXED = ("n_patches", "n_edges", "n_concepts", "n_triples", "n_fusion")
"""Counts that the index has too, in the order in which the kernel takes them."""


class NotForKernelError(Exception):
    """The definition has to make this batch: of a form, an encoding or vectors that the kernel does not read."""


class TargetColumns(NamedTuple):
    """Columns of ``y`` as the kernel takes them, in ascending order of their names."""

    text: bytes
    """The names, UTF-8, one after another."""
    end: NDArray[np.uint32]
    """uint32 [n]: end of each name."""
    column: NDArray[np.uint32]
    """uint32 [n]: which column each name is."""
    uncertain: int
    """Position in ``UNCERTAIN``."""

    @classmethod
    def of(cls, names: Sequence[str], uncertain: str) -> TargetColumns:
        """The columns that have these names, in this order."""
        # No file holds a surrogate, so that such a name is in no study.
        encoded = [name.encode(errors="surrogatepass") for name in names]
        order = sorted(range(len(encoded)), key=encoded.__getitem__)
        ends = np.cumsum([len(encoded[number]) for number in order], dtype=np.uint32)
        text = b"".join(encoded[number] for number in order)
        return cls(text, ends, np.array(order, np.uint32), UNCERTAIN.index(uncertain))


class _File(NamedTuple):
    """One file of an archive."""

    name: str
    source: Source
    container: Container
    rules: Any
    """What the kernel is to accept of its records."""


class _Bench:
    """What one batch at a time is made with; its memory is used again by the next."""

    def __init__(self) -> None:
        self.reader = compiled.Reader()
        self.decompress = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES).decompress


class Kernel:
    """The records of an archive as the kernel reads them; may be used by several threads at once."""

    def __init__(self, archive: Archive) -> None:
        self._files = [_File(str(name), source, held, _rules(held)) for name, source, held in archive.files]
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
                bench.reader.begin(len(positions), with_x)
                for file, numbers, within in parts:
                    with located(file.name):
                        _place(bench.reader, file, numbers, within, open_files)
                batch = KernelBatch(bench.reader, positions, self._refuse)
                batch.check(bench.decompress)
                yield batch
                for file, _, _ in parts:
                    if isinstance(file.source, FileSource):
                        with located(file.name):
                            file.source.check_unchanged()
            finally:
                bench.reader.end()
                self._benches.append(bench)

    def _parts(self, positions: NDArray[np.int64]) -> list[tuple[_File, NDArray[np.int64], NDArray[np.int64]]]:
        """For every file: which studies of the batch it holds, and their positions in it."""
        if len(self._files) == 1:
            return [(self._files[0], np.arange(len(positions)), positions)]
        owner = np.searchsorted(self._ends, positions, side="right")
        parts = []
        for number in np.flatnonzero(np.bincount(owner)).tolist():
            mine = np.flatnonzero(owner == number)
            parts.append((self._files[number], mine, positions[mine] - self._start(number)))
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


def _rules(container: Container) -> Any:
    limits, trailer = container.limits, container.trailer
    total, largest, most = (trailer[name] for name in ENVELOPE)
    alone = len(container) == 1
    values = [
        limits.record_bytes,
        min(limits.decoded_bytes, largest),
        min(limits.streams, most),
        total if alone else 0,
        most if alone else 0,
        *(1 if name is None else getattr(limits, name) for name in _LIMITS),
    ]
    tags = np.array(sorted(container.contents.methods), np.uint32)
    return compiled.Rules(np.array(values, np.uint64), tags)


def _place(
    reader: Any, file: _File, numbers: NDArray[np.int64], within: NDArray[np.int64], open_files: ExitStack
) -> None:
    """Tell the kernel where records are, and what the index states of them."""
    index = file.container.index
    if file.source.far:
        index.fetch(within)
    offsets, lengths = index.places(within)
    counts = np.empty((len(_INDEXED), len(within)), np.uint32)
    for row, name in zip(counts, _INDEXED, strict=True):
        row[:] = index.counts[name][within]
    records: int | list[memoryview]
    if isinstance(file.source, FileSource):
        records = open_files.enter_context(file.source.at_work())
    else:
        found = dict(file.container.records_bytes(within.tolist()))
        records = [found[position] for position in within.tolist()]
    reader.place(numbers, records, offsets, lengths, counts, file.rules)


class KernelBatch:
    """One batch between the steps of the kernel.

    Parameters
    ----------
    reader : of the kernel, to which all records have been told.
    positions : int64 [B], of the studies in the archive.
    refuse : raises what is wrong with the study at a position; told why the kernel refuses it.
    """

    def __init__(self, reader: Any, positions: NDArray[np.int64], refuse: Callable[[int, str], NoReturn]) -> None:
        self._reader, self._positions, self._refuse_position = reader, positions, refuse

    def __len__(self) -> int:
        """Number of studies."""
        return len(self._positions)

    def check(self, decompress: Callable[[memoryview], bytes]) -> None:
        """Read and verify headers, graphs and what is compressed of embeddings, and check the rules of the graphs."""
        decoded: list[bytes] = []
        try:
            decoded.extend(map(decompress, self._reader.read()))
            self._reader.graphs(decoded)
        except compiled.Refused as error:
            self._refuse(*error.args)
        except zstandard.ZstdError:
            self._refuse(self._reader.frame_study(len(decoded)), "zstd frame")

    @property
    def has_vectors(self) -> bool:
        """A study has stored vectors of its concepts."""
        return bool(self._reader.has_vectors())

    @property
    def may_carry(self) -> bool:
        """A study without patches and concepts has an extension, which may be a plain graph (``graph.carried``)."""
        return bool(self._reader.may_carry())

    def width_of(self, number: int) -> int:
        """Width of the embedding of a study, 0 without patches."""
        return int(self._reader.width(number))

    def find_features(self, features: RememberedFeatures, width: int) -> None:
        """Find the feature vectors of all concepts, and make those that are new."""
        table = features.table(width, compiled.Features)
        while missing := self._reader.missing(table):
            for number, _, text in missing:
                if text_problem(text):
                    self._refuse(number, "text of a concept")
            if not features.add(table, width, [(label, text) for _, label, text in missing]):
                raise NotForKernelError

    def prune(self, pruning: Pruning) -> None:
        """Leave out patches, and choose the fusion edges of the studies that lose some anew."""
        counts = [Counts(*row) for row in np.frombuffer(self._reader.counts(), "<u4").reshape(len(self), -1).tolist()]
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
        nodes, pairs, fused = self._reader.starts(starts)
        targets = (len(self), len(labels.column))
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
            self._reader.fill(filled, starts, width, labels)
            study_ids = self._reader.study_ids()
        except compiled.Refused as error:
            number, why = error.args
            if why == compiled.OTHER_WIDTH:
                raise width_error(self.width_of(number), width, self._reader.study_ids()[number]) from None
            self._refuse(number, why)
        if not (joined := "".join(study_ids)).isascii() or not joined.isprintable():
            for number, study_id in enumerate(study_ids):
                if text_problem(study_id.encode()):
                    self._refuse(number, "study id")
        recipes = [FEATURISER] * len(self)
        return GraphBatch(arrays, starts[0], starts[1], starts[2], filled["graph"], recipes, study_ids)

    def label_names(self, names: set[bytes]) -> None:
        """Add the names of all labels, UTF-8."""
        self._reader.label_names(names)

    def _refuse(self, number: int, why: str) -> NoReturn:
        if why == compiled.UNSUPPORTED:
            raise NotForKernelError
        self._refuse_position(int(self._positions[number]), why)
