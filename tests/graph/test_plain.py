from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from neuralgraph import ChecksumError, Concept, ConceptVectors, Patches, Study, StudyError, View
from neuralgraph.graph.plain import study_arrays, study_facts, study_of


@pytest.fixture
def study() -> Study:
    view = View.from_scores([[2.0, 1.0]], height=10, width=20, patch_height=10, patch_width=10)
    return Study(
        "id",
        (view,),
        Patches([0, 0], [0, 1], [2.0, 1.0], np.eye(2, 3)),
        (Concept("lung", "Anatomy::uncertain", 0, 4),),
        fusion=(0, 0),
        labels={"edema": -1},
        provenance={"model": {"digest": b"\x01", "name": [1, 2.0, True, {"deep": b""}]}},
        concept_vectors=ConceptVectors([0], [[1.5]]),
        report="lung\x00",
        pixels=np.full((2, 1, 1), 300, np.uint16),
        extensions={"x.org.example.note": b"\xff\x00"},
    )


def test_facts_and_arrays_give_the_study_back(study: Study) -> None:
    again = study_of(study_facts(study), study_arrays(study))
    assert again.digest == study.digest
    assert again.extensions == study.extensions
    assert again.provenance == study.provenance
    assert again.report == study.report


def test_arrays_are_what_the_table_says(study: Study) -> None:
    arrays = {name: (array.dtype.str, array.shape) for name, array in study_arrays(study).items()}
    assert arrays == {
        "patch_view": ("<i4", (2,)),
        "patch_row": ("<i4", (2,)),
        "patch_col": ("<i4", (2,)),
        "patch_score": ("<f4", (2,)),
        "patch_embedding": ("<f4", (2, 3)),
        "edge": ("<i4", (1, 2)),
        "triple": ("<i4", (0, 3)),
        "fusion": ("<i4", (1, 2)),
        "attention_code_0": ("|u1", (1, 2)),
        "attention_0": ("<f4", (1, 2)),
        "concept_vector": ("<f4", (1, 1)),
        "concept_vector_index": ("<i4", (1,)),
        "pixels": ("<u2", (2, 1, 1)),
    }
    assert study_arrays(study)["attention_0"].tolist() == study.attention.tolist()


def test_a_change_without_a_new_digest_is_noticed(study: Study) -> None:
    facts = study_facts(study)
    facts["labels"] = {"edema": 1.0}
    with pytest.raises(ChecksumError) as caught:
        study_of(facts, study_arrays(study))
    assert caught.value.code == "E_DIGEST"
    del facts["digest"]
    assert study_of(facts, study_arrays(study)).labels == {"edema": 1.0}


BAD: list[tuple[str, Any]] = [
    ("schema", "neuralgraph-study-2"),
    ("study_id", 3),
    ("views", [{}]),
    ("views", 1),
    ("concepts", [{"text": "a"}]),
    ("concepts", [["a", "b", 1, 2]]),
    ("relations", ["causes"]),
    ("labels", {"a": "b"}),
    ("labels", [1]),
    ("extensions", {"x.org.example.note": "?"}),
    ("provenance", {"model": {"$base64": "?"}}),
    ("concepts", [{"text": "a", "label": "Anatomy::uncertain", "start": 0, "end": 2**70}]),
]


@pytest.mark.parametrize(("name", "value"), BAD)
def test_facts_of_a_wrong_kind_are_one_error(study: Study, name: str, value: Any) -> None:
    with pytest.raises(StudyError):
        study_of(study_facts(study) | {name: value}, study_arrays(study))


@pytest.mark.parametrize("name", ["schema", "study_id", "views", "concepts", "labels", "report", "extensions"])
def test_missing_facts_are_one_error(study: Study, name: str) -> None:
    facts = study_facts(study)
    del facts[name]
    with pytest.raises(StudyError) as caught:
        study_of(facts, study_arrays(study))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["patch_row", "patch_embedding", "triple", "fusion", "attention_code_0"])
def test_missing_arrays_are_one_error(study: Study, name: str) -> None:
    arrays = study_arrays(study)
    del arrays[name]
    with pytest.raises(StudyError):
        study_of(study_facts(study), arrays)


def test_the_mark_of_bytes_cannot_be_a_key() -> None:
    with pytest.raises(StudyError) as caught:
        study_facts(Study("id", (), Patches([], [], [], np.empty((0, 0))), provenance={"model": {"$base64": "AA=="}}))
    assert caught.value.code == "E_TOC_KEY"
