"""Reports in HTML to plain text: blocks end lines, cells are parted by tabs, entities become what they stand for."""

from __future__ import annotations

import re
from html.parser import HTMLParser

__all__ = ["plain_text"]

_MARKUP = re.compile(
    r"<\s*/?\s*(?:html|body|head|div|span|p|br|hr|table|thead|tbody|tr|td|th|ul|ol|li|dl|dt|dd|b|i|u|em|strong|font|pre"
    r"|center|h[1-6]|style|title|meta|a|sub|sup|small|big|tt|code|section|article|header|footer)\b[^<>]*>",
    re.IGNORECASE,
)
_NAMES = "p div br hr table thead tbody tr ul ol li dl dt dd pre center h1 h2 h3 h4 h5 h6 section article header footer"
_BLOCKS = frozenset(_NAMES.split())
_CELLS = frozenset({"td", "th"})
_SILENT = frozenset({"style", "script", "head", "title", "meta"})
_ENTITY = re.compile(r"&(?:nbsp|amp|lt|gt|quot|apos|#\d{2,5}|#x[0-9A-Fa-f]{2,4});")
_BLANKS = re.compile(r"[ \t]*\n[ \t]*(?:\n[ \t]*)*\n")
_SPACES = re.compile("[\xa0 ]+")


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        if tag in _SILENT and tag != "meta":
            self._silent += 1
        elif tag == "br":
            self.pieces.append("\n")
        elif tag in _BLOCKS:
            self._end_line()
            if tag == "li":
                self.pieces.append("- ")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT and tag != "meta":
            self._silent = max(0, self._silent - 1)
        elif tag in _CELLS:
            self.pieces.append("\t")
        elif tag in _BLOCKS and tag != "br":
            self._end_line()

    def _end_line(self) -> None:
        if self.pieces and not self.pieces[-1].endswith("\n"):
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.pieces.append(data)


def plain_text(text: str) -> str:
    """The text without its markup; a text that has none is as it was.

    "Pressure < 5" and "L>R" are no markup: only the names of HTML's elements are.
    """
    if _MARKUP.search(text) is None:
        return text if _ENTITY.search(text) is None else _unescaped(text)
    parser = _Text()
    parser.feed(text)
    parser.close()
    lines = _SPACES.sub(" ", "".join(parser.pieces))
    return _BLANKS.sub("\n\n", "\n".join(line.strip(" ").rstrip() for line in lines.split("\n"))).strip()


def _unescaped(text: str) -> str:
    import html

    return _ENTITY.sub(lambda match: html.unescape(match[0]).replace("\xa0", " "), text)
