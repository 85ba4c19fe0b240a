"""A worker that reads, extracts, fuses, encodes and writes as the real one does, with block means for a model.

For measurements over more studies than a model would pass in an afternoon.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from neuralgraph.bulk.settings import ConversionSettings
from neuralgraph.bulk.worker import serve
from neuralgraph.compressor.fusion import fusion
from neuralgraph.compressor.report_graph import extractor
from neuralgraph.graph.adjacency import grid_edges
from neuralgraph.graph.patches import Patches
from neuralgraph.graph.study import Study
from neuralgraph.graph.view import View
from neuralgraph.sources import Film

_GRID, _KEPT, _WIDTH = 16, 6, 256


def make(_: ConversionSettings) -> tuple[Any, dict[str, Any]]:
    """The maker, and its method."""
    read = extractor("rules")

    def study_of(
        films: list[Film],
        report: str | None = None,
        *,
        labels: dict[str, float],
        study_id: str,
        store_report: bool,
        **_: Any,
    ) -> Study:
        pixels = films[0].pixels
        height, width = (side // _GRID * _GRID for side in pixels.shape)
        blocks = pixels[:height, :width].reshape(_GRID, height // _GRID, _GRID, width // _GRID).mean(axis=(1, 3))
        view = View.from_scores(
            blocks,
            height=pixels.shape[0],
            width=pixels.shape[1],
            patch_height=pixels.shape[0] / _GRID,
            patch_width=pixels.shape[1] / _GRID,
            position=films[0].position,
        )
        cells = np.argsort(-view.attention.ravel(), kind="stable")[:_KEPT]
        row, col = cells // _GRID, cells % _GRID
        embedding = np.outer(view.attention.ravel()[cells], np.linspace(-1, 1, _WIDTH)).astype(np.float32)
        (graph,) = read([report or ""])
        edges = grid_edges(np.zeros(_KEPT, np.int32), row.astype(np.int32), col.astype(np.int32))
        return Study(
            study_id=study_id,
            views=(view,),
            patches=Patches(row, col, view.attention.ravel()[cells], embedding),
            concepts=graph.concepts,
            triples=graph.triples,
            fusion=fusion(_KEPT, edges, len(graph.concepts), graph.triples),
            labels=labels,
            provenance={"report": "given", "films": [dict(films[0].facts)]},
            report=report if store_report else None,
        )

    return study_of, {"model": "block means"}


if __name__ == "__main__":
    serve(make)
