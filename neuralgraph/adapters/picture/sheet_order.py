"""In which order the studies of a contact sheet stand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from neuralgraph.adapters.picture.sheet_words import said_of
from neuralgraph.errors import StudyError
from neuralgraph.graph.study import Study

__all__ = ["ORDERS", "ordered"]

ORDERS = ("id", "label", "score", "disagreement")
"""By id; by what is said of a label or finding, present first; by a score of one's own, highest first; by how far that
score is from what is said, furthest first."""


def ordered(
    studies: Iterable[Study], by: str, *, label: str | None = None, scores: Mapping[str, float] | None = None
) -> list[int]:
    """Positions of the studies in order; where two are equal, as they came. What nothing is known of comes last.

    Parameters
    ----------
    studies : read once, one at a time.
    by : one of ``ORDERS``.
    label : the label or finding that is meant, for "label" and "disagreement".
    scores : a model's probability that it is present, by study id, for "score" and "disagreement".

    Raises
    ------
    StudyError (E_QUERY) : there is no such order, or it needs a label or scores that are not given.
    """
    if by not in ORDERS:
        raise StudyError(f"{by!r} is no order; use one of {', '.join(ORDERS)}", code="E_QUERY", where="sort")
    if by in ("label", "disagreement") and not label:
        raise StudyError("say which label or finding is meant", code="E_QUERY", where="sort")
    if by in ("score", "disagreement") and scores is None:
        raise StudyError("give the scores to sort by", code="E_QUERY", where="sort")
    given, name = scores or {}, label or ""

    def distance(study: Study) -> float | None:
        said, score = said_of(study, name), given.get(study.study_id)
        return None if said is None or score is None else abs(score - said)

    values: dict[str, Callable[[Study], float | None]] = {
        "label": lambda study: said_of(study, name),
        "score": lambda study: given.get(study.study_id),
        "disagreement": distance,
    }
    if by == "id":
        names = [study.study_id for study in studies]
        return sorted(range(len(names)), key=names.__getitem__)
    found = [values[by](study) for study in studies]
    return sorted(range(len(found)), key=lambda position: (found[position] is None, -(found[position] or 0.0)))
