"""The viewer's page, and the page with a file inside it."""

from __future__ import annotations

import base64
import html
import os
from importlib import resources
from pathlib import Path

from neuralgraph.access.files import read_error
from neuralgraph.errors import FormatError

__all__ = ["MOST_EMBEDDED_BYTES", "page_with", "viewer_page"]

MOST_EMBEDDED_BYTES = 64 * 1024 * 1024
"""A page holds its file as text in memory, three times over; larger ones are for ``ngr view`` without --export."""

_PLACE = "<!-- @EMBEDDED@ -->"
_ANY_ADDRESS = "connect-src 'self' https: http:;"


def viewer_page(*, connect: str | None = None) -> str:
    """The page: HTML with style, script and reader inside; opens what is dropped on it, needs no network.

    Parameters
    ----------
    connect : whom the page may ask, as a source list of its content security policy ("'none'", "'self'"); by default
        any address that its user types.
    """
    page = resources.files("neuralgraph.adapters.viewer").joinpath("viewer.html").read_text(encoding="utf-8")
    return page if connect is None else page.replace(_ANY_ADDRESS, f"connect-src {connect};")


def page_with(path: str | os.PathLike[str]) -> str:
    """The page with the bytes of a file inside, so that opening the page shows the file.

    Its policy forbids it every connection: what it holds cannot leave it.

    Parameters
    ----------
    path : any file of at most 64 MiB; the page judges it when it is opened.

    Raises
    ------
    FormatError (E_OPEN) : the file cannot be read, or is larger than a page should hold.
    """
    try:
        with open(path, "rb") as stream:
            data = stream.read(MOST_EMBEDDED_BYTES + 1)
    except OSError as error:
        raise read_error(path, error) from error
    if len(data) > MOST_EMBEDDED_BYTES:
        reason = f"a page holds files of at most {MOST_EMBEDDED_BYTES:,} bytes; view it without --export"
        raise FormatError(reason, code="E_OPEN", where=str(path))
    name = Path(path).name.encode(errors="replace").decode()
    text = base64.encodebytes(data).decode("ascii")
    # A block of this type is data to a browser, never a script; base64 cannot end it.
    block = f'<script type="application/octet-stream" id="embedded" data-name="{html.escape(name)}">\n{text}</script>'
    return viewer_page(connect="'none'").replace(_PLACE, block)
