"""The folder between an archive and ``ngr convert``: one folder per study, files as the archive sent them.

    SPOOL/<Study Instance UID>/<SOP Instance UID>.dcm

Readable by their owner only: these are the originals, under real names. A file that is there already is neither fetched
nor written again.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from neuralgraph.errors import OutputError, SourceError
from neuralgraph.sources.dicom import FILM_CLASSES
from neuralgraph.sources.documents import STRUCTURED_REPORTS
from neuralgraph.storage.atomic import atomic_file

__all__ = ["ACCEPTED", "Spool"]

ACCEPTED: tuple[str, ...] = (*FILM_CLASSES, *sorted(STRUCTURED_REPORTS))
"""SOP classes that are taken in: films, and reports on them."""

# PS3.5 section 9.1: digits and dots, at most 64.
_UID = re.compile(r"[0-9]+(?:\.[0-9]+)+")
_MAX_UID = 64


class Spool:
    """The folder.

    Parameters
    ----------
    folder : made when absent.

    Raises
    ------
    OutputError (E_OUTPUT) : it cannot be made.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        self._make(self.folder)

    @staticmethod
    def _make(folder: Path) -> None:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot create the folder ({error.strerror})", code="E_OUTPUT", where="SPOOL") from error

    def path(self, study: str, instance: str) -> Path:
        """Where an object lies, or will.

        Raises
        ------
        SourceError (E_SOURCE_DAMAGED) : an identifier that is none, and could lead anywhere.
        """
        for uid in (study, instance):
            if len(uid) > _MAX_UID or not _UID.fullmatch(uid):
                raise SourceError("an object has an identifier that is no UID", code="E_SOURCE_DAMAGED")
        return self.folder / study / f"{instance}.dcm"

    def add(self, study: str, instance: str, data: bytes) -> bool:
        """Keep an object; False where it is there already.

        Raises
        ------
        SourceError (E_SOURCE_DAMAGED) : as ``path``.
        OutputError (E_OUTPUT, E_WRITE) : it cannot be written.
        """
        path = self.path(study, instance)
        if path.exists():
            return False
        self._make(path.parent)
        with atomic_file(path) as stream:
            os.fchmod(stream.fileno(), 0o600)
            stream.write(data)
        return True
