"""What of a report goes into a study: the part that describes the film.

The referrer's words, headers and the marks of removed text stay out of everything: attention is summed over what the
radiologist saw, concepts are read from the same text, and a stored report is this text too.
"""

from __future__ import annotations

import re

from neuralgraph.compressor.report_graph.sections import SectionChoice, parts_to_read
from neuralgraph.errors import SourceError
from neuralgraph.sources import normalise_report

__all__ = ["described"]

_REMOVED = re.compile(r"\b[Xx]{3,}\b|_{2,}")
_SPACES = re.compile(r"[ \t]{2,}")
_BLANK_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")


def described(text: str, sections: SectionChoice) -> str:
    """The chosen parts of a report, one after another with a blank line between.

    Parameters
    ----------
    text : the whole report.
    sections : as in ``report_graph.sections.parts_to_read``.

    Raises
    ------
    SourceError
        E_SOURCE_TEXT, E_SOURCE_SIZE: not a report. E_SOURCE_EMPTY: it says nothing about the film.
    """
    whole = normalise_report(text)
    parts = (whole[start:end] for start, end in parts_to_read(whole, sections))
    scrubbed = (_SPACES.sub(" ", _REMOVED.sub("", part)) for part in parts)
    joined = _BLANK_LINES.sub("\n\n", "\n\n".join(part.strip() for part in scrubbed)).strip()
    if not any(letter.isalpha() for letter in joined):
        raise SourceError("the report says nothing about the film", code="E_SOURCE_EMPTY")
    return joined
