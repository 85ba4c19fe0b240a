"""The study: a film (or several) pruned to its most attended patches, joined to the graph of its report.

A study is immutable. Its arrays are read-only; derive a changed one with ``dataclasses.replace`` or ``Study.prune``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from neuralgraph.errors import StudyError
from neuralgraph.graph.adjacency import grid_edges
from neuralgraph.graph.carried import refuse_carried
from neuralgraph.graph.concepts import Concept, Mention
from neuralgraph.graph.frozen import FrozenMap, Immutable, float32, freeze, frozen_array, whole
from neuralgraph.graph.fusion import fusion_edge, fusion_record
from neuralgraph.graph.into_columns import columns_of
from neuralgraph.graph.patches import ConceptVectors, Patches
from neuralgraph.graph.pixels import frozen_pixels, pixels_from_bytes
from neuralgraph.graph.retention import kept_patches
from neuralgraph.graph.rules import method_map, places, strings_of, study_problems
from neuralgraph.graph.showing import study_html
from neuralgraph.graph.view import View
from neuralgraph.graph.words import WordAttention
from neuralgraph.wire import canonical
from neuralgraph.wire.computed import computed
from neuralgraph.wire.study_columns import StudyColumns
from neuralgraph.wire.vocabulary import CONCEPT_LABELS, REPORT_SECTIONS, VIEW_POSITIONS

__all__ = ["Study"]

_Part = TypeVar("_Part")
_Place = TypeVar("_Place", Concept, Mention)


@dataclass(frozen=True, eq=False, repr=False)
class Study(Immutable):
    """One medical study as a graph.

    Raises
    ------
    StudyError : a rule of FORMAT.md section 8 is broken; the code says which.
    """

    study_id: str
    """Identifier chosen by the archive; never taken from the source by this package."""
    views: tuple[View, ...]
    """The films, in order."""
    patches: Patches
    """Kept patches of all films."""
    concepts: tuple[Concept, ...] = ()
    """Concepts of the report, in order of their spans."""
    triples: NDArray[np.int32] = field(default_factory=lambda: np.empty((0, 3), np.int32))
    """int32 [m, 3]: head concept, relation (index into ``RELATIONS``), tail concept; ascending, each once."""
    fusion: tuple[int, int] | None = None
    """(patch, concept) joined by the fusion edge, or None."""
    labels: Mapping[str, float] = field(default_factory=dict)
    """Label values as the source gave them: 1 present, 0 absent, -1 uncertain; not mentioned: not in the map."""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    """How the study was made and what its film was; see ``neuralgraph.graph.provenance`` for the keys."""
    concept_vectors: ConceptVectors | None = None
    """Stored features of the concepts, if any."""
    mentions: tuple[Mention, ...] = ()
    """Further places of the report that say one of the concepts, in order of concept and span."""
    report: str | None = None
    """Text of the report, only when it was asked to be stored."""
    pixels: NDArray[Any] | None = None
    """uint8 or uint16 [n, height, width]: the kept patches as images, only when they were asked to be stored."""
    word_attention: WordAttention | None = None
    """Where the model looked for each word, only when it was asked to be stored; not part of the digest."""
    extensions: Mapping[str, bytes] = field(default_factory=dict)
    """Extension payloads by name (``x.<reverse-dns>.<name>``); not part of the digest."""

    def __post_init__(self) -> None:
        """Normalise the fields, then check every rule."""
        object.__setattr__(self, "views", tuple(self.views))
        object.__setattr__(self, "concepts", tuple(_spanned(Concept(*concept)) for concept in self.concepts))
        object.__setattr__(self, "mentions", tuple(_spanned(Mention(*mention)) for mention in self.mentions))
        object.__setattr__(self, "triples", frozen_array(self.triples, "i4", (-1, 3), where="triples"))
        if self.fusion is not None:
            patch, concept = self.fusion
            object.__setattr__(self, "fusion", (whole(patch, "fusion"), whole(concept, "fusion")))
        names = sorted(self.labels, key=lambda name: name.encode(errors="surrogatepass"))
        object.__setattr__(self, "labels", FrozenMap({name: float32(self.labels[name]) for name in names}))
        object.__setattr__(self, "provenance", freeze(self.provenance))
        payloads = {name: bytes(payload) for name, payload in sorted(self.extensions.items())}
        object.__setattr__(self, "extensions", FrozenMap(payloads))
        if self.pixels is not None:
            object.__setattr__(self, "pixels", frozen_pixels(self.pixels, len(self.patches)))
        for problem in study_problems(columns_of(self)):
            raise StudyError(problem.message, code=problem.code, where=problem.where)

    def __repr__(self) -> str:
        """One line, without any label or text of the report."""
        rows, cols = self.grid
        return (
            f"Study({self.study_id!r}, {len(self.patches)} of {self.n_cells} patches, "
            f"grid {cols} x {rows} (width x height), {len(self.concepts)} concepts, {len(self.triples)} triples)"
        )

    @property
    def n_cells(self) -> int:
        """Grid cells of all views: the number of patches before pruning."""
        return sum(view.rows * view.cols for view in self.views)

    @property
    def grid(self) -> tuple[int, int]:
        """(rows, cols) of the first view; (0, 0) without one."""
        return (self.views[0].rows, self.views[0].cols) if self.views else (0, 0)

    @property
    def attention(self) -> NDArray[np.float32]:
        """float32 [rows, cols]: the whole attention map of the first view."""
        return self.views[0].attention if self.views else np.empty((0, 0), np.float32)

    @computed
    def edges(self) -> NDArray[np.int32]:
        """int32 [m, 2]: kept patches that are grid neighbours, each pair once, lower index first."""
        edges = grid_edges(self.patches.view, self.patches.row, self.patches.col)
        edges.flags.writeable = False
        return edges

    @computed
    def digest(self) -> str:
        """Content digest, 64 hex digits: equal for equal content, whatever codec, level or packing stores it."""
        return self.columns().digest().hex()

    def prune(self, *, retain: float | None = None, top_k: int | None = None) -> Study:
        """The same study with fewer patches; needs no model.

        A study pruned harder equals the study compressed at that retention in the first place: patches are stored in
        order of score, and the fusion edge is chosen anew on the smaller graph.

        Parameters
        ----------
        retain : share of the grid's cells to keep, in (0, 1].
        top_k : number of patches to keep; exactly one of the two is given.

        Raises
        ------
        StudyError (E_NUM) : neither or both are given, or the value is out of range.
        StudyError (E_STUDY) : the study carries a plain graph, whose nodes have no scores.
        """
        refuse_carried(self, "smaller form")
        if (retain is None) == (top_k is None):
            raise StudyError("give either retain or top_k", code="E_NUM", where="prune")
        if retain is not None:
            n, policy = kept_patches(retain, self.n_cells), {"policy": "fraction", "value": float(retain)}
        else:
            n = whole(top_k, "top_k")
            policy = {"policy": "top_k", "value": n}
            if n < 1:
                raise StudyError(f"top_k must be at least 1, got {n}", code="E_NUM", where="top_k")
        if n >= len(self.patches):
            return self
        patches = self.patches.first(n)
        edges = grid_edges(patches.view, patches.row, patches.col)
        return replace(
            self,
            patches=patches,
            fusion=fusion_edge(n, edges, len(self.concepts), self.triples) if self.fusion else None,
            provenance={
                **{key: value for key, value in self.provenance.items() if key != "fusion"},
                "prune": policy,
                **(fusion_record(n, len(self.concepts)) if self.fusion else {}),
            },
            pixels=None if self.pixels is None else self.pixels[:n],
        )

    def columns(self) -> StudyColumns:
        """The study as columns, ready for the container."""
        return columns_of(self)

    def _repr_html_(self) -> str:
        """What a notebook shows: sizes and the attention map, and whether its model was trained; no label, no text of
        the report, no other provenance.
        """
        return study_html(self)

    @classmethod
    def from_columns(cls, columns: StudyColumns) -> Study:
        """The study of columns that keep every rule of FORMAT.md section 8 (``rules.study_problems``)."""
        graph, counts = columns.graph, columns.counts
        study_id, source, *rest = strings_of(columns)
        texts, names = rest[: counts.n_concepts], rest[counts.n_concepts :]
        view, row, col = places(columns)
        spans = zip(*(graph[f"concept_{part}"].tolist() for part in ("label", "start", "end", "section")), strict=True)
        parts = (graph[f"mention_{part}"].tolist() for part in ("concept", "label", "start", "end", "section"))
        values = graph["label_value"].tolist()
        vectors = words = None
        if columns.word_attention is not None:
            words = WordAttention.from_bytes(columns.word_attention, counts.n_cells)
        if counts.n_concept_vectors:
            vector = _read_only(columns.concept_vectors)
            vectors = _proven(ConceptVectors, index=_read_only(graph["concept_vector"].astype(np.int32)), vector=vector)
        return _proven(
            cls,
            study_id=study_id.decode(),
            views=_views(columns),
            patches=_proven(
                Patches,
                row=_read_only(row),
                col=_read_only(col),
                score=_read_only(graph["patch_score"].copy()),
                embedding=_read_only(columns.embedding),
                view=_read_only(view),
            ),
            concepts=tuple(
                Concept(text.decode(), CONCEPT_LABELS[label], start, end, REPORT_SECTIONS[section])
                for text, (label, start, end, section) in zip(texts, spans, strict=True)
            ),
            mentions=tuple(
                Mention(concept, CONCEPT_LABELS[label], start, end, REPORT_SECTIONS[section])
                for concept, label, start, end, section in zip(*parts, strict=True)
            ),
            triples=_read_only(_triples(graph)),
            fusion=(int(graph["fusion_patch"][0]), int(graph["fusion_concept"][0])) if counts.n_fusion else None,
            labels=FrozenMap(zip((name.decode() for name in names), values, strict=True)),
            provenance=freeze({**method_map(columns.method), **canonical.decode(source, where="source")}),
            concept_vectors=vectors,
            report=None if columns.report is None else columns.report.decode(),
            pixels=None if columns.pixels is None else pixels_from_bytes(columns.pixels, counts.n_patches),
            word_attention=words,
            extensions=FrozenMap(columns.extensions),
            edges=_read_only(graph["edge"].astype(np.int32)),
        )


def _proven(kind: type[_Part], **values: Any) -> _Part:
    """A ``kind`` of values that the rules have proven and that have their final types: nothing is checked twice."""
    part = object.__new__(kind)
    part.__dict__.update(values)
    return part


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    array.flags.writeable = False
    return array


def _triples(graph: Mapping[str, NDArray[Any]]) -> NDArray[np.int32]:
    """Head, relation and tail, int32 [n, 3]."""
    triples = np.empty((len(graph["triple_head"]), 3), np.int32)
    for number, part in enumerate(("head", "relation", "tail")):
        triples[:, number] = graph[f"triple_{part}"]
    return triples


def _views(columns: StudyColumns) -> tuple[View, ...]:
    graph, views, start = columns.graph, [], 0
    names = ("height", "width", "patch_height", "patch_width", "score_step")
    values = (graph[f"view_{name}"].tolist() for name in ("rows", "cols", "position", *names))
    for rows, cols, position, *sizes in zip(*values, strict=True):
        # A copy, or the map would keep the whole graph stream in memory.
        code = _read_only(graph["cell_score"][start : start + rows * cols].reshape(rows, cols).copy())
        fields = dict(zip(names, sizes, strict=True))
        views.append(_proven(View, score_code=code, position=VIEW_POSITIONS[position], **fields))
        start += rows * cols
    return tuple(views)


def _spanned(place: _Place) -> _Place:
    """The same with its numbers as ints."""
    start, end = whole(place.start, "concepts"), whole(place.end, "concepts")
    if isinstance(place, Mention):
        return place._replace(concept=whole(place.concept, "mentions"), start=start, end=end)
    return place._replace(start=start, end=end)
