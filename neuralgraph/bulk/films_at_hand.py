"""Films that lie in a folder, by the ids of the studies that were made of them.

A study does not say what its film was called: it must not. What joins them is its id: the name of a film without its
ending, the source's own key (``ngr convert --keep-ids``), or the pseudonym of that key, for whoever holds the key file.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neuralgraph.bulk.destination import STATE
from neuralgraph.bulk.intake import intake_folder
from neuralgraph.bulk.pseudonyms import Pseudonyms, destination_key
from neuralgraph.sources import read_film
from neuralgraph.sources.layouts import ManifestRow, Roots, default_selection, detect_layout, resolve_manifest
from neuralgraph.storage.manifest import is_collection

__all__ = ["FilmsAtHand", "key_beside"]


def key_beside(archive: Path) -> bytes | None:
    """The key that a conversion left beside what it wrote, or None.

    Parameters
    ----------
    archive : an archive, the folder of a conversion, or a collection.

    Raises
    ------
    OutputError (E_WRITE, E_OUTPUT) : there is one, and it cannot be read.
    """
    folder = intake_folder(archive) if is_collection(archive) else archive if archive.is_dir() else archive.parent
    path = None if folder is None else folder / STATE / "key"
    return destination_key(path) if path is not None and path.exists() else None


class FilmsAtHand:
    """The films of a folder, looked for by study id.

    Parameters
    ----------
    source : a folder, or a table, in any layout that ``ngr convert`` reads; it is listed once, and no film is read yet.
    key : of the pseudonyms that the ids are; None where films are named after the studies.

    Raises
    ------
    SourceError (E_SOURCE_READ, E_SOURCE_TYPE and those of tables) : no layout recognises it, or it cannot be read.
    """

    def __init__(self, source: Path, key: bytes | None = None) -> None:
        layout = detect_layout(source)
        manifest = resolve_manifest(Roots(source), layout, default_selection(layout))
        pseudonyms = None if key is None else Pseudonyms(key)
        self._paths: dict[str, tuple[str, ...]] = {}
        self._lock = threading.Lock()
        for row in manifest.rows:
            paths = tuple(image.path for image in row.images)
            for name in _names(row, pseudonyms):
                # Two films of one name: neither can be told to be the study's.
                self._paths[name] = paths if self._paths.get(name, paths) == paths else ()

    def __contains__(self, study_id: object) -> bool:
        """Whether there is a film for a study of this id."""
        return bool(self._paths.get(study_id, ())) if isinstance(study_id, str) else False

    def path(self, study_id: str, view: int = 0) -> Path | None:
        """Where the film of a view lies, counted from 0; None when there is none."""
        paths = self._paths.get(study_id, ())
        return Path(paths[view]) if view < len(paths) else None

    def pixels(self, study_id: str, view: int = 0) -> NDArray[np.float32] | None:
        """float32 [height, width] in 0..1, bones bright, row 0 at the top; None when there is no such film.

        One film is decoded at a time, whoever asks.

        Raises
        ------
        SourceError : it is there and cannot be read; the error names no path, which may name a patient.
        """
        path = self.path(study_id, view)
        if path is None:
            return None
        with self._lock:
            return read_film(path, accept_burned_in=True).pixels


def _names(row: ManifestRow, pseudonyms: Pseudonyms | None) -> Iterator[str]:
    yield row.study_key.replace("/", "-")
    if len(row.images) == 1:
        yield Path(row.images[0].path).stem
    if pseudonyms is not None:
        yield pseudonyms("study", row.study_key)
