"""What tables say of a study: one row of it, one of each concept, one of each triple. Plain values, no library.

Study, concept and triple rows belong together by ``archive`` and ``position``. A polarity is what the report says;
``report`` tells whether a report was given or the model wrote it, in the rows of concepts too, because what a model
wrote is no finding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from neuralgraph.graph.study import Study
from neuralgraph.rows.columns import LABEL
from neuralgraph.wire.vocabulary import RELATIONS

__all__ = ["concept_rows", "study_row", "triple_rows"]

_POLARITY = {"definitely present": "present", "uncertain": "uncertain", "definitely absent": "absent"}
_SIDES = {
    "left": "left",
    "left-sided": "left",
    "right": "right",
    "right-sided": "right",
    "bilateral": "bilateral",
    "bilaterally": "bilateral",
    "both": "bilateral",
}
_MODIFY, _LOCATED_AT = RELATIONS.index("modify"), RELATIONS.index("located_at")


def study_row(
    study: Study,
    *,
    archive: str,
    position: int,
    record_bytes: int,
    digest: str = "",
    patient: str = "",
    split: str = "",
) -> dict[str, Any]:
    """The row of a study, labels included as ``label.NAME``; "" and absent facts are None.

    Parameters
    ----------
    study : the study.
    archive : how its archive is called.
    position : of the study in it.
    record_bytes : of its record.
    digest : its content digest where it has been proven already.
    patient, split : where they are known.
    """
    said = study.provenance
    view = study.views[0] if study.views else None
    films = said.get("films") or [{}]
    film = films[0] if isinstance(films[0], Mapping) else {}
    losses = [row.get("rmse") for row in said.get("loss", ()) if isinstance(row, Mapping)]
    numbers = [float(value) for value in losses if isinstance(value, int | float)]
    row = {
        "archive": archive,
        "position": position,
        "study_id": study.study_id,
        "digest": digest or study.digest,
        "patient": patient or None,
        "split": split or None,
        "views": len(study.views),
        "view_positions": ",".join(each.position for each in study.views) or None,
        "rows": view.rows if view else None,
        "cols": view.cols if view else None,
        "film_pixels": sum(each.height * each.width for each in study.views),
        "cells": study.n_cells,
        "patches": len(study.patches),
        "retention": len(study.patches) / study.n_cells if study.n_cells else None,
        "embedding_dim": int(study.patches.embedding.shape[1]),
        "bytes": record_bytes,
        "concepts": len(study.concepts),
        "triples": len(study.triples),
        "mentions": len(study.mentions),
        "fused": study.fusion is not None,
        "report": _report(study),
        "report_stored": study.report is not None,
        "pixels_stored": study.pixels is not None,
        "model": _member(said, "model", "name"),
        "model_digest": _member(said, "model", "digest"),
        "model_trained": _of(bool, said.get("model", {}).get("trained")),
        "score": _member(said, "score", "rule"),
        "prune": _member(said, "prune", "policy"),
        "extractor": _member(said, "extractor", "name"),
        "labeler": _of(str, said.get("labeler")),
        "terms": _of(str, said.get("terms")),
        "film_format": _of(str, film.get("format")),
        "film_bits": _of(int, film.get("bits")),
        "film_lossy": _of(bool, film.get("lossy")),
        "film_quality": _of(str, film.get("quality")),
        "embedding_loss": max(numbers) if numbers else None,
    }
    return {**row, **{f"{LABEL}{name}": float(value) for name, value in study.labels.items()}}


def _report(study: Study) -> str:
    kind = study.provenance.get("report")
    return kind if isinstance(kind, str) else "unknown"


def _of(kind: type, value: Any) -> Any:
    return value if type(value) is kind else None


def _member(said: Mapping[str, Any], fact: str, member: str) -> str | None:
    value = said.get(fact)
    found = value.get(member) if isinstance(value, Mapping) else None
    return None if found is None else str(found)


def _name(text: str) -> str:
    return " ".join(text.lower().split())


def concept_rows(study: Study, *, archive: str, position: int) -> list[dict[str, Any]]:
    """A row of each concept, in their order."""
    report = _report(study)
    names = [_name(concept.text) for concept in study.concepts]
    modifiers: list[list[str]] = [[] for _ in names]
    places: list[list[int]] = [[] for _ in names]
    for head, relation, tail in np.asarray(study.triples).tolist():
        if relation == _MODIFY:
            modifiers[tail].append(names[head])
        elif relation == _LOCATED_AT:
            places[head].append(tail)
    own = [_side([names[number], *modifiers[number]]) for number in range(len(names))]
    rows = []
    for number, concept in enumerate(study.concepts):
        kind, *_, polarity = concept.label.split("::")
        rows.append(
            {
                "archive": archive,
                "position": position,
                "number": number,
                "name": names[number],
                "kind": kind.lower(),
                "polarity": _POLARITY[polarity],
                "side": own[number] or _both([own[place] for place in places[number]]),
                "section": concept.section,
                "place": ", ".join(dict.fromkeys(names[place] for place in places[number])),
                "report": report,
            }
        )
    return rows


def _side(texts: Sequence[str]) -> str:
    return _both([_SIDES[word] for text in texts for word in text.split() if word in _SIDES])


def _both(sides: Sequence[str]) -> str:
    """One side of several: left and right are bilateral."""
    found = {side for side in sides if side}
    return "" if not found else next(iter(found)) if len(found) == 1 else "bilateral"


def triple_rows(study: Study, *, archive: str, position: int) -> list[dict[str, Any]]:
    """A row of each triple, in their order."""
    report = _report(study)
    return [
        {
            "archive": archive,
            "position": position,
            "head": _name(study.concepts[head].text),
            "relation": RELATIONS[relation],
            "tail": _name(study.concepts[tail].text),
            "report": report,
        }
        for head, relation, tail in np.asarray(study.triples).tolist()
    ]
