"""The manifest: what will be converted, row by row, and what will not be, each with its reason.

Every layout resolves to this one form before anything is converted. A manifest holds the source's own identifiers and
paths: it is a working paper of whoever holds the source, never an output to pass on.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from neuralgraph.errors import SourceError
from neuralgraph.sources.layouts.columns import TableUse
from neuralgraph.sources.layouts.marks import Mark, mark_fields
from neuralgraph.storage.atomic import atomic_file, owner_only
from neuralgraph.wire.escapes import escaped_json
from neuralgraph.wire.vocabulary import VIEW_POSITIONS

__all__ = [
    "FAULTS",
    "REASONS",
    "VIEWS",
    "DroppedRow",
    "Entry",
    "Manifest",
    "ManifestImage",
    "ManifestRow",
    "check_reason",
    "manifest_line",
]

VIEWS: tuple[str, ...] = (*VIEW_POSITIONS, "FRONTAL")
"""Views of a manifest: those of a study, and FRONTAL for a film that is PA or AP and does not say which."""

REASONS: dict[str, str] = {
    "row_invalid": "the row lacks a key, has a malformed one, or has more or fewer fields than the header",
    "label_invalid": "a label is not a number the data set's labels can have",
    "conflicting_rows": "several rows of one study contradict each other",
    "no_image": "no image is named",
    "image_missing": "a named image is not there",
    "folder_unreadable": "a folder cannot be listed",
    "header_unreadable": "the header of a DICOM file cannot be read",
    "no_film": "no file of the study is a projection radiograph",
    "view_unknown": "no image is known to show a wanted view",
    "no_frontal": "images are there, none of a wanted view",
    "no_report": "no report is given",
    "report_missing": "the named report is not there",
    "report_unreadable": "a file of reports cannot be read",
    "report_not_final": "reports are there, none of them final",
    "report_without_text": "the report is a PDF, a picture or codes alone: there is no text to read",
    "addendum_alone": "an addendum is there, and not the report that it belongs to",
    "report_of_another": "the report found by the study's number belongs to another patient",
    "label_missing": "the label that is asked for is blank",
    "label_uncertain": "the label that is asked for is -1",
    "split_not_wanted": "the study belongs to a split that is not asked for",
    "duplicate_patient": "another study of the patient is taken",
    "sampled_out": "left out to reach the prevalence that is asked for",
}
"""Why rows are dropped."""

FAULTS: frozenset[str] = frozenset(
    {
        "row_invalid",
        "label_invalid",
        "conflicting_rows",
        "no_image",
        "image_missing",
        "folder_unreadable",
        "header_unreadable",
        "report_missing",
        "report_unreadable",
        "report_without_text",
        "addendum_alone",
        "report_of_another",
    }
)
"""Reasons that are errors in the source; the others are choices that were made."""


@dataclass(frozen=True, slots=True)
class ManifestImage:
    """One image of a study."""

    path: str
    """Where it lies."""
    view: str = "unknown"
    """One of ``VIEWS``."""
    order: str = ""
    """Breaks ties among images of equal view: earliest first (time of day, then the image's own id)."""
    position: str = ""
    """How the patient was placed, one of ``view_words.BODY_POSITIONS``; "" where the source does not say."""
    marks: tuple[Mark, ...] = ()
    """What readers drew on it."""
    marked: tuple[str, ...] = ()
    """Findings all of whose places are among the marks, "*" for all findings; what else has no mark is unknown."""

    @property
    def view_words(self) -> str:
        """View and position as one text, which ``view_words.read_view`` takes apart again: "AP supine"."""
        return f"{self.view} {self.position}".strip()


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """One study to convert."""

    study_key: str
    """What the source calls the study, unique within it. Pseudonyms are made from it; no study ever holds it."""
    patient_key: str = ""
    """What the source calls the patient; "" where it does not say."""
    images: tuple[ManifestImage, ...] = ()
    report: str | None = None
    """The text itself."""
    report_path: str | None = None
    """The file with the text; not both."""
    labels: Mapping[str, float] = field(default_factory=dict)
    """Raw values: 1 present, 0 absent, -1 uncertain; a blank is no entry."""
    labeler: str = ""
    """Who or what assigned the labels."""
    split: str = ""
    """train, validate, test, or "" where nothing is said."""
    order: str = ""
    """Sorts a patient's studies from first to last."""
    report_graphs: tuple[str, ...] = ()
    """Graphs of parts of the report that come with the source: entries of RadGraph, each as JSON."""


@dataclass(frozen=True, slots=True)
class DroppedRow:
    """One row that will not be converted."""

    study_key: str
    reason: str
    """A key of ``REASONS``."""


Entry = ManifestRow | DroppedRow
"""What a layout yields."""


@dataclass(frozen=True)
class Manifest:
    """All of a source: rows in ascending order of their keys, and what was dropped."""

    layout: str
    rows: tuple[ManifestRow, ...]
    dropped: tuple[DroppedRow, ...]
    table: TableUse | None = None
    """What was read of a table of one's own."""

    @property
    def parts(self) -> dict[str, Any]:
        """How many studies have which part: films, report, report_graph, labels (by name), patient, view, split (by
        name), and how many films there are in all.
        """
        labels = Counter(name for row in self.rows for name in row.labels)
        return {
            "films": sum(len(row.images) for row in self.rows),
            "several_films": sum(len(row.images) > 1 for row in self.rows),
            "report": len(self.rows) - self.without_report,
            "report_graph": sum(bool(row.report_graphs) for row in self.rows),
            "patient": sum(bool(row.patient_key) for row in self.rows),
            "patients": len({row.patient_key for row in self.rows} - {""}),
            "view": sum(all(image.view != "unknown" for image in row.images) for row in self.rows),
            "split": dict(sorted(Counter(row.split for row in self.rows if row.split).items())),
            "labels": dict(sorted(labels.items())),
        }

    @property
    def counts(self) -> dict[str, int]:
        """Dropped rows by reason, most frequent first."""
        return dict(Counter(row.reason for row in self.dropped).most_common())

    @property
    def without_report(self) -> int:
        """Rows that have no report."""
        return sum(row.report is None and row.report_path is None for row in self.rows)

    def write(self, path: str | os.PathLike[str], study_ids: Mapping[str, str] | None = None) -> None:
        """Write the manifest as JSON lines, readable by its owner only; the generic layout reads it back.

        Parameters
        ----------
        path : the file to create or replace.
        study_ids : pseudonym by study key, added as ``converted_as`` so that studies and failures can be looked up.

        Raises
        ------
        OutputError (E_OUTPUT, E_WRITE) : the file cannot be written.
        """
        with atomic_file(path) as stream:
            owner_only(stream)
            for row in self.rows:
                line = manifest_line(row)
                if study_ids is not None:
                    line["converted_as"] = study_ids[row.study_key]
                stream.write(_json_line(line))
            for dropped in self.dropped:
                line = {"study_id": dropped.study_key, "dropped": dropped.reason}
                if study_ids is not None and dropped.study_key in study_ids:
                    line["converted_as"] = study_ids[dropped.study_key]
                stream.write(_json_line(line))


def _json_line(line: dict[str, Any]) -> bytes:
    try:
        return escaped_json(line).encode() + b"\n"
    except UnicodeEncodeError:
        # A file whose name is no text: its bytes as escapes, which are read back as they were.
        return json.dumps(line).encode() + b"\n"


def manifest_line(row: ManifestRow) -> dict[str, Any]:
    """A row under the column names of the generic layout, paths made absolute; empty members are left out."""
    line: dict[str, Any] = {
        "study_id": row.study_key,
        "patient_id": row.patient_key,
        "image": [os.path.abspath(image.path) for image in row.images],
        "view": [image.view_words for image in row.images],
        "report": row.report,
        "report_path": None if row.report_path is None else os.path.abspath(row.report_path),
        "split": row.split,
        "order": row.order,
        "labeler": row.labeler,
        "radgraph": [json.loads(graph) for graph in row.report_graphs],
        **{f"label.{name}": value for name, value in row.labels.items()},
        **_marked_fields(row.images),
    }
    return {name: value for name, value in line.items() if value not in (None, "", [])}


def _marked_fields(images: tuple[ManifestImage, ...]) -> dict[str, Any]:
    """The marks under the column names of the generic layout."""
    boxes = [
        one
        for number, image in enumerate(images)
        for one in mark_fields((mark for mark in image.marks if not mark.mask), number)
    ]
    masks = {
        f"mask.{mark.label}" if mark.label else "mask": os.path.abspath(mark.mask)
        for image in images[:1]
        for mark in image.marks
        if mark.mask
    }
    return {"boxes": boxes, "marked": list(images[0].marked) if images else [], **masks}


def check_reason(reason: str) -> str:
    """``reason``, if it is one of ours.

    Raises
    ------
    SourceError (E_SOURCE_TEXT) : it is not.
    """
    if reason not in REASONS:
        raise SourceError("a dropped row has an unknown reason", code="E_SOURCE_TEXT", where="dropped")
    return reason
