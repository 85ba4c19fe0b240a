"""What must not show in an output: the identifiers that a source holds, in the spellings that occur."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from neuralgraph.errors import SourceError
from neuralgraph.sources.files import read_whole_file
from neuralgraph.sources.films.deflated import inflated_file
from neuralgraph.sources.films.dicom import is_dicom
from neuralgraph.sources.films.dicom_header import quiet_pydicom
from neuralgraph.sources.layouts import Roots, resolve_manifest
from neuralgraph.sources.layouts.roots import files_below

__all__ = [
    "SHORTEST",
    "Identifier",
    "identifiers_of_dicom",
    "identifiers_of_folder",
    "identifiers_of_list",
    "identifiers_of_manifest",
]

SHORTEST = 4
"""Characters below which an identifier would be found by chance."""

_TEXT_VRS = frozenset(("AE", "DA", "DT", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT"))
_MAX_SOURCE_BYTES = 256 * 1024 * 1024
_MAX_LIST_BYTES = 16 * 1024 * 1024
_STANDARD_ROOT = "1.2.840.10008."
# "report" or "IM0001" names nobody; what has six characters and three digits may be a number of somebody.
_NUMBERED = re.compile(r"(?=.{6})(?:.*\d){3}.*", re.DOTALL)


@dataclass(frozen=True)
class Identifier:
    """Something that must not show."""

    name: str
    """What it is ("PatientName", "line 3"), for the result; the value itself is never printed."""
    value: str


def identifiers_of_list(path: str | os.PathLike[str]) -> list[Identifier]:
    """The identifiers of a UTF-8 file, one per line; too short ones are left out.

    Raises
    ------
    SourceError (E_SOURCE_READ, E_SOURCE_EMPTY, E_SOURCE_SIZE, E_SOURCE_TEXT) : the list cannot be used.
    """
    try:
        lines = read_whole_file(path, max_bytes=_MAX_LIST_BYTES).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise SourceError("the list of identifiers is not UTF-8", code="E_SOURCE_TEXT") from error
    named = (Identifier(f"line {number}", line.strip()) for number, line in enumerate(lines, 1))
    return [identifier for identifier in named if len(identifier.value) >= SHORTEST]


def identifiers_of_dicom(path: str | os.PathLike[str]) -> list[Identifier]:
    """Names, numbers, dates, times, UIDs and free texts of a DICOM header, private ones too, and the parts of names.

    UIDs of the standard itself identify nobody and are left out; so is what is shorter than four characters.

    Raises
    ------
    SourceError (E_SOURCE_READ, E_SOURCE_TYPE, E_SOURCE_DAMAGED) : no DICOM file, or one that cannot be read.
    MissingExtraError (E_EXTRA) : pydicom is not installed.
    """
    data = read_whole_file(path, max_bytes=_MAX_SOURCE_BYTES)
    if not is_dicom(data):
        raise SourceError("not a DICOM file", code="E_SOURCE_TYPE")
    found: dict[str, Identifier] = {}
    with quiet_pydicom("its header cannot be read"):
        from io import BytesIO

        from pydicom import dcmread

        dataset = dcmread(BytesIO(inflated_file(data)), stop_before_pixels=True)
        for element in [*dataset.file_meta.iterall(), *dataset.iterall()]:
            if element.VR not in _TEXT_VRS or element.value is None:
                continue
            # A person's name is one value though it can be iterated over.
            values = element.value if element.VM > 1 else [element.value]
            for value in values:
                for text in _spellings(str(value), element.VR):
                    found.setdefault(text, Identifier(element.keyword or str(element.tag), text))
    return list(found.values())


def _spellings(text: str, representation: str) -> Iterator[str]:
    text = text.strip(" \0")
    if representation == "UI" and text.startswith(_STANDARD_ROOT):
        return
    spellings = [text]
    if representation == "PN":
        parts = [part.strip() for part in text.replace("=", "^").split("^") if part.strip()]
        spellings += [*parts, " ".join(parts), " ".join(parts[1::-1])]
    if representation == "DA" and len(text) == 8:
        year, month, day = text[:4], text[4:6], text[6:]
        spellings += [
            f"{year}-{month}-{day}",
            f"{day}.{month}.{year}",
            f"{month}/{day}/{year}",
            f"{day}/{month}/{year}",
        ]
    yield from (spelling for spelling in spellings if len(spelling) >= SHORTEST)


def identifiers_of_folder(
    folder: str | os.PathLike[str], told: Callable[[], object] = lambda: None
) -> list[Identifier]:
    """The identifiers of every DICOM file in a folder and below, and the numbers in names of files and folders.

    Hidden files count: what a spool keeps of corrected objects names patients too. ``told`` is called for every file.

    Raises
    ------
    SourceError : a folder cannot be listed, or a file not be read.
    MissingExtraError (E_EXTRA) : pydicom is not installed.
    """
    found: dict[str, Identifier] = {}
    for relative in files_below(Path(folder), hidden=True):
        told()
        _add(found, _of_names(relative))
        path = Path(folder, relative)
        with open(path, "rb") as stream:
            is_header = is_dicom(stream.read(132))
        if is_header:
            _add(found, identifiers_of_dicom(path))
    return list(found.values())


def identifiers_of_manifest(path: str | os.PathLike[str]) -> list[Identifier]:
    """The studies, patients and numbered file names of a manifest, as ``ngr convert --dry-run`` writes it.

    Raises
    ------
    SourceError : it cannot be read.
    """
    found: dict[str, Identifier] = {}
    for row in resolve_manifest(Roots(Path(path)), "manifest").rows:
        keys = (("study_id", row.study_key), ("patient_id", row.patient_key))
        _add(found, (Identifier(name, key) for name, key in keys if len(key) >= SHORTEST))
        for image in row.images:
            _add(found, _of_names(image.path))
        _add(found, _of_names(row.report_path or ""))
    return list(found.values())


def _add(found: dict[str, Identifier], identifiers: Iterable[Identifier]) -> None:
    for identifier in identifiers:
        found.setdefault(identifier.value, identifier)


def _of_names(path: str) -> Iterator[Identifier]:
    for part in path.split("/"):
        stem = part.split(".")[0] if part.rpartition(".")[2].isalpha() else part
        if _NUMBERED.fullmatch(stem):
            yield Identifier("file name", stem)
