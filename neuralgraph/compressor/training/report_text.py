"""Which text a film is trained to explain.

Users hand over whole reports, impressions alone, or the text that a conversion cuts out of a report, and a model asked
to write one should write what the film shows and not an invented indication. So one film is learnt with several texts.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from neuralgraph.compressor.report_graph.sections import SectionChoice, parts_to_read, split_sections

__all__ = ["described_text", "training_text", "usual_opening"]

_WHOLE, _BARE, _PART = 0.25, 0.15, 0.10
"""Shares of the draws; what is left is findings and impression under their headings, which is what a model writes."""

_HEADINGS = ("FINDINGS:", "IMPRESSION:")
_SPACES = re.compile(r"\s+")


def described_text(report: str) -> str:
    """Findings and impression under their headings, one line each; the whole report when it has neither.

    Parameters
    ----------
    report : a normalised report.
    """
    return "\n".join(_described(report)) or report.strip()


def usual_opening(reports: Iterable[str]) -> str:
    """The heading with which most of the texts to be written begin; "" where there is no such heading.

    Parameters
    ----------
    reports : normalised reports.
    """
    firsts = Counter(described_text(report).partition(" ")[0] for report in reports)
    heading, count = firsts.most_common(1)[0] if firsts else ("", 0)
    return heading if heading in _HEADINGS and count > firsts.total() / 2 else ""


def training_text(report: str, draw: float) -> str:
    """One of the texts of a report.

    Parameters
    ----------
    report : a normalised report.
    draw : 0 to 1, decides which.
    """
    if draw < _WHOLE:
        return report.strip()
    if draw < _WHOLE + _BARE:
        choice: SectionChoice = "impression" if draw < _WHOLE + _BARE / 2 else "findings+impression"
        parts = (report[start:end].strip() for start, end in parts_to_read(report, choice))
        return "\n\n".join(part for part in parts if part) or report.strip()
    lines = _described(report)
    if draw < _WHOLE + _BARE + _PART and len(lines) > 1:
        return lines[0] if draw < _WHOLE + _BARE + _PART / 2 else lines[-1]
    return "\n".join(lines) or report.strip()


def _described(report: str) -> list[str]:
    sections = split_sections(report)
    findings = [section for section in sections if section.kind == "findings"]
    impressions = [section for section in sections if section.kind == "impression"][-1:]
    return [
        f"{heading} {text}"
        for heading, found in zip(_HEADINGS, (findings, impressions), strict=True)
        if (text := " ".join(_SPACES.sub(" ", report[part.start : part.end]).strip() for part in found))
    ]
