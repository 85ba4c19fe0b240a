"""What MIMIC-CXR and MIMIC-CXR-JPG share: the tree of ids, and the tables of the JPG project.

    <root>/files/p10/p10000032/s50414267/<dicom_id>.dcm or .jpg
    <root>/files/p10/p10000032/s50414267.txt                      the report, beside the folder of its study

Every path is made from ids. The tables (labels, splits, metadata) come with MIMIC-CXR-JPG; users of the DICOM files
have them under a second root.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from neuralgraph.sources.films.view_words import read_view
from neuralgraph.sources.layouts.manifest import DroppedRow, Entry, ManifestImage, ManifestRow
from neuralgraph.sources.layouts.roots import Roots, physionet_root
from neuralgraph.sources.layouts.tables import find_table, labels_of, read_csv
from neuralgraph.sources.layouts.views import mimic_view

__all__ = ["JPG_PROJECT", "RECORDS", "mimic_entries", "versioned"]

JPG_PROJECT = "mimic-cxr-jpg"
RECORDS = "cxr-record-list.csv"
_VERSIONS = ("2.1.0", "2.0.0")
_LABELERS = ("chexpert", "negbio")
_SUBJECT, _STUDY, _DICOM = re.compile(r"1\d{7}"), re.compile(r"5\d{7}"), re.compile(r"[0-9A-Za-z][0-9A-Za-z.-]{0,99}")
_PLACED = "PatientOrientationCodeSequence_CodeMeaning"


@dataclass(slots=True)
class _Study:
    subject: str
    images: list[ManifestImage] = field(default_factory=list)
    order: str = ""
    conflicting: bool = False


def versioned(what: str) -> tuple[str, ...]:
    """The names a table of the JPG project has in its versions."""
    return tuple(f"mimic-cxr-{version}-{what}.csv" for version in _VERSIONS)


def _tables_folder(roots: Roots, root: Path) -> Path | None:
    """The folder with the tables of the JPG project, if there is one."""
    for folder in (roots.tables, root, roots.source):
        if folder is None:
            continue
        nested = physionet_root(folder, JPG_PROJECT, "files")
        for candidate in (folder, nested):
            if candidate is not None and find_table(candidate, *versioned("metadata"), *versioned("chexpert")):
                return candidate
    return None


def mimic_entries(roots: Roots, root: Path, suffix: str) -> Iterator[Entry]:
    """Studies of a MIMIC tree.

    Parameters
    ----------
    roots : as the user gave them.
    root : the folder that holds ``files``.
    suffix : ".dcm" or ".jpg".

    Raises
    ------
    SourceError : a table cannot be read.
    """
    tables = _tables_folder(roots, root)
    metadata = tables and find_table(tables, *versioned("metadata"))
    records = find_table(root, RECORDS)
    studies: dict[str, _Study] = {}
    if metadata:
        yield from _from_metadata(metadata, root, suffix, studies)
    elif records:
        yield from _from_records(records, root, suffix, studies)
    else:
        yield from _from_tree(root, suffix, studies)
    labels, labeler, unusable = _labels(tables)
    splits = _splits(tables)
    report_roots = _report_roots(roots, root)
    for key, study in studies.items():
        if study.conflicting:
            yield DroppedRow(key, "conflicting_rows")
        elif key in unusable:
            yield DroppedRow(key, "label_invalid")
        else:
            yield ManifestRow(
                study_key=key,
                patient_key=study.subject,
                images=tuple(study.images),
                report_path=_report(report_roots, study.subject, key),
                labels=labels.get(key, {}),
                labeler=labeler if key in labels else "",
                split=splits.get(key, ""),
                order=study.order or key,
            )


def _folder(root: Path, subject: str, study: str) -> str:
    return os.path.join(root, "files", f"p{subject[:2]}", f"p{subject}", f"s{study}")


def _add(studies: dict[str, _Study], subject: str, key: str, image: ManifestImage, order: str) -> None:
    study = studies.setdefault(key, _Study(subject))
    study.conflicting |= study.subject != subject
    study.images.append(image)
    study.order = min(study.order or order, order)


def _ids(row: dict[str, str] | None) -> tuple[str, str, str] | None:
    if row is None:
        return None
    subject, study, dicom = row["subject_id"], row["study_id"], row["dicom_id"]
    valid = _SUBJECT.fullmatch(subject) and _STUDY.fullmatch(study) and _DICOM.fullmatch(dicom)
    return (subject, study, dicom) if valid else None


def _from_metadata(path: Path, root: Path, suffix: str, studies: dict[str, _Study]) -> Iterator[Entry]:
    for row in read_csv(path, ("dicom_id", "subject_id", "study_id", "ViewPosition")):
        ids = _ids(row)
        if row is None or ids is None:
            yield DroppedRow(_named(row), "row_invalid")
            continue
        subject, key, dicom = ids
        view = mimic_view(
            row["ViewPosition"],
            row.get("ViewCodeSequence_CodeMeaning", ""),
            row.get("PerformedProcedureStepDescription", ""),
        )
        placed = read_view(row["ViewPosition"]).position or read_view(row.get(_PLACED, "")).position
        # StudyTime is a number that lost its leading zeros: 93000.5 is half past nine.
        whole, _, fraction = row.get("StudyTime", "").partition(".")
        time = f"{whole.zfill(6)}.{fraction}"
        image = ManifestImage(
            os.path.join(_folder(root, subject, key), dicom + suffix), view, f"{time} {dicom}", placed
        )
        _add(studies, subject, key, image, f"{row.get('StudyDate', '')} {time} {key}")


def _from_records(path: Path, root: Path, suffix: str, studies: dict[str, _Study]) -> Iterator[Entry]:
    for row in read_csv(path, ("dicom_id", "subject_id", "study_id")):
        ids = _ids(row)
        if ids is None:
            yield DroppedRow(_named(row), "row_invalid")
            continue
        subject, key, dicom = ids
        _add(studies, subject, key, _unlisted(_folder(root, subject, key), dicom, suffix), key)


def _from_tree(root: Path, suffix: str, studies: dict[str, _Study]) -> Iterator[Entry]:
    """One walk down the four known levels, for subsets that come without any table."""
    for group in _folders(os.path.join(root, "files"), re.compile(r"p1\d")):
        for subject in _folders(group, re.compile(r"p1\d{7}")):
            for study in _folders(subject, re.compile(r"s5\d{7}")):
                key = os.path.basename(study)[1:]
                names = sorted(name for name in os.listdir(study) if name.endswith(suffix))
                studies.setdefault(key, _Study(os.path.basename(subject)[1:]))
                for name in names:
                    image = _unlisted(study, name.removesuffix(suffix), suffix)
                    _add(studies, os.path.basename(subject)[1:], key, image, key)
    yield from ()


def _folders(parent: str, pattern: re.Pattern[str]) -> list[str]:
    if not os.path.isdir(parent):
        return []
    return [os.path.join(parent, name) for name in sorted(os.listdir(parent)) if pattern.fullmatch(name)]


def _unlisted(folder: str, dicom: str, suffix: str) -> ManifestImage:
    """An image whose view no table gives; its header may."""
    return ManifestImage(os.path.join(folder, dicom + suffix), "unknown", dicom)


def _named(row: dict[str, str] | None) -> str:
    return "" if row is None else row.get("study_id", "")


def _labels(tables: Path | None) -> tuple[dict[str, dict[str, float]], str, set[str]]:
    """Labels by study, who assigned them, and the studies whose labels are no labels."""
    found: dict[str, dict[str, float]] = {}
    unusable: set[str] = set()
    for labeler in _LABELERS:
        path = tables and find_table(tables, *versioned(labeler))
        if not path:
            continue
        for row in read_csv(path, ("subject_id", "study_id")):
            if row is None:
                continue
            try:
                found[row["study_id"]] = labels_of(row)
            except ValueError:
                unusable.add(row["study_id"])
        return found, labeler, unusable
    return found, "", unusable


def _splits(tables: Path | None) -> dict[str, str]:
    path = tables and find_table(tables, *versioned("split"))
    if not path:
        return {}
    return {row["study_id"]: row["split"] for row in read_csv(path, ("study_id", "split")) if row is not None}


def _report_roots(roots: Roots, root: Path) -> list[Path]:
    """Folders that hold ``files`` with reports."""
    named = [roots.reports] if roots.reports else [root]
    candidates = [folder / below for folder in named for below in (".", "mimic-cxr-reports")]
    if roots.reports:
        nested = physionet_root(roots.reports, "mimic-cxr", "files")
        candidates += [nested, nested / "mimic-cxr-reports"] if nested else []
    return [folder for folder in candidates if (folder / "files").is_dir()]


def _report(report_roots: list[Path], subject: str, study: str) -> str | None:
    for folder in report_roots:
        path = _folder(folder, subject, study) + ".txt"
        if os.path.isfile(path):
            return path
    return None
