"""DICOM files as an archive exports them, in any folders and under any names, joined to their reports.

Files are grouped by Study Instance UID, films are what has the class of one, and each study's report is looked for by
that UID and by its accession number (``report_index``), in the same folders or under the root of the reports. A report
whose patient is another than the film's is an error of the source, and neither is converted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from neuralgraph.errors import SourceError
from neuralgraph.sources.documents import STRUCTURED_REPORTS, is_message
from neuralgraph.sources.films.dicom import FILM_CLASSES
from neuralgraph.sources.layouts.dicom_keys import dicom_keys
from neuralgraph.sources.layouts.manifest import DroppedRow, Entry, ManifestImage, ManifestRow
from neuralgraph.sources.layouts.report_index import ReportIndex
from neuralgraph.sources.layouts.roots import Roots, files_below

__all__ = ["matches", "resolve"]

_MESSAGES = ("*.hl7", "reports/*.hl7")


@dataclass(slots=True)
class _Study:
    patients: set[str] = field(default_factory=set)
    accessions: set[str] = field(default_factory=set)
    order: str = ""
    films: list[ManifestImage] = field(default_factory=list)
    captures: list[ManifestImage] = field(default_factory=list)


def matches(folder: Path) -> bool:
    """Whether an archive's export lies here: a DICOMDIR, or HL7 messages beside films."""
    return (folder / "DICOMDIR").is_file() or any(
        next(iter(folder.glob(pattern)), None) is not None for pattern in _MESSAGES
    )


def resolve(roots: Roots) -> Iterator[Entry]:
    """One row per study.

    Raises
    ------
    SourceError : no folder, or one that cannot be listed.
    MissingExtraError (E_EXTRA) : pydicom, or for messages hl7, is not installed.
    """
    if not roots.source.is_dir():
        raise SourceError("not a folder", code="E_SOURCE_READ")
    reports = ReportIndex()
    studies: dict[str, _Study] = {}
    refused: list[str] = []
    for relative in files_below(roots.source, refused.append):
        roots.told()
        yield from _take(roots.source / relative, relative, studies, reports)
    for relative in refused:
        yield DroppedRow(relative, "folder_unreadable")
    if roots.reports is not None:
        reports.add_folder(roots.reports, roots.told)
    for relative in reports.unreadable:
        yield DroppedRow(relative, "report_unreadable")
    for key, study in studies.items():
        yield _entry(key, study, reports)


def _take(path: Path, relative: str, studies: dict[str, _Study], reports: ReportIndex) -> Iterator[Entry]:
    """Sort one file in: a film, a report, or neither."""
    try:
        keys = dicom_keys(str(path))
    except (OSError, SourceError):
        yield DroppedRow(relative, "header_unreadable")
        return
    if keys is None:
        if _is_message(path):
            yield from _report(path, relative, reports)
        elif path.suffix.lower() == ".txt":
            reports.texts.setdefault(path.stem, str(path))
        return
    if keys.sop_class in STRUCTURED_REPORTS:
        yield from _report(path, relative, reports)
        return
    if not keys.study:
        # A folder file has no study; a film without one cannot be joined to anything.
        if keys.sop_class in FILM_CLASSES:
            yield DroppedRow(relative, "row_invalid")
        return
    study = studies.setdefault(keys.study, _Study())
    study.patients.add(keys.patient)
    study.accessions |= {keys.accession} - {""}
    study.order = study.order or keys.study_time
    if keys.sop_class in FILM_CLASSES:
        image = ManifestImage(str(path), keys.view, f"{keys.taken} {relative}")
        (study.films if keys.sop_class in FILM_CLASSES[:-1] else study.captures).append(image)


def _report(path: Path, relative: str, reports: ReportIndex) -> Iterator[Entry]:
    try:
        reports.add_file(path)
    except (OSError, SourceError):
        yield DroppedRow(relative, "report_unreadable")


def _entry(key: str, study: _Study, reports: ReportIndex) -> Entry:
    # What was captured beside films is a scanned form, or a copy of them.
    images = study.films or study.captures
    if not images:
        return DroppedRow(key, "no_film")
    if len(study.patients) > 1:
        return DroppedRow(key, "conflicting_rows")
    (patient,) = study.patients
    text, path, reason = reports.find(key, study.accessions, patient)
    if reason:
        return DroppedRow(key, reason)
    return ManifestRow(
        study_key=key,
        patient_key=patient,
        images=tuple(sorted(images, key=lambda image: image.order)),
        report=text,
        report_path=path,
        order=study.order,
    )


def _is_message(path: Path) -> bool:
    try:
        with open(path, "rb") as stream:
            return is_message(stream.read(64))
    except OSError:
        return False
