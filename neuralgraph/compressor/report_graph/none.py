"""The extractor that extracts nothing: for users who want the visual graph only."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from neuralgraph.compressor.report_graph.result import ReportGraph

__all__ = ["NoneExtractor"]


class NoneExtractor:
    """An empty graph for every report."""

    name = "none"
    version = "1"
    fingerprint = hashlib.sha256(b"").hexdigest()

    def __call__(self, texts: Sequence[str], keys: Sequence[str | None] | None = None) -> list[ReportGraph]:  # noqa: ARG002
        """One empty graph per report."""
        return [ReportGraph() for _ in texts]
