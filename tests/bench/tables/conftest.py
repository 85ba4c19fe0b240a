"""A whole study of nine patches whose attention, pixels and words are known by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import neuralgraph as ng
from neuralgraph.graph.view import View
from neuralgraph.graph.words import WordAttention

ATTENTION = np.array([1, 9, 3, 4, 8, 2, 7, 5, 6], np.float32)
"""By cell, of a grid of 3 x 3."""


@pytest.fixture
def attention():
    return ATTENTION


@pytest.fixture
def whole():
    order = np.argsort(-ATTENTION)
    view = View.from_scores(ATTENTION.reshape(3, 3), height=30, width=30, patch_height=10, patch_width=10)
    embedding = np.zeros((9, 16), np.float32)
    embedding[:, 0] = order
    study = ng.Study(
        "study-1",
        (view,),
        ng.Patches(order // 3, order % 3, ATTENTION[order], embedding),
        concepts=(
            ng.Concept("lung", "Anatomy::definitely present", 0, 4),
            ng.Concept("opacity", "Observation::definitely present", 5, 12),
        ),
        mentions=(ng.Mention(1, "Observation::definitely present", 20, 27),),
        triples=np.array([[1, 1, 0]]),
        fusion=(0, 0),
        labels={"opacity": 1.0},
    )
    words = np.zeros((2, 9), np.float32)
    words[0, [4, 6]] = 1, 5
    words[1, [0, 1]] = 9, 2
    return replace(study, word_attention=WordAttention.from_maps([0, 5], [4, 12], words))
