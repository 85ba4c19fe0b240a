"""What joins a DICOM file to its study, its patient and its report; read for the manifest, kept nowhere else."""

from __future__ import annotations

from dataclasses import dataclass

from neuralgraph.errors import SourceError
from neuralgraph.sources.films.deflated import inflated_file
from neuralgraph.sources.films.dicom import is_dicom
from neuralgraph.sources.films.dicom_header import DicomHeader, read_dicom_header
from neuralgraph.sources.films.dicom_view_words import stated_view

__all__ = ["DicomKeys", "dicom_keys", "keys_of"]

_KEYS: dict[str, int] = {
    "SOPClassUID": 0x00080016,
    "SOPInstanceUID": 0x00080018,
    "StudyDate": 0x00080020,
    "AcquisitionDate": 0x00080022,
    "StudyTime": 0x00080030,
    "AcquisitionTime": 0x00080032,
    "AccessionNumber": 0x00080050,
    "PatientID": 0x00100020,
    "ViewPosition": 0x00185101,
    "StudyInstanceUID": 0x0020000D,
    "ViewCodeSequence": 0x00540220,
}
_HEADER_BYTES = 512 * 1024
_MAX_DOCUMENT_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class DicomKeys:
    """Identifiers of one file, as they are written there; "" where it does not say."""

    sop_class: str
    instance: str
    study: str
    accession: str
    patient: str
    view: str
    """One of ``manifest.VIEWS``."""
    taken: str
    """Date and time of the exposure; sorts."""
    study_time: str
    """Date and time of the study; sorts."""


def dicom_keys(path: str) -> DicomKeys | None:
    """The keys in a file's first half megabyte; None where it is no DICOM file.

    Raises
    ------
    SourceError (E_SOURCE_DAMAGED) : its header cannot be read.
    OSError : the file cannot be read.
    MissingExtraError (E_EXTRA) : pydicom is not installed.
    """
    with open(path, "rb") as stream:
        data = stream.read(132)
        if not is_dicom(data):
            return None
        data += stream.read(_HEADER_BYTES)
        try:
            return keys_of(data)
        except SourceError:
            # A document has no pixel data to stop at, and may be longer.
            rest = stream.read(_MAX_DOCUMENT_BYTES)
            if not rest:
                raise
            return keys_of(data + rest)


def keys_of(data: bytes) -> DicomKeys:
    """The keys in a DICOM file, or in as much of it as precedes its pixel data.

    Raises
    ------
    SourceError (E_SOURCE_DAMAGED) : the header cannot be read.
    MissingExtraError (E_EXTRA) : pydicom is not installed.
    """
    header = read_dicom_header(inflated_file(data), _KEYS)
    return DicomKeys(
        sop_class=header.identifier("SOPClassUID"),
        instance=header.identifier("SOPInstanceUID"),
        study=header.identifier("StudyInstanceUID"),
        accession=header.identifier("AccessionNumber"),
        patient=header.identifier("PatientID"),
        view=stated_view(header).projection,
        taken=_moment(header, "AcquisitionDate", "AcquisitionTime"),
        study_time=_moment(header, "StudyDate", "StudyTime"),
    )


def _moment(header: DicomHeader, date: str, time: str) -> str:
    return f"{header.identifier(date)} {header.identifier(time)}".strip()
