"""The bytes of whatever names a file: a path, a URL, or a file in memory."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any, TypeAlias

from neuralgraph.access.files import FileSource
from neuralgraph.access.places import Place, as_place
from neuralgraph.access.remote import RemoteSource
from neuralgraph.container.source import BytesSource

__all__ = ["Source", "open_source"]

Source: TypeAlias = FileSource | RemoteSource | BytesSource


def open_source(
    place: Place,
    *,
    timeout: float | None = None,
    options: Mapping[str, Any] | None = None,
    keep_open: bool = True,
) -> Source:
    """The bytes of a local file, of a URL, or of a file in memory as it is now.

    Parameters
    ----------
    place : what names the file.
    timeout, options : of a URL, as for ``RemoteSource``.
    keep_open : of a local file, as for ``FileSource``.

    Raises
    ------
    FormatError (E_OPEN), MissingExtraError, StudyError : as for ``FileSource`` and ``RemoteSource``.
    TypeError : ``place`` is nothing that names a file.
    """
    named = as_place(place)
    if isinstance(named, BytesIO):
        return BytesSource(named.getvalue())
    if isinstance(named, str):
        return RemoteSource(named, options=options, timeout=timeout)
    return FileSource(named, keep_open=keep_open)
