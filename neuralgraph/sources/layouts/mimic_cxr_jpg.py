"""MIMIC-CXR-JPG 2.0.0 and 2.1.0: JPEG files with labels, splits and metadata; reports under a second root."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from neuralgraph.errors import SourceError
from neuralgraph.sources.layouts.manifest import Entry
from neuralgraph.sources.layouts.physionet import JPG_PROJECT, mimic_entries, versioned
from neuralgraph.sources.layouts.roots import Roots, physionet_root
from neuralgraph.sources.layouts.tables import find_table

__all__ = ["matches", "resolve"]


def matches(folder: Path) -> bool:
    """Whether this is the JPG project: its tables beside ``files``, and no DICOM project's record list."""
    root = physionet_root(folder, JPG_PROJECT, "files")
    if root is None:
        return False
    if find_table(root, *versioned("metadata"), *versioned("split")):
        return next(iter((root / "files").glob("p1?/p1*/s5*/*.dcm")), None) is None
    return next(iter((root / "files").glob("p1?/p1*/s5*/*.jpg")), None) is not None


def resolve(roots: Roots) -> Iterator[Entry]:
    """The studies.

    Raises
    ------
    SourceError : no ``files`` here, or a table cannot be read.
    """
    root = physionet_root(roots.source, JPG_PROJECT, "files")
    if root is None:
        raise SourceError("there is no folder 'files' with MIMIC-CXR-JPG here", code="E_SOURCE_READ")
    return mimic_entries(roots, root, ".jpg")
