from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from neuralgraph import ConceptVectors, Patches, Study, StudyError

nx = pytest.importorskip("networkx")

from neuralgraph.adapters.networkx import from_networkx, to_networkx  # noqa: E402
from neuralgraph.graph.fusion import betweenness  # noqa: E402


def test_graph_of_a_hand_made_study(study: Study) -> None:
    graph = to_networkx(study)
    assert graph.is_directed()
    assert list(graph) == [0, 1, 2, 3, 4, 5, 6]
    assert sorted(graph.edges(keys=True)) == [
        (0, 1, "adjacent"),
        (1, 3, "adjacent"),
        (1, 6, "fused"),
        (4, 5, "modify"),
        (4, 6, "located_at"),
        (5, 6, "located_at"),
    ]
    patch = graph.nodes[2]
    assert (patch["kind"], patch["view"], patch["row"], patch["col"], patch["score"]) == ("patch", 1, 0, 1, 2.0)
    assert patch["embedding"].tolist() == study.patches.embedding[2].tolist()
    assert patch["pixels"].tolist() == study.pixels[2].tolist()
    assert graph.nodes[5] == {
        "kind": "concept",
        "text": "effusion",
        "label": "Observation::definitely absent",
        "start": 6,
        "end": 14,
        "section": "impression",
        "mentions": [
            {"label": "Observation::uncertain", "start": 6, "end": 14, "section": "findings"},
            {"label": "Observation::definitely absent", "start": 15, "end": 16, "section": "addendum"},
        ],
    }


def test_it_serves_the_algorithms_of_networkx(study: Study) -> None:
    patches = nx.Graph(to_networkx(study).to_undirected().subgraph(range(4)))
    expected = nx.betweenness_centrality(patches, normalized=False)
    assert betweenness(4, study.edges).tolist() == [expected[node] for node in range(4)]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"concepts": (), "triples": np.empty((0, 3)), "fusion": None},
        {"patches": Patches([], [], [], np.empty((0, 16))), "pixels": None, "fusion": None},
        {"fusion": None, "report": None, "pixels": None, "extensions": {}, "labels": {}, "provenance": {}},
    ],
)
@pytest.mark.parametrize("stored", [True, False])
def test_everything_comes_back(
    make_study: Callable[..., Study], vectors: ConceptVectors, changes: dict[str, Any], stored: bool
) -> None:
    study = make_study(**changes)
    if stored and study.concepts:
        study = replace(study, concept_vectors=vectors)
    again = from_networkx(to_networkx(study))
    assert again.digest == study.digest
    assert again.extensions == study.extensions


def test_names_and_order_of_nodes_do_not_matter(study: Study) -> None:
    graph = to_networkx(study)
    renamed = nx.relabel_nodes(graph, {node: f"node {9 - node}" for node in graph})
    shuffled = nx.MultiDiGraph(**renamed.graph)
    shuffled.add_nodes_from(sorted(renamed.nodes(data=True)))
    shuffled.add_edges_from(reversed(list(renamed.edges(keys=True, data=True))))
    assert from_networkx(shuffled).digest == study.digest


def test_a_graph_without_a_node_is_a_smaller_study(make_study: Callable[..., Study]) -> None:
    study = make_study(pixels=None)
    graph = to_networkx(study)
    graph.remove_node(3)
    assert from_networkx(graph).digest == replace(study, patches=study.patches.first(3)).digest


def test_changing_the_graph_does_not_change_the_study(study: Study) -> None:
    graph = to_networkx(study)
    graph.graph["provenance"]["model"]["name"] = "other"
    graph.graph["labels"].clear()
    assert study.provenance["model"]["name"] == "m"
    assert len(study.labels) == 3


def broken(study: Study, what: str) -> Any:
    graph = to_networkx(study)
    if what == "undirected":
        return graph.to_undirected()
    if what == "kind":
        graph.nodes[0]["kind"] = "pixel"
    elif what == "attribute":
        del graph.nodes[5]["label"]
    elif what == "fact":
        del graph.graph["views"]
    elif what == "missing neighbour":
        graph.remove_edge(0, 1)
    elif what == "false neighbour":
        graph.add_edge(0, 2, kind="adjacent")
    elif what == "two fusion edges":
        graph.add_edge(0, 5, kind="fused")
    elif what == "relation of a patch":
        graph.add_edge(0, 5, kind="modify")
    elif what == "unknown relation":
        graph.add_edge(4, 5, kind="causes")
    elif what == "edge without a kind":
        graph.add_edge(4, 5)
    return graph


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("undirected", "E_STUDY"),
        ("kind", "E_STUDY"),
        ("attribute", "E_STUDY"),
        ("fact", "E_STUDY"),
        ("missing neighbour", "E_EDGE"),
        ("false neighbour", "E_EDGE"),
        ("two fusion edges", "E_EDGE"),
        ("relation of a patch", "E_EDGE"),
        ("unknown relation", "E_EDGE"),
        ("edge without a kind", "E_STUDY"),
    ],
)
def test_graphs_that_are_no_study(study: Study, what: str, code: str) -> None:
    with pytest.raises(StudyError) as caught:
        from_networkx(broken(study, what))
    assert caught.value.code == code
