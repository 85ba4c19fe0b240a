"""What is counted of studies, for summaries, metrics and estimates: numbers and words of ours, nothing of a source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from neuralgraph.graph.study import Study

__all__ = ["REPORTS", "STAGES", "StudyFacts", "Totals", "facts_of", "read_facts"]

REPORTS: dict[str, str] = {"given": "given", "generated": "generated", "none": "absent"}
"""What is said of reports, by what a study says of its own."""

STAGES: tuple[str, ...] = ("read", "model", "encode", "write")
"""Where the time of a study goes: films and report are read and decoded; scored, pruned and joined; turned into bytes;
written to disk."""


@dataclass(frozen=True, slots=True)
class StudyFacts:
    """One study that was written."""

    films: int = 0
    doubtful_films: int = 0
    """Films whose fact ``quality`` is there and not "good"."""
    films_with_text: int = 0
    """Films in which what looks like letters was found."""
    report: str = ""
    """A key of ``REPORTS``."""
    concepts: int = 0
    source_bytes: int = 0
    """Of the images read."""
    file_bytes: int = 0
    unread: str = ""
    """Why its report gave no concept, a key of ``report_graph.unread.UNREAD``; "" where it did, or there is none."""


def facts_of(study: Study, *, source_bytes: int, file_bytes: int, unread: str = "") -> StudyFacts:
    """What is counted of a study, from its own provenance."""
    films = [facts for facts in study.provenance.get("films", ()) if isinstance(facts, Mapping)]
    return StudyFacts(
        films=len(study.views),
        doubtful_films=sum(facts.get("quality", "good") != "good" for facts in films),
        films_with_text=sum("text_marks" in facts for facts in films),
        report=str(study.provenance.get("report", "")),
        concepts=len(study.concepts),
        source_bytes=source_bytes,
        file_bytes=file_bytes,
        unread=unread,
    )


@dataclass
class Totals:
    """Sums over studies."""

    studies: int = 0
    films: int = 0
    doubtful_films: int = 0
    films_with_text: int = 0
    reports: dict[str, int] = field(default_factory=lambda: dict.fromkeys(REPORTS.values(), 0))
    """Studies by a value of ``REPORTS``."""
    without_concepts: int = 0
    unread: dict[str, int] = field(default_factory=dict)
    """Studies whose report gave no concept, by reason."""
    source_bytes: int = 0
    file_bytes: int = 0

    def add(self, facts: StudyFacts) -> None:
        """Count one study more."""
        self.studies += 1
        for name in ("films", "doubtful_films", "films_with_text", "source_bytes", "file_bytes"):
            setattr(self, name, getattr(self, name) + getattr(facts, name))
        if facts.report in REPORTS:
            self.reports[REPORTS[facts.report]] += 1
        self.without_concepts += not facts.concepts
        if facts.unread:
            self.unread[facts.unread] = self.unread.get(facts.unread, 0) + 1


def read_facts(record: Any) -> StudyFacts | None:
    """The facts of plain data, as ``dataclasses.asdict`` gives it; None where it is none."""
    try:
        return StudyFacts(**record) if isinstance(record, dict) else None
    except TypeError:
        return None
