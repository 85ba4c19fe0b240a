from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pytest

from neuralgraph import Concept, ConceptVectors, Mention, Patches, Study, View
from neuralgraph.graph.words import WordAttention

with warnings.catch_warnings(), suppress(ImportError):
    # Its modules are scripted on import, which torch 2.15 calls deprecated with a FutureWarning.
    warnings.simplefilter("ignore", FutureWarning)
    import torch_geometric  # noqa: F401

WIDTH = 16


def hand_made(**changes: Any) -> Study:
    """Two films (2 x 2 and 1 x 2 cells), four patches, three concepts, three triples, everything optional present.

    Film 0 is 100 x 60 with patches of 50 x 40, so that its right column is cut off at 60. Patches in order of score:
    (0,0) 4.0, (0,1) 3.0, film 1 (0,1) 2.0, (1,1) 1.0; the first and second touch, the second and fourth too.
    """
    grid = View.from_scores(
        [[4.0, 3.0], [0.25, 1.0]], height=100, width=60, patch_height=50, patch_width=40, position="PA"
    )
    strip = View.from_scores([[0.5, 2.0]], height=80, width=200, patch_height=80, patch_width=100, position="LATERAL")
    embedding = np.arange(4 * WIDTH, dtype=np.float32).reshape(4, WIDTH) / 8
    fields: dict[str, Any] = {
        "study_id": "study-1",
        "views": (grid, strip),
        "patches": Patches([0, 0, 0, 1], [0, 1, 1, 1], [4.0, 3.0, 2.0, 1.0], embedding, [0, 0, 1, 0]),
        "concepts": (
            Concept("small", "Observation::definitely present", 0, 5, "findings"),
            Concept("effusion", "Observation::definitely absent", 6, 14, "impression"),
            Concept("Basis", "Anatomy::definitely present", 18, 23),
        ),
        "mentions": (
            Mention(1, "Observation::uncertain", 6, 14, "findings"),
            Mention(1, "Observation::definitely absent", 15, 16, "addendum"),
        ),
        "triples": [[0, 0, 1], [0, 1, 2], [1, 1, 2]],
        "fusion": (1, 2),
        "labels": {"effusion": 1.0, "edema": -1.0, "cardiomegaly": 0.0},
        "provenance": {
            "report": "given",
            "model": {"name": "m", "trained": True, "digest": 2, "dtype": 0.1},
            "films": [{"bits": 12, "window": [1.0, -2.5]}, {}],
            "x.org.example.key": b"\x00\xff",
        },
        "concept_vectors": None,
        "report": "small effusion at Basis",
        "pixels": np.arange(4 * 6, dtype=np.uint16).reshape(4, 2, 3) * 1000,
        "word_attention": WordAttention.from_maps([0, 6], [5, 14], np.arange(12.0).reshape(2, 6)),
        "extensions": {"x.org.example.note": b"\x01\x02"},
    }
    # What refers to concepts, or to the cells of views, goes where these are changed.
    without = {"mentions": ()} if "concepts" in changes else {}
    return Study(**(fields | without | ({"word_attention": None} if "views" in changes else {}) | changes))


@pytest.fixture
def make_study() -> Callable[..., Study]:
    """The hand-made study, with changes."""
    return hand_made


@pytest.fixture
def study() -> Study:
    return hand_made()


@pytest.fixture
def bare_study() -> Study:
    """One patch, and nothing that may be missing."""
    view = View.from_scores([[1.0]], height=10, width=10, patch_height=10, patch_width=10)
    return Study("bare", (view,), Patches([0], [0], [1.0], np.ones((1, WIDTH), np.float32)))


@pytest.fixture
def vectors() -> ConceptVectors:
    """Stored vectors as wide as the patches, two concepts sharing one."""
    return ConceptVectors([1, 0, 1], np.arange(2 * WIDTH, dtype=np.float32).reshape(2, WIDTH))
