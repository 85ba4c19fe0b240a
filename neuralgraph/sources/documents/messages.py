"""Reports from HL7 v2 result messages (ORU^R01; HL7 2.5.1 chapter 7), alone, in a batch, or as a stream from a socket.

The text is that of the OBX segments of kinds TX, FT and ST, in order. Where an OBX says which part of the report it
holds (OBX-3, "IMPRESSION" or the suffix "&IMP"), that becomes a header. Accession numbers are looked for in OBR-3
(filler), OBR-18 (placer field 1) and OBR-2 (placer), as sites differ; the Study Instance UID in ZDS-1 (IHE).
"""

from __future__ import annotations

import re
from typing import Any

from neuralgraph.errors import SourceError, missing_extra
from neuralgraph.sources.documents.document import ReportDocument

__all__ = ["is_message", "read_messages"]

_START = re.compile(rb"^[\x0b\s]*(?:FHS|BHS|MSH)[^\w\s]")
_FRAME = re.compile(r"[\x0b\x1c]")
_TEXT_KINDS = frozenset(("TX", "FT", "ST"))
# OBR-25, HL7 table 0123: results that are final, and those that replace final ones.
_FINAL, _CORRECTED = frozenset(("F", "C", "A")), frozenset(("C",))
_SECTIONS = {
    "IMP": "IMPRESSION",
    "IMPRESSION": "IMPRESSION",
    "CONCLUSION": "IMPRESSION",
    "GDT": "FINDINGS",
    "FINDINGS": "FINDINGS",
    "HISTORY": "HISTORY",
    "INDICATION": "INDICATION",
    "REASON FOR EXAM": "INDICATION",
    "COMPARISON": "COMPARISON",
    "TECHNIQUE": "TECHNIQUE",
    "REC": "RECOMMENDATION",
    "RECOMMENDATION": "RECOMMENDATION",
}
_LINE_BREAK = re.compile(r"\\\.(?:br|sp|ce|in|ti)[^\\]*\\", re.IGNORECASE)


def is_message(data: bytes) -> bool:
    """Whether these bytes begin like HL7 v2: MSH, or the header of a batch."""
    return _START.match(data[:64]) is not None


def read_messages(data: bytes) -> list[ReportDocument]:
    """The reports in a file of HL7 v2 messages, one for each OBR with text; messages other than ORU are passed over.

    Parameters
    ----------
    data : the file; UTF-8, or Latin-1 where it is no UTF-8.

    Raises
    ------
    SourceError (E_SOURCE_DAMAGED) : no HL7 v2.
    MissingExtraError (E_EXTRA) : hl7 is not installed.
    """
    try:
        import hl7
    except ImportError as error:
        raise missing_extra("reading HL7 messages", extra="dicom", library="hl7") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    lines = [line for line in re.split(r"[\r\n]+", _FRAME.sub("\r", text)) if line.strip()]
    documents: list[ReportDocument] = []
    for message in _split(lines):
        try:
            documents += _reports(hl7.parse("\r".join(message)))
        except (hl7.HL7Exception, LookupError, ValueError) as error:
            raise SourceError("an HL7 message cannot be read", code="E_SOURCE_DAMAGED") from error
    return documents


def _split(lines: list[str]) -> list[list[str]]:
    messages: list[list[str]] = []
    for line in lines:
        if line[:3] == "MSH":
            messages.append([])
        if line[:3] not in ("FHS", "BHS", "BTS", "FTS") and messages:
            messages[-1].append(line)
    return messages


def _reports(message: Any) -> list[ReportDocument]:
    if _field(message[0], 9)[:3] != "ORU":
        return []
    patient, sent = "", _field(message[0], 7)
    studies: set[str] = set()
    orders: list[list[Any]] = []
    for segment in message:
        name = str(segment[0])
        if name == "PID":
            patient = _first(segment, 3)
        elif name == "ZDS":
            studies.add(_first(segment, 1))
        elif name == "OBR":
            orders.append([segment])
        elif name == "OBX" and orders:
            orders[-1].append(segment)
    found = []
    for order, *results in orders:
        text = _text(message, results)
        if not text:
            continue
        status = _field(order, 25) or _field(results[-1], 11)
        found.append(
            ReportDocument(
                text,
                accessions=frozenset(_first(order, number) for number in (3, 18, 2)) - {""},
                studies=frozenset(studies - {""}),
                patient=patient,
                final=status in _FINAL,
                corrected=status in _CORRECTED,
                issued=_field(order, 22) or sent,
            )
        )
    return found


def _text(message: Any, results: list[Any]) -> str:
    lines: list[str] = []
    current = ""
    for segment in results:
        if _field(segment, 2) not in _TEXT_KINDS:
            continue
        section = _section(_field(segment, 3))
        if section != current and section:
            lines += ["", f"{section}:"]
        current = section
        # OBX-5 may repeat, once per line; \.br\ and its kin are line ends inside one repetition.
        for repetition in segment[5] if len(segment) > 5 else ():
            pieces = _LINE_BREAK.split(str(repetition))
            lines += [message.unescape(piece) for piece in pieces]
    return "\n".join(lines).strip()


def _section(identifier: str) -> str:
    """The header that OBX-3 stands for: "&IMP^IMPRESSION", "IMP^Impression^L", "19005-8^Impression^LN"."""
    for word in re.split(r"[\^&]", identifier):
        if section := _SECTIONS.get(word.strip().upper()):
            return section
    return ""


def _field(segment: Any, number: int) -> str:
    return str(segment[number]).strip() if len(segment) > number else ""


def _first(segment: Any, number: int) -> str:
    """The first component of the first repetition."""
    return re.split(r"[~^&]", _field(segment, number), maxsplit=1)[0].strip()
