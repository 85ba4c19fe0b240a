"""What must be said wherever a study is shown: whose words its report graph is, a radiologist's or a model's, and what
the model that comes with the package is worth.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

__all__ = ["BUNDLED_WORDS", "GENERATED", "GraphOrigin", "bundled_notice", "graph_origin"]

GraphOrigin = Literal["given", "generated", "none", "unknown"]
"""``given``: read from a report. ``generated``: from a text that the model wrote itself. ``none``: there are no
concepts. ``unknown``: the study does not say."""

GENERATED = "WRITTEN BY THE MODEL, no report was given"
"""What stands wherever concepts of a generated text are shown."""

_BUNDLED = "demo"
BUNDLED_WORDS = "demo model, learnt from synthetic films and some hundred of one hospital"
"""For a caption."""
_BUNDLED_NOTICE = (
    "the demo model learnt from SYNTHETIC films and some hundred films of one hospital: no diagnostic device. It keeps "
    "what matters on some films, misses it on others, and any report it writes carries no meaning"
)


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


def bundled_notice(name: str) -> str:
    """What must be said of a study that the bundled model made; "" for every other model.

    ``name`` is what provenance calls the model.
    """
    return _BUNDLED_NOTICE if name == _BUNDLED else ""
