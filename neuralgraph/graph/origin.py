"""Whose words the report graph of a study is: a radiologist's, or a model's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

__all__ = ["GENERATED", "GraphOrigin", "graph_origin"]

GraphOrigin = Literal["given", "generated", "none", "unknown"]
"""``given``: read from a report. ``generated``: from a text that the model wrote itself. ``none``: there are no
concepts. ``unknown``: the study does not say."""

GENERATED = "WRITTEN BY THE MODEL, no report was given"
"""What stands wherever concepts of a generated text are shown."""


def graph_origin(provenance: Mapping[str, Any], n_concepts: int) -> GraphOrigin:
    """Where the concepts of a study come from.

    Parameters
    ----------
    provenance : of the study.
    n_concepts : how many it has. Without any there is no report graph, whoever wrote the text that scored the patches.
    """
    if not n_concepts:
        return "none"
    report = provenance.get("report")
    return "generated" if report == "generated" else "given" if report == "given" else "unknown"
