"""The view a DICOM file states of itself, from its first bytes."""

from __future__ import annotations

from neuralgraph.errors import SourceError
from neuralgraph.sources.films.deflated import inflated_file
from neuralgraph.sources.films.dicom import is_dicom
from neuralgraph.sources.films.dicom_header import read_dicom_header
from neuralgraph.sources.films.dicom_view_words import stated_view

__all__ = ["dicom_view"]

_PREAMBLE_BYTES = 132
# Headers of films are a few kilobytes; with lookup tables and icons they reach about a hundred.
_HEADER_BYTES = 512 * 1024


def dicom_view(path: str) -> str:
    """One of ``manifest.VIEWS``; "unknown" where the file says nothing or cannot be read this far.

    A file that cannot be read gets its reason when it is converted, not here.

    Raises
    ------
    MissingExtraError (E_EXTRA) : pydicom is not installed.
    """
    try:
        with open(path, "rb") as stream:
            data = stream.read(_PREAMBLE_BYTES)
            if not is_dicom(data):
                return "unknown"
            data += stream.read(_HEADER_BYTES)
    except OSError:
        return "unknown"
    try:
        return stated_view(read_dicom_header(inflated_file(data))).projection
    except SourceError:
        return "unknown"
