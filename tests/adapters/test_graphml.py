from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from xml.etree import ElementTree

import pytest

from neuralgraph import Concept, Study, StudyError

nx = pytest.importorskip("networkx")

from neuralgraph.adapters.graphml import to_graphml  # noqa: E402


def test_other_programs_read_what_was_written(study: Study) -> None:
    graph = nx.read_graphml(BytesIO(to_graphml(study)))
    assert graph.graph["study_id"] == "study-1"
    assert json.loads(graph.graph["labels"]) == dict(study.labels)
    assert graph.nodes["1"] == {"kind": "patch", "view": 0, "row": 0, "col": 1, "score": 3.0}
    assert graph.nodes["5"]["label"] == "Observation::definitely absent"
    edges = sorted((source, target, values["kind"]) for source, target, values in graph.edges(data=True))
    assert edges == [
        ("0", "1", "adjacent"),
        ("1", "3", "adjacent"),
        ("1", "6", "fused"),
        ("4", "5", "modify"),
        ("4", "6", "located_at"),
        ("5", "6", "located_at"),
    ]


def test_ids_of_edges_are_unique_and_bytes_are_stable(make_study: Callable[..., Study]) -> None:
    content = to_graphml(make_study())
    assert content == to_graphml(make_study())
    ids = [element.get("id") for element in ElementTree.fromstring(content).iter() if element.tag.endswith("}edge")]
    assert sorted(ids) == ["e0", "e1", "e2", "e3", "e4", "e5"]


def test_markup_in_words_is_escaped_and_what_xml_cannot_hold_is_refused(make_study: Callable[..., Study]) -> None:
    def worded(text: str) -> Study:
        concept = Concept(text, "Anatomy::uncertain", 0, 1)
        return make_study(concepts=(concept,), triples=[], fusion=None)

    text = "<b>&\"' \U0001f5bc"
    assert nx.read_graphml(BytesIO(to_graphml(worded(text)))).nodes["4"]["text"] == text
    with pytest.raises(StudyError) as caught:
        to_graphml(worded("a\uffff"))
    assert caught.value.code == "E_TEXT"
