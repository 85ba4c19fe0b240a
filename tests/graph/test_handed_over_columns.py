"""The columns that a new study hands over to whoever stores it are those of the study, whatever was derived from it."""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest
from builders import build_study, studies
from hypothesis import given
from hypothesis import strategies as st

import neuralgraph as ng
from neuralgraph import Study
from neuralgraph.graph.into_columns import columns_of
from neuralgraph.graph.study import _CHECKED

LOSS = {"form": "int8", "bound": 0.25, "largest": 0.1, "rmse": 0.2, "cosine": 0.3}


def same_columns(a, b):
    assert a.counts == b.counts
    assert a.method == b.method
    assert a.graph.keys() == b.graph.keys()
    for name, column in a.graph.items():
        assert column.dtype == b.graph[name].dtype, name
        assert np.array_equal(column, b.graph[name]), name
    assert np.array_equal(a.embedding, b.embedding)
    assert (a.report, a.pixels, a.word_attention, a.extensions) == (b.report, b.pixels, b.word_attention, b.extensions)
    assert a.digest() == b.digest()


@given(studies())
def test_they_are_those_of_the_study(study):
    fresh = columns_of(study)
    same_columns(study.columns(), fresh)
    assert _CHECKED not in vars(study)
    same_columns(study.columns(), fresh)


@given(studies(), st.integers(0, 3))
def test_those_of_derived_studies_are_their_own(study, rows):
    long = {"x.org.example.note": "n" * (300 if rows % 2 else 70_000)}
    for derived in (
        replace(study, study_id="another"),
        study.with_provenance({**study.provenance, "loss": [LOSS] * rows}),
        study.with_provenance({**study.provenance, **long}),
        study.with_provenance({"model": {"name": "m", "trained": True}}),
        study.prune(top_k=1) if len(study.patches) else study,
    ):
        same_columns(derived.columns(), columns_of(derived))
        assert derived.digest == columns_of(derived).digest().hex()
    same_columns(study.columns(), columns_of(study))


def test_provenance_twice_without_asking_between():
    study = build_study()
    derived = study.with_provenance({"report": "given"}).with_provenance({"report": "generated", "loss": [LOSS]})
    same_columns(derived.columns(), columns_of(derived))
    assert derived.digest != study.digest


def test_asking_for_the_digest_first_changes_no_byte():
    first, second = build_study(), build_study()
    assert second.digest == first.digest
    for form in ("exact", "int8"):
        assert ng.to_bytes(first, embedding=form) == ng.to_bytes(second, embedding=form)
        assert ng.to_bytes(first, embedding=form) == ng.to_bytes(first, embedding=form)


def test_copies_and_other_processes_do_not_get_them():
    study = build_study()
    assert _CHECKED in vars(study)
    for twin in (copy.copy(study), pickle.loads(pickle.dumps(study))):  # noqa: S301  our own
        assert _CHECKED not in vars(twin)
        same_columns(twin.columns(), columns_of(study))


def test_a_loaded_study_has_none():
    assert _CHECKED not in vars(ng.load_bytes(ng.to_bytes(build_study())))
    assert _CHECKED not in vars(Study.from_columns(build_study().columns()))


@pytest.mark.parametrize("depth", ["u1", "u2"])
def test_copies_of_images_are_not_kept(depth):
    study = build_study()
    study = replace(study, pixels=np.zeros((len(study.patches), 4, 4), depth))
    assert _CHECKED not in vars(study)
    same_columns(study.columns(), columns_of(study))
