"""Reports of a hospital, found by accession number or Study Instance UID, whatever form they are kept in.

    <accession>.txt or <Study Instance UID>.txt     plain text
    *.hl7, or any file that begins with MSH         HL7 v2 result messages, one or many
    DICOM structured reports                        among the films, or apart

Preliminary reports do not count; of several final ones a correction wins, then the latest, with its addenda.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

from neuralgraph.errors import SourceError
from neuralgraph.sources.documents import (
    ReportDocument,
    is_message,
    read_messages,
    read_structured_report,
    whole_report,
)
from neuralgraph.sources.files import read_whole_file
from neuralgraph.sources.films.dicom import is_dicom
from neuralgraph.sources.layouts.roots import files_below

__all__ = ["ReportIndex"]

_MAX_BYTES = 64 * 1024 * 1024
_TEXT_SUFFIX = ".txt"


@dataclass
class ReportIndex:
    """Every report found so far, by its keys."""

    documents: defaultdict[str, list[ReportDocument]] = field(default_factory=lambda: defaultdict(list))
    """By accession number and by Study Instance UID."""
    texts: dict[str, str] = field(default_factory=dict)
    """Paths of plain texts by the name without its ending."""
    unreadable: list[str] = field(default_factory=list)
    """Paths, below the folder, of files that cannot be read."""

    def add_folder(self, folder: Path, told: Callable[[], object] = lambda: None) -> None:
        """Take in every report in a folder and below it, ``told`` of each file; other files are passed over."""
        for relative in files_below(folder, self.unreadable.append):
            told()
            path = folder / relative
            try:
                if path.suffix.lower() == _TEXT_SUFFIX and not self._is_message(path):
                    self.texts.setdefault(path.stem, str(path))
                else:
                    self.add_file(path)
            except (OSError, SourceError):
                self.unreadable.append(relative)

    @staticmethod
    def _is_message(path: Path) -> bool:
        with open(path, "rb") as stream:
            return is_message(stream.read(64))

    def add_file(self, path: Path) -> None:
        """Take in a file of messages, or a structured report.

        Raises
        ------
        SourceError : it begins like one and cannot be read.
        """
        with open(path, "rb") as stream:
            start = stream.read(132)
        if is_message(start):
            for document in read_messages(read_whole_file(path, max_bytes=_MAX_BYTES)):
                self._add(document)
        elif is_dicom(start):
            found = read_structured_report(read_whole_file(path, max_bytes=_MAX_BYTES))
            if found is not None:
                self._add(found)

    def _add(self, document: ReportDocument) -> None:
        for key in document.accessions | document.studies:
            self.documents[key].append(document)

    def find(self, study: str, accessions: Collection[str], patient: str) -> tuple[str | None, str | None, str]:
        """The report of a study: its text, or the path of its text, and why there is neither.

        Parameters
        ----------
        study, accessions, patient : the study's identifiers.

        Returns
        -------
        text, path : at most one of the two.
        reason : a key of ``REASONS``, or "" (also where there is no report at all).
        """
        keys = [study, *sorted(accessions)]
        for key in keys:
            if key in self.texts:
                return None, self.texts[key], ""
        # A site may use an accession number twice; a report that names its study belongs to that one alone.
        found = [
            document
            for key in keys
            for document in self.documents.get(key, ())
            if not document.studies or study in document.studies
        ]
        if not found:
            return None, None, ""
        if not all(document.is_of(patient) for document in found):
            return None, None, "report_of_another"
        # One document is found by each of its keys.
        best, reason = whole_report(list({id(document): document for document in found}.values()))
        return (best.text if best is not None else None), None, reason
