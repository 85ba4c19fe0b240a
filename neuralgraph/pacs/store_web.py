"""STOW-RS: objects into an archive over DICOMweb (PS3.18 section 10.5)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

from neuralgraph.errors import OutputError, missing_extra
from neuralgraph.pacs.connection import login_header

__all__ = ["WebStore"]

_PATIENCE = 60.0


class WebStore:
    """An archive that takes objects over DICOMweb.

    Parameters
    ----------
    url : root of its service.
    certificates : file of certificate authorities to trust; the system's by default.

    Raises
    ------
    MissingExtraError (E_EXTRA) : dicomweb-client is not installed.
    OutputError (E_WRITE) : the address is none.
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
        session.headers.update(login_header())
        with _said("the address cannot be used"):
            self._client = DICOMwebClient(url, session=session, timeout=_PATIENCE)

    def push(self, dataset: Any) -> None:
        """Store one object.

        Raises
        ------
        OutputError (E_WRITE) : the archive cannot be reached, or does not take it.
        """
        with _said("the archive does not take the object"):
            from pydicom import dcmread

            stream = BytesIO()
            dataset.save_as(stream, enforce_file_format=True)
            # The client writes what it is given without a preamble, unless it was read from a file that had one.
            answer = self._client.store_instances([dcmread(BytesIO(stream.getvalue()))])
        # Some archives answer with an empty list of failures.
        if answer.get("FailedSOPSequence"):
            raise OutputError("the archive does not take the object", code="E_WRITE")


@contextmanager
def _said(what: str) -> Iterator[None]:
    """Errors of the network and of the library as one of ours; their text may quote identifiers."""
    import requests

    try:
        yield
    except requests.HTTPError as error:
        status = error.response.status_code if error.response is not None else ""
        raise OutputError(f"{what} (HTTP {status})", code="E_WRITE") from error
    except requests.RequestException as error:
        raise OutputError(f"{what}: no answer from it", code="E_WRITE") from error
    except (ValueError, TypeError, KeyError, AttributeError, OSError) as error:
        raise OutputError(f"{what}: its answer is not understood", code="E_WRITE") from error
