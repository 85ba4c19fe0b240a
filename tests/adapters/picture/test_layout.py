"""Places of concepts: columns by role, no overlap, no randomness."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from neuralgraph.adapters.picture.layout import concept_layout, shown_concepts
from neuralgraph.adapters.picture.lettering import wrapped
from neuralgraph.graph.concepts import Concept

_OBSERVATION, _ANATOMY = "Observation::definitely present", "Anatomy::definitely present"


def test_a_sentence_reads_from_left_to_right():
    concepts = [
        Concept("small", _OBSERVATION, 0, 5),
        Concept("nodule", _OBSERVATION, 6, 12),
        Concept("right", _ANATOMY, 20, 25),
        Concept("upper lobe", _ANATOMY, 26, 36),
    ]
    layout = concept_layout(concepts, np.array([[0, 0, 1], [1, 1, 3], [2, 0, 3]], np.int32))
    assert layout.column == (0, 1, 3, 2)
    assert layout.y == (0.0, 0.0, 0.0, 0.0)
    assert layout.rows == 1


def test_modifiers_share_the_height_of_what_they_modify():
    concepts = [Concept("a", _OBSERVATION, i, i + 1) for i in range(4)]
    layout = concept_layout(concepts, np.array([[0, 0, 2], [1, 0, 2]], np.int32))
    # Two modifiers of the first head are centred on it; the second head stands one row below it.
    assert layout.column == (0, 0, 1, 1)
    assert layout.y == (0.0, 1.0, 0.5, 1.5)


@given(
    labels=st.lists(st.sampled_from([_OBSERVATION, _ANATOMY]), max_size=30),
    pairs=st.lists(st.tuples(st.integers(0, 29), st.integers(0, 2), st.integers(0, 29)), max_size=40),
)
def test_nodes_of_one_column_never_overlap(labels, pairs):
    concepts = [Concept("a", label, i, i + 1) for i, label in enumerate(labels)]
    triples = np.array([p for p in pairs if max(p[0], p[2]) < len(labels)], np.int32).reshape(-1, 3)
    layout = concept_layout(concepts, triples)
    assert layout == concept_layout(concepts, triples)
    assert len(layout.y) == len(concepts)
    assert min(layout.y, default=0.0) >= 0.0
    assert max(layout.y, default=0.0) <= layout.rows
    for column in range(4):
        heights = sorted(y for y, c in zip(layout.y, layout.column, strict=True) if c == column)
        assert all(b - a >= 1 - 1e-9 for a, b in pairwise(heights))


def test_the_fused_concept_is_always_shown():
    assert shown_concepts(3, None, 5) == [0, 1, 2]
    assert shown_concepts(9, None, 3) == [0, 1, 2]
    assert shown_concepts(9, (0, 1), 3) == [0, 1, 2]
    assert shown_concepts(9, (0, 7), 3) == [0, 1, 7]


def test_long_words_are_wrapped_and_cut():
    assert wrapped("enlargement of the cardiac silhouette", 20, lines=2) == "enlargement of the\ncardiac silhouette"
    cut = wrapped("one two three four five six seven eight nine ten", 10, lines=2)
    assert cut == "one two\nthree fou…" or cut.endswith("…")
    assert all(len(line) <= 10 for line in cut.split("\n"))
    assert wrapped("a\nb\tc\x00", 20, lines=1) == "a b c"
    assert wrapped("胸", 20, lines=1) == "\N{WHITE SQUARE}"
