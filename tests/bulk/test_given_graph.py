import json

import numpy as np
import pytest

from neuralgraph.bulk import ConversionSettings
from neuralgraph.bulk.converter import Converter
from neuralgraph.bulk.given_graph import GivenGraphs, given_graph
from neuralgraph.bulk.task import Task, read_task, task_line
from neuralgraph.compressor import Compressor, TopFraction, TopK
from neuralgraph.errors import SourceError
from neuralgraph.storage.archive import load
from tests.compressor.test_compressor import PlainScorer

FINDINGS = {
    "text": "Small left effusion .",
    "entities": {
        "1": {"tokens": "Small", "label": "Observation::definitely present", "start_ix": 0, "end_ix": 0,
              "relations": [["modify", "3"]]},
        "2": {"tokens": "left", "label": "Anatomy::definitely present", "start_ix": 1, "end_ix": 1, "relations": []},
        "3": {"tokens": "effusion", "label": "Observation::definitely present", "start_ix": 2, "end_ix": 2,
              "relations": [["located_at", "2"]]},
    },
}  # fmt: skip
IMPRESSION = {
    "text": "1 . No pneumothorax .",
    "entities": {
        "1": {"tokens": "pneumothorax", "label": "Observation::definitely absent", "start_ix": 3, "end_ix": 3,
              "relations": []}
    },
}  # fmt: skip
BEYOND = {**FINDINGS, "entities": {"1": {**FINDINGS["entities"]["2"], "end_ix": 9}}}
TEXT = "Small left\neffusion.\n\n1. No pneumothorax."
GRAPHS = [json.dumps(graph) for graph in (IMPRESSION, FINDINGS)]


def test_spans_lie_in_the_report():
    graph = given_graph(TEXT, GRAPHS)
    assert [TEXT[concept.start : concept.end] for concept in graph.concepts] == [
        "Small",
        "left",
        "effusion",
        "pneumothorax",
    ]
    assert [concept.label.rpartition(" ")[2] for concept in graph.concepts] == ["present"] * 3 + ["absent"]
    assert graph.triples.tolist() == [[0, 0, 2], [2, 1, 1]]


def test_the_graph_of_another_part_is_passed_over():
    graph = given_graph("1. No pneumothorax.", GRAPHS)
    assert [concept.text for concept in graph.concepts] == ["pneumothorax"]


@pytest.mark.parametrize(
    ("text", "graphs", "code"),
    [
        ("No graph of this.", GRAPHS, "E_SOURCE_READ"),
        (TEXT, GRAPHS[:1], "E_SOURCE_READ"),
        (TEXT, ["{"], "E_SOURCE_DAMAGED"),
        (TEXT, ['{"text": "x"}'], "E_SOURCE_DAMAGED"),
        (
            TEXT,
            [json.dumps({**FINDINGS, "entities": {"1": {**FINDINGS["entities"]["2"], "end_ix": 9}}})],
            "E_SOURCE_DAMAGED",
        ),
    ],
)
def test_refusals(text, graphs, code):
    with pytest.raises(SourceError) as caught:
        given_graph(text, graphs)
    assert caught.value.code == code
    assert "pneumothorax" not in str(caught.value)


def test_tasks_carry_graphs():
    task = Task("s", [], "t", report_graphs=GRAPHS)
    assert read_task(task_line(task)) == task


def test_a_converter_takes_them(film, tmp_path):
    (tmp_path / "film.png").write_bytes(film)
    compressor = Compressor(PlainScorer(), TopK(3), GivenGraphs())
    converter = Converter(ConversionSettings(extractor="radgraph-json"), compressor)
    report = "INDICATION: Doe.\n\nFINDINGS:\nSmall left effusion.\n\nIMPRESSION:\n1. No pneumothorax."
    answer = converter(
        Task(
            "s",
            [(str(tmp_path / "film.png"), "PA")],
            str(tmp_path / "s.ngr"),
            report,
            labeler="by hand",
            report_graphs=GRAPHS,
        )
    )
    assert answer.reason == ""
    study = load(tmp_path / "s.ngr")
    assert [concept.text for concept in study.concepts] == [
        "Small",
        "left",
        "effusion",
        "pneumothorax",
    ]
    assert study.fusion is not None
    assert study.fusion[1] == 2
    assert study.provenance["extractor"] == {
        "name": "radgraph-json",
        "version": "given",
        "fingerprint": "e3b0c44298fc1c14",
    }
    assert study.provenance["labeler"] == "by hand"


def test_an_estimated_fusion_edge_is_said_of_a_given_graph_too():
    compressor = Compressor(PlainScorer(), TopFraction(1.0), GivenGraphs())
    film = np.random.default_rng(0).random((1024, 640), np.float32)
    study = compressor(film, TEXT, graph=given_graph(TEXT, GRAPHS))
    assert len(study.patches) == 64 * 40
    assert study.provenance["fusion"] == {"rule": "betweenness", "pivots": 256}


def test_a_given_graph_needs_its_report():
    study = Compressor(PlainScorer(), TopK(3), GivenGraphs())(
        np.eye(64, dtype=np.float32), graph=given_graph(TEXT, GRAPHS)
    )
    assert (study.concepts, study.provenance["report"]) == ((), "generated")
