"""Which parts of a report are read.

The order of preference is that of the authors of MIMIC-CXR (MIT-LCP/mimic-cxr): the last impression, else the
findings, else the last paragraph, else the comparison. What the referrer wrote (indication, history) is never read:
"rule out pneumonia" is a question, not a finding. A text without any header is read as a whole.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal, NamedTuple, get_args

from neuralgraph.errors import ModelError

from .lexicon import load_lexicon

__all__ = ["Section", "SectionChoice", "check_choice", "parts_to_read", "split_sections"]

SectionChoice = Literal["impression", "findings+impression"]

# Headings inside the findings ("LUNGS: clear") do not end them.
_TOPICS = re.compile(
    r"\b(?:lungs?|pleura|heart|cardi\w*|mediastin\w*|hila|bones?|osseous|skelet\w*|soft tissues?|airways?|trachea"
    r"|lines?|tubes?|devices?|catheters?|hardware|abdomen|diaphragm|vessels?|vascula\w*|aorta|spine|ribs?|support)\b"
)
_ABOUT_FILM = re.compile(r"\b(?:chest|views?|radiographs?|x-?ray)\b")
# At the start of a line a known name, or anything in capitals before a colon, is a header; within a line only the few
# names of _INLINE_HEADER are.
_LINE_HEADER = re.compile(r"^[ \t>*#]{0,8}([A-Za-z][A-Za-z ,/&()\-]{1,60}?)[ \t*]{0,4}:", re.MULTILINE)
_BARE_HEADER = re.compile(r"^[ \t>*#]{0,8}([A-Z][A-Za-z ,/&()\-]{3,60}?)[ \t*]{0,4}$", re.MULTILINE)
_INLINE_HEADER = re.compile(
    r"(?<=[.!?:;\s])(findings and impression|impressions?|findings|conclusions?|indications?|(?:clinical )?history"
    r"|comparisons?|technique|reason for exam(?:ination)?|clinical (?:information|indication)|recommendations?)"
    r"[ \t]{0,2}:",
    re.IGNORECASE,
)
_PARAGRAPH = re.compile(r"\n[ \t]*\n\s*")
_CLOSENESS = 0.86


class Section(NamedTuple):
    """A part of the report under one header."""

    kind: str
    """impression, findings, comparison, referral, loose, other, or preamble (what precedes the first header)."""
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
        raise ModelError(
            f"sections must be one of {', '.join(choices)}, not {choice!r}", code="E_MODEL", where="sections"
        )


@lru_cache(maxsize=1024)
def _kind(name: str) -> str | None:
    """What a header opens; None when it is no header of ours."""
    names: Mapping[str, str] = load_lexicon().sections
    plain = " ".join(name.lower().split())
    kind = names.get(plain)
    if kind is not None or not name.isupper():
        return kind
    # Only names that start alike are compared, so that a report full of odd headers costs little.
    alike = [known for known in names if known[0] == plain[0] and len(known) >= 8 and abs(len(known) - len(plain)) <= 2]
    near = difflib.get_close_matches(plain, alike, n=1, cutoff=_CLOSENESS)
    if near:
        return names[near[0]]
    if _ABOUT_FILM.search(plain):
        return "findings"
    return None if _TOPICS.search(plain) else "other"


def _headers(text: str) -> dict[int, tuple[int, str]]:
    """Start of each header to (end of the header, kind)."""
    names = load_lexicon().sections
    found: dict[int, tuple[int, str]] = {}
    for match in _LINE_HEADER.finditer(text):
        kind = _kind(match.group(1))
        if kind is not None:
            found.setdefault(match.start(1), (match.end(), kind))
    for match in _BARE_HEADER.finditer(text):
        known = names.get(" ".join(match.group(1).lower().split()))
        if known is not None:
            found.setdefault(match.start(1), (match.end(), known))
    for match in _INLINE_HEADER.finditer(text):
        before = text[max(0, match.start() - 40) : match.start()].rstrip(" \t")
        # In small letters only after a sentence: "smoking history: 20 years" opens nothing.
        if match.group(1).isupper() or before[-1:] in {".", "!", "?", "\n"}:
            found.setdefault(match.start(1), (match.end(), names[" ".join(match.group(1).lower().split())]))
    return found


def split_sections(text: str) -> list[Section]:
    """The sections of a report, in order; a single preamble when it has no headers."""
    return _between(text, _headers(text))


def _between(text: str, headers: dict[int, tuple[int, str]]) -> list[Section]:
    starts = sorted(headers)
    sections = [Section("preamble", 0, starts[0] if starts else len(text))]
    for start, following in zip(starts, [*starts[1:], len(text)], strict=bool(starts)):
        body, kind = headers[start]
        sections.append(Section(kind, body, max(body, following)))
    return [section for section in sections if text[section.start : section.end].strip()]


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
    headers = _headers(text)
    sections = _between(text, headers)
    if [section.kind for section in sections] == ["preamble"] and not headers:
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
    for kinds in ({"preamble", "loose"}, {"comparison"}):
        rest = [(section.start, section.end) for section in sections if section.kind in kinds]
        if rest:
            return rest
    return []


def _last_paragraph(text: str, sections: list[Section]) -> tuple[int, int] | None:
    """The paragraph that closes the report, if a blank line parts it from the body of the last header."""
    if not sections or sections[-1].kind == "preamble":
        return None
    _, start, end = sections[-1]
    body = end - len(text[start:end].lstrip())
    breaks = [match.end() for match in _PARAGRAPH.finditer(text, body, end)]
    breaks = [position for position in breaks if position < end]
    return (breaks[-1], end) if breaks else None
