"""Patient and study of a film, for objects that go into the archive beside it, and identifiers made from content."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from io import BytesIO
from typing import Any

from neuralgraph.errors import SourceError
from neuralgraph.graph.study import Study
from neuralgraph.sources.files import read_whole_file
from neuralgraph.sources.films.deflated import inflated_file
from neuralgraph.sources.films.dicom import is_dicom
from neuralgraph.sources.films.dicom_header import quiet_pydicom

__all__ = ["STUDY_KEYWORDS", "check_film_of", "film_facts", "made_uid", "read_source", "settle_moment", "stored_size"]

_MAX_BYTES = 256 * 1024 * 1024

STUDY_KEYWORDS: tuple[str, ...] = (
    "SpecificCharacterSet",
    "PatientName",
    "PatientID",
    "IssuerOfPatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyInstanceUID",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
    "StudyDescription",
)
"""What an object shares with every other of its study (PS3.3 C.7.1.1, C.7.2.1)."""

# Type 2 of the patient and study modules: they must be there, and may be empty.
_REQUIRED = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
)

_DATES = ("InstanceCreationDate", "ContentDate", "SeriesDate", "PresentationCreationDate")
_TIMES = ("InstanceCreationTime", "ContentTime", "SeriesTime", "PresentationCreationTime")


def read_source(path: str | os.PathLike[str]) -> Any:
    """The header of the film that an object will stand beside, as a pydicom Dataset without pixels.

    Raises
    ------
    SourceError (E_SOURCE_READ, E_SOURCE_TYPE, E_SOURCE_DAMAGED) : no DICOM file, or one without a study.
    MissingExtraError (E_EXTRA) : pydicom is not installed.
    """
    data = read_whole_file(path, max_bytes=_MAX_BYTES)
    if not is_dicom(data):
        raise SourceError("not a DICOM file", code="E_SOURCE_TYPE")
    with quiet_pydicom("its header cannot be read"):
        from pydicom import dcmread

        dataset = dcmread(BytesIO(inflated_file(data)), stop_before_pixels=True)
        for keyword in _REQUIRED:
            if keyword not in dataset:
                setattr(dataset, keyword, "")
        missing = [name for name in ("StudyInstanceUID", "SOPInstanceUID", "SOPClassUID") if not dataset.get(name)]
    if missing:
        raise SourceError(f"the DICOM file has no {missing[0]}", code="E_SOURCE_DAMAGED")
    return dataset


def check_film_of(study: Study, view: int, source: Any) -> None:
    """Refuse a film that a study was not made from, as far as its size tells.

    Raises
    ------
    SourceError (E_SOURCE_KIND) : the study has no such view, or one of another size.
    """
    if view >= len(study.views) or stored_size(study, view) != (source.get("Rows"), source.get("Columns")):
        raise SourceError("the film is not the one that the study was made from", code="E_SOURCE_KIND")


def stored_size(study: Study, view: int) -> tuple[int, int]:
    """Rows and columns of a film of a study as its source stores it, before it was turned or made of square pixels."""
    facts = film_facts(study, view)
    stated = facts.get("stored_size")
    if isinstance(stated, list | tuple) and len(stated) == 2 and all(isinstance(side, int | float) for side in stated):
        return round(stated[0]), round(stated[1])
    return study.views[view].height, study.views[view].width


def film_facts(study: Study, view: int) -> Mapping[str, Any]:
    """What a study says of one of its films; empty where it says nothing."""
    films = study.provenance.get("films") or ()
    return films[view] if view < len(films) else {}


def made_uid(kind: str, *parts: bytes | str) -> str:
    """A UID below 2.25 from content: the same content gives the same object, so that sending twice stores it once."""
    digest = hashlib.sha256(kind.encode())
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    return f"2.25.{int.from_bytes(digest.digest()[:16], 'big')}"


def settle_moment(made: Any, source: Any) -> None:
    """Give an object the moment of its film's study in place of that of its making, so that it is the same every time.

    Parameters
    ----------
    made : pydicom Dataset, as highdicom made it; changed.
    source : the film.
    """
    date, time = source.get("StudyDate") or "19000101", source.get("StudyTime") or "000000"
    for element in made.iterall():
        if element.VR == "DA" and element.keyword in _DATES:
            element.value = date
        elif element.VR == "TM" and element.keyword in _TIMES:
            element.value = time
        elif element.keyword in ("ContributionDateTime", "ObservationDateTime"):
            element.value = f"{date}{time}"
