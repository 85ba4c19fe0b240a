"""A plain folder: images, and beside each a report of the same name ending in .txt, where there is one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from neuralgraph.errors import SourceError
from neuralgraph.sources.layouts.manifest import Entry, ManifestImage, ManifestRow
from neuralgraph.sources.layouts.roots import Roots, files_below

__all__ = ["matches", "resolve"]

_SUFFIXES = (".dcm", ".dicom", ".png", ".jpg", ".jpeg")
_DICOM_AT = 128


def matches(folder: Path) -> bool:
    """Whether there is at least one image here or below."""
    return folder.is_dir() and next(_images(folder), None) is not None


def resolve(roots: Roots) -> Iterator[Entry]:
    """One study per image. A report may lie beside its image, or at the same place below the folder of the reports.

    Raises
    ------
    SourceError : no folder, or one that cannot be listed.
    """
    if not roots.source.is_dir():
        raise SourceError("not a folder", code="E_SOURCE_READ")
    reports = roots.reports or roots.source
    for relative in _images(roots.source):
        stem = os.path.splitext(relative)[0]
        found = next(
            (path for path in (reports / f"{stem}.txt", reports / f"{os.path.basename(stem)}.txt") if path.is_file()),
            None,
        )
        yield ManifestRow(
            study_key=relative,
            images=(ManifestImage(str(roots.source / relative)),),
            report_path=None if found is None else str(found),
        )


def _images(folder: Path) -> Iterator[str]:
    return (relative for relative in files_below(folder) if _is_image(folder / relative))


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
