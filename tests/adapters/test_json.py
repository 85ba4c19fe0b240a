from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuralgraph import ConceptVectors, Patches, Study, StudyError, View
from neuralgraph.adapters.json import from_dict, to_dict, to_json


def test_document_of_a_bare_study(bare_study: Study) -> None:
    document = json.loads(to_json(bare_study))
    assert list(document) == sorted(document)
    assert document["schema"] == "neuralgraph-study-1"
    assert document["digest"] == bare_study.digest
    assert document["concepts"] == []
    assert document["report"] is None
    assert document["arrays"]["patch_embedding"] == {"dtype": "float32", "shape": [1, 16], "values": [[1.0] * 16]}
    assert document["arrays"]["fusion"] == {"dtype": "int32", "shape": [0, 2], "values": []}
    assert document["arrays"]["attention_0"]["values"] == [[1.0]]
    assert not {"pixels", "concept_vector"} & document["arrays"].keys()


def test_everything_comes_back(study: Study, make_study: Callable[..., Study], vectors: ConceptVectors) -> None:
    for one in (study, make_study(concept_vectors=vectors, fusion=None, report="na\u00efve \U0001f5bc\u2028\x00")):
        again = from_dict(json.loads(to_json(one)))
        assert again.digest == one.digest
        assert again.extensions == one.extensions
        assert to_json(again) == to_json(one)


def test_a_width_without_patches_comes_back() -> None:
    study = Study("empty", (), Patches([], [], [], np.empty((0, 24))))
    assert from_dict(json.loads(to_json(study))).digest == study.digest


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_floats_come_back_to_the_last_bit(values: list[float]) -> None:
    view = View.from_scores([[0.0]], height=1, width=1, patch_height=1, patch_width=1)
    study = Study("floats", (view,), Patches([0], [0], [0.0], [values]))
    again = from_dict(json.loads(to_json(study)))
    assert again.patches.embedding.tobytes() == study.patches.embedding.tobytes()


def test_floats_are_short() -> None:
    tenth = View.from_scores([[0.1]], height=1, width=1, patch_height=1, patch_width=1)
    study = Study("tenth", (tenth,), Patches([0], [0], tenth.attention[0], [[0.1]]))
    assert b'"values":[[0.1]]' in to_json(study)


BAD_ARRAYS: list[Any] = [
    None,
    [],
    {"dtype": "object", "shape": [1], "values": [1]},
    {"dtype": "int32", "shape": [4], "values": [0, 0, 0, 1.5]},
    {"dtype": "int32", "shape": [4], "values": [0, 0, 0, 2**40]},
    {"dtype": "int32", "shape": [4], "values": [0, 0, 0, 2**70]},
    {"dtype": "int32", "shape": [4], "values": [0, 0, 0, float("nan")]},
    {"dtype": "uint8", "shape": [4], "values": [0, 0, 0, -1]},
    {"dtype": "int32", "shape": [4], "values": [0, 0, 0, "1"]},
    {"dtype": "int32", "shape": [4], "values": [0, [0], 0, 1]},
    {"dtype": "int32", "shape": [3], "values": [0, 0, 0, 1]},
    {"dtype": "int32", "shape": [2, 2], "values": [0, 0, 0, 1]},
    {"dtype": "int32", "shape": "4", "values": []},
]


@pytest.mark.parametrize("array", BAD_ARRAYS)
def test_arrays_of_a_wrong_kind_are_one_error(study: Study, array: Any) -> None:
    document = to_dict(study)
    document["arrays"]["patch_row"] = array
    with pytest.raises(StudyError):
        from_dict(document)


@pytest.mark.parametrize("document", [None, [], {}, {"arrays": []}, {"arrays": {}}])
def test_other_documents_are_one_error(document: Any) -> None:
    with pytest.raises(StudyError):
        from_dict(document)
