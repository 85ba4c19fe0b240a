"""Studies: what the constructor takes, that nothing changes afterwards, and what columns keep."""

from __future__ import annotations

import copy
import math
import pickle
from dataclasses import FrozenInstanceError, fields, replace
from types import MappingProxyType

import numpy as np
import pytest
from builders import PROVENANCE, studies
from hypothesis import given

from neuralgraph import Concept, ConceptVectors, Patches, Study, StudyError, View
from neuralgraph.graph.frozen import thaw


def same(a, b):
    """Equal in value, type, dtype and writability."""
    if isinstance(a, np.ndarray):
        flags = [(array.flags.writeable, array.flags.c_contiguous, array.flags.aligned) for array in (a, b)]
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes() and flags[0] == flags[1]
    if isinstance(a, Study | Patches | View | ConceptVectors):
        return type(a) is type(b) and all(same(getattr(a, f.name), getattr(b, f.name)) for f in fields(a))
    if isinstance(a, tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return type(a) is type(b) and list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    return type(a) is type(b) and a == b


@given(studies())
def test_columns_keep_everything(study):
    # Provenance comes back in the order of its keys, which is no part of its meaning.
    back = Study.from_columns(study.columns())
    assert back.provenance == study.provenance
    assert same(back, replace(study, provenance=back.provenance))
    assert same(back.edges, study.edges)
    assert back.digest == study.digest
    assert back.columns().graph_stream() == study.columns().graph_stream()


def test_properties_by_hand(hand_made):
    study = hand_made()
    assert study.grid == (2, 3)
    assert study.n_cells == 6
    assert study.edges.tolist() == [[1, 2]]
    assert study.attention.tolist() == [[4, 1, 0], [0, 0, 16]]
    assert list(study.labels) == ["effusion", "opacity"]
    assert study.patches.row.dtype == study.patches.col.dtype == study.patches.view.dtype == np.int32
    assert study.patches.score.dtype == study.patches.embedding.dtype == np.float32
    assert study.triples.dtype == np.int32
    assert len(study.patches) == 3


def test_a_study_without_films_is_a_report_graph():
    study = Study(
        "s", (), Patches([], [], [], np.empty((0, 4))), [Concept("lung", "Anatomy::definitely present", 0, 4)]
    )
    assert study.grid == (0, 0)
    assert study.attention.shape == (0, 0)
    assert study.edges.shape == (0, 2)
    assert study.prune(retain=0.5) is study


def test_views_share_one_order_of_patches(make_study):
    study = make_study(views=3, patches=20)
    assert set(study.patches.view.tolist()) == {0, 1, 2}
    assert (np.diff(study.patches.score) <= 0).all()
    by_view = {tuple(study.patches.view[edge]) for edge in study.edges}
    assert all(a == b for a, b in by_view)
    for view, row, col, score in zip(
        study.patches.view, study.patches.row, study.patches.col, study.patches.score, strict=True
    ):
        attention = study.views[view].attention
        assert abs(math.sqrt(attention[row, col]) - math.sqrt(score)) < math.sqrt(attention.max()) / 500


def test_nothing_can_be_changed(make_study):
    study = make_study(vectors=2, pixels=np.zeros((5, 2, 2), np.uint8), extensions={"x.org.example.note": b"1"})
    digest = study.digest
    arrays = [
        *(getattr(study.patches, name) for name in ("row", "col", "view", "score", "embedding")),
        study.triples,
        study.edges,
        study.pixels,
        study.concept_vectors.index,
        study.concept_vectors.vector,
        study.views[0].score_code,
    ]
    for array in arrays:
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    for name in ("study_id", "labels", "fusion"):
        with pytest.raises(FrozenInstanceError):
            setattr(study, name, None)
    for change in (
        lambda: study.labels.update(pneumonia=0),
        lambda: study.labels.__setitem__("new", 1),
        lambda: study.labels.pop("pneumonia"),
        lambda: study.labels.clear(),
        lambda: study.labels.setdefault("new", 1),
        lambda: study.labels.popitem(),
        lambda: study.provenance.__delitem__("report"),
        lambda: study.provenance["model"].__setitem__("name", "other"),
        lambda: study.provenance["films"][0].__setitem__("bits", 16),
        lambda: study.extensions.__ior__({"x.org.example.other": b""}),
    ):
        with pytest.raises(TypeError, match="immutable"):
            change()
    assert isinstance(study.provenance["films"], tuple)
    assert study.digest == replace(study).digest == digest


def test_a_study_does_not_follow_what_it_was_made_from(make_study):
    provenance = copy.deepcopy(PROVENANCE)
    embedding = np.ones((5, 8), np.float32)
    made = make_study()
    study = replace(made, provenance=provenance, patches=replace(made.patches, embedding=embedding))
    digest = study.digest
    provenance["films"][0]["bits"] = 12
    provenance["model"]["name"] = "other"
    embedding[:] = 2
    assert replace(study).digest == digest


def test_studies_can_be_copied_and_sent_to_other_processes(make_study):
    study = make_study(vectors=2, report="text", pixels=np.zeros((5, 2, 2), np.uint16))
    assert copy.deepcopy(study) is study
    there = pickle.loads(pickle.dumps(study))
    assert same(there, study)
    with pytest.raises(TypeError, match="immutable"):
        there.labels["new"] = 1


def test_maps_that_are_no_dicts_are_taken(make_study):
    study = make_study(labels=MappingProxyType({"b": 1, "a": 0}), provenance=MappingProxyType(PROVENANCE))
    assert study.labels == {"a": 0, "b": 1}
    assert study.digest == make_study(labels={"a": 0, "b": 1}).digest


def test_labels_have_the_order_and_the_precision_of_the_file(make_study):
    study = make_study(labels={"z": 1, "\U00010000": 0.1, "\uff5e": -1, "A": 2})
    assert list(study.labels) == ["A", "z", "\uff5e", "\U00010000"]
    assert study.labels["\U00010000"] == float(np.float32(0.1))


def test_the_name_of_a_study_is_printed_and_nothing_it_says(make_study):
    secret = "CONFIDENTIAL"
    concepts = [Concept(secret, "Observation::uncertain", 0, 3)]
    study = make_study(concepts=0, report=f"{secret} words", labels={secret: 1}, provenance={"terms": secret})
    study = replace(study, concepts=concepts)
    assert secret not in repr(study)
    assert secret not in str(study)
    assert "\n" not in repr(study)
    assert "study-0" in repr(study)


def patches(**changes):
    given = {"row": [1, 0, 0], "col": [2, 0, 1], "score": [16, 4, 1], "embedding": np.zeros((3, 2))}
    return {"patches": lambda: Patches(**{**given, **changes})}


def concept(*parts):
    return {"concepts": [Concept(*parts)], "triples": [], "fusion": None}


REFUSED = {
    "no such view": (patches(view=[0, 0, 1]), "E_IDX"),
    "negative view": (patches(view=[0, 0, -1]), "E_IDX"),
    "row outside": (patches(row=[2, 0, 0]), "E_COORD"),
    "negative column": (patches(col=[2, 0, -1]), "E_COORD"),
    "row that wraps to 1": (patches(row=np.array([2**32 + 1, 0, 0])), "E_NUM"),
    "row of half": (patches(row=[1, 0, 0.5]), "E_NUM"),
    "row of text": (patches(row=["1", "0", "0"]), "E_NUM"),
    "row too few": (patches(col=[2, 0]), "E_SIZE"),
    "score too many": (patches(score=[16, 4, 1, 0]), "E_SIZE"),
    "embedding flat": (patches(embedding=np.zeros(3)), "E_SIZE"),
    "embedding complex": (patches(embedding=np.zeros((3, 2), complex)), "E_NUM"),
    "embedding beyond float32": (patches(embedding=np.full((3, 2), 1e39)), "E_NUM"),
    "embedding without width": (patches(embedding=np.zeros((3, 0))), "E_STUDY"),
    "scores out of order": (patches(score=[4, 16, 1], row=[0, 1, 0], col=[0, 2, 1]), "E_ORDER"),
    "fusion of one number": ({"fusion": (0.5, 0)}, "E_NUM"),
    "fusion outside": ({"fusion": (3, 0)}, "E_IDX"),
    "fusion negative": ({"fusion": (-1, 0)}, "E_IDX"),
    "fusion without concepts": ({"concepts": (), "triples": []}, "E_STUDY"),
    "unknown label": (concept("lung", "Anatomy", 0, 4), "E_IDX"),
    "span of halves": (concept("lung", "Anatomy::uncertain", 0, 3.5), "E_NUM"),
    "span negative": (concept("lung", "Anatomy::uncertain", -1, 3), "E_IDX"),
    "span beyond 2^32": (concept("lung", "Anatomy::uncertain", 0, 2**32), "E_IDX"),
    "concept of a surrogate": (concept("\ud800", "Anatomy::uncertain", 0, 1), "E_TEXT"),
    "id of a surrogate": ({"study_id": "\udcff"}, "E_TEXT"),
    "label of a surrogate": ({"labels": {"\ud800": 1, "a": 0}}, "E_TEXT"),
    "label beyond float32": ({"labels": {"a": 1e39}}, "E_NUM"),
    "label nan": ({"labels": {"a": math.nan}}, "E_NUM"),
    "report of a surrogate": ({"report": "\ud800"}, "E_TEXT"),
    "triple negative": ({"triples": [(-1, 0, 1)]}, "E_IDX"),
    "triple that wraps": ({"triples": np.array([[2**32, 0, 1]])}, "E_NUM"),
    "triple of two": ({"triples": [(0, 1)]}, "E_SIZE"),
    "triples without concepts": ({"concepts": (), "fusion": None}, "E_STUDY"),
    "unknown provenance": ({"provenance": {"patient": "x"}}, "E_TOC_KEY"),
    "provenance with None": ({"provenance": {"model": {"digest": None}}}, "E_TOC_FORM"),
    "provenance with a number key": ({"provenance": {"model": {1: 2}}}, "E_TOC_FORM"),
    "provenance with a surrogate key": ({"provenance": {"\ud800": 2}}, "E_TOC_FORM"),
    "provenance too deep": ({"provenance": {"films": [[[[[[[[[]]]]]]]]]}}, "E_TOC_FORM"),
    "method too deep for a file": ({"provenance": {"model": {"a": {"b": {"c": {"d": {}}}}}}}, "E_TOC_FORM"),
    "vectors for other concepts": ({"concept_vectors": lambda: ConceptVectors([0], np.ones((1, 2)))}, "E_SIZE"),
    "vectors outside": ({"concept_vectors": lambda: ConceptVectors([0, 1], np.ones((1, 2)))}, "E_IDX"),
    "vectors without rows": ({"concept_vectors": lambda: ConceptVectors([], np.ones((0, 2)))}, "E_STUDY"),
    "vectors without width": ({"concept_vectors": lambda: ConceptVectors([0, 0], np.ones((1, 0)))}, "E_STUDY"),
    "pixels of floats": ({"pixels": np.zeros((3, 2, 2))}, "E_NUM"),
    "pixels signed": ({"pixels": np.full((3, 2, 2), -1, np.int8)}, "E_NUM"),
    "pixels of another number": ({"pixels": np.zeros((2, 2, 2), np.uint8)}, "E_SIZE"),
    "pixels too high": ({"pixels": np.zeros((3, 65_536, 1), np.uint8)}, "E_SIZE"),
    "no view": ({"views": ()}, "E_STUDY"),
    "extension without a name": ({"extensions": {"note": b""}}, "E_NAME"),
    "height beyond 2^32": ({"views": lambda: (View(2**32, 96, 2**31, 32, [[4, 2, 0], [0, 0, 8]], 0.25),)}, "E_IDX"),
    "unknown position": ({"views": lambda: (View(64, 96, 32, 32, [[4, 2, 0], [0, 0, 8]], 0.25, "up"),)}, "E_IDX"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_study_is_refused(hand_made, name):
    changes, code = REFUSED[name]
    with pytest.raises(StudyError) as caught:
        hand_made(**{field: value() if callable(value) else value for field, value in changes.items()})
    assert caught.value.code == code
    assert "\n" not in str(caught.value)


def test_a_provenance_that_holds_itself_is_refused(hand_made):
    loop = {}
    loop["model"] = loop
    with pytest.raises(StudyError) as caught:
        hand_made(provenance=loop)
    assert caught.value.code == "E_TOC_FORM"


def test_integers_of_every_width_are_taken(hand_made):
    for dtype in (np.int8, np.uint8, np.int64, np.uint64, np.float64, bool):
        made = hand_made(patches=Patches(np.array([1, 0, 0], dtype), [2, 0, 1], [16, 4, 1], np.zeros((3, 2))))
        assert made.patches.row.tolist() == [1, 0, 0]
    made = hand_made(fusion=(np.int64(1), np.uint8(0)), triples=np.array([[1, 1, 0]], np.float32))
    assert made.fusion == (1, 0)
    assert type(made.fusion[0]) is int
    made = hand_made(concepts=[Concept("a", "Anatomy::uncertain", np.int64(0), np.int32(2)), *hand_made().concepts[1:]])
    assert type(made.concepts[0].start) is int


def test_provenance_can_be_had_as_plain_values(make_study):
    plain = thaw(make_study().provenance)
    assert plain == PROVENANCE
    plain["films"][0]["bits"] = 12
    plain["films"].append({})
