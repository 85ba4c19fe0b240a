"""The study as one graph: patches and concepts numbered together, every kind of edge in one list.

Nodes 0 to n_patches - 1 are the patches in their order, the rest the concepts in theirs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuralgraph.graph.study import Study
from neuralgraph.wire.vocabulary import RELATIONS

__all__ = ["EDGE_TYPES", "NODE_TYPES", "both_directions", "joined_edges", "node_facts", "patch_centres"]

NODE_TYPES: tuple[str, ...] = ("patch", "concept")
"""Types of nodes; a code is the position in this table."""

EDGE_TYPES: tuple[str, ...] = (
    "adjacent",
    "fused",
    *(name for relation in RELATIONS for name in (relation, f"rev_{relation}")),
)
"""Types of edges; a code is the position in this table.

0 joins two patches that touch, 1 is the fusion edge, 2 + 2r is relation r from head to tail and 3 + 2r the same
relation from tail to head. A relation added to the vocabulary is added at its end, so that codes are permanent.
"""

_FIRST_RELATION = 2


def joined_edges(study: Study) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Every edge of the study once.

    Returns
    -------
    pairs : int64 [m, 2], (source, target): adjacent patches, lower first; then triples, head first; then the fusion
        edge, patch first.
    kinds : int64 [m], positions in ``EDGE_TYPES``.
    """
    n_patches = len(study.patches)
    fusion = np.array([study.fusion] if study.fusion else [], np.int64).reshape(-1, 2)
    pairs = np.concatenate([study.edges, study.triples[:, [0, 2]] + n_patches, fusion + np.array([0, n_patches])])
    kinds = np.concatenate(
        [
            np.full(len(study.edges), EDGE_TYPES.index("adjacent")),
            _FIRST_RELATION + 2 * study.triples[:, 1],
            np.full(len(fusion), EDGE_TYPES.index("fused")),
        ]
    )
    return pairs.astype(np.int64), kinds.astype(np.int64)


def both_directions(pairs: NDArray[np.int64], kinds: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Every edge in both directions, sorted by source, then target, then type.

    A layer that passes messages along edges needs both, and a sorted list needs no sorting later.

    Parameters
    ----------
    pairs, kinds : as ``joined_edges`` gives them.

    Returns
    -------
    pairs : int64 [2 m, 2].
    kinds : int64 [2 m]; a relation read backwards has the code of its ``rev_`` type.
    """
    backwards = np.where(kinds < _FIRST_RELATION, kinds, kinds + 1)
    pairs = np.concatenate([pairs, pairs[:, ::-1]])
    kinds = np.concatenate([kinds, backwards])
    order = np.lexsort((kinds, pairs[:, 1], pairs[:, 0]))
    return pairs[order], kinds[order]


def node_facts(study: Study) -> list[dict[str, Any]]:
    """What can be said of each node in single numbers and words.

    Returns
    -------
    one map per node, all with ``kind``, one of ``NODE_TYPES``; patches with ``view``, ``row``, ``col`` (int) and
    ``score`` (float), concepts with ``text``, ``label``, ``start`` and ``end``.
    """
    p = study.patches
    places = zip(p.view.tolist(), p.row.tolist(), p.col.tolist(), p.score.tolist(), strict=True)
    patches = [dict(zip(("kind", "view", "row", "col", "score"), ("patch", *place), strict=True)) for place in places]
    return patches + [{"kind": "concept", **concept._asdict()} for concept in study.concepts]


def patch_centres(study: Study) -> NDArray[np.float32]:
    """Centre of the visible part of each patch.

    Returns
    -------
    float32 [n_patches, 2] : row and column as shares of the height and the width of the patch's own film, in (0, 1).
    """
    patches, views = study.patches, study.views
    centres = np.empty((len(patches), 2), np.float64)
    for axis, (place, extent, size) in enumerate(
        ((patches.row, "height", "patch_height"), (patches.col, "width", "patch_width"))
    ):
        film = np.array([getattr(view, extent) for view in views], np.float64)[patches.view]
        step = np.array([getattr(view, size) for view in views], np.float64)[patches.view]
        centres[:, axis] = (place * step + np.minimum((place + 1) * step, film)) / (2 * film)
    return centres.astype(np.float32)
