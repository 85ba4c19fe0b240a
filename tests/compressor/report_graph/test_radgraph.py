"""RadGraph's package and annotations: a stand-in gives what the package documents, files give what data sets ship."""

from __future__ import annotations

import json
import sys
import types

import pytest

from neuralgraph.compressor.report_graph import extractor
from neuralgraph.compressor.report_graph.radgraph import RadGraphExtractor, RadGraphJsonExtractor
from neuralgraph.errors import MissingExtraError, ModelError, SourceError

REPORT = "INDICATION: Cough in Mr Smith.\n\nIMPRESSION: Small left Effusion, no pneumothorax."
ENTRY = {
    "text": "small left effusion , no pneumothorax .",
    "entities": {
        "1": {
            "tokens": "small",
            "label": "Observation::definitely present",
            "start_ix": 0,
            "end_ix": 0,
            "relations": [["modify", "3"]],
        },
        "2": {
            "tokens": "left",
            "label": "Anatomy::definitely present",
            "start_ix": 1,
            "end_ix": 1,
            "relations": [],
        },
        "3": {
            "tokens": "effusion",
            "label": "Observation::definitely present",
            "start_ix": 2,
            "end_ix": 2,
            "relations": [["located_at", "2"]],
        },
        "4": {
            "tokens": "pneumothorax",
            "label": "Observation::definitely absent",
            "start_ix": 5,
            "end_ix": 5,
            "relations": [],
        },
    },
    "data_source": None,
    "data_split": "inference",
}


def check(graph):
    assert [(c.text, REPORT[c.start : c.end]) for c in graph.concepts] == [
        ("small", "Small"),
        ("left", "left"),
        ("effusion", "Effusion"),
        ("pneumothorax", "pneumothorax"),
    ]
    assert graph.concepts[3].label == "Observation::definitely absent"
    assert graph.triples.tolist() == [[0, 0, 2], [2, 1, 1]]


def test_the_package_reads_the_impression_and_spans_point_into_the_report(monkeypatch):
    asked = []

    class RadGraph:
        def __init__(self, *, model_type):
            self.model_type = model_type

        def __call__(self, texts):
            asked.extend(texts)
            return {str(number): ENTRY for number in range(len(texts))}

    module = types.ModuleType("radgraph")
    module.RadGraph = RadGraph
    monkeypatch.setitem(sys.modules, "radgraph", module)
    reader = extractor("radgraph")
    graphs = reader([REPORT, "", REPORT])
    check(graphs[0])
    check(graphs[2])
    assert graphs[1].concepts == ()
    assert len(asked) == 2
    assert "Smith" not in asked[0]
    assert reader.name == "radgraph"
    assert len(reader.fingerprint) == 64


def test_without_the_package_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "radgraph", None)
    with pytest.raises(MissingExtraError, match="radgraph"):
        extractor("radgraph")([REPORT])


def test_a_package_that_cannot_load_is_a_model_error(monkeypatch):
    def broken(*, model_type):
        raise Exception("no network")  # what the package does

    module = types.ModuleType("radgraph")
    module.RadGraph = broken
    monkeypatch.setitem(sys.modules, "radgraph", module)
    with pytest.raises(ModelError, match="cannot be loaded"):
        extractor("radgraph")([REPORT])


def test_a_missing_graph_is_said():
    with pytest.raises(ModelError, match="no graph for report 0"):
        RadGraphExtractor(annotate=lambda texts: {})([REPORT])


@pytest.mark.parametrize(
    "content",
    [
        json.dumps({"train/patient1/study1/view1.jpg": ENTRY}),
        json.dumps({"train/patient1/study1/view1.jpg": {"0": ENTRY}}),
        json.dumps([{"path_to_image": "train/patient1/study1/view1.jpg", **ENTRY}]),
        json.dumps({"path": "train/patient1/study1/view1.jpg", **ENTRY}) + "\n" + json.dumps({"path": "b", **ENTRY}),
    ],
)
def test_annotations_are_found_by_key_and_by_words(tmp_path, content):
    path = tmp_path / "annotations.json"
    path.write_text(content)
    reader = extractor("radgraph-json", annotations=path)
    check(reader([REPORT], ["train/patient1/study1/view1.jpg"])[0])
    check(reader([REPORT])[0])
    with pytest.raises(SourceError) as caught:
        reader(["IMPRESSION: Clear."], ["nowhere"])
    assert caught.value.code == "E_SOURCE_TEXT"


@pytest.mark.parametrize("content", ["", "[]", "{", "3", '{"a": 1}', "\ufffe"])
def test_what_is_no_annotation_is_refused(tmp_path, content):
    path = tmp_path / "annotations.json"
    path.write_text(content)
    with pytest.raises(SourceError):
        RadGraphJsonExtractor(annotations=path)


def test_annotations_must_be_given():
    with pytest.raises(ModelError, match="--annotations"):
        extractor("radgraph-json")
