"""STOW-RS: objects into an archive over DICOMweb (PS3.18 section 10.5)."""

from __future__ import annotations

import json
import secrets
from io import BytesIO
from pathlib import Path
from typing import Any

from neuralgraph.errors import OutputError, SourceError
from neuralgraph.pacs.connection import Connection

__all__ = ["WebStore"]

_FAILED = "00081198"
_MOST_BYTES = 4 * 1024 * 1024


class WebStore:
    """An archive that takes objects over DICOMweb.

    Parameters
    ----------
    url : root of its service.
    certificates : file of certificate authorities to trust; the system's by default.

    Raises
    ------
    OutputError (E_OUTPUT) : the address is none.
    """

    def __init__(self, url: str, *, certificates: Path | None = None) -> None:
        try:
            self._connection = Connection(url, certificates=certificates)
        except SourceError as error:
            raise OutputError(error.message, code="E_OUTPUT", where="ADDRESS") from error

    def push(self, dataset: Any) -> None:
        """Store one object.

        Raises
        ------
        OutputError (E_WRITE) : the archive cannot be reached, or does not take it.
        """
        stream = BytesIO()
        dataset.save_as(stream, enforce_file_format=True)
        boundary = secrets.token_hex(16)
        body = b"\r\n".join(
            (
                b"--" + boundary.encode(),
                b"Content-Type: application/dicom",
                b"",
                stream.getvalue(),
                b"--" + boundary.encode() + b"--",
                b"",
            )
        )
        try:
            answer = self._connection.post(
                "studies",
                body,
                kind=f'multipart/related; type="application/dicom"; boundary={boundary}',
                accept="application/dicom+json",
                most=_MOST_BYTES,
                doing="the archive does not take the object",
            )
        except SourceError as error:
            raise OutputError(error.message, code="E_WRITE") from error
        if _failed(answer.body):
            raise OutputError("the archive does not take the object", code="E_WRITE")

    def close(self) -> None:
        """Let the archive go."""
        self._connection.close()


def _failed(body: bytes) -> bool:
    """Whether an answer names an object that was not stored; some archives answer with an empty list of failures, some
    with nothing.
    """
    try:
        told = json.loads(body) if body.strip() else {}
    except (ValueError, RecursionError):
        # Stored, says the status; what else it says is in another language.
        return False
    rows = told if isinstance(told, list) else [told]
    return any(isinstance(row, dict) and bool(row.get(_FAILED, {}).get("Value")) for row in rows)
