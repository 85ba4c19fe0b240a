"""Which parts of a report are read.

The order of preference is that of the authors of MIMIC-CXR: the last impression, else the findings, else the last
paragraph, else the comparison (Johnson et al., Sci Data 2019; field rules, own code). What the referrer
wrote (indication, history) is never read: "rule out pneumonia" is a question, not a finding. A text without any
header is read as a whole.
"""

from __future__ import annotations

import difflib
import re
from typing import Literal, NamedTuple, get_args

from neuralgraph.errors import ModelError

__all__ = ["SECTION_NAMES", "Section", "SectionChoice", "check_choice", "parts_to_read", "split_sections"]

SectionChoice = Literal["impression", "findings+impression"]

SECTION_NAMES: dict[str, str] = {
    **dict.fromkeys(
        (
            "impression", "impressions", "conclusion", "conclusions", "opinion", "summary", "interpretation",
            "findings and impression", "findings/impression", "impression and findings", "impression/findings",
            "findings & impression", "final impression", "impression and plan", "impression and recommendation",
            "impression/recommendation", "impression and recommendations", "assessment", "imp", "diagnosis",
            "radiographic diagnosis", "overall impression", "result", "results",
        ),
        "impression",
    ),
    **dict.fromkeys(
        (
            "findings", "finding", "observation", "observations", "report", "description", "narrative",
            "body of report", "radiographic findings", "chest findings", "chest", "portable chest",
        ),
        "findings",
    ),
    **dict.fromkeys(("comparison", "comparisons", "compared to", "prior studies", "comparison studies"), "comparison"),
    **dict.fromkeys(
        (
            "indication", "indications", "history", "clinical history", "clinical information", "clinical indication",
            "reason", "reason for exam", "reason for examination", "reason for study", "reason for this examination",
            "reason for the exam", "hx", "clinical data", "patient history", "medical history", "past medical history",
            "clinical details", "clinical statement", "clinical question", "question", "provisional diagnosis",
            "admitting diagnosis", "underlying medical condition", "medical condition", "clinical notes", "referral",
            "pertinent history", "present illness", "symptoms", "complaint", "chief complaint",
        ),
        "referral",
    ),
    **dict.fromkeys(
        (
            "technique", "exam", "exam type", "examination", "study", "type of examination", "procedure", "views", "view",
            "procedure comments", "protocol", "date", "exam date", "date of exam", "time", "accession", "accession number",
            "patient", "name", "patient name", "mrn", "dob", "age", "sex", "physician", "radiologist", "ordering physician",
            "dictated by", "signed by", "electronically signed by", "attending", "resident", "recommendation",
            "recommendations", "recommendation(s)", "notification", "notifications", "communication", "wet read",
            "preliminary report", "final report", "addendum", "disclaimer", "attestation", "dose", "contrast", "comment",
            "comments", "note", "end of impression", "plan", "image quality", "limitations", "mesh", "problems",
        ),
        "other",
    ),
}
"""Section headers, lower case, and what they open."""

# Headings inside the findings ("LUNGS: clear") do not end them.
_TOPICS = re.compile(
    r"\b(?:lungs?|pleura|heart|cardi\w*|mediastin\w*|hila|bones?|osseous|skelet\w*|soft tissues?|airways?|trachea"
    r"|lines?|tubes?|devices?|catheters?|hardware|abdomen|diaphragm|vessels?|vascula\w*|aorta|spine|ribs?|support)\b"
)
_ABOUT_FILM = re.compile(r"\b(?:chest|views?|radiographs?|x-?ray)\b")
_MISSPELT = sorted(name for name in SECTION_NAMES if len(name) >= 8)
# At the start of a line anything in capitals before a colon is a header; within a line only the known names are.
_LINE_HEADER = re.compile(r"^[ \t>*#]{0,8}([A-Za-z][A-Za-z ,/&()\-]{1,60}?)[ \t*]{0,4}:", re.MULTILINE)
_BARE_HEADER = re.compile(r"^[ \t>*#]{0,8}([A-Z][A-Z ,/&()\-]{3,60}?)[ \t*]{0,4}$", re.MULTILINE)
_INLINE_HEADER = re.compile(
    r"(?<=[.!?\s])(?P<name>impressions?|findings|conclusions?|indications?|(?:clinical )?history|comparisons?|technique"
    r"|findings and impression|reason for exam(?:ination)?|clinical (?:information|indication)|recommendations?)[ \t]{0,2}:",
    re.IGNORECASE,
)
_PARAGRAPH = re.compile(r"\n[ \t]*\n\s*")


class Section(NamedTuple):
    """A part of the report under one header."""

    kind: str
    """impression, findings, comparison, referral, other, or preamble (what precedes the first header)."""
    start: int
    """First code point after the header."""
    end: int
    """One past its last code point."""


def check_choice(choice: str) -> None:
    """Refuse an unknown choice of sections.

    Raises
    ------
    ModelError
        E_MODEL, naming the choices.
    """
    choices = get_args(SectionChoice)
    if choice not in choices:
        raise ModelError(f"sections must be one of {', '.join(choices)}, not {choice!r}", where="sections")


def _kind(name: str, *, capitals: bool) -> str | None:
    """What a header opens; None when it is no header of ours."""
    name = " ".join(name.lower().split())
    kind = SECTION_NAMES.get(name)
    if kind is not None:
        return kind
    if not capitals:
        return None
    near = difflib.get_close_matches(name, _MISSPELT, n=1, cutoff=0.86)
    if near:
        return SECTION_NAMES[near[0]]
    if _ABOUT_FILM.search(name):
        return "findings"
    return None if _TOPICS.search(name) else "other"


def split_sections(text: str) -> list[Section]:
    """The sections of a report, in order; a single preamble when it has no headers."""
    headers: dict[int, tuple[int, str]] = {}
    for pattern in (_LINE_HEADER, _BARE_HEADER, _INLINE_HEADER):
        for match in pattern.finditer(text):
            kind = _kind(match.group(1), capitals=match.group(1).isupper())
            if kind is not None and (pattern is not _BARE_HEADER or match.group(1).lower().strip() in SECTION_NAMES):
                headers.setdefault(match.start(1), (match.end(), kind))
    sections = []
    first = min(headers, default=len(text))
    if text[:first].strip():
        sections.append(Section("preamble", 0, first))
    starts = sorted(headers)
    for start, following in zip(starts, [*starts[1:], len(text)], strict=False):
        body, kind = headers[start]
        sections.append(Section(kind, body, max(body, following)))
    return sections


def parts_to_read(text: str, choice: SectionChoice = "impression") -> list[tuple[int, int]]:
    """The parts of a report that the rules read, as (start, end) in code points of ``text``, in order.

    Parameters
    ----------
    text : the whole report.
    choice : "impression" (the paper's choice): the last impression alone when there is one.
        "findings+impression": the findings as well, for a richer graph of the same film.

    Returns
    -------
    list of (int, int)
        empty when the report says nothing outside the referrer's words and the technique.
    """
    sections = [section for section in split_sections(text) if text[section.start : section.end].strip()]
    if [section.kind for section in sections] == ["preamble"]:
        return [(0, len(text))]
    impressions = [section for section in sections if section.kind == "impression"][-1:]
    findings = [section for section in sections if section.kind == "findings"]
    chosen = sorted(findings + impressions, key=lambda section: section.start)
    if choice == "impression" and impressions:
        chosen = impressions
    if chosen:
        return [(section.start, section.end) for section in chosen]
    last = _last_paragraph(text, sections)
    if last is not None:
        return [last]
    for kind in ("preamble", "comparison"):
        rest = [(section.start, section.end) for section in sections if section.kind == kind]
        if rest:
            return rest
    return []


def _last_paragraph(text: str, sections: list[Section]) -> tuple[int, int] | None:
    """The paragraph that closes the report, if a blank line parts it from the body of the last header."""
    if not sections:
        return None
    _, start, end = sections[-1]
    body = start + len(text[start:end]) - len(text[start:end].lstrip())
    breaks = [match.end() for match in _PARAGRAPH.finditer(text, body, end) if text[match.end() : end].strip()]
    return (breaks[-1], end) if breaks else None
