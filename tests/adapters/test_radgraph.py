from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuralgraph import Concept, Patches, Study, StudyError
from neuralgraph.adapters.radgraph import from_radgraph, radgraph_document, to_radgraph
from neuralgraph.wire.vocabulary import CONCEPT_LABELS


def test_document_of_a_hand_made_study(study: Study) -> None:
    assert json.loads(to_radgraph(study)) == {
        "study-1": {
            "text": "small effusion at Basis",
            "entities": {
                "1": {
                    "tokens": "small",
                    "label": "Observation::definitely present",
                    "start_ix": 0,
                    "end_ix": 0,
                    "relations": [["modify", "2"], ["located_at", "3"]],
                },
                "2": {
                    "tokens": "effusion",
                    "label": "Observation::definitely absent",
                    "start_ix": 1,
                    "end_ix": 1,
                    "relations": [["located_at", "3"]],
                },
                "3": {
                    "tokens": "Basis",
                    "label": "Anatomy::definitely present",
                    "start_ix": 3,
                    "end_ix": 3,
                    "relations": [],
                },
            },
            "data_source": None,
            "data_split": "inference",
        }
    }


def test_tokens_are_words_and_marks_of_the_report(make_study: Callable[..., Study]) -> None:
    report = "No effusion.\n  Left-sided  edema, mild."
    concepts = (
        Concept("effusion", CONCEPT_LABELS[5], 3, 11),
        Concept("left-sided edema", CONCEPT_LABELS[3], 15, 32),
    )
    entry = radgraph_document(make_study(report=report, concepts=concepts, triples=[], fusion=None))["study-1"]
    assert entry["text"] == "No effusion . Left - sided edema , mild ."
    spans = [(entity["start_ix"], entity["end_ix"]) for entity in entry["entities"].values()]
    assert spans == [(1, 1), (3, 6)]


@pytest.mark.parametrize("change", ["no report", "an empty span"])
def test_without_a_place_in_the_report_the_text_is_that_of_the_concepts(
    make_study: Callable[..., Study], change: str
) -> None:
    concepts = (Concept("lung base", CONCEPT_LABELS[0], 0, 0), Concept("--", CONCEPT_LABELS[3], 0, 5))
    changes: dict[str, Any] = {"report": None} if change == "no report" else {}
    entry = radgraph_document(make_study(concepts=concepts, triples=[], fusion=None, **changes))["study-1"]
    assert entry["text"] == "lung base - -"
    assert [(e["start_ix"], e["end_ix"]) for e in entry["entities"].values()] == [(0, 1), (2, 3)]


@given(
    words=st.lists(st.sampled_from(["lung", "left base", "effusion", "n.o.s.", "\u00e4", "?"]), min_size=2, max_size=6),
    stored=st.booleans(),
    data=st.data(),
)
def test_concepts_and_triples_come_back(words: list[str], stored: bool, data: st.DataObject) -> None:
    concepts, start = [], 0
    for word in words:
        concepts.append(Concept(word, data.draw(st.sampled_from(CONCEPT_LABELS)), start, start + len(word)))
        start += len(word) + 1
    number = st.integers(0, len(words) - 1)
    triple = st.tuples(number, st.integers(0, 2), number).filter(lambda t: t[0] != t[2])
    triples = sorted(data.draw(st.sets(triple)))
    study = Study(
        "id",
        (),
        Patches([], [], [], np.empty((0, 0))),
        tuple(concepts),
        np.array(triples).reshape(-1, 3),
        report=" ".join(words) if stored else None,
    )
    graph = from_radgraph(json.loads(to_radgraph(study)))[study.study_id]
    assert [concept[:2] for concept in graph.concepts] == [concept[:2] for concept in concepts]
    assert [tuple(row) for row in graph.triples.tolist()] == triples
    for concept in graph.concepts:
        assert graph.text[concept.start : concept.end].replace(" ", "") == concept.text.replace(" ", "")


def test_a_document_of_the_radgraph_package() -> None:
    document = {
        "p1/s1.txt": {
            "text": "No pleural effusion ; clear lungs .",
            "entities": {
                "2": {"tokens": "effusion", "label": "OBS-DA", "start_ix": 2, "end_ix": 2, "relations": []},
                "1": {
                    "tokens": "pleural",
                    "label": "ANAT-DP",
                    "start_ix": 1,
                    "end_ix": 1,
                    "relations": [["modify", "2"], ["modify", "2"]],
                },
                "3": {
                    "tokens": "clear lungs",
                    "label": "Observation::measurement::uncertain",
                    "start_ix": 4,
                    "end_ix": 5,
                    "relations": [["suggestive_of", "2"]],
                },
            },
            "data_source": "MIMIC-CXR",
            "data_split": "train",
            "labeler_1": {},
        },
        "empty": {"text": "", "entities": {}},
    }
    graphs = from_radgraph(document)
    assert graphs["p1/s1.txt"].concepts == (
        Concept("pleural", "Anatomy::definitely present", 3, 10),
        Concept("effusion", "Observation::definitely absent", 11, 19),
        Concept("clear lungs", "Observation::measurement::uncertain", 22, 33),
    )
    assert graphs["p1/s1.txt"].triples.tolist() == [[0, 0, 1], [2, 2, 1]]
    assert graphs["empty"].concepts == ()
    assert graphs["empty"].triples.shape == (0, 3)


GOOD = {"tokens": "a", "label": "OBS-U", "start_ix": 0, "end_ix": 0, "relations": []}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"label": "OBS"}, "E_IDX"),
        ({"start_ix": 2, "end_ix": 2}, "E_IDX"),
        ({"start_ix": -1}, "E_IDX"),
        ({"end_ix": -1}, "E_IDX"),
        ({"relations": [["causes", "2"]]}, "E_IDX"),
        ({"relations": [["modify", "7"]]}, "E_IDX"),
        ({"relations": [["modify", "1"]]}, "E_IDX"),
        ({"relations": [["modify"]]}, "E_STUDY"),
        ({"relations": None}, "E_STUDY"),
        ({"start_ix": "0"}, "E_STUDY"),
        ({"label": ["OBS-U"]}, "E_STUDY"),
    ],
)
def test_entities_that_do_not_follow_the_schema(change: dict[str, Any], code: str) -> None:
    with pytest.raises(StudyError) as caught:
        from_radgraph({"r": {"text": "a b", "entities": {"1": GOOD | change, "2": GOOD}}})
    assert caught.value.code == code
    assert caught.value.where.startswith("r")


@pytest.mark.parametrize("entry", [None, {}, {"text": 1, "entities": {}}, {"text": "a", "entities": [1]}])
def test_entries_that_do_not_follow_the_schema(entry: Any) -> None:
    with pytest.raises(StudyError):
        from_radgraph({"r": entry})
