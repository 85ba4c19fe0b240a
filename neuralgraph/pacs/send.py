"""Objects to an archive: over DICOMweb where the address is a URL, by C-STORE where it is TITLE@host:port."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from neuralgraph.errors import OutputError, missing_extra
from neuralgraph.pacs.findings_report import COMPREHENSIVE_REPORT
from neuralgraph.pacs.raw_data import RAW_DATA

__all__ = ["sender"]

_ENTITY = re.compile(r"([ -~]{1,16})@([^@\s]+):(\d{1,5})")
_PRESENTATION_STATE = "1.2.840.10008.5.1.4.1.1.11.1"
_EXPLICIT = "1.2.840.10008.1.2.1"
_SUCCESS = (0x0000, 0xB000, 0xB006, 0xB007)


@contextmanager
def sender(
    address: str, *, title: str = "NEURALGRAPH", certificates: Path | None = None
) -> Iterator[Callable[[Any], None]]:
    """Something that sends one object at a time while the block runs.

    Parameters
    ----------
    address : "https://..." of a DICOMweb service, or TITLE@host:port.
    title : our own application entity title.
    certificates : as in ``store_web.WebStore``.

    Raises
    ------
    MissingExtraError (E_EXTRA) : pynetdicom is not installed.
    OutputError (E_OUTPUT) : the address is none, or nobody answers there.
    OutputError (E_WRITE) : of the sender: the archive does not take the object.
    """
    if address.startswith(("http://", "https://")):
        from neuralgraph.pacs.store_web import WebStore

        store = WebStore(address, certificates=certificates)
        try:
            yield store.push
        finally:
            store.close()
        return
    match = _ENTITY.fullmatch(address)
    if match is None:
        raise OutputError("an address is a URL, or TITLE@host:port", code="E_OUTPUT", where=address)
    try:
        from pynetdicom import AE
    except ImportError as error:
        raise missing_extra("sending by C-STORE", extra="pacs", library="pynetdicom") from error
    entity = AE(ae_title=title)
    entity.add_requested_context(RAW_DATA, _EXPLICIT)
    entity.add_requested_context(_PRESENTATION_STATE, _EXPLICIT)
    entity.add_requested_context(COMPREHENSIVE_REPORT, _EXPLICIT)
    association = entity.associate(match[2], int(match[3]), ae_title=match[1])
    if not association.is_established:
        raise OutputError("nobody takes the call there", code="E_OUTPUT", where=address)

    def send(dataset: Any) -> None:
        try:
            status = association.send_c_store(dataset)
        except (ValueError, RuntimeError) as error:
            raise OutputError("the archive does not take objects of this class", code="E_WRITE") from error
        if status.get("Status") not in _SUCCESS:
            raise OutputError("the archive does not take the object", code="E_WRITE")

    try:
        yield send
    finally:
        association.release()
