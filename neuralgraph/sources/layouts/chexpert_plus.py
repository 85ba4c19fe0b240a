"""CheXpert Plus: one table with the reports, labels in JSON lines, images as PNG or DICOM (Chambon et al., 2024).

    df_chexpert_plus_240401.csv
    chexbert_labels/report_fixed.json
    radgraph-XL-annotations/section_findings.json, section_impression.json
    PNG/PNG/train/patient00001/study1/view1_frontal.png, or DICOM

The table names every image .jpg, whatever is shipped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from neuralgraph.errors import SourceError
from neuralgraph.sources.layouts.chexpert_tree import PathParts, chexpert_view, path_parts
from neuralgraph.sources.layouts.manifest import DroppedRow, Entry, ManifestImage, ManifestRow
from neuralgraph.sources.layouts.radgraph_annotations import read_annotations, squeezed
from neuralgraph.sources.layouts.roots import Roots
from neuralgraph.sources.layouts.tables import labels_of, read_csv
from neuralgraph.wire.json_reading import parsed_json

__all__ = ["matches", "resolve"]

_COLUMNS = ("path_to_image", "frontal_lateral", "ap_pa", "deid_patient_id")
_LABELS = ("report_fixed.json", "impression_fixed.json", "findings_fixed.json")
_PLACES = (".", "PNG", "PNG/PNG", "PNGs", "images", "DICOM", "DICOM/DICOM", "DICOMs")
_SUFFIXES = (".png", ".dcm", ".jpg")


@dataclass(slots=True)
class _Study:
    parts: PathParts
    patient: str
    report: str | None
    sections: tuple[str, ...]
    order: str
    images: list[ManifestImage] = field(default_factory=list)
    labels: dict[str, float] | None = None
    reason: str = ""


def _table(folder: Path) -> Path | None:
    found = sorted(folder.glob("df_chexpert_plus*.csv")) + sorted(folder.glob("df_chexpert_plus*.csv.gz"))
    return found[0] if found else None


def matches(folder: Path) -> bool:
    """Whether the table of CheXpert Plus lies here."""
    return _table(folder) is not None


def resolve(roots: Roots) -> Iterator[Entry]:
    """The studies.

    Raises
    ------
    SourceError : the table is not here or cannot be read.
    """
    table = _table(roots.source)
    if table is None:
        raise SourceError("there is no df_chexpert_plus table here", code="E_SOURCE_READ")
    labels = _labels(roots.tables or roots.source)
    graphs = read_annotations(roots.tables or roots.source) if roots.report_graphs else {}
    studies: dict[str, _Study] = {}
    place: tuple[Path, str] | None = None
    for row in read_csv(table, _COLUMNS):
        parts = path_parts(row["path_to_image"]) if row else None
        if row is None or parts is None:
            yield DroppedRow(row["path_to_image"] if row else "", "row_invalid")
            continue
        # The first image that is found shows where all of them lie, and in which format.
        place = place or _place(roots.source, parts.stem)
        folder, suffix = place or (roots.source, ".png")
        order = row.get("patient_report_date_order", "").split(".")[0].zfill(6)
        report, patient = _report(row), row["deid_patient_id"] or parts.patient
        sections = (row.get("section_findings", ""), row.get("section_impression", ""))
        study = studies.setdefault(parts.study_key, _Study(parts, patient, report, sections, order))
        if (study.report, study.patient) != (report, patient):
            study.reason = "conflicting_rows"
        view = chexpert_view(row["frontal_lateral"], row["ap_pa"])
        study.images.append(ManifestImage(str(folder / (parts.stem + suffix)), view, f"{parts.view_number:04d}"))
        if parts.stem in labels:
            found = labels[parts.stem]
            if found is None:
                study.reason = study.reason or "label_invalid"
            elif study.labels is None:
                study.labels = found
            elif study.labels != found:
                study.reason = study.reason or "conflicting_rows"
    for key, study in studies.items():
        if study.reason:
            yield DroppedRow(key, study.reason)
            continue
        yield ManifestRow(
            study_key=key,
            patient_key=study.patient,
            images=tuple(study.images),
            report=study.report,
            labels=study.labels or {},
            labeler="chexbert" if study.labels else "",
            split=study.parts.split,
            order=study.order,
            report_graphs=tuple(
                graphs[key] for key in (squeezed(section) for section in study.sections) if key and key in graphs
            ),
        )


def _place(source: Path, stem: str) -> tuple[Path, str] | None:
    for below in _PLACES:
        for suffix in _SUFFIXES:
            if (source / below / (stem + suffix)).is_file():
                return source / below, suffix
    return None


def _report(row: dict[str, str]) -> str | None:
    """Findings and impression under their headers; the whole report only where the table has neither.

    History and indication are left out: they say what the referrer suspects.
    """
    named = (("FINDINGS", row.get("section_findings", "")), ("IMPRESSION", row.get("section_impression", "")))
    sections = [f"{header}:\n{text}" for header, text in named if text and text.lower() != "nan"]
    whole = row.get("report", "")
    return "\n\n".join(sections) or (whole if whole.lower() != "nan" else "") or None


def _labels(folder: Path) -> dict[str, dict[str, float] | None]:
    """Labels by path without extension; None where they are no labels."""
    for name in _LABELS:
        for path in (folder / "chexbert_labels" / name, folder / name):
            if path.is_file():
                return dict(_read_labels(path))
    return {}


def _read_labels(path: Path) -> Iterator[tuple[str, dict[str, float] | None]]:
    try:
        with open(path, encoding="utf-8") as stream:
            for line in stream:
                row = parsed_json(line) if line.strip() else {}
                parts = path_parts(str(row.get("path_to_image", "")))
                if parts is None:
                    continue
                try:
                    yield parts.stem, labels_of(row)
                except (TypeError, ValueError):
                    yield parts.stem, None
    except OSError as error:
        raise SourceError(
            f"the labels cannot be read ({error.strerror})", code="E_SOURCE_READ", where=path.name
        ) from error
    except (ValueError, AttributeError, RecursionError) as error:
        raise SourceError("the labels are not JSON lines", code="E_SOURCE_DAMAGED", where=path.name) from error
