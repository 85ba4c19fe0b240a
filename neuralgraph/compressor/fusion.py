"""The fusion edge of large graphs: betweenness by rustworkx, the same choice as ``neuralgraph.graph.fusion``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from neuralgraph.errors import missing_extra
from neuralgraph.graph.fusion import betweenness, fusion_edge

__all__ = ["fast_betweenness", "fusion"]

_SMALL = 64
"""Up to this many nodes numpy is done before rustworkx has built its graph."""


def fast_betweenness(n_nodes: int, pairs: Iterable[Sequence[int]]) -> NDArray[np.float64]:
    """Betweenness as ``neuralgraph.graph.fusion.betweenness`` defines it; the two agree to rounding.

    Exact at any size, in time that grows with the square of it; ``fusion`` asks for graphs of up to
    ``neuralgraph.graph.fusion.EXACT_NODES`` nodes only.

    Raises
    ------
    MissingExtraError (E_EXTRA) : rustworkx is not installed.
    """
    if n_nodes <= _SMALL:
        return betweenness(n_nodes, pairs)
    try:
        import rustworkx
    except ImportError as error:
        raise missing_extra("fusing large graphs", extra="vlm", library="rustworkx") from error
    graph = rustworkx.PyGraph(multigraph=False)
    graph.add_nodes_from(range(n_nodes))
    graph.add_edges_from_no_data(sorted({(min(int(a), int(b)), max(int(a), int(b))) for a, b in pairs if a != b}))
    # One thread: the order of additions, and so the last bits, must not depend on the machine.
    centrality = rustworkx.graph_betweenness_centrality(graph, normalized=False, parallel_threshold=n_nodes + 1)
    return np.array([centrality[node] for node in range(n_nodes)], np.float64)


def fusion(
    n_patches: int, edges: NDArray[np.int32], n_concepts: int, triples: NDArray[np.int32]
) -> tuple[int, int] | None:
    """Patch and concept to join, or None when either side is empty; see ``neuralgraph.graph.fusion.fusion_edge``."""
    return fusion_edge(n_patches, edges, n_concepts, triples, centrality=fast_betweenness)
