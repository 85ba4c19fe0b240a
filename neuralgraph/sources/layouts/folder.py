"""A plain folder: images, and beside each, where there is one, a report of the same name ending in .txt or .TXT."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from neuralgraph.errors import SourceError
from neuralgraph.sources.layouts.manifest import DroppedRow, Entry, ManifestImage, ManifestRow
from neuralgraph.sources.layouts.roots import Roots, files_below

__all__ = ["films_below", "matches", "resolve"]

_SUFFIXES = (".dcm", ".dicom", ".png", ".jpg", ".jpeg")
_REPORT = ".txt"
_DICOM_AT = 128


def matches(folder: Path) -> bool:
    """Whether there is at least one image here or below."""
    return folder.is_dir() and next(films_below(folder, lambda _: None), None) is not None


def resolve(roots: Roots) -> Iterator[Entry]:
    """One study per image. A report may lie beside its image, or at the same place below the folder of the reports.

    Raises
    ------
    SourceError : no folder, or one that cannot be listed.
    """
    if not roots.source.is_dir():
        raise SourceError("not a folder", code="E_SOURCE_READ")
    reports = _Reports(roots.reports or roots.source)
    refused: list[str] = []
    for relative in films_below(roots.source, refused.append):
        stem = os.path.splitext(relative)[0]
        found = reports.named(stem) or reports.named(os.path.basename(stem))
        yield ManifestRow(
            study_key=relative,
            images=(ManifestImage(str(roots.source / relative)),),
            report_path=None if found is None else str(found),
        )
    for relative in refused:
        yield DroppedRow(relative, "folder_unreadable")


def films_below(folder: Path, refused: Callable[[str], None]) -> Iterator[str]:
    """Paths of the files below a folder that are named like films, or are DICOM without such a name; in their order.

    Parameters
    ----------
    folder : where to look.
    refused : told the path of every folder below it that cannot be listed.

    Raises
    ------
    SourceError (E_SOURCE_READ) : ``folder`` itself cannot be listed.
    """
    return (relative for relative in files_below(folder, refused) if _is_image(folder / relative))


class _Reports:
    """The texts below a folder, by their name without its ending; a folder is listed once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._listed: dict[str, dict[str, str]] = {}

    def named(self, stem: str) -> Path | None:
        """The text of this path without ending: with the case of its letters as they are, else in any."""
        parent, name = os.path.split(stem)
        texts = self._listed.get(parent)
        if texts is None:
            texts = self._listed[parent] = self._texts(self._folder / parent)
        found = texts.get(name) or texts.get(f"{name.lower()}\0")
        return self._folder / parent / found if found else None

    @staticmethod
    def _texts(folder: Path) -> dict[str, str]:
        """File names by stem, and where that is one file's alone by the stem in small letters with a mark behind it."""
        try:
            names = sorted(entry.name for entry in os.scandir(folder) if entry.name.lower().endswith(_REPORT))
        except OSError:
            return {}
        texts: dict[str, str] = {}
        # ".txt" sorts behind ".TXT", and is what the same name with both endings means.
        for name in names:
            texts[name[: -len(_REPORT)]] = name
        folded = Counter(stem.lower() for stem in texts)
        texts.update({f"{stem.lower()}\0": name for stem, name in list(texts.items()) if folded[stem.lower()] == 1})
        return texts


def _is_image(path: Path) -> bool:
    suffix = path.suffix.lower()
    if suffix in _SUFFIXES:
        return True
    # Archives hold DICOM files without a suffix, or named by a UID, whose end looks like one.
    if suffix and not suffix[1:].isdigit():
        return False
    try:
        with open(path, "rb") as stream:
            return stream.read(_DICOM_AT + 4)[_DICOM_AT:] == b"DICM"
    except OSError:
        return False
