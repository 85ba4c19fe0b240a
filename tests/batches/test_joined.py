from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from neuralgraph import Concept, Patches, Study, View
from neuralgraph.batches.joined import EDGE_TYPES, both_directions, joined_edges, patch_centres


def grid_study(rows: int, cols: int, triples: list[list[int]], n_concepts: int) -> Study:
    """Every cell kept, in order of the cells: equal scores."""
    view = View.from_scores(np.ones((rows, cols)), height=rows * 10, width=cols * 8, patch_height=10, patch_width=8)
    row, col = (part.ravel() for part in np.indices((rows, cols)))
    patches = Patches(row, col, np.ones(rows * cols), np.zeros((rows * cols, 4)))
    concepts = tuple(Concept(f"c{i}", "Anatomy::uncertain", i, i + 1) for i in range(n_concepts))
    return Study("grid", (view,), patches, concepts, triples=np.unique(np.array(triples).reshape(-1, 3), axis=0))


@given(
    rows=st.integers(1, 4),
    cols=st.integers(1, 4),
    triples=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 3)).filter(lambda t: t[0] != t[2])),
)
def test_both_directions_hold_every_edge_and_its_reverse_in_order(
    rows: int, cols: int, triples: list[tuple[int, int, int]]
) -> None:
    study = grid_study(rows, cols, [list(triple) for triple in triples], 4)
    pairs, kinds = both_directions(*joined_edges(study))
    found = [(a, b, EDGE_TYPES[kind]) for (a, b), kind in zip(pairs.tolist(), kinds.tolist(), strict=True)]
    assert found == sorted(found, key=lambda edge: (edge[0], edge[1], EDGE_TYPES.index(edge[2])))
    n, names = rows * cols, ("modify", "located_at", "suggestive_of")
    expected = {(a, b, "adjacent") for a in range(n) for b in range(n) if touches(a, b, cols)}
    expected |= {(n + head, n + tail, names[relation]) for head, relation, tail in triples}
    expected |= {(n + tail, n + head, f"rev_{names[relation]}") for head, relation, tail in triples}
    assert set(found) == expected
    assert len(found) == len(expected)


def touches(a: int, b: int, cols: int) -> bool:
    return abs(a // cols - b // cols) + abs(a % cols - b % cols) == 1


def test_centres_of_whole_patches_are_evenly_spaced() -> None:
    study = grid_study(2, 4, [], 0)
    assert patch_centres(study).dtype == np.float32
    assert patch_centres(study)[:, 0].tolist() == [0.25] * 4 + [0.75] * 4
    assert patch_centres(study)[:, 1].tolist() == [0.125, 0.375, 0.625, 0.875] * 2
