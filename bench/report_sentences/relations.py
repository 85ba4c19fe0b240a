"""Agreement on relations with reports annotated by hand, as RadGraph's is scored: both ends and the type must agree.

``relations.json`` holds, for fifty reports of the shared Open-i table, the places of both ends of every relation that
a finding or device takes part in (its modifiers, where it lies, what it suggests), counted in code points of the text
that ``bench.report_graph.read_reports`` makes of a row. It holds no text. The reports are the first fifty with a
finding in the order of a hash of their number, and were annotated before the rules were read.

An end agrees where it overlaps a place of the concept. A side or zone that belongs to an anatomy is part of that
anatomy's name here, so a relation inside one end is not counted; nor are relations of what is normal.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bench.report_sentences.sentences import f1, share
from neuralgraph.compressor.report_graph.result import Extractor, ReportGraph
from neuralgraph.wire.vocabulary import RELATIONS

__all__ = ["agreement"]

_FILE = Path(__file__).with_name("relations.json")
Place = tuple[int, int]


def agreement(
    extractor: Extractor, categories: Mapping[str, str], texts: Mapping[str, str], path: Path = _FILE
) -> dict[str, Any]:
    """Precision, recall and F1 of relations per type and for all.

    Parameters
    ----------
    extractor : what is scored.
    categories : its categories by concept: findings and devices are scored, states of normality are not.
    texts : reports by number.
    """
    counts = {name: [0, 0, 0, 0] for name in (*RELATIONS, "all")}
    errors = []
    annotated = json.loads(path.read_text(encoding="utf-8"))
    for number, row in annotated.items():
        text = texts[number]
        if hashlib.sha256(text.encode()).hexdigest() != row["sha256"]:
            raise ValueError(f"report {number} is not the text that was annotated")
        gold = [((a, b), name, (c, d)) for a, b, name, c, d in row["relations"]]
        (graph,) = extractor([text])
        given = _given(graph, categories)
        spans = [places for places, _ in given.values()]
        # An end inside which the extractor sees one concept has no relation to find.
        gold = [edge for edge in gold if not any(_touches(p, edge[0]) and _touches(p, edge[2]) for p in spans)]
        edges = [
            (given[head][0], RELATIONS[kind], given[tail][0])
            for head, kind, tail in graph.triples.tolist()
            if head in given and tail in given and (given[head][1] or given[tail][1])
        ]
        edges = [edge for edge in edges if not _is_inside(edge, gold)]
        for edge in gold:
            hit = any(_same(edge, other) for other in edges)
            for name in (edge[1], "all"):
                counts[name][0] += hit
                counts[name][1] += 1
            if not hit:
                errors.append((number, "missing", text[slice(*edge[0])], edge[1], text[slice(*edge[2])]))
        for head, kind, tail in edges:
            hit = any(_same(edge, (head, kind, tail)) for edge in gold)
            for name in (kind, "all"):
                counts[name][2] += hit
                counts[name][3] += 1
            if not hit:
                errors.append((number, "extra", text[slice(*head[0])], kind, text[slice(*tail[0])]))
    return {
        "reports": len(annotated),
        "relations": {
            name: {
                "annotated": wanted,
                "given": given_count,
                "precision": share(right, given_count),
                "recall": share(found, wanted),
                # Right and found differ where one concept stands for two places of the report.
                "f1": f1(right + found, given_count + wanted, given_count + wanted),
            }
            for name, (found, wanted, right, given_count) in counts.items()
        },
        "errors": errors,
    }


def _given(graph: ReportGraph, categories: Mapping[str, str]) -> dict[int, tuple[list[Place], bool]]:
    """Places of each concept, and whether it is a finding or device."""
    found = {}
    for number, concept in enumerate(graph.concepts):
        places = [(concept.start, concept.end)]
        places += [(each.start, each.end) for each in graph.mentions if each.concept == number]
        category = categories.get(concept.text)
        finding = category is not None and category not in ("normal", "abnormality") and "Observ" in concept.label
        found[number] = places, finding
    return found


def _touches(places: Iterable[Place], place: Place) -> bool:
    return any(start < place[1] and place[0] < end for start, end in places)


def _same(edge: tuple[Place, str, Place], other: tuple[list[Place], str, list[Place]]) -> bool:
    return edge[1] == other[1] and _touches(other[0], edge[0]) and _touches(other[2], edge[2])


def _is_inside(edge: tuple[list[Place], str, list[Place]], gold: list[tuple[Place, str, Place]]) -> bool:
    ends = [place for head, _, tail in gold for place in (head, tail)]
    return any(_touches(edge[0], place) and _touches(edge[2], place) for place in ends)
