"""What every extractor returns, and what an extractor is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from neuralgraph.errors import StudyError
from neuralgraph.graph.concepts import Concept
from neuralgraph.wire.vocabulary import CONCEPT_LABELS, RELATIONS

__all__ = ["Extractor", "ReportGraph"]


def _no_triples() -> NDArray[np.int32]:
    return np.zeros((0, 3), dtype=np.int32)


@dataclass(frozen=True, eq=False)
class ReportGraph:
    """The knowledge graph of one report: the RadGraph schema (plan section 2, point 4).

    Parameters
    ----------
    concepts : the entities, ordered by (start, end); spans count code points of the whole report text.
    triples : int32 [m, 3], read-only: head concept, relation (index into ``RELATIONS``), tail concept;
        rows in ascending order, none twice.

    Raises
    ------
    StudyError
        E_ORDER when concepts or triples are out of order or repeated, E_IDX when a row points outside its
        table, E_TEXT when a label is unknown or a span is empty, E_STUDY when triples are not [m, 3].
    """

    concepts: tuple[Concept, ...] = ()
    triples: NDArray[np.int32] = field(default_factory=_no_triples)

    def __post_init__(self) -> None:
        triples = np.array(self.triples, dtype=np.int32)
        if triples.ndim != 2 or triples.shape[1] != 3:
            raise StudyError(f"triples must be [m, 3], not {list(triples.shape)}", code="E_STUDY", where="triples")
        triples.flags.writeable = False
        object.__setattr__(self, "concepts", tuple(self.concepts))
        object.__setattr__(self, "triples", triples)
        self._check()

    def _check(self) -> None:
        for index, concept in enumerate(self.concepts):
            if concept.label not in CONCEPT_LABELS:
                raise StudyError("a concept's label is unknown", code="E_TEXT", where=f"concepts[{index}]")
            if not 0 <= concept.start < concept.end:
                raise StudyError("a concept's span is empty or negative", code="E_TEXT", where=f"concepts[{index}]")
        spans = [(concept.start, concept.end) for concept in self.concepts]
        if spans != sorted(spans):
            raise StudyError("concepts must be ordered by (start, end)", code="E_ORDER", where="concepts")
        rows = [tuple(row) for row in self.triples.tolist()]
        if rows != sorted(set(rows)):
            raise StudyError("triples must be sorted and unique", code="E_ORDER", where="triples")
        for head, relation, tail in rows:
            inside = 0 <= head < len(spans) and 0 <= tail < len(spans) and 0 <= relation < len(RELATIONS)
            if not inside:
                raise StudyError("a triple points outside its table", code="E_IDX", where="triples")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ReportGraph):
            return NotImplemented
        return self.concepts == other.concepts and bool(np.array_equal(self.triples, other.triples))

    def __hash__(self) -> int:
        return hash((self.concepts, self.triples.tobytes()))


@runtime_checkable
class Extractor(Protocol):
    """Reports in, graphs out; what it is goes into a study's provenance."""

    @property
    def name(self) -> str:
        """The key under which ``extractor`` finds it."""

    @property
    def version(self) -> str:
        """Version of the rules or of the model."""

    @property
    def fingerprint(self) -> str:
        """Hex digest of everything that decides the result besides the code: patterns, cues, options."""

    def __call__(self, texts: Sequence[str], keys: Sequence[str | None] | None = None) -> list[ReportGraph]:
        """One graph per report, in order; ``keys`` name the reports for extractors that look them up."""
