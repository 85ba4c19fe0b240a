"""What of a report goes into a study: the part that describes the film.

The referrer's words, comparison and technique stay out of everything: attention is summed over what the radiologist
saw, concepts are read from the same text, and a stored report is this text too. Each part keeps a heading, so that a
concept knows which section it comes from. Where text was removed one short mark stays: words that it parted are not to
be read as one name.
"""

from __future__ import annotations

import re

from neuralgraph.compressor.report_graph.language import is_another_language
from neuralgraph.compressor.report_graph.sections import Part, SectionChoice, read_parts
from neuralgraph.errors import SourceError
from neuralgraph.sources import normalise_report

__all__ = ["described"]

_REMOVED = re.compile(r"\[\*\*[^\n*]*\*\*\]|\b[Xx]{3,}\b|_{2,}")
_MARK = "_"
_SPACES = re.compile(r"[ \t]{2,}")
_BLANK_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")
_PRELIMINARY = 0


def described(text: str, sections: SectionChoice, *, headings: bool = True) -> str:
    """The chosen parts of a report, one after another with a blank line between.

    Parameters
    ----------
    text : the whole report.
    sections : as in ``report_graph.sections.read_parts``.
    headings : put each part under its heading ("FINDINGS:"); a report without headings gets none.

    Raises
    ------
    SourceError (E_SOURCE_TEXT, E_SOURCE_SIZE) : not a report.
    SourceError (E_SOURCE_EMPTY) : it says nothing about the film.
    """
    whole = normalise_report(text)
    # Headings of other languages are not known: such a report is kept whole, and gives no concept.
    parts = [Part("unknown", 0, len(whole), 1)] if is_another_language(whole) else read_parts(whole, sections)
    pieces: list[str] = []
    for part in parts:
        words = _SPACES.sub(" ", _REMOVED.sub(_MARK, whole[part.start : part.end])).strip()
        if any(letter.isalpha() for letter in words):
            heading = _heading(part, first=not pieces) if headings else ""
            pieces.append(f"{heading}:\n{words}" if heading else words)
    if not pieces:
        raise SourceError("the report says nothing about the film", code="E_SOURCE_EMPTY")
    return _BLANK_LINES.sub("\n\n", "\n\n".join(pieces)).strip()


def _heading(part: Part, *, first: bool) -> str:
    if part.section != "unknown":
        return part.section.upper()
    if part.rank == _PRELIMINARY:
        return "PRELIMINARY REPORT"
    # A first part needs none; a later one would be taken for more of what stands before it.
    return "" if first else "COMMENT"
