"""What a run did, counted while it goes on."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from neuralgraph.bulk.facts import STAGES, Totals
from neuralgraph.bulk.task import Answer

__all__ = ["Outcome"]


@dataclass
class Outcome:
    """What a run did."""

    planned: int
    converted: int = 0
    verified: int = 0
    """Were there already, whole."""
    failed: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    """Left out by choice, by reason."""
    reasons: Counter[str] = field(default_factory=Counter)
    """Failures by reason."""
    source_bytes: int = 0
    file_bytes: int = 0
    """Of the studies converted in this run."""
    here: Totals = field(default_factory=Totals)
    """Sums over the studies of the plan that are there, whichever run made them."""
    stages: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))
    """Seconds by stage, summed over the workers."""
    seconds: float = 0.0
    """The run took."""
    restored: int = 0
    """Of the converted ones those that had been written before and whose file was gone or changed."""
    changed: int = 0
    """Studies that had been written of another film, report, or row, and were made again or failed."""
    orphans: int = 0
    """Studies in the destination that the source has no longer; they stay, and are listed with the others."""
    unlisted: int = 0
    """Failures that could not even be written to their list, because the disk is full there too."""
    stopped: str = ""
    """Why the run ended early: "signal", "max_errors" or "destination"; else ""."""

    @property
    def remaining(self) -> int:
        """Studies neither done nor failed."""
        return self.planned - self.converted - self.verified - self.failed

    @property
    def complete(self) -> bool:
        """Nothing failed and nothing remains."""
        return not (self.failed or self.remaining or self.stopped)

    def took(self, answer: Answer) -> None:
        """Count the seconds of a study that was tried."""
        for stage, seconds in answer.seconds.items():
            if stage in self.stages:
                self.stages[stage] += seconds

    def wrote(self, answer: Answer) -> None:
        """Count a study that was written."""
        self.converted += 1
        if answer.facts is not None:
            self.source_bytes += answer.facts.source_bytes
            self.file_bytes += answer.facts.file_bytes
