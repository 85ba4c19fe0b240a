"""DICOMweb: films and reports out of an archive into the spool (QIDO-RS, WADO-RS; PS3.18), objects into it (STOW-RS).

Objects are asked for in whatever transfer syntax the archive keeps them in; nothing is recoded on the way. A name and a
password, or a token, come from the environment (``NGR_DICOMWEB_USER`` and ``NGR_DICOMWEB_PASSWORD``, or
``NGR_DICOMWEB_TOKEN``), never from the command line or a file of settings.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

from neuralgraph.errors import OutputError, SourceError, missing_extra
from neuralgraph.pacs.raw_data import RAW_DATA, ngr_bytes
from neuralgraph.pacs.spool import ACCEPTED, Spool
from neuralgraph.storage.atomic import atomic_file

__all__ = ["MODALITIES", "WebArchive"]

MODALITIES: tuple[str, ...] = ("CR", "DX")
"""Modalities of series that are pulled unless others are named."""

_PAGE = 500
_PATIENCE = 60.0
_STUDY, _SERIES, _INSTANCE, _CLASS = "0020000D", "0020000E", "00080018", "00080016"


class WebArchive:
    """An archive that speaks DICOMweb.

    Parameters
    ----------
    url : root of its service, "https://pacs.example.org/dicom-web".
    certificates : file of certificate authorities to trust; the system's by default.

    Raises
    ------
    MissingExtraError (E_EXTRA) : dicomweb-client is not installed.
    SourceError (E_SOURCE_READ) : the address is none.
    """

    def __init__(self, url: str, *, certificates: Path | None = None) -> None:
        try:
            import requests
            from dicomweb_client.web import DICOMwebClient
        except ImportError as error:
            raise missing_extra("talking DICOMweb", extra="pacs", library="dicomweb-client") from error
        session = requests.Session()
        # No proxy, no password file of the user's: what is used is what is said.
        session.trust_env = False
        if certificates is not None:
            session.verify = str(certificates)
        if token := os.environ.get("NGR_DICOMWEB_TOKEN"):
            session.headers["Authorization"] = f"Bearer {token}"
        elif user := os.environ.get("NGR_DICOMWEB_USER"):
            session.auth = (user, os.environ.get("NGR_DICOMWEB_PASSWORD", ""))
        with _said("the address cannot be used"):
            self._client = DICOMwebClient(url, session=session, timeout=_PATIENCE)

    def pull(
        self,
        spool: Spool,
        filters: Mapping[str, str],
        *,
        modalities: Sequence[str] = MODALITIES,
        told: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Fetch films, and reports that lie beside them, of every study that has a series of these modalities.

        Parameters
        ----------
        spool : where they go; what lies there is not fetched again.
        filters : of the search, by keyword: StudyDate ("20240101-20240131"), AccessionNumber, PatientID ...
        modalities : of series that make a study wanted.
        told : called for every object with "stored", "repeated", or the code of what was wrong with it.

        Raises
        ------
        SourceError (E_SOURCE_READ) : the archive cannot be reached, or refuses.
        OutputError (E_OUTPUT, E_WRITE) : the spool cannot be written.
        """
        studies = {
            _value(found, _STUDY)
            for modality in modalities
            for found in self._search(self._client.search_for_series, {**filters, "Modality": modality})
        }
        for study in sorted(studies - {""}):
            for found in self._search(self._client.search_for_instances, {}, study_instance_uid=study):
                if _value(found, _CLASS) not in ACCEPTED:
                    continue
                told(self._fetch(spool, study, _value(found, _SERIES), _value(found, _INSTANCE)))

    def _fetch(self, spool: Spool, study: str, series: str, instance: str) -> str:
        try:
            if spool.path(study, instance).exists():
                return "repeated"
            spool.add(study, instance, _as_file(self._retrieve(study, series, instance)))
        except SourceError as error:
            # One object that the archive cannot give does not end the pull.
            return error.code
        return "stored"

    def pull_studies(self, folder: Path, filters: Mapping[str, str]) -> Iterator[str]:
        """Fetch Raw Data objects and write the .ngr files in them, byte for byte, named by their objects' UIDs.

        Yields
        ------
        "stored", or the code of what was wrong: E_SOURCE_KIND for Raw Data of somebody else.

        Raises
        ------
        SourceError, OutputError : as ``pull``.
        """
        for found in self._search(self._client.search_for_instances, {**filters, "SOPClassUID": RAW_DATA}):
            if _value(found, _CLASS) not in ("", RAW_DATA):
                continue
            study, series, instance = (_value(found, tag) for tag in (_STUDY, _SERIES, _INSTANCE))
            try:
                data = ngr_bytes(self._retrieve(study, series, instance))
            except SourceError as error:
                yield error.code
                continue
            with atomic_file(folder / f"{instance}.ngr") as stream:
                stream.write(data)
            yield "stored"

    def push(self, dataset: Any) -> None:
        """Store one object.

        Raises
        ------
        OutputError (E_WRITE) : the archive cannot be reached, or does not take it.
        """
        try:
            with _said("the archive does not take the object"):
                from pydicom import dcmread

                # The client writes what it is given without a preamble, unless it was read from a file that had one.
                answer = self._client.store_instances([dcmread(BytesIO(_as_file(dataset)))])
        except SourceError as error:
            raise OutputError(error.message, code="E_WRITE") from error
        # Some archives answer with an empty list of failures.
        if answer.get("FailedSOPSequence"):
            raise OutputError("the archive does not take the object", code="E_WRITE")

    def _retrieve(self, study: str, series: str, instance: str) -> Any:
        with _said("the archive does not give an object"):
            return self._client.retrieve_instance(study, series, instance, media_types=(("application/dicom", "*"),))

    def _search(self, search: Callable[..., Any], filters: Mapping[str, str], **options: str) -> Iterator[Any]:
        """All results, page by page."""
        offset = 0
        while True:
            with _said("the archive cannot be searched"):
                page = search(
                    search_filters=dict(filters),
                    fields=["SOPClassUID"],
                    limit=_PAGE,
                    offset=offset,
                    **options,
                )
            yield from page
            if len(page) < _PAGE:
                return
            offset += len(page)


def _value(found: Mapping[str, Any], tag: str) -> str:
    """The first value of an element in DICOM JSON; "" where there is none."""
    values = found.get(tag, {}).get("Value") or [""]
    return str(values[0])


def _as_file(dataset: Any) -> bytes:
    with _said("an object of the archive cannot be written as a file"):
        stream = BytesIO()
        dataset.save_as(stream, enforce_file_format=True)
        return stream.getvalue()


@contextmanager
def _said(what: str) -> Iterator[None]:
    """Errors of the network and of the library as one of ours; their text may quote identifiers."""
    import requests

    try:
        yield
    except requests.HTTPError as error:
        status = error.response.status_code if error.response is not None else ""
        raise SourceError(f"{what} (HTTP {status})", code="E_SOURCE_READ") from error
    except requests.RequestException as error:
        raise SourceError(f"{what}: no answer from it", code="E_SOURCE_READ") from error
    except (ValueError, TypeError, KeyError, AttributeError, OSError) as error:
        raise SourceError(f"{what}: its answer is not understood", code="E_SOURCE_DAMAGED") from error
