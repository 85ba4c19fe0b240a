"""DICOMweb: films and reports out of an archive into the spool (QIDO-RS, WADO-RS; PS3.18).

Objects are asked for in whatever transfer syntax the archive keeps them in and kept byte for byte as they come. A name
and a password, or a token, come from the environment (``NGR_DICOMWEB_USER`` and ``NGR_DICOMWEB_PASSWORD``, or
``NGR_DICOMWEB_TOKEN``), never from the command line or a file of settings.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

from neuralgraph.errors import SourceError
from neuralgraph.pacs.connection import Connection, NoAnswerError
from neuralgraph.pacs.listing import Listing, Page, all_results, stated_total
from neuralgraph.pacs.multipart import single_part
from neuralgraph.pacs.narrowing import every_result
from neuralgraph.pacs.pulling import Missing, Pulled, PullProgress
from neuralgraph.pacs.raw_data import RAW_DATA, RAW_MODALITY, ngr_bytes
from neuralgraph.pacs.spool import ACCEPTED, Spool
from neuralgraph.sources.films.dicom import is_dicom
from neuralgraph.sources.films.dicom_header import quiet_pydicom
from neuralgraph.sources.layouts.dicom_keys import keys_of
from neuralgraph.storage.atomic import atomic_file

__all__ = ["MODALITIES", "WebArchive"]

MODALITIES: tuple[str, ...] = ("CR", "DX")
"""Modalities of series that are pulled unless others are named."""

_STUDY, _SERIES, _INSTANCE, _CLASS, _MODALITY = "0020000D", "0020000E", "00080018", "00080016", "00080060"
_IN_STUDY, _IN_SERIES = "00201208", "00201209"
_FIELDS = ("SOPClassUID", "StudyDate", "StudyTime", _IN_STUDY, _IN_SERIES)
_JSON = "application/dicom+json"
_OBJECT = 'multipart/related; type="application/dicom"; transfer-syntax=*'
_MOST_JSON_BYTES = 64 * 1024 * 1024
_MOST_OBJECT_BYTES = 256 * 1024 * 1024
_SILENT_OBJECTS = 2
"""Objects of a study that are not answered for, after which no more of it are asked for."""
_SILENT_STUDIES = 5
"""Studies in a row with nothing but silence, after which nothing more is asked for."""


@dataclass
class _Wanted:
    """A study, and what the archive says of it."""

    stated: int = 0
    """Objects of the study."""
    series: dict[str, int] = field(default_factory=dict)
    """Objects of each series, 0 where nothing is said."""


class WebArchive:
    """An archive that speaks DICOMweb.

    Parameters
    ----------
    url : root of its service, "https://pacs.example.org/dicom-web".
    certificates : file of certificate authorities to trust; the system's by default.
    patience : seconds of silence after which an answer is given up.

    Raises
    ------
    SourceError (E_SOURCE_READ) : the address is none.
    """

    def __init__(self, url: str, *, certificates: Path | None = None, patience: float = 60.0) -> None:
        self._connection = Connection(url, certificates=certificates, patience=patience)
        self._silent = 0
        """Studies in a row of which nothing came."""

    def pull(
        self,
        spool: Spool,
        filters: Mapping[str, str],
        *,
        modalities: Sequence[str] = MODALITIES,
        again: bool = False,
        progress: PullProgress | None = None,
    ) -> Pulled:
        """Fetch films, and reports that lie beside them, of every study that has a series of these modalities.

        Parameters
        ----------
        spool : where they go; what lies there is not fetched again.
        filters : of the search, by keyword: StudyDate ("20240101-20240131"), AccessionNumber, PatientID ...
        modalities : of series that make a study wanted.
        again : fetch what lies there too, and keep what has changed as its correction.
        progress : told after every object and every study.

        Returns
        -------
        Pulled, which says what is missing; one object that the archive cannot give does not end the pull.

        Raises
        ------
        SourceError (E_SOURCE_READ) : the archive cannot be reached, or refuses to be searched.
        OutputError (E_OUTPUT, E_WRITE) : the spool cannot be written.
        """
        result = Pulled()
        wanted: dict[str, _Wanted] = {}
        for modality in modalities:
            found = self._every("series", {**filters, "Modality": modality}, (_STUDY, _SERIES))
            _remember(result, found, f"series of {modality}")
            _want(wanted, found, modality)
        result.studies = len(wanted)
        for done, study in enumerate(sorted(wanted), 1):
            for outcome in self._study(spool, study, wanted[study], again=again):
                _count(result, outcome)
                if progress is not None:
                    progress(done - 1, result.studies, result.stored)
            if progress is not None:
                progress(done, result.studies, result.stored)
        return result

    def _study(self, spool: Spool, study: str, wanted: _Wanted, *, again: bool) -> Iterator[str | Missing]:
        """What became of each object of a study."""
        if self._silent >= _SILENT_STUDIES:
            message = "not asked for: the server has stopped answering"
            yield Missing(study, "", "", "E_SOURCE_READ", message)
            return
        self._silent += 1
        try:
            found = self._search(f"studies/{study}/instances", {}, (_INSTANCE,))
        except NoAnswerError as error:
            yield Missing(study, "", "", error.code, error.message)
            return
        except SourceError as error:
            self._silent = 0
            yield Missing(study, "", "", error.code, error.message)
            return
        if found.doubt:
            yield Missing(study, "", "", "E_SOURCE_READ", found.doubt)
        elif reason := _short_of(found, wanted):
            yield Missing(study, "", "", "E_SOURCE_READ", reason)
        elif not found.rows:
            message = "the archive lists the study and no object of it"
            yield Missing(study, "", "", "E_SOURCE_READ", message)
        # Where a listing does not say of what class an object is, the object itself does.
        wanted_rows = [row for row in found.rows if _value(row, _CLASS) in (*ACCEPTED, "")]
        silent = 0
        for row in wanted_rows:
            series, instance = _value(row, _SERIES), _value(row, _INSTANCE)
            if silent >= _SILENT_OBJECTS:
                message = "not asked for: the server does not answer for others of the study"
                yield Missing(study, series, instance, "E_SOURCE_READ", message)
                continue
            try:
                outcome = self._object(spool, study, series, instance, again=again)
            except NoAnswerError as error:
                silent += 1
                yield Missing(study, series, instance, error.code, error.message)
                continue
            if outcome:
                yield outcome
        if silent < max(1, len(wanted_rows)):
            self._silent = 0

    def _object(self, spool: Spool, study: str, series: str, instance: str, *, again: bool) -> str | Missing:
        """What ``Spool.add`` says, what is missing, or "" for an object of a class that is not taken.

        Raises
        ------
        NoAnswerError : the server is silent.
        """
        try:
            if not again and spool.holds(study, instance):
                return "repeated"
            data = self._retrieve(study, series, instance)
            keys = keys_of(data)
            if keys.sop_class not in ACCEPTED:
                return ""
            if (keys.study, keys.instance) != (study, instance):
                raise SourceError("the archive gives another object than was asked for", code="E_SOURCE_DAMAGED")
            return spool.add(study, instance, data)
        except NoAnswerError:
            raise
        except SourceError as error:
            return Missing(study, series, instance, error.code, error.message)

    def pull_studies(self, folder: Path, filters: Mapping[str, str]) -> Pulled:
        """Fetch Raw Data objects and write the .ngr files in them, byte for byte, named by their objects' UIDs.

        Returns
        -------
        Pulled; E_SOURCE_KIND is Raw Data of somebody else.

        Raises
        ------
        SourceError, OutputError : as ``pull``.
        """
        result = Pulled()
        # The modality too: Orthanc keeps no index of classes, and looks for one among as many objects as its limit lets
        # it, whatever they are. An archive with more objects of other kinds would hide these.
        asked = {**filters, "Modality": RAW_MODALITY, "SOPClassUID": RAW_DATA}
        found = self._every("instances", asked, (_INSTANCE,))
        _remember(result, found, "Raw Data objects")
        rows = [row for row in found.rows if _value(row, _CLASS) in ("", RAW_DATA)]
        result.studies = len({_value(row, _STUDY) for row in rows})
        for row in rows:
            study, series, instance = (_value(row, tag) for tag in (_STUDY, _SERIES, _INSTANCE))
            try:
                with quiet_pydicom("its payload cannot be read"):
                    from pydicom import dcmread

                    data = ngr_bytes(dcmread(BytesIO(self._retrieve(study, series, instance))))
            except SourceError as error:
                result.missing.append(Missing(study, series, instance, error.code, error.message))
                continue
            with atomic_file(folder / f"{instance}.ngr") as stream:
                stream.write(data)
            result.stored += 1
        return result

    def _retrieve(self, study: str, series: str, instance: str) -> bytes:
        """The object as the archive sends it: a DICOM file."""
        doing = "the archive does not give an object"
        path = f"studies/{study}/series/{series}/instances/{instance}"
        answer = self._connection.get(path, {}, accept=_OBJECT, most=_MOST_OBJECT_BYTES, doing=doing)
        data = single_part(answer.body, answer.headers.get("content-type", ""))
        if not is_dicom(data):
            raise SourceError(f"{doing}: what it gives is no DICOM file", code="E_SOURCE_DAMAGED")
        return data

    def _every(self, path: str, filters: Mapping[str, str], identity: Sequence[str]) -> Listing:
        """All results, asked for in parts too where the archive keeps some back."""

        def search(filters: Mapping[str, str]) -> Listing:
            return self._search(path, filters, identity)

        return every_result(search, filters, _key(identity), _value)

    def _search(self, path: str, filters: Mapping[str, str], identity: Sequence[str]) -> Listing:
        """All results that paging gives; each told from the others by its elements ``identity``."""
        asked = {**filters, "includefield": ",".join(_FIELDS)}
        doing = "the archive cannot be searched"

        def ask(offset: int, limit: int) -> Page:
            query = {**asked, "limit": str(limit), "offset": str(offset)}
            answer = self._connection.get(path, query, accept=_JSON, most=_MOST_JSON_BYTES, doing=doing)
            rows = _rows(answer.body, doing)
            return Page(rows, stated_total(answer.headers, offset + len(rows)))

        return all_results(ask, _key(identity))

    def close(self) -> None:
        """Let the archive go."""
        self._connection.close()


def _key(identity: Sequence[str]) -> Callable[[dict[str, Any]], Hashable]:
    """What tells results apart: these elements, or all of a result that lacks one."""

    def key(row: dict[str, Any]) -> Hashable:
        values = tuple(_value(row, tag) for tag in identity)
        return values if all(values) else json.dumps(row, sort_keys=True)

    return key


def _rows(body: bytes, doing: str) -> list[dict[str, Any]]:
    """The results of an answer; an empty one has none."""
    try:
        rows = json.loads(body) if body.strip() else []
        if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
            return rows
    except (ValueError, RecursionError):
        pass
    raise SourceError(f"{doing}: its answer is not understood", code="E_SOURCE_DAMAGED")


def _value(row: Mapping[str, Any], tag: str) -> str:
    """The first value of an element in DICOM JSON; "" where there is none."""
    element = row.get(tag)
    values = element.get("Value") if isinstance(element, dict) else None
    return str(values[0]) if isinstance(values, list) and values else ""


def _number(row: Mapping[str, Any], tag: str) -> int:
    text = _value(row, tag)
    return int(text) if text.isdecimal() else 0


def _want(wanted: dict[str, _Wanted], found: Listing, modality: str) -> None:
    """Note the studies of series that were found."""
    for row in found.rows:
        study = _value(row, _STUDY)
        # A server that does not know the filter gives every series.
        if study and _value(row, _MODALITY) in ("", modality):
            about = wanted.setdefault(study, _Wanted())
            about.stated = max(about.stated, _number(row, _IN_STUDY))
            about.series[_value(row, _SERIES)] = _number(row, _IN_SERIES)


def _short_of(found: Listing, wanted: _Wanted) -> str:
    """How a listing of a study's objects is less than the archive itself says of it; "" where it is not."""
    stated = max([wanted.stated, *(_number(row, _IN_STUDY) for row in found.rows)])
    if len(found.rows) < stated:
        return f"the archive says that the study has {stated:,} objects, and lists {len(found.rows):,}"
    for series, number in wanted.series.items():
        listed = sum(_value(row, _SERIES) == series for row in found.rows)
        if listed < number:
            return f"the archive says that a series has {number:,} objects, and lists {listed:,}"
    return ""


def _remember(result: Pulled, found: Listing, what: str) -> None:
    """Note what must be said of a search."""
    if found.doubt:
        result.missing.append(Missing("", "", "", "E_SOURCE_READ", f"{what}: {found.doubt}"))
    if found.note and found.note not in result.notes:
        result.notes.append(found.note)


def _count(result: Pulled, outcome: str | Missing) -> None:
    if isinstance(outcome, Missing):
        result.missing.append(outcome)
    elif outcome == "stored":
        result.stored += 1
    elif outcome == "repeated":
        result.repeated += 1
    else:
        result.corrected += 1
