"""What every extractor returns, and what an extractor is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from neuralgraph.errors import StudyError
from neuralgraph.graph.concepts import Concept, Mention
from neuralgraph.wire.vocabulary import CONCEPT_LABELS, RELATIONS, REPORT_SECTIONS

__all__ = ["Extractor", "ReportGraph"]


def _no_triples() -> NDArray[np.int32]:
    return np.zeros((0, 3), dtype=np.int32)


@dataclass(frozen=True, eq=False)
class ReportGraph:
    """The knowledge graph of one report: the RadGraph schema (plan section 2, point 4).

    Raises
    ------
    StudyError (E_ORDER) : concepts, triples or mentions are out of order or repeated.
    StudyError (E_IDX) : a row points outside its table.
    StudyError (E_TEXT) : a label or section is unknown or a span is empty.
    StudyError (E_STUDY) : triples are not [m, 3].
    """

    concepts: tuple[Concept, ...] = ()
    """The entities, ordered by (start, end); spans count code points of the whole report text."""
    triples: NDArray[np.int32] = field(default_factory=_no_triples)
    """int32 [m, 3], read-only: head concept, relation (index into ``RELATIONS``), tail concept; rows in ascending
    order, none twice."""
    mentions: tuple[Mention, ...] = ()
    """The other places of the report that say a concept, ordered by (concept, start, end), none twice."""

    @classmethod
    def ordered(cls, concepts: Sequence[Concept], triples: Iterable[tuple[int, int, int]]) -> ReportGraph:
        """The graph of concepts in any order, put in the order of their spans.

        Parameters
        ----------
        concepts : the entities.
        triples : head, relation and tail; heads and tails count ``concepts`` as they are given.

        Raises
        ------
        StudyError : as the class.
        """
        order = sorted(range(len(concepts)), key=lambda number: (concepts[number].start, concepts[number].end))
        rank = {old: new for new, old in enumerate(order)}
        rows = sorted({(rank[head], relation, rank[tail]) for head, relation, tail in triples})
        return cls(tuple(concepts[old] for old in order), np.array(rows, np.int32).reshape(-1, 3))

    def __post_init__(self) -> None:
        triples = np.array(self.triples, dtype=np.int32)
        if triples.ndim != 2 or triples.shape[1] != 3:
            raise StudyError(f"triples must be [m, 3], not {list(triples.shape)}", code="E_STUDY", where="triples")
        triples.flags.writeable = False
        object.__setattr__(self, "concepts", tuple(self.concepts))
        object.__setattr__(self, "triples", triples)
        object.__setattr__(self, "mentions", tuple(self.mentions))
        self._check()

    def _check(self) -> None:
        tables: tuple[tuple[str, tuple[Concept | Mention, ...]], ...] = (
            ("concepts", self.concepts),
            ("mentions", self.mentions),
        )
        for table, said in tables:
            for index, row in enumerate(said):
                if row.label not in CONCEPT_LABELS or row.section not in REPORT_SECTIONS:
                    raise StudyError("a label or section is unknown", code="E_TEXT", where=f"{table}[{index}]")
                if not 0 <= row.start < row.end:
                    raise StudyError("a span is empty or negative", code="E_TEXT", where=f"{table}[{index}]")
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
        places = [(mention.concept, mention.start, mention.end) for mention in self.mentions]
        if places != sorted(set(places)):
            raise StudyError("mentions must be ordered by (concept, start, end)", code="E_ORDER", where="mentions")
        if places and not (places[0][0] >= 0 and places[-1][0] < len(spans)):
            raise StudyError("a mention names a concept that does not exist", code="E_IDX", where="mentions")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ReportGraph):
            return NotImplemented
        same = self.concepts == other.concepts and self.mentions == other.mentions
        return same and bool(np.array_equal(self.triples, other.triples))

    def __hash__(self) -> int:
        return hash((self.concepts, self.mentions, self.triples.tobytes()))


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
