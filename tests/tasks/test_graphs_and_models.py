from dataclasses import replace

import numpy as np
import pytest
import torch
from torch_geometric.data import Batch
from torch_geometric.explain import Explainer, GNNExplainer

import neuralgraph as ng
from neuralgraph.errors import StudyError
from neuralgraph.tasks import MPNN, GraphSettings, HeteroMPNN, Standardise, fit, predict, study_graph
from neuralgraph.tasks.graphs import without_report

PLAIN = GraphSettings(labels=("opacity",))
TYPES = GraphSettings(labels=("opacity",), heterogeneous=True)


def test_graph_at_a_retention(made_study):
    study = made_study(1, positive=True)
    graph = study_graph(study, GraphSettings(labels=("opacity",), retain=0.1))
    assert int((graph.node_type == 0).sum()) == 3  # ceil(0.1 of 25 cells)
    assert int((graph.node_type == 1).sum()) == 2
    assert graph.y.tolist() == [[1.0]]
    with pytest.raises(StudyError, match="holds 6 patches"):
        study_graph(study, GraphSettings(labels=("opacity",), retain=0.5))


def test_graph_of_the_image_alone(made_study):
    graph = study_graph(made_study(1, positive=True), GraphSettings(labels=("opacity",), report=False))
    assert (graph.node_type == 0).all()
    assert graph.fusion_edge_index.shape == (2, 0)


def test_a_study_without_its_report_keeps_nothing_that_speaks_of_it(made_study):
    study = made_study(1, positive=True)
    study = replace(study, mentions=(ng.Mention(0, study.concepts[0].label, 40, 47),))
    films = without_report(study)
    assert (films.concepts, films.mentions, films.fusion, len(films.triples)) == ((), (), None, 0)
    assert "fusion" not in films.provenance
    assert films.labels == study.labels


def test_standardised_patches(made_study):
    graphs = [study_graph(made_study(number, positive=bool(number % 2)), PLAIN) for number in range(8)]
    scale = Standardise.of(graphs)
    rows = torch.cat([scale(graph).x[graph.node_type == 0] for graph in graphs])
    assert torch.allclose(rows.mean(dim=0), torch.zeros(16), atol=1e-5)
    assert torch.allclose(rows.std(dim=0, correction=0), torch.ones(16), atol=1e-4)
    concepts = torch.cat([scale(graph).x[graph.node_type == 1] for graph in graphs])
    assert torch.allclose(concepts.norm(dim=1), torch.full((16,), 4.0), atol=1e-4)  # the root of the width
    assert torch.equal(graphs[0].x, study_graph(made_study(0, positive=False), PLAIN).x)


def test_mean_over_nodes_by_hand():
    """Without edges a GCN layer is linear; identity weights leave relu, relu, mean."""
    model = MPNN(2, 1, hidden=2).eval()
    with torch.no_grad():
        for layer in (model.first, model.second):
            layer.lin.weight.copy_(torch.eye(2))
            layer.bias.zero_()
        model.classifier.weight.copy_(torch.tensor([[1.0, 10.0]]))
        model.classifier.bias.fill_(0.5)
    x = torch.tensor([[1.0, -5.0], [3.0, 2.0], [-1.0, 4.0]])
    no_edges = torch.empty((2, 0), dtype=torch.long)
    # Graph 0: nodes (1, 0) and (3, 2), mean (2, 1); graph 1: node (0, 4).
    assert model(x, no_edges, torch.tensor([0, 0, 1])).tolist() == [[12.5], [40.5]]
    # One edge both ways joins nodes of degree 2 with their self-loops: each becomes the mean of both.
    edge = torch.tensor([[0, 1], [1, 0]])
    assert model(torch.tensor([[2.0, 0.0], [0.0, 2.0]]), edge).tolist() == [[pytest.approx(11.5)]]


@pytest.mark.parametrize("settings", [PLAIN, TYPES])
def test_together_as_alone(made_study, settings):
    graphs = [study_graph(made_study(number, positive=True), settings) for number in range(3)]
    graphs[2] = study_graph(
        made_study(2, positive=True),
        GraphSettings(labels=("opacity",), report=False, heterogeneous=settings.heterogeneous),
    )
    fitted = fit(graphs, graphs, seed=3)
    assert isinstance(fitted.model, HeteroMPNN if settings.heterogeneous else MPNN)
    together = predict(fitted.model, graphs)
    assert together.shape == (3, 1)
    alone = np.concatenate([predict(fitted.model, [graph]) for graph in graphs])
    np.testing.assert_allclose(together, alone, rtol=1e-5)


def test_explainer_can_call_the_model(made_study):
    graph = study_graph(made_study(4, positive=True), PLAIN)
    explainer = Explainer(
        MPNN(16, 1),
        GNNExplainer(epochs=5),
        explanation_type="model",
        node_mask_type="object",
        edge_mask_type="object",
        model_config={"mode": "binary_classification", "task_level": "graph", "return_type": "raw"},
    )
    explanation = explainer(graph.x, graph.edge_index, batch=torch.zeros(8, dtype=torch.long))
    assert explanation.node_mask.shape == (8, 1)
    assert explanation.edge_mask.shape == (graph.edge_index.shape[1],)


def test_training_leaves_the_random_state_alone_and_repeats(made_study):
    graphs = [study_graph(made_study(number, positive=bool(number % 2)), PLAIN) for number in range(6)]
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    first = fit(graphs, graphs, seed=5)
    assert torch.equal(torch.rand(3), expected)
    second = fit(graphs, graphs, seed=5)
    assert all(torch.equal(a, b) for a, b in zip(first.model.parameters(), second.model.parameters(), strict=True))
    with pytest.raises(StudyError, match="graphs to train on"):
        fit([], graphs)
    assert Batch.from_data_list(graphs).num_graphs == 6
