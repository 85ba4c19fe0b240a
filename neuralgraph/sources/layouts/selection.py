"""From everything a source holds to what is converted: wanted views, reports, labels, one study per patient, splits.

Every choice depends on a study's own keys and the seed, never on its place in a table or on how many others there are,
so that adding data moves nobody from one split to another. Whole rows are chosen, never columns: filling the blanks of
one study from another of the same patient makes a study that never was.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from neuralgraph.sources.layouts.dicom_view import dicom_view
from neuralgraph.sources.layouts.manifest import DroppedRow, Entry, Manifest, ManifestImage, ManifestRow
from neuralgraph.sources.layouts.views import choose_images

__all__ = ["COHORTS", "Selection", "patient_of", "select", "share_of", "split_of"]

SPLITS: tuple[tuple[str, float], ...] = (("train", 0.70), ("validate", 0.15), ("test", 0.15))
"""The paper's split, by patient."""


@dataclass(frozen=True)
class Selection:
    """What to take."""

    views: tuple[str, ...] | None = None
    """Wanted views, best first; None takes any."""
    one_film: bool = False
    """Take the best image only; else every image of a wanted view."""
    generate_reports: bool = True
    """Take studies without a report, whose patches a text of the model's own scores."""
    definite_label: str = ""
    """Take only studies in which this label is 1 or 0."""
    splits: tuple[str, ...] = ()
    """Take only these splits of the data set; empty takes all."""
    one_per_patient: Literal["", "first", "last", "random"] = ""
    """"" takes all studies; "first" and "last" go by the data set's own order, "random" by the seed."""
    own_split: bool = False
    """Replace the data set's split by 70/15/15 by patient; a source that names patients and no split gets this one
    anyway."""
    prevalence: float | None = None
    """Share of studies whose ``definite_label`` is 1, reached by leaving out studies of the commoner kind."""
    seed: int = 0
    """Of everything random."""


COHORTS: dict[str, dict[str, object]] = {
    "neural-mimic": {
        "definite_label": "pneumonia",
        "one_per_patient": "first",
        "own_split": True,
        "prevalence": 0.5,
    },
    "neural-chexpert": {
        "definite_label": "pneumonia",
        "one_per_patient": "first",
        "own_split": True,
    },
}
"""The paper's cohorts, as changes to a selection. The paper's counts are not reproducible from its text; these
are its rules, and the prevalence can be set."""


def share_of(key: str, purpose: str, seed: int) -> float:
    """A number in [0, 1) that depends on the key, the purpose and the seed only (HMAC-SHA256, first 53 bits)."""
    digest = hmac.digest(f"neuralgraph {purpose} {seed}".encode(), key.encode(errors="surrogatepass"), hashlib.sha256)
    return (int.from_bytes(digest[:8], "big") >> 11) / 2**53


def split_of(patient_key: str, seed: int) -> str:
    """The split of a patient: train, validate or test."""
    share = share_of(patient_key, "split", seed)
    for name, size in SPLITS:
        share -= size
        if share < 0:
            return name
    return SPLITS[-1][0]


def select(entries: Iterable[Entry], selection: Selection, *, layout: str) -> Manifest:
    """The manifest of a source.

    Parameters
    ----------
    entries : what the layout yields.
    selection : what to take.
    layout : its name, for the manifest.

    Returns
    -------
    Manifest : rows and dropped rows in ascending order of their keys; every entry is in exactly one of the two.
    """
    dropped: list[DroppedRow] = []
    kept: dict[str, ManifestRow] = {}
    repeated: set[str] = set()
    for entry in _with_splits(list(entries), selection):
        chosen = entry if isinstance(entry, DroppedRow) else _usable(entry, selection)
        if isinstance(chosen, DroppedRow):
            dropped.append(chosen)
        elif chosen.study_key in kept:
            repeated.add(chosen.study_key)
        else:
            kept[chosen.study_key] = chosen
    dropped += [DroppedRow(key, "conflicting_rows") for key in repeated]
    rows = [row for key, row in kept.items() if key not in repeated]
    if selection.one_per_patient:
        rows, others = _one_per_patient(rows, selection)
        dropped += others
    if selection.prevalence is not None and selection.definite_label:
        rows, others = _balanced(rows, selection)
        dropped += others
    if selection.own_split:
        rows = [replace(row, split=split_of(patient_of(row), selection.seed)) for row in rows]
    return Manifest(
        layout,
        tuple(sorted(rows, key=lambda row: row.study_key)),
        tuple(sorted(dropped, key=lambda row: (row.study_key, row.reason))),
    )


def _with_splits(entries: list[Entry], selection: Selection) -> list[Entry]:
    """The entries with a split by patient, where the source names patients and no split at all.

    A split that is given wins, blanks in it included: to fill them could put a patient into two parts.
    """
    rows = [entry for entry in entries if isinstance(entry, ManifestRow)]
    if any(row.split for row in rows):
        return entries
    return [
        replace(entry, split=split_of(patient_of(entry), selection.seed))
        if isinstance(entry, ManifestRow) and entry.patient_key
        else entry
        for entry in entries
    ]


def patient_of(row: ManifestRow) -> str:
    """The patient, or the study where no patient is known; the two never mix."""
    return f"patient {row.patient_key}" if row.patient_key else f"study {row.study_key}"


def _usable(row: ManifestRow, selection: Selection) -> Entry:
    """The row with the images that are converted, or why it cannot be."""
    if selection.splits and row.split not in selection.splits:
        return DroppedRow(row.study_key, "split_not_wanted")
    stated = row.images if selection.views is None else tuple(_as_stated(image) for image in row.images)
    images, reason = choose_images(stated, selection.views, one=selection.one_film)
    if reason:
        return DroppedRow(row.study_key, reason)
    if selection.definite_label:
        value = row.labels.get(selection.definite_label)
        if value not in (0.0, 1.0):
            return DroppedRow(row.study_key, "label_missing" if value is None else "label_uncertain")
    if row.report_path is not None and not os.path.isfile(row.report_path):
        return DroppedRow(row.study_key, "report_missing")
    if row.report_path is None and not (row.report and row.report.strip()) and not selection.generate_reports:
        return DroppedRow(row.study_key, "no_report")
    if not all(os.path.isfile(image.path) for image in images):
        return DroppedRow(row.study_key, "image_missing")
    return replace(row, images=images)


def _as_stated(image: ManifestImage) -> ManifestImage:
    """The image with the view its DICOM header states, where the table states none."""
    return replace(image, view=dicom_view(image.path)) if image.view == "unknown" else image


def _one_per_patient(rows: list[ManifestRow], selection: Selection) -> tuple[list[ManifestRow], list[DroppedRow]]:
    by_patient: defaultdict[str, list[ManifestRow]] = defaultdict(list)
    for row in rows:
        by_patient[patient_of(row)].append(row)
    taken: list[ManifestRow] = []
    others: list[DroppedRow] = []
    for studies in by_patient.values():
        if selection.one_per_patient == "random":
            chosen = min(studies, key=lambda row: (share_of(row.study_key, "study", selection.seed), row.study_key))
        else:
            pick = min if selection.one_per_patient == "first" else max
            chosen = pick(studies, key=lambda row: (row.order, row.study_key))
        taken.append(chosen)
        others += [DroppedRow(row.study_key, "duplicate_patient") for row in studies if row is not chosen]
    return taken, others


def _balanced(rows: list[ManifestRow], selection: Selection) -> tuple[list[ManifestRow], list[DroppedRow]]:
    """Leave out studies of the commoner kind, those with the largest shares, until the prevalence is reached."""
    wanted = selection.prevalence or 0.0
    positive = [row for row in rows if row.labels[selection.definite_label] == 1.0]
    negative = [row for row in rows if row.labels[selection.definite_label] == 0.0]
    if len(positive) < wanted * len(rows):
        keep_positive, keep_negative = len(positive), round(len(positive) * (1 - wanted) / wanted)
    else:
        keep_positive, keep_negative = round(len(negative) * wanted / (1 - wanted)), len(negative)
    taken: list[ManifestRow] = []
    others: list[DroppedRow] = []
    for kind, number in ((positive, keep_positive), (negative, keep_negative)):
        ranked = sorted(kind, key=lambda row: (share_of(patient_of(row), "sample", selection.seed), row.study_key))
        taken += ranked[:number]
        others += [DroppedRow(row.study_key, "sampled_out") for row in ranked[number:]]
    return taken, others
