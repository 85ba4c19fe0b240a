"""The generic manifest: a table of one's own, csv, JSON lines or Parquet.

``columns.COLUMNS`` says which columns it may have and under which names; only ``image`` must be there. Paths are
relative to the table. In JSON lines ``image`` and ``view`` may be lists. Rows of one ``study_id`` are one study with
all their images.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from neuralgraph.errors import SourceError
from neuralgraph.sources.films.view_words import read_view
from neuralgraph.sources.layouts.columns import LABEL_PREFIX, MASK_PREFIX, TableUse
from neuralgraph.sources.layouts.headed_report import headed_report
from neuralgraph.sources.layouts.manifest import DroppedRow, Entry, ManifestImage, ManifestRow, check_reason
from neuralgraph.sources.layouts.marks import Mark, box_marks
from neuralgraph.sources.layouts.own_table import TABLE_SUFFIXES, OwnTable, open_table
from neuralgraph.sources.layouts.roots import Roots
from neuralgraph.sources.layouts.splits import split_named
from neuralgraph.sources.layouts.tables import find_table, label_value
from neuralgraph.wire.json_reading import parsed_json

__all__ = ["matches", "resolve", "use"]

_NAMES = ("manifest.csv", "manifest.tsv", "manifest.jsonl", "manifest.parquet")


def _find_manifest(source: Path) -> Path | None:
    """The table: the source itself, or the manifest of the folder."""
    if source.is_file():
        return source if source.name.lower().endswith(TABLE_SUFFIXES) else None
    return find_table(source, *_NAMES)


def matches(source: Path) -> bool:
    """Whether the source is a table, or a folder with one that is called manifest."""
    return _find_manifest(source) is not None


def _table(roots: Roots) -> OwnTable:
    path = _find_manifest(roots.source)
    if path is None:
        # A file of another kind is told what kinds there are.
        return open_table(roots.source) if roots.source.is_file() else _no_manifest()
    return open_table(path)


def _no_manifest() -> NoReturn:
    raise SourceError("there is no manifest.csv, .tsv, .jsonl or .parquet here", code="E_SOURCE_READ")


def use(roots: Roots) -> TableUse:
    """What is read of the table; errors as ``resolve``."""
    return _table(roots).use


def resolve(roots: Roots) -> Iterator[Entry]:
    """The studies.

    Raises
    ------
    SourceError : there is no manifest, or it cannot be read.
    MissingExtraError (E_EXTRA) : Parquet without pyarrow.
    """
    table = _table(roots)
    folder = table.path.parent
    report_folder = roots.reports or folder
    studies: dict[str, ManifestRow] = {}
    conflicting: set[str] = set()
    for row in table.rows():
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
    views = [read_view(view) for view in _items(row.get("view"))]
    views = views * len(images) if len(views) == 1 else views or [read_view("")] * len(images)
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
    return ManifestRow(
        study_key=key,
        patient_key=_word(row.get("patient_id")),
        images=tuple(
            # Words of nothing known here name a view all the same, and none that is known.
            ManifestImage(
                _located(folder, image),
                view.projection or "OTHER",
                f"{number:04d}",
                view.position,
                marks[number],
                tuple(_items(row.get("marked"))),
            )
            for number, (image, view) in enumerate(zip(images, views, strict=True))
        ),
        report=report,
        report_path=report_path,
        labels=labels,
        labeler=_word(row.get("labeler")),
        split=split_named(_word(row.get("split"))),
        order=_word(row.get("order")),
        report_graphs=report_graphs,
    )


def _report_graphs(value: Any) -> tuple[str, ...]:
    """Entries of RadGraph as JSON texts; a cell may hold one or several, as JSON or as plain data."""
    if isinstance(value, str):
        value = parsed_json(value) if value.strip() else None
    entries = [] if value is None or value != value else value if isinstance(value, list) else [value]
    if not all(isinstance(entry, dict) for entry in entries):
        raise ValueError("not an entry of RadGraph")
    return tuple(json.dumps(entry, separators=(",", ":")) for entry in entries)


def _marks(row: dict[str, Any], folder: Path, images: int) -> list[tuple[Mark, ...]]:
    """The marks of every image of a row."""
    masks = {
        column.removeprefix("mask").removeprefix("."): _located(folder, path)
        for column, value in row.items()
        if (column == "mask" or column.startswith(MASK_PREFIX)) and (path := _word(value))
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
        if not column.startswith(LABEL_PREFIX):
            continue
        name = column.removeprefix(LABEL_PREFIX)
        number = label_value(value)
        if name and number is not None:
            labels[name] = number
    return labels


def _report(row: dict[str, Any], folder: Path) -> tuple[str | None, str | None]:
    """(text, path): at most one of the two."""
    path, text = _word(row.get("report_path")), str(row.get("report") or "")
    if path:
        return None, _located(folder, path)
    name = text.strip()
    # No report of one line ends in .txt.
    if name.lower().endswith(".txt") and "\n" not in name:
        return None, _located(folder, name)
    if name:
        return text, None
    return headed_report({name: str(row.get(name) or "").strip() for name in ("findings", "impression")}), None


def _located(folder: Path, name: str) -> str:
    """A path of the table; one that was written on Windows too."""
    path = os.path.join(folder, name)
    return os.path.join(folder, name.replace("\\", "/")) if "\\" in name and not os.path.exists(path) else path
