"""The joined graphs of many studies as columns, without embeddings: what batches are cut from (FORMAT.md section 6.6).

One row per study, patch, concept, pair or label, studies one after another. Pairs are the edges of ``graph.joined``, in
both directions and sorted; concepts refer to the hashed features of ``graph.features``, labels to a list of names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuralgraph.errors import StudyError
from neuralgraph.graph.concepts import Concept
from neuralgraph.graph.features import LEAST_WIDTH, concept_features
from neuralgraph.graph.joined import EDGE_TYPES
from neuralgraph.graph.strings import split_strings
from neuralgraph.wire.columns import Counts
from neuralgraph.wire.vocabulary import CONCEPT_LABELS, RELATIONS

__all__ = ["NO_FUSION", "Vocabulary", "pairs_of", "ragged", "starts", "tabulate"]

NO_FUSION = 2**32 - 1
"""Both ends of the fusion edge of a study that has none."""

Light = tuple[Counts, dict[str, NDArray[Any]]]
"""Counts of a study and the columns of its graph stream."""


def ragged(start: NDArray[np.int64], count: NDArray[np.int64]) -> NDArray[np.int64]:
    """Row numbers of runs: ``start[0]``, ``start[0] + 1``, ..., ``count[0]`` of them, then those of the next run."""
    if len(count) == 1:
        first = int(start[0])
        return np.arange(first, first + int(count[0]))
    end = count.cumsum()
    rows = np.arange(end[-1] if len(end) else 0)
    rows += (start - (end - count)).repeat(count)
    return rows


def starts(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """int64 [n + 1]: where each of n runs begins, and where the last one ends."""
    out = np.zeros(len(counts) + 1, np.int64)
    counts.cumsum(out=out[1:])
    return out


@dataclass
class Vocabulary:
    """Distinct concepts and label names, numbered in the order in which they are first met.

    Parameters
    ----------
    width : values of a concept's feature vector; below the least that can be hashed, no features are made.
    """

    width: int
    concepts: dict[tuple[int, bytes], int] = field(default_factory=dict)
    """(label code, UTF-8 text) -> number."""
    labels: dict[bytes, int] = field(default_factory=dict)
    """Label name, UTF-8 -> number."""
    places: list[NDArray[np.uint16]] = field(default_factory=list)
    """Places of a concept's feature vector that are not zero, ascending."""
    values: list[NDArray[np.float32]] = field(default_factory=list)
    """The values there."""

    def concept(self, label: int, text: bytes) -> int:
        """Number of a concept."""
        number = self.concepts.setdefault((label, text), len(self.concepts))
        if number == len(self.places):
            row = np.empty(0, np.float32)
            if self.width >= LEAST_WIDTH:
                (row,) = concept_features([Concept(_decoded(text), CONCEPT_LABELS[label], 0, 0)], self.width)
            places = np.flatnonzero(row)
            self.places.append(places.astype(np.uint16))
            self.values.append(row[places])
        return number

    def label(self, name: bytes) -> int:
        """Number of a label name."""
        return self.labels.setdefault(name, len(self.labels))


def _decoded(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        raise StudyError("the text of a concept is not valid UTF-8", code="E_TEXT", where="concepts") from error


def tabulate(studies: Sequence[Light], vocabulary: Vocabulary) -> dict[str, NDArray[Any]]:
    """Columns of the graphs of ``studies``.

    Of the rules of a graph only those are checked without which this could not be computed.

    Returns
    -------
    by name, those of FORMAT.md section 6.6 that belong to studies, patches, concepts, pairs and labels; starts are
    int64 [n + 1], numbers of nodes and of words int64 too.

    Raises
    ------
    StudyError (E_IDX, E_COORD, E_TEXT) : a number is out of range, or the strings are not those counted.
    """
    counts = [each for each, _ in studies]

    def together(name: str, dtype: str = "<i8") -> NDArray[Any]:
        return np.concatenate([graph[name] for _, graph in studies]).astype(dtype, copy=False)

    def number(name: str) -> NDArray[np.int64]:
        return np.array([getattr(each, name) for each in counts], np.int64)

    n_patches, n_concepts = number("n_patches"), number("n_concepts")
    _check_ranges(together, number)
    numbers = [_words(each, graph, vocabulary) for each, graph in studies]
    centre, view = _places(together, number)
    pair_source, pair_target, pair_type = pairs_of(
        n_patches,
        number("n_edges"),
        number("n_triples"),
        number("n_fusion"),
        together("edge").reshape(-1, 2),
        np.stack([together(f"triple_{part}") for part in ("head", "relation", "tail")], axis=1),
        np.stack([together("fusion_patch"), together("fusion_concept")], axis=1),
    )
    fused = number("n_fusion").astype(bool)
    ends = {f"fusion_{end}": np.full(len(studies), NO_FUSION, np.int64) for end in ("patch", "concept")}
    for name, end in ends.items():
        end[fused] = together(name)
    n_pairs = 2 * (number("n_edges") + number("n_triples") + number("n_fusion"))
    return {
        "patch_start": starts(n_patches),
        "concept_start": starts(n_concepts),
        "pair_start": starts(n_pairs),
        "label_start": starts(number("n_labels")),
        **ends,
        "n_cells": number("n_cells"),
        "n_vectors": number("n_concept_vectors"),
        "patch_centre": centre,
        "patch_score": together("patch_score", "<f4"),
        "patch_view": view,
        "concept_feature": np.array([word for words, _ in numbers for word in words], np.int64),
        "pair_source": pair_source,
        "pair_target": pair_target,
        "pair_type": pair_type,
        "label_number": np.array([word for _, words in numbers for word in words], np.int64),
        "label_value": together("label_value", "<f4"),
    }


def _check_ranges(together: Any, number: Any) -> None:
    """Refuse numbers of cells, patches, concepts and relations that do not exist."""
    owner = np.repeat(np.arange(len(number("n_views"))), number("n_views"))
    cells = np.bincount(owner, together("view_rows") * together("view_cols"), minlength=len(number("n_views")))
    if (cells != number("n_cells")).any():
        raise StudyError("the grids do not have the counted cells", code="E_COORD", where="views")
    for names, things, rows in (
        (("patch_cell",), "n_cells", "n_patches"),
        (("edge",), "n_patches", "n_edges"),
        (("triple_head", "triple_tail"), "n_concepts", "n_triples"),
        (("fusion_patch",), "n_patches", "n_fusion"),
        (("fusion_concept",), "n_concepts", "n_fusion"),
    ):
        bound = np.repeat(number(things), number(rows))
        for name in names:
            values = together(name)
            if name == "edge":
                values = values.reshape(-1, 2).max(axis=1)
            if (values >= bound).any():
                raise StudyError("a number is out of range", code="E_IDX", where=name)
    if (together("triple_relation") >= len(RELATIONS)).any() or (
        together("concept_label") >= len(CONCEPT_LABELS)
    ).any():
        raise StudyError("a relation or a label of a concept is not known", code="E_IDX", where="concepts")


def _words(counts: Counts, graph: dict[str, NDArray[Any]], vocabulary: Vocabulary) -> tuple[list[int], list[int]]:
    """Numbers of the concepts and of the label names of a study."""
    if int(graph["string_bytes"].sum(dtype=np.int64)) != counts.text_bytes:
        raise StudyError("the strings do not fill the text", code="E_TEXT", where="text")
    strings = split_strings(graph["string_bytes"], graph["text"])
    n = 2 + counts.n_concepts
    concepts = zip(graph["concept_label"].tolist(), strings[2:n], strict=True)
    return [vocabulary.concept(label, word) for label, word in concepts], [vocabulary.label(s) for s in strings[n:]]


def _places(together: Any, number: Any) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Centre of every patch as ``joined.patch_centres`` has it, and the view of its study that it lies in."""
    n_views, n_patches = number("n_views"), number("n_patches")
    rows, cols = together("view_rows"), together("view_cols")
    last_cell = np.cumsum(rows * cols)
    cell = together("patch_cell") + np.repeat(starts(number("n_cells"))[:-1], n_patches)
    view = np.searchsorted(last_cell, cell, side="right")
    row, col = np.divmod(cell - (last_cell - rows * cols)[view], cols[view])
    centre = np.empty((len(cell), 2), np.float64)
    for axis, (place, extent, size) in enumerate(
        ((row, "view_height", "view_patch_height"), (col, "view_width", "view_patch_width"))
    ):
        film, step = together(extent, "<f8")[view], together(size, "<f8")[view]
        centre[:, axis] = (place * step + np.minimum((place + 1) * step, film)) / (2 * film)
    return centre.astype(np.float32), view - np.repeat(starts(n_views)[:-1], n_patches)


def pairs_of(
    n_patches: NDArray[np.int64],
    n_edges: NDArray[np.int64],
    n_triples: NDArray[np.int64],
    n_fusion: NDArray[np.int64],
    edge: NDArray[np.int64],
    triple: NDArray[np.int64],
    fusion: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Source, target and type of every edge of several studies in both directions, sorted within each study.

    Parameters
    ----------
    n_patches, n_edges, n_triples, n_fusion : int64 [n], counts of the studies.
    edge, triple, fusion : int64 [., 2], [., 3] and [., 2], studies one after another; numbers within the study.

    Returns
    -------
    as ``joined.both_directions`` sorts them, one study after another.
    """
    study = np.arange(len(n_patches))
    owners = [np.repeat(study, count) for count in (n_edges, n_triples, n_fusion)]
    heads = [edge[:, 0], triple[:, 0] + n_patches[owners[1]], fusion[:, 0]]
    tails = [edge[:, 1], triple[:, 2] + n_patches[owners[1]], fusion[:, 1] + n_patches[owners[2]]]
    first_relation = 2
    forward = [
        np.full(len(edge), EDGE_TYPES.index("adjacent")),
        first_relation + 2 * triple[:, 1],
        np.full(len(fusion), EDGE_TYPES.index("fused")),
    ]
    owner, head, tail, kind = (np.concatenate(part) for part in (owners, heads, tails, forward))
    owner = np.concatenate([owner, owner])
    source, target = np.concatenate([head, tail]), np.concatenate([tail, head])
    kind = np.concatenate([kind, np.where(kind < first_relation, kind, kind + 1)])
    order = np.lexsort((kind, target, source, owner))
    return source[order], target[order], kind[order]
