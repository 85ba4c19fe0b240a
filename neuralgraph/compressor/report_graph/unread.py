"""Why a report gave no concept, in words for whoever waits for its graph."""

from __future__ import annotations

from neuralgraph.compressor.report_graph.language import is_another_language
from neuralgraph.compressor.report_graph.sections import SectionChoice, read_parts

__all__ = ["UNREAD", "unread_reason"]

UNREAD: dict[str, str] = {
    "language": "the report is not in English: nothing of it was read",
    "sections": "the report says nothing outside indication, history, comparison and technique",
    "words": "the report names no finding, device or part of the chest that the rules know",
}
"""Reasons, and what each means."""


def unread_reason(text: str | None, sections: SectionChoice = "findings+impression") -> str:
    """A key of ``UNREAD`` for a report whose graph has no concept; "" without a text, or for one without words.

    Parameters
    ----------
    text : the report.
    sections : what was to be read of it.
    """
    if text is None or not any(letter.isalpha() for letter in text):
        return ""
    if is_another_language(text):
        return "language"
    parts = read_parts(text, sections)
    said = any(letter.isalpha() for part in parts for letter in text[part.start : part.end])
    return "words" if said else "sections"
