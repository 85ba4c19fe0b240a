"""The folder between an archive and ``ngr convert``: one folder per study, files as the archive sent them.

    SPOOL/<Study Instance UID>/<SOP Instance UID>.dcm       an object
    SPOOL/<Study Instance UID>/<SOP Instance UID>-2.dcm     its correction: the same UID, other content
    SPOOL/<Study Instance UID>/.superseded/...              what was there before a correction
    SPOOL/missing.jsonl                                     what the last pull could not get

Readable by their owner only: these are the originals, under real names. What is there already is neither fetched nor
written again. A correction has a name of its own, so that a conversion that continues sees that the film is another.
"""

from __future__ import annotations

import os
import re
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from neuralgraph.errors import OutputError, SourceError
from neuralgraph.pacs.same_object import same_object
from neuralgraph.sources.documents import STRUCTURED_REPORTS
from neuralgraph.sources.films.dicom import FILM_CLASSES
from neuralgraph.storage.atomic import atomic_file, make_folder, owner_only

__all__ = ["ACCEPTED", "SUPERSEDED", "Spool"]

ACCEPTED: tuple[str, ...] = (*FILM_CLASSES, *sorted(STRUCTURED_REPORTS))
"""SOP classes that are taken in: films, and reports on them."""

SUPERSEDED = ".superseded"
"""Folder of a study's objects that were corrected; hidden from conversions."""

# PS3.5 section 9.1: digits and dots, at most 64.
_UID = re.compile(r"[0-9]+(?:\.[0-9]+)+")
_MAX_UID = 64
_OBJECT = re.compile(r"([0-9.]+?)(?:-([0-9]+))?\.dcm")
_STALE = 3600.0
"""Seconds after which a file written aside belongs to nobody who is still alive."""


@dataclass(frozen=True, slots=True)
class _Held:
    study: str
    version: int


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
        self._lock = threading.RLock()
        self._held: dict[str, _Held] | None = None
        self._make(self.folder)

    def _make(self, folder: Path) -> None:
        make_folder(folder, where=self.folder, mode=0o700)

    def path(self, study: str, instance: str, version: int = 1) -> Path:
        """Where an object lies, or will.

        Raises
        ------
        SourceError (E_SOURCE_DAMAGED) : an identifier that is none, and could lead anywhere.
        """
        for uid in (study, instance):
            if len(uid) > _MAX_UID or not _UID.fullmatch(uid):
                raise SourceError("an object has an identifier that is no UID", code="E_SOURCE_DAMAGED")
        return self.folder / study / (f"{instance}.dcm" if version == 1 else f"{instance}-{version}.dcm")

    def holds(self, study: str, instance: str) -> bool:
        """Whether an object of this UID lies in this study.

        Raises
        ------
        SourceError (E_SOURCE_DAMAGED) : as ``path``.
        """
        self.path(study, instance)
        with self._lock:
            held = self._index().get(instance)
            return held is not None and held.study == study

    def add(self, study: str, instance: str, data: bytes) -> str:
        """Keep an object: "stored", "repeated" where the same is there already, or "corrected".

        An object of the same UID with other content, or of another study, takes the place of the one that is there,
        which is kept among the superseded ones of its study.

        Raises
        ------
        SourceError (E_SOURCE_DAMAGED) : as ``path``.
        OutputError (E_OUTPUT, E_WRITE) : it cannot be written.
        """
        self.path(study, instance)
        with self._lock:
            held = self._index().get(instance)
            if held is None:
                self._write(self.path(study, instance), data)
                self._index()[instance] = _Held(study, 1)
                return "stored"
            before = self.path(held.study, instance, held.version)
            if held.study == study and same_object(_content(before), data):
                return "repeated"
            version = held.version + 1
            self._write(self.path(study, instance, version), data)
            self._supersede(before)
            self._index()[instance] = _Held(study, version)
            return "corrected"

    def _write(self, path: Path, data: bytes) -> None:
        self._make(path.parent)
        with atomic_file(path) as stream:
            owner_only(stream)
            stream.write(data)

    def _supersede(self, path: Path) -> None:
        folder = path.parent / SUPERSEDED
        self._make(folder)
        try:
            os.replace(path, folder / path.name)
        except OSError as error:
            reason = f"a corrected object cannot be put aside ({error.strerror})"
            raise OutputError(reason, code="E_WRITE", where=str(self.folder)) from error

    def _index(self) -> dict[str, _Held]:
        """What lies here, by instance; what a killed process left is put in order on the way."""
        if self._held is None:
            self._held = {}
            for study in sorted(entry.name for entry in os.scandir(self.folder) if entry.is_dir()):
                if _UID.fullmatch(study):
                    self._take(study)
        return self._held

    def _take(self, study: str) -> None:
        assert self._held is not None
        for entry in sorted(os.scandir(self.folder / study), key=lambda entry: entry.name):
            if entry.name.endswith(".partial"):
                if time.time() - entry.stat().st_mtime > _STALE:
                    os.unlink(entry.path)
                continue
            match = _OBJECT.fullmatch(entry.name)
            if match is None or not entry.is_file():
                continue
            found, other = _Held(study, int(match[2] or 1)), self._held.get(match[1])
            if other is None or other.version < found.version:
                self._held[match[1]] = found
            # A correction that was written, and its process ended before it put the older one aside.
            older = min((one for one in (found, other) if one is not None), key=lambda one: one.version)
            if other is not None and other.version != found.version:
                self._supersede(self.path(older.study, match[1], older.version))


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise OutputError("an object of the spool cannot be read", code="E_WRITE") from error
