"""What stands under a film of a contact sheet: labels and findings, each once, with how often it is said."""

from __future__ import annotations

from collections import Counter

from neuralgraph.graph.study import Study
from neuralgraph.rows.facts import concept_rows

__all__ = ["findings_words", "labels_words", "said_of"]

_SIGNS = {"present": "", "absent": "no ", "uncertain": "? "}
_ORDER = ("present", "uncertain", "absent")
_VALUES = {1.0: 1.0, 0.0: 0.0, -1.0: 0.5}
_STATED = {"present": 1.0, "absent": 0.0, "uncertain": 0.5}


def labels_words(study: Study) -> str:
    """Labels in words, those that are present first: "edema · ? pneumonia · no effusion"; "" without any."""
    signs = {1.0: (0, ""), -1.0: (1, "? "), 0.0: (2, "no ")}
    found = sorted((*signs.get(float(value), (1, f"{value:g} ")), name) for name, value in study.labels.items())
    return " · ".join(f"{sign}{name.replace('_', ' ')}" for _, sign, name in found)


def findings_words(study: Study) -> str:
    """Observations of the report graph, present first, each once: "right effusion ×2 · ? edema · no pneumothorax"."""
    modifiers = {int(head) for head, relation, _ in study.triples if relation == 0}
    counted: Counter[tuple[int, str]] = Counter()
    for row in concept_rows(study, archive="", position=0):
        if row["kind"].startswith("observation") and row["number"] not in modifiers:
            side = f"{row['side']} " if row["side"] and row["side"] not in row["name"].split() else ""
            counted[_ORDER.index(row["polarity"]), f"{_SIGNS[row['polarity']]}{side}{row['name']}"] += 1
    found = sorted(counted, key=lambda key: key[0])
    return " · ".join(
        f"{words} ×{counted[rank, words]}" if counted[rank, words] > 1 else words for rank, words in found
    )


def said_of(study: Study, name: str) -> float | None:
    """What a study says of a label or a finding: 1 present, 0 absent, 0.5 uncertain, None nothing.

    A label decides where there is one of this name; else the report graph does, present before uncertain before absent.

    Parameters
    ----------
    name : of a label as it is stored, or of a concept; case does not matter.
    """
    wanted = name.lower().replace("_", " ")
    for label, value in study.labels.items():
        if label.lower().replace("_", " ") == wanted:
            return _VALUES.get(float(value), 0.5)
    rows = concept_rows(study, archive="", position=0)
    said = [_STATED[row["polarity"]] for row in rows if row["name"] == wanted]
    return max(said, default=None)
