"""The file system that a URL names, from fsspec, set up to be read by ranges."""

from __future__ import annotations

import os
from collections.abc import Mapping
from copy import deepcopy
from functools import partial
from typing import Any
from weakref import WeakValueDictionary

from neuralgraph.errors import FormatError, missing_extra

__all__ = ["LONGEST", "WEB", "file_system", "whole"]

WEB = ("http", "https")
"""Schemes of the web."""
LONGEST = 2**28
"""Bytes of the longest file that is read in one piece: the manifest of a collection."""
_MADE: WeakValueDictionary[int, Any] = WeakValueDictionary()
"""File systems that may have connections, by ``id``: two that are equal need not be the same one."""
_LEFT_BEHIND: list[Any] = []
"""Those of the process that this one was forked from, kept for ever: the end of one closes its connections in a thread
that stayed there, and waits a second for it, in whatever thread the collector runs, the one of the connections too."""
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: _LEFT_BEHIND.extend(_MADE.values()))


def file_system(url: str, options: Mapping[str, Any], timeout: float, where: str) -> tuple[Any, str, Any]:
    """The file system of a URL, the file's place in it, and the file system behind those that keep files on disk.

    Parameters
    ----------
    url : where the file is.
    options : of ``fsspec.core.url_to_fs``; those of the web are completed, so that bodies are read within bounds.
    timeout : seconds for a body, and for each further MiB of it.
    where : the file as errors name it.

    Raises
    ------
    FormatError (E_OPEN) : no file system is known for it.
    MissingExtraError (E_EXTRA) : fsspec, or what it needs for this scheme, is not installed.
    """
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise missing_extra("opening a URL", extra="remote", library="fsspec") from error
    scheme = url.split(":")[0]
    settings: dict[str, Any] = deepcopy(dict(options))
    try:
        for web in WEB:
            if f"{web}://" in url:
                from neuralgraph.access.http import bounded_client

                settings[web] = {"get_client": bounded_client(timeout, LONGEST), **settings.get(web, {})}
        files, place = url_to_fs(url, **settings)
    except ImportError as error:
        raise missing_extra(f"opening {scheme}:// URLs", extra="remote", library=error.name or "a library") from error
    except ValueError as error:
        raise FormatError("no file system is known for this URL", code="E_OPEN", where=where) from error
    # A local cache in front answers from a listing of the folder, which a web server does not have.
    origin = getattr(files, "fs", files)
    _MADE[id(origin)] = origin
    if files is not origin:
        # A cache of blocks would take an error that is returned for the bytes.
        origin.cat_ranges = partial(origin.cat_ranges, on_error="raise")
    return files, place, origin


def whole(files: Any, path: str) -> bytes:
    """A file in one piece; of one that is longer than ``LONGEST`` a byte more than that, or an error of the library.

    Parameters
    ----------
    files, path : as ``file_system`` gives them.
    """
    # Not every server of the web serves ranges of it; its bodies are bounded where they come from.
    bounds = {} if files.protocol == WEB else {"start": 0, "end": LONGEST + 1}
    return bytes(files.cat_file(path, **bounds))
