"""Which parts of a report are read, and what each of them is.

The clinical narrative is read: findings, impression and addenda. What the referrer wrote (indication, history), what
the film was compared with and how it was made are never read: "rule out pneumonia" is a question, not a finding. A
narrative need not be headed: topics ("LUNGS: ...") end an indication, and a paragraph after it is no part of it.

With the choice "impression" the order of preference is that of the authors of MIMIC-CXR (MIT-LCP/mimic-cxr), whose
labels come from the last impression, else the findings, else the last paragraph, else the comparison.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Literal, NamedTuple, get_args

from neuralgraph.compressor.report_graph.lexicon import load_lexicon
from neuralgraph.compressor.report_graph.words import split_words
from neuralgraph.errors import ModelError

__all__ = ["Part", "ReportSection", "SectionChoice", "check_choice", "parts_to_read", "read_parts", "split_sections"]

SectionChoice = Literal["findings+impression", "impression"]

_TOPICS = re.compile(
    r"\b(?:lungs?|pleura|heart|cardi\w*|mediastin\w*|hila|bones?|osseous|skelet\w*|soft tissues?|airways?|trachea"
    r"|lines?|tubes?|devices?|catheters?|hardware|abdomen|diaphragm|vessels?|vascula\w*|aorta|spine|ribs?|support)\b"
)
_ABOUT_FILM = re.compile(r"\b(?:chest|views?|radiographs?|x-?ray)\b")
_ADDING = re.compile(r"\b(?:addend|amend)")
_ASKING = re.compile(r"\b(?:rule out|r/o|evaluate|reason|history|hx|indication|clinical)\b")
_BARE_HEADER = re.compile(r"^[ \t>*#=_-]{0,12}([A-Z][A-Za-z ,/&()\-]{3,60}?)[ \t*=_-]{0,12}$", re.MULTILINE)
_DASHED_HEADER = re.compile(
    r"^[ \t>*#]{0,8}([A-Z][A-Za-z /&]{3,40}?)[ \t]+[-\N{EN DASH}\N{EM DASH}][ \t]", re.MULTILINE
)
_ADDENDUM = re.compile(
    r"^[ \t>*#=_\-\[]{0,12}((?:late |first |second |third |new )?(?:addend(?:um|a)|amend(?:ed|ment)|correct(?:ed|ion)"
    r"|revised|revision|appended)\b[^\n:]{0,60}?)[ \t*=_\-\]]{0,12}(?::|$)",
    re.MULTILINE | re.IGNORECASE,
)
_NUMBERED = re.compile(r"[\s#]*(?:no\.?)?[\s#]*\d{1,2}\Z", re.IGNORECASE)
_CAPITALS = re.compile(r"[A-Z][A-Z /&,()\-]{2,58}\Z")
_EDGES = " \t>*#-_="
_PARAGRAPH = re.compile(r"\n[ \t]*\n\s*")
_LINE_END = re.compile(r"\n\s*")
_POINTS_BACK = re.compile(
    r"\b(?:as|see|refer|per)\b[^.]{0,40}\b(?:above|findings|body|narrative|report|text|below)\b", re.IGNORECASE
)
_CLOSENESS = 0.86
_LONGEST_NAME = 60
_NARRATIVE = frozenset({"findings", "impression", "addendum", "preliminary", "loose"})
_ASIDE = frozenset({"referral", "comparison", "other"})


class ReportSection(NamedTuple):
    """A part of the report under one header."""

    kind: str
    """impression, findings, addendum, preliminary, loose (a comment), comparison, referral, other, or preamble (what
    precedes the first header)."""
    start: int
    """First code point after the header."""
    end: int
    """One past its last code point."""


class Part(NamedTuple):
    """A part of the report that is read."""

    section: str
    """One of ``neuralgraph.wire.vocabulary.REPORT_SECTIONS``."""
    start: int
    """First code point."""
    end: int
    """One past the last."""
    rank: int
    """Which part decides where two contradict each other: the higher, of equal ones the later."""


_SECTIONS = {"findings": ("findings", 2), "impression": ("impression", 3), "addendum": ("addendum", 4)}


def check_choice(choice: str) -> None:
    """Refuse an unknown choice of sections.

    Raises
    ------
    ModelError (E_MODEL) : naming the choices.
    """
    choices = get_args(SectionChoice)
    if choice not in choices:
        raise ModelError(
            f"sections must be one of {', '.join(choices)}, not {choice!r}", code="E_MODEL", where="sections"
        )


@lru_cache(maxsize=2048)
def _kind(name: str, *, begins_line: bool) -> str | None:
    """What a header opens; None when it is no header of ours."""
    names: Mapping[str, str] = load_lexicon().sections
    plain = " ".join(name.lower().split())
    kind = names.get(plain) or names.get(_NUMBERED.sub("", plain))
    # "ABSENT: effusion, edema" is an answer that stands in front of its questions.
    answers = load_lexicon().cues.answers.get(split_words(plain)) in ("absent", "present")
    if kind is not None or answers or not name.isupper() or not begins_line:
        return kind
    # Only names that start alike are compared, so that a report full of odd headers costs little.
    alike = [known for known in names if known[0] == plain[0] and len(known) >= 8 and abs(len(known) - len(plain)) <= 2]
    near = difflib.get_close_matches(plain, alike, n=1, cutoff=_CLOSENESS)
    if near:
        return names[near[0]]
    if _ADDING.search(plain):
        return "addendum"
    if _ASKING.search(plain):
        return "referral"
    if _ABOUT_FILM.search(plain):
        return "findings"
    # "PNEUMOTHORAX: NONE" is an answer, not a section.
    if not load_lexicon().nouns.isdisjoint(split_words(plain)):
        return "topics"
    return "topics" if _TOPICS.search(plain) else "other"


def _colons(text: str) -> Iterator[tuple[int, int, str, bool]]:
    """(start, end of the header, name, whether it begins a line) of what stands before each colon."""
    at = text.find(":")
    while at >= 0:
        begin = max(0, at - _LONGEST_NAME)
        piece = text[begin:at]
        cut = max(piece.rfind(stop) for stop in ".!?;:\n\t")
        complete = cut >= 0 or begin == 0
        if complete:
            start = begin + cut + 1
            name = text[start:at].strip(_EDGES)
            begins_line = start == 0 or text[start - 1] == "\n"
            if name:
                start = text.index(name, start)
                yield start, at + 1, name, begins_line
        # "cough FINDINGS: clear": capitals that end a sentence of small letters.
        capitals = _CAPITALS.search(piece.rstrip(_EDGES))
        if capitals is not None and (not complete or capitals.group().strip() != name):
            yield begin + capitals.start(), at + 1, capitals.group().strip(), False
        at = text.find(":", at + 1)


def _headers(text: str) -> dict[int, tuple[int, str]]:
    """Start of each header to (end of the header, kind)."""
    names = load_lexicon().sections
    found: dict[int, tuple[int, str]] = {}
    for start, end, name, begins_line in _colons(text):
        kind = _kind(name, begins_line=begins_line)
        if kind is not None:
            found.setdefault(start, (end, kind))
    for pattern in (_BARE_HEADER, _DASHED_HEADER):
        for match in pattern.finditer(text):
            known = names.get(" ".join(match.group(1).lower().split()))
            if known is not None and (known != "topics" or pattern is _BARE_HEADER):
                found.setdefault(match.start(1), (match.end(), known))
    for match in _ADDENDUM.finditer(text):
        # A sentence may begin so: "Corrected for rotation, ..."; a header has no more than a date and a name.
        if match.group(0).endswith(":") or match.group(1).isupper() or len(match.group(1).split()) <= 2:
            found[match.start(1)] = (match.end(), "addendum")
    return found


def split_sections(text: str) -> list[ReportSection]:
    """The sections of a report, in order; a single preamble when it has no headers."""
    return _between(text, _headers(text))


def _between(text: str, headers: Mapping[int, tuple[int, str]]) -> list[ReportSection]:
    bounds: list[tuple[str, int, int]] = [("preamble", 0, 0)]
    for start in sorted(headers):
        end, kind = headers[start]
        if start < bounds[-1][2]:
            continue
        if kind == "topics":
            # A topic is a heading within the narrative, and its words are read; it ends everything else.
            if bounds[-1][0] in _NARRATIVE or (bounds[-1][0] == "preamble" and len(bounds) == 1):
                continue
            bounds.append(("findings", start, start))
        else:
            bounds.append((kind, start, end))
    sections = [
        ReportSection(kind, body, following[1])
        for (kind, _, body), following in zip(bounds, [*bounds[1:], ("", len(text), 0)], strict=True)
    ]
    return [section for section in sections if text[section.start : section.end].strip()]


def read_parts(text: str, choice: SectionChoice = "findings+impression") -> list[Part]:
    """The parts of a report that are read, in order.

    Parameters
    ----------
    text : the whole report.
    choice : "findings+impression": the clinical narrative: findings, impression and addenda, headed or not.
        "impression": MIMIC's choice for labels: the last impression alone when it says something.

    Returns
    -------
    list of Part : empty when the report says nothing outside the referrer's words and the technique.
    """
    headers = _headers(text)
    sections = _between(text, headers)
    if [section.kind for section in sections] == ["preamble"] and not headers:
        return [Part("unknown", 0, len(text), 1)]
    if choice == "impression":
        return [_part(section) for section in _for_labels(text, sections)]
    chosen = [section for section in sections if section.kind in _NARRATIVE]
    kinds = {section.kind for section in chosen}
    if "findings" not in kinds:
        chosen += [section for section in sections if section.kind == "preamble"]
        chosen += _unheaded(text, sections)
    if not chosen:
        chosen = _below_first_line(text, sections)
    # A rule of asterisks is no preamble.
    chosen = [section for section in chosen if any(map(str.isalnum, text[section.start : section.end]))]
    return [_part(section) for section in sorted(chosen, key=lambda section: section.start)]


def parts_to_read(text: str, choice: SectionChoice = "findings+impression") -> list[tuple[int, int]]:
    """The places of ``read_parts``: (start, end) in code points of ``text``, in order."""
    return [(part.start, part.end) for part in read_parts(text, choice)]


def _part(section: ReportSection) -> Part:
    name, rank = _SECTIONS.get(section.kind, ("unknown", 0 if section.kind == "preliminary" else 1))
    return Part(name, section.start, section.end, rank)


def _unheaded(text: str, sections: list[ReportSection]) -> list[ReportSection]:
    """Paragraphs of narrative that stand under no header of their own, after the last indication or technique."""
    found = []
    for number, section in enumerate(sections):
        following = sections[number + 1].kind if number + 1 < len(sections) else "impression"
        if section.kind in _ASIDE and following not in _ASIDE:
            body = section.end - len(text[section.start : section.end].lstrip())
            cut = _PARAGRAPH.search(text, body, section.end)
            if cut is not None and text[cut.end() : section.end].strip():
                found.append(ReportSection("preamble", cut.end(), section.end))
    return found


def _below_first_line(text: str, sections: list[ReportSection]) -> list[ReportSection]:
    """Where nothing else is left: the lines below the first one of the last indication."""
    if not sections or sections[-1].kind not in _ASIDE:
        return []
    _, start, end = sections[-1]
    body = end - len(text[start:end].lstrip())
    cut = _LINE_END.search(text, body, end)
    if cut is None or not text[cut.end() : end].strip():
        return []
    return [ReportSection("preamble", cut.end(), end)]


def _for_labels(text: str, sections: list[ReportSection]) -> list[ReportSection]:
    findings = [section for section in sections if section.kind == "findings"]
    impressions = [section for section in sections if section.kind == "impression"][-1:]
    if impressions and (not findings or _says_something(text[impressions[0].start : impressions[0].end])):
        return impressions
    if findings:
        return sorted(findings + impressions, key=lambda section: section.start)
    last = _last_paragraph(text, sections)
    if last is not None:
        return [ReportSection("preamble", *last)]
    for kinds in ({"preamble", "loose", "preliminary", "addendum"}, {"comparison"}):
        rest = [section for section in sections if section.kind in kinds]
        if rest:
            return rest
    return []


def _says_something(impression: str) -> bool:
    """Whether an impression says more than where to look: "See above.", "Dictated.", "."."""
    if _POINTS_BACK.search(impression) is not None:
        return False
    lexicon = load_lexicon()
    words = split_words(impression)
    return any(word in lexicon.nouns or (word,) in lexicon.phrases for word in words)


def _last_paragraph(text: str, sections: list[ReportSection]) -> tuple[int, int] | None:
    """The paragraph that closes the report, if a blank line parts it from the body of the last header."""
    if not sections or sections[-1].kind == "preamble":
        return None
    _, start, end = sections[-1]
    body = end - len(text[start:end].lstrip())
    breaks = [match.end() for match in _PARAGRAPH.finditer(text, body, end)]
    breaks = [position for position in breaks if position < end]
    return (breaks[-1], end) if breaks else None
