"""A C-STORE listener: films that an archive sends are kept in the spool as they come (PS3.4 annex B)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

from neuralgraph.errors import OutputError, SourceError, missing_extra
from neuralgraph.pacs.spool import ACCEPTED, Spool
from neuralgraph.sources.layouts.dicom_keys import keys_of

__all__ = ["Listener"]

# PS3.4 table B.2-1 and PS3.7 annex C.
_SUCCESS, _OUT_OF_RESOURCES, _CANNOT_UNDERSTAND = 0x0000, 0xA700, 0xC000
_MAX_BYTES = 256 * 1024 * 1024
_MAX_COMMAND_BYTES = 1024 * 1024
# Implicit, explicit, deflated, RLE, JPEG, JPEG-LS, JPEG 2000: whatever the film is stored in is taken, nothing recoded.
_SYNTAXES: tuple[str, ...] = (
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.1.99",
    "1.2.840.10008.1.2.5",
    *(f"1.2.840.10008.1.2.4.{number}" for number in (50, 51, 57, 70, 80, 81, 90, 91, 201, 202, 203)),
)


class Listener:
    """Receives while the block runs.

    Parameters
    ----------
    spool : where films go.
    title : application entity title that callers must call; at most 16 characters.
    host, port : where to listen; port 0 takes a free one, which ``port`` then says.
    callers : titles that may call; empty lets any.
    told : called for every object with "stored", "repeated", "corrected", or the code of what was wrong.

    Raises
    ------
    MissingExtraError (E_EXTRA) : pynetdicom is not installed.
    OutputError (E_OUTPUT) : the port cannot be opened, or the title is none.
    """

    def __init__(
        self,
        spool: Spool,
        *,
        title: str = "NEURALGRAPH",
        host: str = "127.0.0.1",
        port: int = 11112,
        callers: Sequence[str] = (),
        told: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._spool = spool
        self._title = title
        self._host = host
        self.port = port
        """The port that is listened on."""
        self._callers = list(callers)
        self._told = told
        self._server: Any = None
        self._incoming: dict[Any, int] = {}
        """Bytes that have come of the message under way, by association."""
        self._refused: set[Any] = set()

    def __enter__(self) -> Listener:
        """Begin to listen."""
        try:
            from pynetdicom import AE, evt
            from pynetdicom.sop_class import Verification
        except ImportError as error:
            raise missing_extra("listening for films", extra="pacs", library="pynetdicom") from error
        try:
            entity = AE(ae_title=self._title)
            entity.require_called_aet = True
            entity.require_calling_aet = self._callers
            for sop_class in ACCEPTED:
                entity.add_supported_context(sop_class, list(_SYNTAXES))
            entity.add_supported_context(Verification)
            handlers = [
                (evt.EVT_C_STORE, self._store),
                (evt.EVT_DATA_RECV, self._came),
                (evt.EVT_DIMSE_RECV, self._whole),
                (evt.EVT_CONN_CLOSE, self._gone),
            ]
            self._server = entity.start_server((self._host, self.port), block=False, evt_handlers=handlers)
        except (OSError, ValueError) as error:
            raise OutputError(
                "cannot listen there", code="E_OUTPUT", where=f"{self._title} {self._host}:{self.port}"
            ) from error
        self.port = self._server.server_address[1]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop; an association in progress is ended."""
        self._server.shutdown()

    def _came(self, event: Any) -> None:
        """End a call that sends more than an object may have: its message lies in memory until it is whole."""
        came = self._incoming[event.assoc] = self._incoming.get(event.assoc, 0) + len(event.data)
        if came > _MAX_BYTES + _MAX_COMMAND_BYTES and event.assoc not in self._refused:
            self._refused.add(event.assoc)
            self._told("E_SOURCE_SIZE")
            event.assoc.abort(block=False)

    def _whole(self, event: Any) -> None:
        self._incoming.pop(event.assoc, None)

    def _gone(self, event: Any) -> None:
        self._incoming.pop(event.assoc, None)
        self._refused.discard(event.assoc)

    def _store(self, event: Any) -> int:
        """Status of one C-STORE request; the sender keeps what was not stored."""
        code, status = self._kept(event)
        self._told(code)
        return status

    def _kept(self, event: Any) -> tuple[str, int]:
        if event.request.DataSet.getbuffer().nbytes > _MAX_BYTES:
            return "E_SOURCE_SIZE", _OUT_OF_RESOURCES
        try:
            # Only the identifiers are looked at; the bytes are kept as they came.
            data = event.encoded_dataset()
            keys = keys_of(data)
            if keys.instance != str(event.request.AffectedSOPInstanceUID):
                raise SourceError("an object has another UID than it is sent under", code="E_SOURCE_DAMAGED")
            outcome = self._spool.add(keys.study, keys.instance, data)
        except SourceError as error:
            return error.code, _CANNOT_UNDERSTAND
        except OutputError as error:
            return error.code, _OUT_OF_RESOURCES
        return outcome, _SUCCESS
