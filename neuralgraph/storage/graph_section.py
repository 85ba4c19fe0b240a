"""Writing the graphs section of an archive, in memory that does not grow with it (FORMAT.md section 6.6)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from tempfile import TemporaryFile
from types import TracebackType
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from neuralgraph.codecs.registry import FORMS, STORE
from neuralgraph.container.graphs import (
    FEATURE_RECIPES,
    GRAPHS_COLUMNS,
    GRAPHS_HEAD,
    UNREADABLE,
    graphs_layout,
)
from neuralgraph.container.layout import padding
from neuralgraph.container.record import Record
from neuralgraph.container.streams import EMBEDDING_STREAMS
from neuralgraph.errors import FormatError
from neuralgraph.graph.features import FEATURISER, LEAST_WIDTH
from neuralgraph.graph.table import Light, Vocabulary, tabulate

__all__ = ["GraphSectionWriter", "readable_embedding"]

_STUDIES_AT_ONCE = 1_024
_COPY_BYTES = 1 << 20
_STARTS = ("patch_start", "concept_start", "pair_start", "label_start")
_MATRIX_FORMS = {name: entry.offset for name, entry in FORMS.items() if entry.form.interleaved or name == "int8"}
"""Forms whose planes can be copied into a batch, or scaled on the way, as they are stored."""


def readable_embedding(record: Record) -> tuple[int, int]:
    """Offset in the record and form code of an embedding that can be read as it stands, or (0, ``UNREADABLE``)."""
    entry = record.form(EMBEDDING_STREAMS)
    if entry is None or entry.form.name not in _MATRIX_FORMS:
        return 0, UNREADABLE
    first = EMBEDDING_STREAMS + entry.offset
    planes = [record.streams[first + plane] for plane in range(entry.form.n_planes)]
    if any(plane.encoding != STORE for plane in planes):
        return 0, UNREADABLE
    return planes[0].offset, entry.offset


class GraphSectionWriter:
    """Collects the graphs of studies in temporary files, one per column.

    Raises
    ------
    FormatError (E_SIZE) : embeddings of different widths; they cannot form one batch.
    """

    def __init__(self) -> None:
        self._files: dict[str, IO[bytes]] = {}
        self._resources = ExitStack()
        self._pending: list[Light] = []
        self._places: list[tuple[int, int]] = []
        self._vocabulary: Vocabulary | None = None
        self._n_records = 0
        self._totals = dict.fromkeys(("n_patches", "n_concepts", "n_pairs", "n_labels"), 0)
        self._max_nodes = 0
        for column in GRAPHS_COLUMNS:
            self._files[column.name] = self._resources.enter_context(TemporaryFile())  # noqa: SIM115  closed with the rest

    def add(self, record: Record, graph: dict[str, NDArray[Any]], *, study_id: str) -> None:
        """Append the graph of a record, whose rules have been proven.

        Parameters
        ----------
        record : as it will stand in the archive.
        graph : the decoded columns of its graph stream.
        study_id : how messages name it.

        Raises
        ------
        FormatError (E_SIZE) : its embedding has another width than those before it.
        """
        counts = record.counts
        if counts.n_patches:
            width = counts.embedding_dim
            if self._vocabulary is None:
                self._vocabulary = Vocabulary(width)
            if width != self._vocabulary.width:
                reason = f"embeddings of width {width} among those of width {self._vocabulary.width}: no batch has both"
                raise FormatError(reason, code="E_SIZE", where=study_id)
        self._pending.append((counts, graph))
        self._places.append(readable_embedding(record))
        self._max_nodes = max(self._max_nodes, counts.n_patches + counts.n_concepts)
        if len(self._pending) == _STUDIES_AT_ONCE and self._vocabulary is not None:
            self._flush()

    def _flush(self) -> None:
        if self._vocabulary is None:
            # Not one study has a patch; what the embeddings would have been says how wide concepts are.
            self._vocabulary = Vocabulary(max((counts.embedding_dim for counts, _ in self._pending), default=0))
        if not self._pending:
            return
        table = tabulate(self._pending, self._vocabulary)
        for name, total in zip(_STARTS, self._totals, strict=True):
            starts = table[name] + self._totals[total]
            self._totals[total] = int(starts[-1])
            table[name] = starts[:-1]
        offsets, forms = zip(*self._places, strict=True)
        table |= {"embedding_offset": np.array(offsets), "embedding_form": np.array(forms)}
        for column in GRAPHS_COLUMNS:
            if column.name in table:
                # Node numbers are written as u32 until the largest graph is known.
                kind = "<u4" if column.dtype.startswith("index:") else column.dtype
                self._files[column.name].write(np.ascontiguousarray(table[column.name].astype(kind)).tobytes())
        self._n_records += len(self._pending)
        self._pending, self._places = [], []

    def finish(self) -> tuple[int, Iterator[bytes]]:
        """Size of the payload, and its pieces in order."""
        self._flush()
        vocabulary = self._vocabulary or Vocabulary(0)
        for name, total in zip(_STARTS, self._totals.values(), strict=True):
            self._files[name].write(total.to_bytes(8, "little"))
        sizes = np.array([len(places) for places in vocabulary.places], np.int64)
        names = list(vocabulary.labels)
        self._files["feature_start"].write(np.append(0, np.cumsum(sizes)).astype("<u8").tobytes())
        for places, values in zip(vocabulary.places, vocabulary.values, strict=True):
            self._files["feature_place"].write(places.astype("<u2").tobytes())
            self._files["feature_value"].write(values.astype("<f4").tobytes())
        self._files["label_name_end"].write(np.cumsum([len(name) for name in names], dtype="<u4").tobytes())
        self._files["label_name"].write(b"".join(names))
        head = {
            "recipe": FEATURE_RECIPES.index(FEATURISER if vocabulary.width >= LEAST_WIDTH else "none"),
            "width": vocabulary.width,
            "n_features": len(sizes),
            "n_label_names": len(names),
            "max_nodes": self._max_nodes,
            **self._totals,
            "n_places": int(sizes.sum()),
            "name_bytes": sum(map(len, names)),
        }
        _, size = graphs_layout(head, self._n_records)
        return size, self._pieces(head)

    def _pieces(self, head: dict[str, int]) -> Iterator[bytes]:
        yield GRAPHS_HEAD.pack(**head)
        extents, _ = graphs_layout(head, self._n_records)
        for column in GRAPHS_COLUMNS:
            extent, file = extents[column.name], self._files[column.name]
            narrow = column.dtype.startswith("index:") and extent.dtype.itemsize < 4
            file.seek(0)
            while piece := file.read(_COPY_BYTES):
                yield np.frombuffer(piece, "<u4").astype(extent.dtype).tobytes() if narrow else piece
            yield bytes(padding(extent.nbytes))

    def close(self) -> None:
        """Give the temporary files back."""
        self._resources.close()

    def __enter__(self) -> GraphSectionWriter:
        """The writer itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the temporary files back."""
        self.close()
