"""What names a file: a path as text, bytes or ``Path``, a URL, or the file itself in memory."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from io import BytesIO, IOBase
from pathlib import Path
from typing import Any, TypeAlias

from neuralgraph.container.layout import MAGIC
from neuralgraph.errors import FormatError

__all__ = ["IN_MEMORY", "Place", "as_place", "is_url", "lasting_places", "looks_like_url", "place_name"]

Place: TypeAlias = str | bytes | os.PathLike[str] | BytesIO
"""What may be opened."""

IN_MEMORY = "<memory>"
"""How messages name a file in memory."""

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+::?//|[a-z0-9]+::", re.ASCII)
_URL_AS_PATH = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:[/\\]", re.ASCII)


def is_url(path: object) -> bool:
    """Whether ``path`` is a URL: a text that begins with a scheme, ``https://`` or a chain of fsspec's (``a::b://``).

    The letter of a drive is no scheme.
    """
    return isinstance(path, str) and _URL.match(path) is not None


def looks_like_url(path: str | os.PathLike[str]) -> bool:
    """Whether ``path`` was meant as a URL, though it may have become a ``Path``, which writes ``//`` as one stroke."""
    text = os.fspath(path)
    return is_url(text) or (_URL_AS_PATH.match(text) is not None and not os.path.lexists(text.split(":")[0] + ":"))


def place_name(place: Place | Path) -> str:
    """How messages name a path or a URL: without user, password, query and fragment, which may be keys."""
    if isinstance(place, BytesIO):
        return IN_MEMORY
    text = os.fsdecode(place)
    if not is_url(place):
        return text
    return re.sub(r"//[^/@]*@", "//", re.split(r"[?#]", text, maxsplit=1)[0])


def lasting_places(path: object) -> Any:
    """What names one or several files, so that it names the same ones in another folder, and more than once.

    Parameters
    ----------
    path : what ``neuralgraph.open`` takes.

    Raises
    ------
    FormatError (E_OPEN), TypeError : as for ``as_place``.
    """
    if isinstance(path, Iterable) and not isinstance(path, str | bytes | os.PathLike | IOBase):
        return [lasting_places(each) for each in path]
    place = as_place(path)
    if not isinstance(place, Path):
        return place
    try:
        return Path(os.path.abspath(place))
    except OSError:
        # There is no current folder any more; opening says so.
        return place


def as_place(path: object) -> str | Path | BytesIO:
    """A URL as text, a path as ``Path``, a file in memory as it is.

    Raises
    ------
    FormatError (E_OPEN) : bytes that are the content of a file instead of a path; an empty path.
    TypeError : none of these; a file object that is open, for example.
    """
    if isinstance(path, BytesIO):
        return path
    if isinstance(path, bytes) and path.startswith(MAGIC):
        raise FormatError("these are the bytes of a file, not its path; give io.BytesIO of them", code="E_OPEN")
    if isinstance(path, str | bytes | os.PathLike):
        text = os.fsdecode(path)
        if not text:
            raise FormatError("the path is empty; the folder one is in is '.'", code="E_OPEN")
        return text if is_url(path) else Path(text)
    kind = type(path).__name__
    raise TypeError(f"a file is named by a path or a URL, or given as io.BytesIO; this is of type {kind}")
