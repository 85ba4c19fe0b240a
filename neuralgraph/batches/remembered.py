"""What batches ask for again and again and is a function of what they read: feature vectors, and chosen fusion edges.

Nothing of a record is remembered, only answers to questions that a record asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from neuralgraph.batches.features import concept_features
from neuralgraph.graph.concepts import Concept
from neuralgraph.graph.fusion import fusion_edge
from neuralgraph.wire.vocabulary import CONCEPT_LABELS

if TYPE_CHECKING:
    from neuralgraph.batches import _kernel

__all__ = ["RememberedFeatures", "fusion_of_pruned"]

_MOST_BYTES = 2**23
"""Feature vectors that are kept: some 30,000 different concepts."""
_MADE_TOGETHER = 64
_MOST_FUSIONS = 2**14
"""Pruned graphs whose fusion edge is kept."""


class RememberedFeatures:
    """Feature vectors of concepts for the kernel, up to a number of bytes; used by several threads at once."""

    def __init__(self) -> None:
        self._tables: dict[int, _kernel.Features] = {}

    def table(self, width: int, new: Callable[[int], _kernel.Features]) -> _kernel.Features:
        """The vectors of ``width`` values that are known; a batch keeps those it was given when others begin anew."""
        table = self._tables.get(width)
        if table is None or table.nbytes > _MOST_BYTES:
            # Of a file with many widths only the last is kept.
            table = new(width)
            self._tables = {width: table}
        return table

    @staticmethod
    def add(table: _kernel.Features, width: int, concepts: Iterable[tuple[int, bytes]]) -> bool:
        """Make the vectors of concepts, (label code, UTF-8 text) each; whether there was room for all."""
        wanted = list(dict.fromkeys(concepts))
        for start in range(0, len(wanted), _MADE_TOGETHER):
            some = wanted[start : start + _MADE_TOGETHER]
            named = [Concept(text.decode(), CONCEPT_LABELS[label], 0, 0) for label, text in some]
            rows = concept_features(named, width)
            row, place = np.nonzero(rows)
            ends = np.searchsorted(row, np.arange(1, len(some) + 1)).tolist()
            places, values, begin = place.astype(np.uint16), rows[row, place], 0
            for (label, text), end in zip(some, ends, strict=True):
                if not table.add(label, text, places[begin:end], values[begin:end]):
                    return False
                begin = end
        return True


def fusion_of_pruned(
    kept: int, edges: NDArray[np.integer], n_concepts: int, triples: NDArray[np.integer]
) -> tuple[int, int]:
    """The fusion edge of a study that keeps its first patches, chosen anew: ``graph.fusion.fusion_edge``.

    Parameters
    ----------
    kept : patches kept, at least one.
    edges : [m, 2], edges of all patches, lower number first.
    n_concepts : concepts, at least one.
    triples : [t, 3].
    """
    left = edges[edges[:, 1] < kept].astype(np.int32)
    return _chosen(kept, left.tobytes(), n_concepts, triples.astype(np.int32).tobytes())


@lru_cache(maxsize=_MOST_FUSIONS)
def _chosen(kept: int, edges: bytes, n_concepts: int, triples: bytes) -> tuple[int, int]:
    chosen = fusion_edge(
        kept,
        np.frombuffer(edges, np.int32).reshape(-1, 2),
        n_concepts,
        np.frombuffer(triples, np.int32).reshape(-1, 3),
    )
    assert chosen is not None, "both sides have nodes"
    return chosen
