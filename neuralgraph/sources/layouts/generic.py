"""The generic manifest: a table of one's own, csv, JSON lines or Parquet.

Columns: ``image`` (a path, or several with ``;`` between), ``report`` (the text, or the path of a .txt file) or
``report_path``, ``study_id``, ``patient_id``, ``view`` (one, or one per image with ``;`` between), ``split``,
``order``, ``labeler``, ``label.<name>``, ``radgraph`` (the report's graph: one RadGraph entry or a list of them, as
JSON), and for training ``boxes``, ``mask``, ``mask.<name>`` and ``marked`` (see ``marks``: what readers drew on the
row's images, and the findings, or ``*`` for all, that are marked wherever they are; without that the rest is unknown).
Only ``image`` must be there. A column named as one of the fourteen CheXpert labels counts as that label. Paths
are relative to the table. In JSON lines ``image`` and ``view`` may be lists. Rows of one ``study_id`` are one study
with all their images.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from neuralgraph.errors import SourceError
from neuralgraph.sources.layouts.manifest import VIEWS, DroppedRow, Entry, ManifestImage, ManifestRow, check_reason
from neuralgraph.sources.layouts.marks import Mark, box_marks
from neuralgraph.sources.layouts.roots import Roots
from neuralgraph.sources.layouts.tables import CHEXPERT_LABELS, find_table, label_value, read_table

__all__ = ["find_manifest", "matches", "resolve"]

_NAMES = ("manifest.csv", "manifest.jsonl", "manifest.parquet")
_SUFFIXES = (".csv", ".jsonl", ".parquet", ".csv.gz", ".jsonl.gz")
_PREFIX = "label."
_KNOWN_LABELS = frozenset(name.lower() for name in CHEXPERT_LABELS)
_VIEW_WORDS = {
    **{view.lower(): view for view in VIEWS},
    "": "unknown",
    "lat": "LATERAL",
    "l": "LATERAL",
    "posteroanterior": "PA",
    "anteroposterior": "AP",
}


def find_manifest(source: Path) -> Path | None:
    """The table: the source itself, or the manifest of the folder."""
    if source.is_file():
        return source if source.name.lower().endswith(_SUFFIXES) else None
    return find_table(source, *_NAMES)


def matches(source: Path) -> bool:
    """Whether the source is a table, or a folder with one that is called manifest."""
    return find_manifest(source) is not None


def resolve(roots: Roots) -> Iterator[Entry]:
    """The studies.

    Raises
    ------
    SourceError : there is no manifest, or it cannot be read.
    MissingExtraError (E_EXTRA) : Parquet without pyarrow.
    """
    path = find_manifest(roots.source)
    if path is None:
        raise SourceError("there is no manifest.csv, .jsonl or .parquet here")
    folder = path.parent
    report_folder = roots.reports or folder
    studies: dict[str, ManifestRow] = {}
    conflicting: set[str] = set()
    for row in read_table(path, ("image",)):
        entry = _entry(row, folder, report_folder)
        if isinstance(entry, DroppedRow):
            yield entry
            continue
        earlier = studies.get(entry.study_key)
        if earlier is None:
            studies[entry.study_key] = entry
        elif replace(earlier, images=()) == replace(entry, images=()):
            new = tuple(image for image in entry.images if image not in earlier.images)
            studies[entry.study_key] = replace(earlier, images=earlier.images + new)
        else:
            conflicting.add(entry.study_key)
    for key, study in studies.items():
        yield DroppedRow(key, "conflicting_rows") if key in conflicting else study


def _entry(row: dict[str, Any] | None, folder: Path, report_folder: Path) -> Entry:
    if row is None:
        return DroppedRow("", "row_invalid")
    images = _items(row.get("image"))
    key = _word(row.get("study_id")) or ";".join(images)
    if row.get("dropped"):
        return DroppedRow(key, check_reason(str(row["dropped"])))
    views = [_VIEW_WORDS.get(view.lower(), "OTHER") for view in _items(row.get("view"))]
    views = views * len(images) if len(views) == 1 else views or ["unknown"] * len(images)
    if not key or len(views) != len(images) or "\0" in "".join(images):
        return DroppedRow(key, "row_invalid")
    try:
        labels = _labels(row)
    except (TypeError, ValueError):
        return DroppedRow(key, "label_invalid")
    try:
        report_graphs = _report_graphs(row.get("radgraph"))
        marks = _marks(row, folder, len(images))
    except (TypeError, ValueError, RecursionError):
        return DroppedRow(key, "row_invalid")
    report, report_path = _report(row, report_folder)
    marked = tuple(_items(row.get("marked")))
    return ManifestRow(
        study_key=key,
        patient_key=_word(row.get("patient_id")),
        images=tuple(
            ManifestImage(os.path.join(folder, image), view, f"{number:04d}", marks[number], marked)
            for number, (image, view) in enumerate(zip(images, views, strict=True))
        ),
        report=report,
        report_path=report_path,
        labels=labels,
        labeler=_word(row.get("labeler")),
        split=_word(row.get("split")),
        order=_word(row.get("order")),
        report_graphs=report_graphs,
    )


def _report_graphs(value: Any) -> tuple[str, ...]:
    """Entries of RadGraph as JSON texts; a cell may hold one or several, as JSON or as plain data."""
    if isinstance(value, str):
        value = json.loads(value) if value.strip() else None
    entries = [] if value is None or value != value else value if isinstance(value, list) else [value]
    if not all(isinstance(entry, dict) for entry in entries):
        raise ValueError("not an entry of RadGraph")
    return tuple(json.dumps(entry, separators=(",", ":")) for entry in entries)


def _marks(row: dict[str, Any], folder: Path, images: int) -> list[tuple[Mark, ...]]:
    """The marks of every image of a row."""
    masks = {
        column.removeprefix("mask").removeprefix("."): os.path.join(folder, path)
        for column, value in row.items()
        if (column == "mask" or column.startswith("mask.")) and (path := _word(value))
    }
    marks = box_marks(row.get("boxes"), masks)
    if len(marks) > images:
        raise ValueError("a mark of an image that the row does not have")
    return [*marks, *[()] * (images - len(marks))]


def _word(value: Any) -> str:
    """A cell as text; numbers as they would be written."""
    if value is None or value != value:  # only NaN differs from itself
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()


def _items(value: Any) -> list[str]:
    items = value if isinstance(value, list) else _word(value).split(";")
    return [text for text in (_word(item) for item in items) if text]


def _labels(row: dict[str, Any]) -> dict[str, float]:
    labels: dict[str, float] = {}
    for column, value in row.items():
        name = column.removeprefix(_PREFIX) if column.startswith(_PREFIX) else column.lower()
        if not column.startswith(_PREFIX) and name not in _KNOWN_LABELS:
            continue
        number = label_value(value)
        if name and number is not None:
            labels[name] = number
    return labels


def _report(row: dict[str, Any], folder: Path) -> tuple[str | None, str | None]:
    """(text, path): at most one of the two."""
    path, text = _word(row.get("report_path")), str(row.get("report") or "")
    if path:
        return None, os.path.join(folder, path)
    name = text.strip()
    # No report of one line ends in .txt.
    if name.lower().endswith(".txt") and "\n" not in name:
        return None, os.path.join(folder, name)
    return (text if name else None), None
