"""CheXpert v1.0 and its small edition: train.csv and valid.csv beside the images; no reports."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from neuralgraph.errors import SourceError
from neuralgraph.sources.layouts.chexpert_tree import PathParts, chexpert_view, path_parts
from neuralgraph.sources.layouts.manifest import DroppedRow, Entry, ManifestImage, ManifestRow
from neuralgraph.sources.layouts.roots import Roots
from neuralgraph.sources.layouts.tables import find_table, labels_of, read_csv

__all__ = ["matches", "resolve"]

_TABLES = ("train.csv", "valid.csv", "test.csv")
_COLUMNS = ("Path", "Frontal/Lateral", "AP/PA")


@dataclass(slots=True)
class _Study:
    parts: PathParts
    labels: dict[str, float]
    images: list[ManifestImage] = field(default_factory=list)
    reason: str = ""


def _root(folder: Path) -> Path | None:
    """The folder of the tables: this one, or the one folder below that the archive unpacks to."""
    for candidate in (folder, folder / "CheXpert-v1.0-small", folder / "CheXpert-v1.0"):
        if find_table(candidate, *_TABLES):
            return candidate
    return None


def matches(folder: Path) -> bool:
    """Whether the tables are here and have CheXpert's columns."""
    root = _root(folder)
    table = root and find_table(root, *_TABLES)
    if not table:
        return False
    try:
        next(iter(read_csv(table, _COLUMNS)), None)
    except SourceError:
        return False
    return True


def resolve(roots: Roots) -> Iterator[Entry]:
    """The studies.

    Raises
    ------
    SourceError : the tables are not here or cannot be read.
    """
    root = _root(roots.source)
    if root is None:
        raise SourceError("there is no train.csv or valid.csv of CheXpert here", code="E_SOURCE_READ")
    for name in _TABLES:
        table = find_table(root, name)
        if table:
            yield from _studies(table, root)


def _studies(table: Path, root: Path) -> Iterator[Entry]:
    studies: dict[str, _Study] = {}
    for row in read_csv(table, _COLUMNS):
        parts = path_parts(row["Path"]) if row else None
        if row is None or parts is None:
            yield DroppedRow(row["Path"] if row else "", "row_invalid")
            continue
        reason = ""
        labels: dict[str, float] = {}
        try:
            labels = labels_of(row)
        except ValueError:
            reason = "label_invalid"
        study = studies.setdefault(parts.study_key, _Study(parts, labels))
        # Labels are the study's, repeated for each of its images.
        study.reason = study.reason or reason or ("conflicting_rows" if labels != study.labels else "")
        view = chexpert_view(row["Frontal/Lateral"], row["AP/PA"])
        study.images.append(ManifestImage(str(root / parts.relative), view, f"{parts.view_number:04d}"))
    for key, study in studies.items():
        if study.reason:
            yield DroppedRow(key, study.reason)
            continue
        yield ManifestRow(
            study_key=key,
            patient_key=study.parts.patient,
            images=tuple(study.images),
            labels=study.labels,
            labeler="chexpert" if study.parts.split == "train" else "radiologist",
            split=study.parts.split,
            order=f"{study.parts.study_number:06d}",
        )
