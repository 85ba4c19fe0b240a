"""MIMIC-CXR 2.0.0 and 2.1.0: DICOM files and reports; labels under a second root (physionet.org/content/mimic-cxr)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from neuralgraph.errors import SourceError
from neuralgraph.sources.layouts.manifest import Entry
from neuralgraph.sources.layouts.physionet import RECORDS, mimic_entries
from neuralgraph.sources.layouts.roots import Roots, physionet_root
from neuralgraph.sources.layouts.tables import find_table

__all__ = ["matches", "resolve"]

PROJECT = "mimic-cxr"


def matches(folder: Path) -> bool:
    """Whether this is the DICOM project: its record list, or a tree of DICOM files."""
    root = physionet_root(folder, PROJECT, "files")
    if root is None:
        return False
    if find_table(root, RECORDS):
        return True
    return next(iter((root / "files").glob("p1?/p1*/s5*/*.dcm")), None) is not None


def resolve(roots: Roots) -> Iterator[Entry]:
    """The studies.

    Raises
    ------
    SourceError : no ``files`` here, or a table cannot be read.
    """
    root = physionet_root(roots.source, PROJECT, "files")
    if root is None:
        raise SourceError("there is no folder 'files' with MIMIC-CXR here", code="E_SOURCE_READ")
    return mimic_entries(roots, root, ".dcm")
