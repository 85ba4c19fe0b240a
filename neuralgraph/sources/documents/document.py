"""One report with what joins it to a study, and what several of one study say together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

__all__ = ["ReportDocument", "latest_final", "whole_report"]


@dataclass(frozen=True)
class ReportDocument:
    """A report and its keys. Keys are the source's own identifiers: they go into a manifest, never into an output."""

    text: str
    """Sections under headers ("IMPRESSION:\\n..."), or as the source has them; not normalised."""
    accessions: frozenset[str] = frozenset()
    """Accession numbers it may be filed under: which field holds it differs from site to site."""
    studies: frozenset[str] = frozenset()
    """Study Instance UIDs."""
    patients: frozenset[str] = frozenset()
    """The patient's identifiers, of every authority; empty where the source names none."""
    final: bool = True
    """Whether a radiologist has signed it."""
    corrected: bool = False
    """Whether it replaces an earlier final one."""
    addendum: bool = False
    """Whether it only adds to a report that came before."""
    issued: str = ""
    """Date and time as the source writes them; sorts."""
    problem: str = ""
    """Why it has no text: "PDF", "encapsulated data", "reference", "nothing", "codes"; "" where it has."""

    def is_of(self, patient: str) -> bool:
        """Whether it may be about this patient: it names none, or this one, be it with other leading zeros."""
        if not self.patients or not patient:
            return True
        return _unpadded(patient) in {_unpadded(each) for each in self.patients}


def _unpadded(identifier: str) -> str:
    return identifier.lstrip("0") or identifier if identifier.isdecimal() else identifier


def latest_final(documents: Iterable[ReportDocument]) -> ReportDocument | None:
    """The report that counts: of the final ones a corrected one, else the latest; None where none is final."""
    return max(
        (document for document in documents if document.final),
        key=lambda document: (document.corrected, document.issued, document.text),
        default=None,
    )


def whole_report(documents: Sequence[ReportDocument]) -> tuple[ReportDocument | None, str]:
    """The report that counts, with the addenda that belong to it, in the order in which they were issued.

    Parameters
    ----------
    documents : all of one study.

    Returns
    -------
    report : None where there is none to read.
    reason : why there is none: "report_not_final", "report_without_text" or "addendum_alone"; else "".
    """
    final = [document for document in documents if document.final]
    written = [document for document in final if document.text]
    best = latest_final(document for document in written if not document.addendum)
    addenda = sorted((each for each in written if each.addendum), key=lambda each: (each.issued, each.text))
    if best is None:
        reason = "addendum_alone" if addenda else "report_without_text" if final else "report_not_final"
        return None, reason
    text = best.text
    for addendum in addenda:
        own = addendum.text.strip()
        body = own.removeprefix("ADDENDUM:").strip()
        # A report that was sent again may hold the addendum already.
        if " ".join(body.split()) not in " ".join(text.split()):
            text = f"{text.rstrip()}\n\nADDENDUM:\n{body}"
    return replace(best, text=text), ""
