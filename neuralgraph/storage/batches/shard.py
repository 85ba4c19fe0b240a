"""One file of a data set: its light columns, embeddings, labels and ids, for batches."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuralgraph.container.contents import GRAPHS
from neuralgraph.container.graphs import FEATURE_RECIPES, GraphsSection
from neuralgraph.container.reader import Container
from neuralgraph.container.record import Record
from neuralgraph.container.source import ByteSource
from neuralgraph.container.streams import CONCEPT_VECTOR_STREAMS, GRAPH_STREAM
from neuralgraph.errors import FormatError, StudyError
from neuralgraph.graph.features import FEATURISER
from neuralgraph.graph.strings import split_strings
from neuralgraph.storage.batches.assembly import Allocate
from neuralgraph.storage.batches.embeddings import EmbeddingReader, Widen
from neuralgraph.storage.batches.known import KnownGraphs, Words
from neuralgraph.storage.batches.selection import Selection, select
from neuralgraph.storage.batches.single import SingleGraph, single_graph
from neuralgraph.storage.lookup import study_id_at
from neuralgraph.wire.columns import split_graph

__all__ = ["Shard"]

_MOST_WORDS = 1 << 16
"""Distinct concepts remembered between batches of an archive without a graphs section."""
_LOOKED_AT = 16
"""Records that are asked for the width of embeddings when none of them has any."""

Records = dict[int, Record]


class Shard:
    """One open file.

    Parameters
    ----------
    source, container : the file.
    always : verify checksums on every access, not only on the first.
    widen : how stored values become float32.
    """

    def __init__(self, source: ByteSource, container: Container, *, always: bool, widen: Widen) -> None:
        self._source, self._container = source, container
        row = container.contents.sections.get(GRAPHS)
        section = None
        # From far away whole records are read: their leaves prove that the object is the one that was opened.
        data = None if row is None or source.far else source.mapped(row.offset, row.end - row.offset)
        if row is not None and data is not None:
            section = GraphsSection(data, row, len(container), always=always)
            if FEATURE_RECIPES[section.head["recipe"]] not in ("none", FEATURISER):
                raise FormatError("features of a recipe this version does not know", code="E_INDEX", where=GRAPHS)
        self._section = section
        self._always = always
        self._selected = np.zeros(0 if section is None else len(container), bool)
        self._embeddings = EmbeddingReader(source, container, section, always=always, widen=widen)
        # Of a width that no embedding has, so that the first batch begins anew.
        self._known = KnownGraphs(Words(-1)), np.empty(0, np.int32)
        self._places: tuple[Words | None, NDArray[np.int64]] = None, np.empty(0, np.int64)
        self._fusion: NDArray[np.int32] | None = None
        self._label_place: NDArray[np.int64] | None = None
        self._labels: dict[bytes, int] = {}

    def __len__(self) -> int:
        """Number of studies."""
        return len(self._container)

    def width(self) -> int:
        """Width of the embeddings; 0 when no study says."""
        if self._section is not None:
            return self._section.head["width"]
        filled = np.flatnonzero(np.asarray(self._container.index.counts["n_patches"]))
        looked_at = filled[:1].tolist() or range(min(len(self), _LOOKED_AT))
        return max(self._container.record(position).counts.embedding_dim for position in looked_at)

    def label_names(self, positions: NDArray[np.int64] | None = None) -> set[str]:
        """Names of the labels of these studies, or of all."""
        if self._section is not None:
            names = self._section.label_names()
            if positions is None:
                return set(names)
            start = self._section.runs("label_start", positions, np.full(len(positions), 2)).astype(np.int64)
            first, count = start[positions], start[positions + 1] - start[positions]
            numbers = self._section.runs("label_number", first, count)
            used = {int(n) for f, c in zip(first, count, strict=True) for n in np.unique(numbers[f : f + c])}
            return {names[number] for number in used}
        found: set[bytes] = set()
        for position in range(len(self)) if positions is None else positions.tolist():
            record = self._container.record(position)
            graph = split_graph(record.counts, record.read(GRAPH_STREAM))
            found |= set(split_strings(graph["string_bytes"], graph["text"])[2 + record.counts.n_concepts :])
        try:
            return {name.decode() for name in found}
        except UnicodeDecodeError as error:
            raise StudyError("a label name is not valid UTF-8", code="E_TEXT", where="labels") from error

    def use_labels(self, names: list[str]) -> None:
        """Give the columns of label matrices these names, in this order."""
        self._labels = {name.encode(errors="surrogatepass"): place for place, name in enumerate(names)}
        self._places = None, np.empty(0, np.int64)
        if self._section is not None:
            places = [self._labels.get(name.encode(), -1) for name in self._section.label_names()]
            self._label_place = np.array(places, np.int64)

    def select(
        self, positions: NDArray[np.int64], groups: frozenset[str], width: int
    ) -> tuple[Selection, Records | None]:
        """Light columns of the studies at ``positions``, and the records that had to be read for them."""
        if self._section is not None:
            assert self._label_place is not None
            self._source.check_size()
            counts, proven = self._container.index.counts, bool(self._selected[positions].all())
            chosen = select(
                self._section, counts, positions, self._label_place, len(self._labels), groups, proven=proven
            )
            # All batches of a reader have the same groups.
            self._selected[positions] = not self._always
            return chosen, None
        known, number = self._known
        if known.words.vocabulary.width != width or len(known.words.vocabulary.concepts) > _MOST_WORDS:
            known, number = self._known = self._nothing_known(width)
        new = positions[number[positions] < 0]
        records: Records = {}
        if len(new):
            if self._always or self._source.far or not known.has_room:
                # A collection for this batch alone, whose words are not forgotten. From far away the records are
                # fetched together, embeddings and all.
                new, known, number = positions, KnownGraphs(known.words), np.empty(len(self), np.int32)
            records = dict(self._container.records(new.tolist()))
            light = [
                (record.counts, split_graph(record.counts, record.read(GRAPH_STREAM))) for record in records.values()
            ]
            first = known.add(light)
            number[list(records)] = np.arange(first, first + len(light))
        section = known.section
        places = self._known_places(known)
        numbers = number[positions].astype(np.int64)
        chosen = select(section, section.columns, numbers, places, len(self._labels), groups, proven=True)
        return chosen, records

    def single(
        self, position: int, wanted: frozenset[str], width: int, uncertain: str, features: str, allocate: Allocate
    ) -> SingleGraph | None:
        """One graph whose columns and embedding have been proven; None for any other.

        Parameters
        ----------
        position : of the study.
        wanted, width, uncertain, allocate : as for ``single_graph``.
        features : as ``concept_features`` of ``BatchReader``.
        """
        if self._section is not None:
            self._source.check_size()
            columns, number = self._section.columns, position if self._selected[position] else -1
            places = self._label_place
        else:
            known, numbers = self._known
            columns, number = known.section.columns, int(numbers[position]) if len(numbers) else -1
            places = self._known_places(known)
        if number < 0 or places is None or (features != "hash" and columns["n_vectors"][number]):
            return None
        arrays, n_patches, n_nodes = single_graph(
            columns, number, wanted, width, places, len(self._labels), uncertain, allocate
        )
        if "x" in wanted and n_patches and not self._embeddings.read_again(position, arrays["x"][:n_patches]):
            return None
        return SingleGraph(arrays, n_nodes, FEATURISER, study_id_at(self._container, position))

    def _known_places(self, known: KnownGraphs) -> NDArray[np.int64]:
        """Columns of the label matrix by the number of the label."""
        words, places = self._places
        names = list(known.words.vocabulary.labels)
        if words is not known.words or len(places) != len(names):
            places = np.array([self._labels.get(name, -1) for name in names], np.int64)
            self._places = known.words, places
        return places

    def _nothing_known(self, width: int) -> tuple[KnownGraphs, NDArray[np.int32]]:
        """Graphs that have been read, and which of them each record is, -1 for none."""
        return KnownGraphs(Words(width)), np.full(len(self), -1, np.int32)

    def fusion(self, positions: NDArray[np.int64]) -> NDArray[np.int32]:
        """int32 [B, 2]: fusion edges after pruning found so far, -1 where none was looked for."""
        if self._fusion is None:
            self._fusion = np.full((len(self), 2), -1, np.int32)
        return self._fusion[positions]

    def remember_fusion(self, positions: NDArray[np.int64], fusion: NDArray[np.int32]) -> None:
        """Keep what was found."""
        assert self._fusion is not None
        self._fusion[positions] = fusion

    def read_embeddings(
        self,
        positions: NDArray[np.int64],
        kept: NDArray[np.int64],
        first: NDArray[np.int64],
        x: NDArray[np.float32],
        records: Records | None,
    ) -> None:
        """See ``EmbeddingReader.read``."""
        self._embeddings.read(positions, kept, first, x, records)

    def stored_vectors(self, position: int) -> NDArray[np.float32]:
        """float32 [n_concepts, w]: the concept vectors a record holds."""
        record = self._container.record(position)
        graph = split_graph(record.counts, record.read(GRAPH_STREAM))
        vectors, row = record.matrix(CONCEPT_VECTOR_STREAMS), graph["concept_vector"]
        if len(row) and int(row.max()) >= len(vectors):
            raise StudyError("a concept names a vector that does not exist", code="E_IDX", where=record.where)
        chosen: NDArray[np.float32] = vectors[row]
        return chosen

    def study_ids(self, positions: NDArray[np.int64]) -> list[str]:
        """Ids of studies."""
        keys = self._container.keys
        if keys is not None:
            return keys.study_ids_at(positions)
        return [study_id_at(self._container, position) for position in positions.tolist()]
