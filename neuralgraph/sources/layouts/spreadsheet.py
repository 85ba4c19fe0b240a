"""A csv as people have it: commas, semicolons or tabs, with or without a byte order mark, as spreadsheets save it.

Excel separates by what the country uses, writes "Unicode text" as UTF-16 with tabs, and plain "CSV" in the code page of
Windows. The first two are told by the file itself; the last is a guess, which is said.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import itertools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from neuralgraph.errors import SourceError
from neuralgraph.sources.layouts.tables import reading_table

__all__ = ["Spreadsheet", "read_spreadsheet", "spreadsheet"]

_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_BLOCK = 1 << 20
_MOST_FIELD = 2 * 1024 * 1024
"""Characters of one cell: a report of the largest size fits, and is refused for its size, not as damage."""
_MOST_LINE = 64 * 1024 * 1024
_CONTROLS = frozenset(range(32)) - {9, 10, 12, 13, 26}
_NOT_WINDOWS = frozenset((0x81, 0x8D, 0x8F, 0x90, 0x9D))
_LETTERS, _NOT_UTF8 = re.compile("[^\x00-\x7f]"), re.compile("[\udc80-\udcff]")
_ENCODINGS = {
    "utf-8-sig": ("UTF-8", ""),
    "utf-16": ("UTF-16", ""),
    "damaged": ("UTF-8", "some letters of the table are not UTF-8; the studies that have them are refused"),
    "cp1252": (
        "Windows-1252",
        "the table is not UTF-8 and was read as Windows-1252; save it as 'CSV UTF-8' to be sure of its letters",
    ),
}

# The csv module has one limit for the whole process; the one it comes with is smaller than a report may be.
csv.field_size_limit(max(csv.field_size_limit(), _MOST_FIELD))


@dataclass(frozen=True)
class Spreadsheet:
    """How a table is written."""

    path: Path
    encoding: str
    separator: str
    header: tuple[str, ...]
    """Names of the columns, without white space around."""
    skipped: int = 0
    """Lines before the header: Excel's "sep=;"."""

    @property
    def form(self) -> str:
        """For whoever made it."""
        return f"separated by {_SEPARATORS[self.separator]}, {_ENCODINGS[self.encoding][0]}"

    @property
    def warning(self) -> str:
        """What is a guess, or ""."""
        return _ENCODINGS[self.encoding][1]


def spreadsheet(path: Path) -> Spreadsheet:
    """How a table is written.

    Raises
    ------
    SourceError (E_SOURCE_READ) : it cannot be read.
    SourceError (E_SOURCE_EMPTY) : no header.
    SourceError (E_SOURCE_TEXT) : no text of a known encoding.
    SourceError (E_SOURCE_DAMAGED) : broken compression or quoting.
    """
    encoding = _encoding(path)
    with _text(path, encoding) as stream:
        first = stream.readline(_MOST_LINE)
        skipped = 0
        if first.strip().lower().startswith("sep=") and len(first.strip()) <= 5:
            separator, skipped = first.strip()[4:] or "\t", 1
            if separator not in _SEPARATORS:
                raise SourceError("the table is separated by something unknown", code="E_SOURCE_TEXT", where=path.name)
        else:
            separator = _separator(first)
            stream.seek(0)
        header = next(csv.reader(_lines(stream), strict=True, delimiter=separator), [])
    names = tuple(name.strip() for name in header)
    if not any(names):
        raise SourceError("the table has no header", code="E_SOURCE_EMPTY", where=path.name)
    given = [name for name in names if name]
    if len(set(given)) != len(given):
        raise SourceError("two columns of the table have the same name", code="E_SOURCE_READ", where=path.name)
    return Spreadsheet(path, encoding, separator, names, skipped)


def read_spreadsheet(table: Spreadsheet) -> Iterator[dict[str, str] | None]:
    """The rows, cells without white space around; None for a row that does not fit the header. Empty rows, and cells
    of columns without a name, are passed over, as spreadsheets leave them.

    Raises
    ------
    SourceError : as ``spreadsheet``.
    """
    width = len(table.header)
    with _text(table.path, table.encoding) as stream:
        for _ in range(table.skipped):
            stream.readline(_MOST_LINE)
        rows = csv.reader(_lines(stream), strict=True, delimiter=table.separator)
        next(rows, None)
        for fields in rows:
            cells = [text.strip() for text in fields]
            while len(cells) > width and not cells[-1]:
                cells.pop()
            if not any(cells):
                continue
            if len(cells) != width:
                yield None
                continue
            yield {name: cell for name, cell in zip(table.header, cells, strict=True) if name}


def _separator(line: str) -> str:
    """What stands between the names of the header, outside of quotes."""
    bare = "".join(itertools.chain.from_iterable(line.split('"')[::2]))
    return max(_SEPARATORS, key=lambda mark: bare.count(mark))


def _encoding(path: Path) -> str:
    """The encoding of the whole file.

    UTF-16 is believed where its mark stands at the beginning. Of what is not UTF-8, a text that has more letters in
    UTF-8 than bytes that are none is damaged UTF-8: the cells with these bytes are refused one by one. Else it is taken
    for the code page of Windows in western countries, unless it holds what no text does.
    """
    right = wrong = 0
    controls = windows = True
    with _bytes(path) as stream:
        block = stream.read(_BLOCK)
        if block.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        decoder = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape")
        while block:
            text = decoder.decode(block)
            if not block.isascii():
                strange = len(_NOT_UTF8.findall(text))
                wrong += strange
                right += len(_LETTERS.findall(text)) - strange
                windows = windows and not _NOT_WINDOWS.intersection(block)
            controls = controls and not _CONTROLS.intersection(block)
            block = stream.read(_BLOCK)
        wrong += len(decoder.decode(b"", final=True))
    if not wrong:
        return "utf-8-sig"
    if right > wrong:
        return "damaged"
    if not (controls and windows):
        raise SourceError("the table is neither UTF-8 nor another text", code="E_SOURCE_TEXT", where=path.name)
    return "cp1252"


def _lines(stream: IO[str]) -> Iterator[str]:
    """Lines, of bounded length."""
    while line := stream.readline(_MOST_LINE):
        if len(line) >= _MOST_LINE:
            raise SourceError("a line of the table is longer than any report", code="E_SOURCE_SIZE")
        yield line


@contextmanager
def _bytes(path: Path) -> Iterator[IO[bytes]]:
    opened = gzip.open if path.suffix == ".gz" else open
    with reading_table(path), opened(path, "rb") as stream:
        yield stream  # type: ignore[misc]  # both are streams of bytes


@contextmanager
def _text(path: Path, encoding: str) -> Iterator[IO[str]]:
    opened = gzip.open if path.suffix == ".gz" else open
    errors = "surrogateescape" if encoding == "damaged" else "strict"
    encoding = "utf-8-sig" if encoding == "damaged" else encoding
    with reading_table(path), opened(path, "rt", encoding=encoding, errors=errors, newline="") as stream:
        yield stream
