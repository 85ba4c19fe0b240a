"""Pruning a stored study: a prefix, in one step or several, equal to what a direct build gives."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from builders import build_study, studies
from hypothesis import given
from hypothesis import strategies as st

from neuralgraph import StudyError
from neuralgraph.graph.fusion import fusion_edge
from neuralgraph.graph.retention import kept_patches


@given(studies().filter(lambda study: len(study.patches) > 1), st.data())
def test_pruning_keeps_a_prefix_and_everything_else(study, data):
    k = data.draw(st.integers(1, len(study.patches) - 1))
    pruned = study.prune(top_k=k)
    for name in ("row", "col", "view", "score", "embedding"):
        assert np.array_equal(getattr(pruned.patches, name), getattr(study.patches, name)[:k])
    if study.pixels is not None:
        assert np.array_equal(pruned.pixels, study.pixels[:k])
    kept = [edge for edge in study.edges.tolist() if max(edge) < k]
    assert pruned.edges.tolist() == kept
    for name in ("views", "concepts", "labels", "report", "extensions", "study_id", "concept_vectors"):
        assert getattr(pruned, name) is getattr(study, name) or getattr(pruned, name) == getattr(study, name)
    assert pruned.provenance == {**study.provenance, "prune": {"policy": "top_k", "value": k}}


@given(studies().filter(lambda study: len(study.patches) > 2), st.data())
def test_two_steps_are_one(study, data):
    first = data.draw(st.integers(2, len(study.patches) - 1))
    second = data.draw(st.integers(1, first - 1))
    assert study.prune(top_k=first).prune(top_k=second).digest == study.prune(top_k=second).digest


@pytest.mark.parametrize("views", [1, 2])
@pytest.mark.parametrize("retain", [0.023, 0.05, 0.3])
def test_pruning_equals_building_directly(views, retain):
    whole = build_study(rows=12, cols=12, patches=144 * views, views=views, concepts=4)
    k = kept_patches(retain, 144 * views)
    provenance = {**whole.provenance, "prune": {"policy": "fraction", "value": retain}}
    direct = build_study(rows=12, cols=12, patches=144 * views, views=views, concepts=4, provenance=provenance)
    direct = replace(
        direct,
        patches=direct.patches.first(k),
        fusion=fusion_edge(k, whole.prune(top_k=k).edges, 4, whole.triples),
    )
    assert whole.prune(retain=retain).digest == direct.digest


@pytest.mark.parametrize(
    ("rows", "cols", "retain", "kept"), [(12, 12, 0.023, 4), (30, 30, 0.023, 21), (30, 30, 0.05, 45)]
)
def test_the_share_is_of_the_whole_grid(rows, cols, retain, kept):
    study = build_study(rows=rows, cols=cols, patches=rows * cols // 2, dim=1)
    assert len(study.prune(retain=retain).patches) == kept


def test_the_fusion_edge_is_chosen_anew():
    study = build_study(rows=4, cols=4, patches=16, concepts=3)
    for k in range(1, 16):
        pruned = study.prune(top_k=k)
        assert pruned.fusion == fusion_edge(k, pruned.edges, 3, pruned.triples)
    assert replace(study, fusion=None).prune(top_k=3).fusion is None


def test_nothing_to_prune_gives_the_same_study():
    study = build_study(patches=5)
    assert study.prune(top_k=5) is study
    assert study.prune(top_k=6) is study
    assert study.prune(retain=1) is study


@pytest.mark.parametrize(
    ("arguments", "where"),
    [
        ({}, "prune"),
        ({"retain": 0.5, "top_k": 3}, "prune"),
        ({"top_k": 0}, "top_k"),
        ({"top_k": -1}, "top_k"),
        ({"top_k": 2.5}, "top_k"),
        ({"retain": 0}, "retain"),
        ({"retain": 1.5}, "retain"),
        ({"retain": math.nan}, "retain"),
    ],
)
def test_bad_requests_are_refused(arguments, where):
    with pytest.raises(StudyError) as caught:
        build_study().prune(**arguments)
    assert (caught.value.code, caught.value.where) == ("E_NUM", where)
