"""A collection behind a URL, to be read: in a bucket, or served by ``ngr serve``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from neuralgraph.access.places import place_name
from neuralgraph.errors import FormatError, missing_extra
from neuralgraph.storage.manifest import MANIFESTS, MARKER, Manifest, newest_manifest, read_manifest

__all__ = ["far_archives"]

_ARCHIVE = ".ngr"


def far_archives(url: str, options: Mapping[str, Any] | None) -> list[str] | None:
    """URLs of the archives that count in the collection at a URL, in order; None when there is none.

    A URL that ends in ``.ngr`` is a file, and nothing is asked for it. A server of one collection gives the manifest
    itself under the name of the marker, because the folders of a web server cannot be listed.

    Raises
    ------
    FormatError (E_OPEN, E_MANIFEST) : there is a collection, and it cannot be read.
    MissingExtraError (E_EXTRA) : fsspec, or what it needs for this scheme, is not installed.
    """
    plain = url.split("?", 1)[0]
    if plain.endswith(_ARCHIVE) or "::" in url:
        return None
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise missing_extra("opening a URL", extra="remote", library="fsspec") from error
    base = url.rstrip("/")
    try:
        files, root = url_to_fs(base, **(options or {}))
        files.invalidate_cache()
        marker = files.cat_file(f"{root}/{MARKER}")
    except ImportError as error:
        reason = f"opening {url.split(':')[0]}:// URLs"
        raise missing_extra(reason, extra="remote", library=error.name or "a library") from error
    except _failures():
        # No marker, no collection; what opens the URL as a file says what is wrong with it.
        return None
    where = place_name(base)
    return [f"{base}/{member.path}" for member in _manifest(marker, files, root, where).archives]


def _failures() -> tuple[type[Exception], ...]:
    """What is raised when nothing can be read at a URL."""
    try:
        from aiohttp import ClientError
    except ImportError:
        return (OSError, ValueError)
    return (OSError, ValueError, ClientError)


def _manifest(marker: bytes, files: Any, root: str, where: str) -> Manifest:
    try:
        served = "sha256" in json.loads(marker)
    except (ValueError, TypeError) as error:
        raise FormatError("the marker of the collection is damaged", code="E_MANIFEST", where=where) from error
    if served:
        return read_manifest(marker, where=f"{where}/{MARKER}")
    try:
        names = [row.rsplit("/", 1)[-1] for row in files.ls(f"{root}/{MANIFESTS}", detail=False)]
        return newest_manifest(names, lambda name: bytes(files.cat_file(f"{root}/{name}")), where=where)
    except OSError as error:
        reason = f"the manifest cannot be read ({type(error).__name__})"
        raise FormatError(reason, code="E_OPEN", where=where) from error
