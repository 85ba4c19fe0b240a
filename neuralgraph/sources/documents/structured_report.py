"""Reports from DICOM structured reports: the texts of the content tree under their headings (PS3.3 A.35.1, C.17.3).

Basic Text is what dictation systems write; Enhanced and Comprehensive ones are read the same way: their texts, not
their measurements.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any

from neuralgraph.errors import SourceError
from neuralgraph.sources.documents.document import ReportDocument
from neuralgraph.sources.documents.headings import heading_of_code, heading_of_words
from neuralgraph.sources.documents.markup import plain_text
from neuralgraph.sources.films.deflated import inflated_file
from neuralgraph.sources.films.dicom_header import quiet_pydicom

__all__ = ["STRUCTURED_REPORTS", "read_structured_report"]

STRUCTURED_REPORTS = frozenset(
    (
        "1.2.840.10008.5.1.4.1.1.88.11",
        "1.2.840.10008.5.1.4.1.1.88.22",
        "1.2.840.10008.5.1.4.1.1.88.33",
    )
)
"""SOP classes: Basic Text, Enhanced and Comprehensive SR."""

_MAX_DEPTH = 16
_MAX_ITEMS = 5000


def read_structured_report(data: bytes) -> ReportDocument | None:
    """The report in a DICOM file; None where it is no structured report, or has no text.

    Parameters
    ----------
    data : the whole file.

    Raises
    ------
    SourceError (E_SOURCE_DAMAGED, E_SOURCE_SIZE) : the file cannot be read.
    MissingExtraError (E_EXTRA) : pydicom is not installed.
    """
    with quiet_pydicom("its content cannot be read"):
        from pydicom import dcmread

        dataset = dcmread(BytesIO(inflated_file(data)))
        if str(dataset.get("SOPClassUID", "")) not in STRUCTURED_REPORTS:
            return None
        lines: list[str] = []
        heading = ""
        coded = False
        for number, (name, text) in enumerate(_texts(dataset, "", 0)):
            if number >= _MAX_ITEMS:
                raise SourceError("the structured report has more items than are read", code="E_SOURCE_SIZE")
            if text is None:
                coded = True
                continue
            if name != heading:
                # What has no heading of its own must not be read as part of an indication before it.
                lines += ["", f"{name or 'REPORT'}:"]
            heading = name
            lines.append(text)
        whole = plain_text("\n".join(lines)).strip()
        if not (whole or coded):
            return None
        issued = f"{dataset.get('ContentDate', '')}{dataset.get('ContentTime', '')}"
        return ReportDocument(
            whole,
            accessions=frozenset({str(dataset.get("AccessionNumber") or "").strip()} - {""}),
            studies=frozenset({str(dataset.get("StudyInstanceUID") or "")} - {""}),
            patients=frozenset({str(dataset.get("PatientID") or "").strip()} - {""}),
            final=dataset.get("CompletionFlag", "COMPLETE") == "COMPLETE"
            and dataset.get("PreliminaryFlag", "FINAL") == "FINAL",
            corrected="PredecessorDocumentsSequence" in dataset,
            issued=issued,
            problem="" if whole else "codes",
        )


def _texts(item: Any, heading: str, depth: int) -> Iterator[tuple[str, str | None]]:
    """(heading, text) of every TEXT item, depth first; a container's title heads what lies in it.

    A coded finding, which is not read, has the text None.
    """
    if depth > _MAX_DEPTH:
        raise SourceError("the structured report is nested deeper than is read", code="E_SOURCE_SIZE")
    for child in item.get("ContentSequence") or ():
        names = child.get("ConceptNameCodeSequence")
        name = str(names[0].get("CodeMeaning", "")).strip().upper() if names else ""
        code = str(names[0].get("CodeValue", "")) if names else ""
        known = heading_of_code(code) or heading_of_words(name)
        kind = child.get("ValueType")
        if kind == "TEXT":
            # A reason for the study stays one, in whatever container it lies.
            own = known if known not in ("FINDINGS", "IMPRESSION") else ""
            yield own or heading or known or name, str(child.get("TextValue") or "").strip()
        elif kind == "CONTAINER":
            yield from _texts(child, known or heading or name, depth + 1)
        elif kind == "CODE" and (heading or known) in ("FINDINGS", "IMPRESSION"):
            yield heading or known, None
