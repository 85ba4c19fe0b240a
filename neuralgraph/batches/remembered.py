"""What batches ask for again and again and is a function of what they read: feature vectors, and chosen fusion edges.

Nothing of a record is remembered, only answers to questions that a record asks.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from neuralgraph.batches.features import concept_features
from neuralgraph.graph.concepts import Concept
from neuralgraph.graph.fusion import fusion_edge
from neuralgraph.wire.vocabulary import CONCEPT_LABELS

__all__ = ["RememberedFeatures", "fusion_of_pruned"]

_MOST_BYTES = 2**23
"""Feature vectors that are kept: some 30,000 different concepts."""
_MADE_TOGETHER = 64
_MOST_FUSIONS = 2**14
"""Pruned graphs whose fusion edge is kept."""


class RememberedFeatures:
    """Feature vectors of concepts for the kernel, up to a number of bytes; used by several threads at once.

    The key of a concept is the byte of its label and its text, UTF-8. A vector is those of its values that are not
    zero, float32, and behind them their places, uint16.
    """

    def __init__(self) -> None:
        self._known: dict[int, dict[bytes, bytes]] = {}
        self._bytes = 0

    def known(self, width: int) -> dict[bytes, bytes]:
        """The vectors of ``width`` values that are known; a batch keeps those it was given when others begin anew."""
        known = self._known.get(width)
        if known is None or self._bytes > _MOST_BYTES:
            # Of a file with many widths only the last is kept.
            known = {}
            self._known, self._bytes = {width: known}, 0
        return known

    def add(self, known: dict[bytes, bytes], width: int, keys: Iterable[bytes]) -> None:
        """Make the vectors of concepts."""
        wanted = list(dict.fromkeys(keys))
        for start in range(0, len(wanted), _MADE_TOGETHER):
            some = wanted[start : start + _MADE_TOGETHER]
            rows = concept_features([Concept(key[1:].decode(), CONCEPT_LABELS[key[0]], 0, 0) for key in some], width)
            for key, row in zip(some, rows, strict=True):
                (place,) = np.nonzero(row)
                known[key] = row[place].tobytes() + place.astype(np.uint16).tobytes()
                self._bytes += len(key) + len(known[key])


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
