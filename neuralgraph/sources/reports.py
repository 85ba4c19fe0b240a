"""Report texts, in one normal form, so that offsets into them mean the same everywhere."""

from __future__ import annotations

import os
import re

from neuralgraph.errors import SourceError
from neuralgraph.sources.files import read_whole_file
from neuralgraph.wire.composed import composed

__all__ = ["MAX_REPORT_BYTES", "normalise_report", "read_report"]

MAX_REPORT_BYTES = 1024 * 1024
"""Largest report, in bytes of UTF-8."""

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def read_report(path: str | os.PathLike[str]) -> str:
    """The report in a text file, normalised.

    Parameters
    ----------
    path : a UTF-8 file, or UTF-16 with its byte order mark; the mark is skipped.

    Returns
    -------
    str : the text as ``normalise_report`` gives it; every offset in a study counts code points of this.

    Raises
    ------
    SourceError (E_SOURCE_READ, E_SOURCE_EMPTY) : it cannot be read, or holds nothing.
    SourceError (E_SOURCE_SIZE) : over 1 MiB.
    SourceError (E_SOURCE_TEXT) : not strictly UTF-8 or UTF-16, or control characters.
    """
    data = read_whole_file(path, max_bytes=MAX_REPORT_BYTES)
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    name = "UTF-16" if wide else "UTF-8"
    try:
        text = data.decode(name)
    except UnicodeDecodeError as error:
        raise SourceError(
            f"the report is not {name} (byte {error.start}); save it as UTF-8", code="E_SOURCE_TEXT"
        ) from error
    return normalise_report(text)


def normalise_report(text: str) -> str:
    """A report in the form that studies refer to.

    A byte order mark at the start goes, line ends become ``\\n``, and Unicode is composed (NFC). Nothing else
    changes: spaces, indentation and blank lines stay. The result is its own normal form. Offsets count code points
    of the result, not bytes and not characters of the file.

    Parameters
    ----------
    text : any report, from a file or a table.

    Returns
    -------
    str : the normalised text.

    Raises
    ------
    SourceError (E_SOURCE_EMPTY) : nothing but white space.
    SourceError (E_SOURCE_SIZE) : over 1 MiB of UTF-8.
    SourceError (E_SOURCE_TEXT) : a control character other than tab and line ends, or half a surrogate pair.
    """
    if len(text) > MAX_REPORT_BYTES:
        raise SourceError(f"the report is larger than {MAX_REPORT_BYTES} bytes", code="E_SOURCE_SIZE")
    if forbidden := _FORBIDDEN.search(text):
        raise SourceError(
            f"the report has the forbidden character U+{ord(forbidden[0]):04X} at position {forbidden.start()}",
            code="E_SOURCE_TEXT",
        )
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = composed(text.lstrip("\ufeff"))
    if not text.strip():
        raise SourceError("the report has no text", code="E_SOURCE_EMPTY")
    if len(text.encode("utf-8")) > MAX_REPORT_BYTES:
        raise SourceError(f"the report is larger than {MAX_REPORT_BYTES} bytes", code="E_SOURCE_SIZE")
    return text
