"""A study as a networkx graph and back, with nothing lost."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np

from neuralgraph.batches.joined import EDGE_TYPES, NODE_TYPES, joined_edges, node_facts
from neuralgraph.errors import StudyError, missing_extra
from neuralgraph.graph.carried import refuse_carried
from neuralgraph.graph.concepts import Concept, Mention
from neuralgraph.graph.frozen import thaw
from neuralgraph.graph.patches import ConceptVectors, Patches
from neuralgraph.graph.study import Study
from neuralgraph.wire.vocabulary import RELATIONS

try:
    import networkx as nx
except ImportError as error:
    raise missing_extra("a networkx graph", extra="networkx", library=error.name or "networkx") from error

__all__ = ["from_networkx", "to_networkx"]

_ADJACENT, _FUSED = EDGE_TYPES[:2]


def to_networkx(study: Study) -> nx.MultiDiGraph:
    """A directed multigraph with every attribute of the study.

    - Nodes 0 to n - 1, patches before concepts, as in ``neuralgraph.adapters.pyg``. ``kind`` is "patch" or "concept".
      Patches have ``view``, ``row``, ``col``, ``score``, ``embedding`` (float32 [d]) and, where stored, ``pixels``
      [height, width]; concepts ``text``, ``label``, ``start``, ``end``, ``section``, ``mentions`` (list of maps: label,
      start, end, section) and, where vectors are stored, ``vector``, the row of the graph's ``concept_vectors``.
    - Edges, each once; key and ``kind`` are "adjacent" (lower patch first), "fused" (patch first) or the relation (head
      first). For algorithms that want no directions: ``graph.to_undirected()``.
    - ``graph.graph``: ``study_id``, ``views``, ``labels``, ``provenance``, ``report``, ``extensions``,
      ``embedding_width``, ``concept_vectors`` (float32 [m, w] or None), ``word_attention`` (``WordAttention`` or None).

    Raises
    ------
    StudyError (E_STUDY) : the study carries a plain graph.
    """
    refuse_carried(study, "networkx graph")
    vectors = study.concept_vectors
    graph = nx.MultiDiGraph(
        study_id=study.study_id,
        views=study.views,
        labels=dict(study.labels),
        provenance=thaw(study.provenance),
        report=study.report,
        extensions=dict(study.extensions),
        embedding_width=study.patches.embedding.shape[1],
        concept_vectors=None if vectors is None else vectors.vector,
        word_attention=study.word_attention,
    )
    graph.add_nodes_from(enumerate(node_facts(study)))
    first = len(study.patches)
    for number in range(len(study.concepts)):
        graph.nodes[first + number]["mentions"] = []
    for concept, *place in study.mentions:
        graph.nodes[first + concept]["mentions"].append(dict(zip(Mention._fields[1:], place, strict=True)))
    for number in range(len(study.patches)):
        graph.nodes[number]["embedding"] = study.patches.embedding[number]
        if study.pixels is not None:
            graph.nodes[number]["pixels"] = study.pixels[number]
    if vectors is not None:
        for number, row in enumerate(vectors.index.tolist(), start=first):
            graph.nodes[number]["vector"] = row
    for (source, target), code in zip(*(part.tolist() for part in joined_edges(study)), strict=True):
        graph.add_edge(source, target, key=EDGE_TYPES[code], kind=EDGE_TYPES[code])
    return graph


def from_networkx(graph: nx.DiGraph) -> Study:
    """The study of a graph with the attributes that ``to_networkx`` gives; names of nodes do not matter.

    Patches are put in order of score (ties by place), concepts in order of their spans (ties as the nodes come).

    Raises
    ------
    StudyError (E_STUDY) : the graph is undirected, or an attribute is missing or of a wrong kind.
    StudyError (E_EDGE) : edges "adjacent" are not the grid neighbours, or an edge joins the wrong kinds of nodes.
    StudyError : another rule of FORMAT.md section 8 is broken.
    """
    if not graph.is_directed():
        raise StudyError("an undirected graph does not say which end of a relation is the head", code="E_STUDY")
    try:
        return _study(graph)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        reason = f"the graph lacks an attribute of a study, or has a wrong one ({type(error).__name__}: {error})"
        raise StudyError(" ".join(reason.split())[:200], code="E_STUDY") from error


def _study(graph: nx.DiGraph) -> Study:
    facts = graph.graph
    nodes = dict(graph.nodes(data=True))
    members: dict[str, list[Any]] = {kind: [] for kind in NODE_TYPES}
    for node, values in nodes.items():
        members[values["kind"]].append(node)
    members["patch"].sort(key=lambda node: (-nodes[node]["score"], *(nodes[node][k] for k in ("view", "row", "col"))))
    members["concept"].sort(key=lambda node: (nodes[node]["start"], nodes[node]["end"]))
    patches, concepts = ([nodes[node] for node in members[kind]] for kind in NODE_TYPES)
    edges = _edges(graph, {node: (kind, number) for kind in NODE_TYPES for number, node in enumerate(members[kind])})
    pixels = [patch["pixels"] for patch in patches if "pixels" in patch]
    triples = [(head, code, tail) for code, name in enumerate(RELATIONS) for head, tail in edges[name]]
    vectors = facts["concept_vectors"]
    if len(edges[_FUSED]) > 1:
        raise StudyError("a study has one fusion edge at most", code="E_EDGE", where=_FUSED)
    study = Study(
        study_id=facts["study_id"],
        views=facts["views"],
        patches=Patches(
            row=np.array([patch["row"] for patch in patches], np.int32),
            col=np.array([patch["col"] for patch in patches], np.int32),
            score=np.array([patch["score"] for patch in patches], np.float32),
            embedding=np.array([p["embedding"] for p in patches], np.float32).reshape(-1, facts["embedding_width"]),
            view=np.array([patch["view"] for patch in patches], np.int32),
        ),
        concepts=tuple(Concept(*(concept[name] for name in Concept._fields)) for concept in concepts),
        mentions=tuple(
            Mention(number, **mention) for number, concept in enumerate(concepts) for mention in concept["mentions"]
        ),
        triples=np.array(sorted(set(triples)), np.int32).reshape(-1, 3),
        fusion=edges[_FUSED][0] if edges[_FUSED] else None,
        labels=facts["labels"],
        provenance=deepcopy(facts["provenance"]),
        concept_vectors=None
        if vectors is None
        else ConceptVectors(np.array([concept["vector"] for concept in concepts], np.int32), vectors),
        report=facts["report"],
        pixels=np.stack(pixels) if pixels else None,
        word_attention=facts["word_attention"],
        extensions=facts["extensions"],
    )
    if {frozenset(pair) for pair in edges[_ADJACENT]} != {frozenset(pair) for pair in study.edges.tolist()}:
        reason = f"edges of the kind {_ADJACENT!r} are not the grid neighbours among the patches"
        raise StudyError(reason, code="E_EDGE", where=_ADJACENT)
    return study


def _edges(graph: nx.DiGraph, numbers: dict[Any, tuple[str, int]]) -> dict[str, list[tuple[int, int]]]:
    """Pairs of patch or concept numbers by kind of edge."""
    ends = {_ADJACENT: ("patch", "patch"), _FUSED: ("patch", "concept")}
    edges: dict[str, list[tuple[int, int]]] = {kind: [] for kind in (*ends, *RELATIONS)}
    for source, target, values in graph.edges(data=True):
        kind, ((source_kind, first), (target_kind, second)) = values["kind"], (numbers[source], numbers[target])
        if kind not in edges or (source_kind, target_kind) != ends.get(kind, ("concept", "concept")):
            reason = f"an edge {kind!r} cannot lead from a {source_kind} to a {target_kind}"
            raise StudyError(reason, code="E_EDGE", where="edges")
        edges[kind].append((first, second))
    return edges
