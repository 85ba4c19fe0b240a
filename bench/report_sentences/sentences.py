"""The sentences of ``sentences.txt``: reading them, splitting them, and scoring an extractor on them.

Two halves by a hash of the text: ``open``, which whoever changes the rules may read, and ``apart``, which is scored
only when the work on the rules is done.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neuralgraph.compressor.report_graph.result import Extractor, ReportGraph
from neuralgraph.wire.vocabulary import RELATIONS

__all__ = ["HALVES", "LATER", "Case", "Expected", "expected_of", "found_in", "read_cases", "score"]

HALVES = ("open", "apart")
_FILE = Path(__file__).with_name("sentences.txt")
LATER = Path(__file__).with_name("later.txt")
"""Sentences that were written to break the rules when they were done: no measure of them, but a guard."""

# Words of the sentences' author to the lexicon's, where they differ. The author had not read the lexicon.
_NAMES: dict[str, tuple[str, ...]] = {
    "nasogastric tube": ("gastric tube",),
    "tortuous aorta": ("aortic tortuosity",),
    "aortic calcification": ("atherosclerosis", "calcification"),
    "osteophytes": ("degenerative change",),
    "COPD": ("copd",),
    "ICD": ("defibrillator", "pacemaker"),
    "Swan-Ganz catheter": ("swan-ganz catheter",),
    "central venous catheter": ("central venous catheter", "picc", "port"),
    "spinal hardware": ("orthopedic hardware",),
    "joint prosthesis": ("orthopedic hardware",),
    "intra-aortic balloon pump": ("cardiac device",),
    "calcified lymph nodes": ("calcification",),
    "mastectomy": ("postsurgical change",),
    "elevated hemidiaphragm": ("elevated hemidiaphragm", "diaphragmatic eventration"),
    "opacity": ("opacity", "nodular opacity", "interstitial opacity"),
    "pulmonary congestion": ("pulmonary congestion",),
    "malignancy": ("malignancy", "mass"),
    "metastasis": ("metastasis", "mass"),
    "calcified granuloma": ("calcified granuloma", "granuloma", "calcification"),
    "airspace disease": ("airspace disease", "opacity"),
    "fracture": ("fracture",),
    "consolidation": ("consolidation",),
    "bulla": ("bulla", "cyst"),
}
# Not scored: words of normality, of anything and nothing, and what merely goes with a finding that is scored.
_UNSCORED = frozenset({"abnormality", "catheter", "interstitial markings", "lucency", "lesion"})
_SIDES = {"left": "L", "right": "R"}
_SIDED = {"lingula": "L", "middle lobe": "R", "both lung bases": "LR", "both lung apices": "LR"}
_SIGNS = {"definitely present": "+", "definitely absent": "-", "uncertain": "?"}


@dataclass(frozen=True)
class Expected:
    """A finding that a sentence names."""

    names: tuple[str, ...]
    """Any of these concepts."""
    signs: str
    """Any of these: + present, - absent, ? uncertain, 0 not in the graph."""
    side: str
    """L, R, LR, "" for none, * for any."""


@dataclass(frozen=True)
class Case:
    """A text and what it says."""

    kind: str
    text: str
    expected: tuple[Expected, ...]
    relations: tuple[tuple[str, str, str], ...] = ()
    """(head, relation, tail) that the text states: not all of them, but those of its findings' places and sizes."""

    @property
    def half(self) -> str:
        """Which half it belongs to."""
        return HALVES[hashlib.sha256(self.text.encode()).digest()[0] % 2]


def read_cases(path: Path = _FILE) -> list[Case]:
    """The cases of a file."""
    cases = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        kind, text, *rest = line.split("\t")
        # A tab may be part of the text: what is expected is the last column.
        *more, told = rest
        expected, _, relations = told.partition("=>")
        cases.append(
            Case(
                kind,
                "\t".join([text, *more]).replace("\\n", "\n").replace("\\t", "\t"),
                tuple(expected_of(each) for each in expected.split(";") if each.strip()),
                tuple(_relation(each) for each in relations.split(";") if each.strip()),
            )
        )
    return cases


def _relation(text: str) -> tuple[str, str, str]:
    kind = next(name for name in RELATIONS if f" {name} " in text)
    head, _, tail = text.partition(f" {kind} ")
    return head.strip(), kind, tail.strip()


def relations_found(case: Case, graph: ReportGraph) -> int:
    """How many of the relations of a case a graph has: the same relation between concepts of the same names."""
    given = {
        (graph.concepts[head].text, RELATIONS[kind], graph.concepts[tail].text)
        for head, kind, tail in graph.triples.tolist()
    }
    return sum(
        any(kind == name and _is_named(head, a) and _is_named(tail, b) for a, name, b in given)
        for head, kind, tail in case.relations
    )


def _is_named(words: str, concept: str) -> bool:
    return concept in _NAMES.get(words, (words,)) or words in concept


def expected_of(text: str) -> Expected:
    """What a line of the sentences says of one thing: its words, then signs, then perhaps a side."""
    words = text.split()
    side = ""
    if words[-1] in {"L", "R", "B", "*"}:
        side = {"B": "LR"}.get(words[-1], words[-1])
        words.pop()
    name, signs = " ".join(words[:-1]), words[-1]
    if side == "" and "0" in signs and name in ("opacity", "nodule"):
        side = "*"
    return Expected(_NAMES.get(name, (name,)), signs, side)


def found_in(graph: ReportGraph, categories: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """(concept, sign, side) of every finding and device of a graph; one line for a concept said with one sign."""
    modify, located = RELATIONS.index("modify"), RELATIONS.index("located_at")
    triples = graph.triples.tolist()
    merged: dict[tuple[str, str], set[str]] = {}
    for number, concept in enumerate(graph.concepts):
        kind, _, polarity = concept.label.rpartition("::")
        name = {"pacing lead": "pacemaker"}.get(concept.text, concept.text)
        scored = name in categories and categories[name] not in ("normal", "abnormal") and name not in _UNSCORED
        if kind != "Observation" or not scored or name in _STATES:
            continue
        places = [tail for head, relation, tail in triples if head == number and relation == located]
        sides = merged.setdefault((name, _SIGNS[polarity]), set())
        for target in [number, *places]:
            sides.update(_SIDED.get(graph.concepts[target].text, ""))
            for head, relation, tail in triples:
                if relation == modify and tail == target:
                    text = graph.concepts[head].text
                    sides.update("LR" if text == "bilateral" else _SIDES.get(text, ""))
    return [(name, sign, "".join(sorted(sides))) for (name, sign), sides in merged.items()]


_STATES = frozenset(
    [
        "borderline",
        "enlarged",
        "widened",
        "elevated",
        "flattened",
        "blunted",
        "obscured",
        "tortuous",
        "deviated",
        "abnormal",
        "accentuated",
    ]
)


def judge(case: Case, found: Sequence[tuple[str, str, str]]) -> dict[str, Any]:
    """What an extractor got right and wrong in one text."""
    result = {"named": 0, "polarity": 0, "true": 0, "sided": 0, "expected": 0, "given": 0, "errors": []}
    left = list(found)
    for wanted in case.expected:
        hits = [each for each in left if each[0] in wanted.names]
        best = next((hit for hit in hits if hit[1] in wanted.signs), hits[0] if hits else None)
        if best is None:
            if "0" not in wanted.signs:
                result["expected"] += 1
                result["errors"].append(f"missing {wanted.names[0]} {wanted.signs}")
            continue
        left = [each for each in left if each[0] not in wanted.names or (each[1] not in wanted.signs and each != best)]
        right = best[1] in wanted.signs
        side = "*" in (wanted.side, best[2]) or wanted.side == best[2]
        result["expected"] += 1
        result["given"] += 1
        result["named"] += 1
        result["polarity"] += right
        result["true"] += right
        result["sided"] += right and side
        if not right:
            result["errors"].append(f"{best[0]} {best[1]} for {wanted.signs}")
        elif not side:
            result["errors"].append(f"{best[0]} side {best[2]!r} for {wanted.side!r}")
    result["given"] += len(left)
    result["errors"] += [f"extra {name} {sign}" for name, sign, _ in left]
    return result


def score(extractor: Extractor, categories: Mapping[str, str], cases: Iterable[Case]) -> dict[str, Any]:
    """Counts and scores per kind and for all: polarity of what is found, F1 with polarity, F1 with side as well."""
    cases = list(cases)
    graphs = extractor([case.text for case in cases])
    rows = []
    for case, graph in zip(cases, graphs, strict=True):
        judged = judge(case, found_in(graph, categories))
        judged["relations"], judged["related"] = len(case.relations), relations_found(case, graph)
        rows.append((case, judged))
    kinds = list(dict.fromkeys(case.kind for case in cases))
    table = {kind: summary([row for case, row in rows if case.kind == kind]) for kind in kinds}
    return {
        "all": summary([row for _, row in rows]),
        "kinds": table,
        "errors": [(case.kind, case.text, row["errors"]) for case, row in rows if row["errors"]],
    }


def summary(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Counts and scores of judged texts."""
    total = {key: sum(row[key] for row in rows) for key in ("named", "polarity", "true", "sided", "expected", "given")}
    return {
        "sentences": len(rows),
        "right": sum(not row["errors"] for row in rows),
        "findings": total["expected"],
        "given": total["given"],
        "polarity": share(total["polarity"], total["named"]),
        "precision": share(total["true"], total["given"]),
        "recall": share(total["true"], total["expected"]),
        "f1": f1(total["true"], total["given"], total["expected"]),
        "f1_with_side": f1(total["sided"], total["given"], total["expected"]),
        "relations": share(sum(row.get("related", 0) for row in rows), sum(row.get("relations", 0) for row in rows)),
    }


def f1(right: int, given: int, expected: int) -> float | None:
    """Harmonic mean of precision and recall."""
    return None if given + expected == 0 else round(2 * right / (given + expected), 4)


def share(right: int, of: int) -> dict[str, Any]:
    """A share with its 95 % interval (Wilson's)."""
    if of == 0:
        return {"share": None, "low": None, "high": None, "of": 0}
    p, z = right / of, 1.96
    centre = (p + z * z / (2 * of)) / (1 + z * z / of)
    half = z * math.sqrt(p * (1 - p) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    low, high = max(0.0, centre - half), min(1.0, centre + half)
    return {"share": round(p, 4), "low": round(low, 4), "high": round(high, 4), "of": of}
