"""Opening archives: what a path may be, and what of it is opened."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from io import BytesIO, IOBase
from pathlib import Path
from typing import Any

from neuralgraph.access.attempts import failures, reason
from neuralgraph.access.file_system import file_system, whole
from neuralgraph.access.files import is_folder, located
from neuralgraph.access.places import Place, as_place, place_name
from neuralgraph.access.remote import time_limit
from neuralgraph.access.sources import open_source
from neuralgraph.codecs.registry import ExtraCodecs
from neuralgraph.container.reader import Container
from neuralgraph.errors import FormatError
from neuralgraph.storage.archive import Archive, OpenFile, ngr_files
from neuralgraph.storage.manifest import MANIFESTS, MARKER, Manifest, newest_manifest, read_manifest
from neuralgraph.wire.limits import Limits

__all__ = ["open_archive", "places_of"]

MOST_HELD_OPEN = 200
"""A folder of more files is read by opening each anew at each access: a process may hold few files open."""


def open_archive(
    path: Place | Iterable[Place],
    *,
    limits: Limits | None = None,
    storage_options: Mapping[str, Any] | None = None,
    extra_codecs: ExtraCodecs | None = None,
    timeout: float | None = None,
) -> Archive:
    """Open one file, an archive, a folder of them (searched with its sub-folders, in path order), a collection as its
    newest manifest has it, a URL of one of these but a plain folder, or a list.

    Of a file the prologue, the trailer and the contents are read and nothing per study, so that an archive of a million
    studies opens as fast as one of ten. A URL takes one question for its size and at most two requests of ranges, and a
    study one more, as long as index and keys have at most 16 MiB (about 200,000 studies); of larger archives the pages
    of the index that are needed are requested, and kept. A study is looked up by id in O(log n).

    Parameters
    ----------
    path : a path; a URL as text (``https://``, ``s3://`` and what fsspec knows; the extra ``remote``); a file in memory
        as it is now (``io.BytesIO``); or several of these, whose studies follow each other in this order. Put a local
        cache before a URL as fsspec writes it: ``blockcache::https://...``.
    limits : what to accept.
    extra_codecs : as for ``load``.
    storage_options : for fsspec; for a chain of file systems by protocol, as fsspec wants them.
    timeout : of a URL: seconds that the server may take for a request, all attempts together, and for each further MiB
        of it; None is 30.

    Raises
    ------
    FormatError (E_OPEN) : nothing there, nothing given, or a folder without .ngr files.
    FormatError : a file is damaged or breaks FORMAT.md.
    MissingExtraError (E_EXTRA) : a URL, and fsspec or what it needs is not installed.
    StudyError (E_NUM) : ``timeout`` is no positive number.
    TypeError : ``path`` is nothing that names a file; an open file object, for example.
    """
    several = isinstance(path, Iterable) and not isinstance(path, str | bytes | os.PathLike | IOBase)
    places = list(places_of(path if several else [path], storage_options, timeout))  # type: ignore[list-item, arg-type]
    if not places:
        raise FormatError("no file was given", code="E_OPEN")
    keep_open = len(places) <= MOST_HELD_OPEN
    with ExitStack() as on_failure:
        opened: list[OpenFile] = []
        for place in places:
            source = open_source(place, timeout=timeout, options=storage_options, keep_open=keep_open)
            on_failure.callback(source.close)
            name = place if isinstance(place, Path) else place_name(place)
            with located(name):
                opened.append((name, source, Container(source, limits=limits, extra_codecs=extra_codecs)))
        on_failure.pop_all()
    return Archive(opened)


def places_of(
    paths: Iterable[Place], options: Mapping[str, Any] | None = None, timeout: float | None = None
) -> Iterator[Path | str | BytesIO]:
    """Files as paths, URLs as text, files in memory as they are; of folders and collections the archives in them."""
    for path in map(as_place, paths):
        if isinstance(path, str):
            yield from _far_archives(path, options or {}, time_limit(timeout)) or [path]
        elif isinstance(path, Path) and is_folder(path):
            files = ngr_files(path)
            if not files:
                raise FormatError("the folder holds no .ngr file", code="E_OPEN", where=str(path))
            yield from files
        else:
            yield path


def _far_archives(url: str, options: Mapping[str, Any], timeout: float) -> list[str] | None:
    """URLs of the archives that count in the collection at a URL, in order; None when there is none.

    A URL that ends in ``.ngr`` is a file, and so is one with a question in it; nothing is asked for them. A server of
    one collection gives the manifest itself under the name of the marker, because the folders of a web server cannot be
    listed.

    Raises
    ------
    FormatError (E_OPEN, E_MANIFEST) : there is a collection, and it cannot be read; no file system is known for it.
    MissingExtraError (E_EXTRA) : fsspec, or what it needs for this scheme, is not installed.
    """
    if url.endswith(".ngr") or "?" in url or "::" in url:
        return None
    base, where = url.rstrip("/"), place_name(url.rstrip("/"))
    files, root, _ = file_system(base, options, timeout, where)
    try:
        files.invalidate_cache()
        marker = whole(files, f"{root}/{MARKER}")
    except failures():
        # No marker, no collection; what opens the URL as a file says what is wrong with it.
        return None
    return [f"{base}/{member.path}" for member in _manifest(marker, files, root, where, timeout).archives]


def _manifest(marker: bytes, files: Any, root: str, where: str, timeout: float) -> Manifest:
    try:
        served = "sha256" in json.loads(marker)
    except (ValueError, TypeError) as error:
        raise FormatError("the marker of the collection is damaged", code="E_MANIFEST", where=where) from error
    if served:
        return read_manifest(marker, where=f"{where}/{MARKER}")
    try:
        names = [row.rsplit("/", 1)[-1] for row in files.ls(f"{root}/{MANIFESTS}", detail=False)]
        return newest_manifest(names, lambda name: whole(files, f"{root}/{name}"), where=where)
    except failures() as error:
        unread = f"the manifest cannot be read ({reason(error, timeout)})"
        raise FormatError(unread, code="E_OPEN", where=where) from error
