"""A study as GraphML, for programs that draw and analyse graphs (Gephi, Cytoscape, yEd, igraph).

GraphML holds single numbers and words only: embeddings, concept vectors, pixels, the attention of dropped patches, the
text of the report and extensions are left out. Nothing reads a study back from it.
"""

from __future__ import annotations

import json
from io import BytesIO

from neuralgraph.batches.joined import EDGE_TYPES, joined_edges, node_facts
from neuralgraph.errors import StudyError, missing_extra
from neuralgraph.graph.carried import refuse_carried
from neuralgraph.graph.plain import study_facts
from neuralgraph.graph.study import Study
from neuralgraph.wire.escapes import escaped_xml

try:
    import networkx as nx
except ImportError as error:
    raise missing_extra("GraphML export", extra="networkx", library=error.name or "networkx") from error

__all__ = ["to_graphml"]

_GRAPH_FACTS = ("study_id", "digest", "report_graph", "labels", "provenance", "mentions")


def to_graphml(study: Study) -> bytes:
    """The file as UTF-8 XML; equal studies give equal bytes.

    Nodes are numbered as in ``neuralgraph.adapters.pyg``, patches before concepts, with ``kind`` and the attributes of
    ``neuralgraph.batches.joined.node_facts``. Every edge is there once, with its ``kind``: "adjacent", "fused" or a
    relation, which leads from head to tail. The graph has ``study_id``, ``digest``, ``report_graph`` and, as
    JSON, ``labels``, ``provenance`` and ``mentions``; concepts of a text that the model wrote itself have ``origin`` =
    "generated". Embeddings, attention, images and the report are left out: this is the graph alone.

    Raises
    ------
    StudyError (E_STUDY) : the study carries a plain graph.
    StudyError (E_TEXT) : a text holds a character that XML 1.0 cannot.
    StudyError (E_TOC_KEY) : see ``neuralgraph.graph.plain.study_facts``.
    """
    refuse_carried(study, "GraphML file")
    facts = study_facts(study)
    graph = nx.MultiDiGraph(
        **{
            name: facts[name] if isinstance(facts[name], str) else json.dumps(facts[name], sort_keys=True)
            for name in _GRAPH_FACTS
        }
    )
    graph.add_nodes_from(enumerate(node_facts(study)))
    if facts["report_graph"] == "generated":
        for number in range(len(study.patches), graph.number_of_nodes()):
            graph.nodes[number]["origin"] = "generated"
    for number, (pair, code) in enumerate(zip(*(part.tolist() for part in joined_edges(study)), strict=True)):
        graph.add_edge(*pair, key=f"e{number}", kind=EDGE_TYPES[code])
    for where, text in (("study_id", study.study_id), *(("concepts", concept.text) for concept in study.concepts)):
        if any(character in "\ufffe\uffff" for character in text):
            raise StudyError("a text holds a character that XML cannot", code="E_TEXT", where=where)
    file = BytesIO()
    # Not write_graphml, which uses another XML library where it finds one, and that one writes other bytes.
    nx.write_graphml_xml(graph, file)
    return escaped_xml(file.getvalue().decode()).encode()
