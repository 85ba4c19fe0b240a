"""One report with what joins it to a study, and which of several is the one that counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["ReportDocument", "latest_final"]


@dataclass(frozen=True)
class ReportDocument:
    """A report and its keys. Keys are the source's own identifiers: they go into a manifest, never into an output."""

    text: str
    """Sections under headers ("IMPRESSION:\\n..."), or as the source has them; not normalised."""
    accessions: frozenset[str] = frozenset()
    """Accession numbers it may be filed under: which field holds it differs from site to site."""
    studies: frozenset[str] = frozenset()
    """Study Instance UIDs."""
    patient: str = ""
    """Patient ID; "" where the source does not say."""
    final: bool = True
    """Whether a radiologist has signed it."""
    corrected: bool = False
    """Whether it replaces an earlier final one."""
    issued: str = ""
    """Date and time as the source writes them; sorts."""


def latest_final(documents: Iterable[ReportDocument]) -> ReportDocument | None:
    """The report that counts: of the final ones a corrected one, else the latest; None where none is final."""
    return max(
        (document for document in documents if document.final),
        key=lambda document: (document.corrected, document.issued, document.text),
        default=None,
    )
