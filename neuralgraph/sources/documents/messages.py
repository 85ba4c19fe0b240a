"""Reports from HL7 v2 result messages (ORU^R01; HL7 2.5.1 chapter 7), alone, in a batch, or as a stream from a socket.

The text is that of the OBX segments of kinds TX, FT and ST, and of ED where it holds text, in order, each with the
notes (NTE) that follow it; notes of an order are the referrer's and are not read. Where an OBX says which part of the
report it holds (OBX-3: a LOINC code, the suffix "&IMP", the words "Reason for study"), that becomes a header. Accession
numbers are looked for in OBR-3 (filler), OBR-18 (placer field 1) and OBR-2 (placer), as sites differ; the Study
Instance UID in ZDS-1 (IHE); the patient's identifiers are all of PID-2, PID-3 and PID-4.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Sequence

from neuralgraph.errors import SourceError
from neuralgraph.sources.documents.document import ReportDocument
from neuralgraph.sources.documents.headings import heading_of_code, heading_of_words
from neuralgraph.sources.documents.markup import plain_text
from neuralgraph.sources.documents.segments import Message, Segment, is_message, messages_of

__all__ = ["is_message", "read_messages"]

_TEXT_KINDS = frozenset(("TX", "FT", "ST"))
_CODED_KINDS = frozenset(("CE", "CWE", "CNE", "CF"))
# OBR-25, HL7 table 0123: results that are final, and those that replace final ones.
_FINAL, _CORRECTED = frozenset(("F", "C", "A")), frozenset(("C",))
# OBX-11, HL7 table 0085: deleted, posted to the wrong patient.
_WITHDRAWN = frozenset(("D", "W"))
_ADDENDUM = re.compile(r"\W*(?:addend(?:um|a)|amendment)\b", re.IGNORECASE)
_LETTERS = re.compile(r"[^\W\d_]{4,}")


def read_messages(data: bytes) -> list[ReportDocument]:
    """The reports in a file of HL7 v2 messages, one for each OBR with text; messages other than ORU are passed over.

    Parameters
    ----------
    data : the file, in the character set that it declares.

    Raises
    ------
    SourceError (E_SOURCE_TEXT) : the character set is unknown, or not that of the bytes.
    SourceError (E_SOURCE_KIND) : a report is RTF.
    """
    return [document for message in messages_of(data) for document in _reports(message)]


def _reports(message: Message) -> Iterator[ReportDocument]:
    head = message.segments[0]
    if head.field(9)[:3] != "ORU":
        return
    sent = head.field(7)
    patients: set[str] = set()
    studies: set[str] = set()
    orders: list[list[Segment]] = []
    for segment in message.segments:
        if segment.name == "PID":
            for number in (3, 2, 4):
                patients.update(message.first(each) for each in message.repetitions(segment.field(number)))
        elif segment.name == "ZDS":
            studies.add(message.first(segment.field(1)))
        elif segment.name == "OBR":
            orders.append([segment])
        elif (segment.name == "OBX" and orders) or (segment.name == "NTE" and orders and len(orders[-1]) > 1):
            orders[-1].append(segment)
    for order, *results in orders:
        parts = list(_parts(message, results))
        text = plain_text(_joined(parts)) if any(said.strip() for _, said in parts) else ""
        problem = "" if text else _without_text(results)
        if not (text or problem):
            continue
        status = order.field(25) or [each for each in results if each.name == "OBX"][-1].field(11)
        yield ReportDocument(
            text,
            accessions=frozenset(message.first(order.field(number)) for number in (3, 18, 2)) - {""},
            studies=frozenset(studies - {""}),
            patients=frozenset(patients - {""}),
            final=status in _FINAL,
            corrected=status in _CORRECTED,
            addendum=bool(text) and _is_addendum(parts),
            issued=order.field(22) or sent,
            problem=problem,
        )


def _parts(message: Message, results: Sequence[Segment]) -> Iterator[tuple[str, str]]:
    """(heading, text) of each result that holds text."""
    heading: str | None = None
    for segment in results:
        if segment.name == "NTE":
            if heading is not None:
                notes = message.separators[0].join(segment.fields[3:])
                yield heading, "\n".join(message.text(each) for each in message.repetitions(notes))
            continue
        kind, heading = segment.field(2), None
        if segment.field(11) in _WITHDRAWN:
            continue
        if kind in _TEXT_KINDS:
            # OBX-5 may repeat, once per line.
            text = "\n".join(message.text(each) for each in message.repetitions(_value(segment, message.separators[0])))
        elif kind == "ED":
            text = _encapsulated(message.components(segment.field(5)), message.encoding)
        elif kind in _CODED_KINDS and _heading(message, segment) in ("IMPRESSION", "FINDINGS"):
            components = message.components(segment.field(5))
            text = next((each for each in (*components[1:2], *components[4:5], *components[8:9]) if each.strip()), "")
        else:
            continue
        if text.lstrip().startswith("{\\rtf"):
            raise SourceError("the report is RTF; export it as plain text", code="E_SOURCE_KIND")
        heading = _heading(message, segment)
        yield heading, text.replace("\x0c", "\n")


def _value(segment: Segment, separator: str) -> str:
    """OBX-5, with what a field separator that was not escaped has cut off its text."""
    last = max((number for number in range(6, 11) if _LETTERS.search(segment.field(number))), default=5)
    return separator.join(segment.fields[5 : last + 1])


def _joined(parts: Sequence[tuple[str, str]]) -> str:
    lines: list[str] = []
    current = ""
    for heading, text in parts:
        if heading != current:
            # What has no heading of its own must not be read as part of an indication before it.
            lines += ["", f"{heading or 'REPORT'}:"]
        current = heading
        lines.append(text)
    return "\n".join(lines).strip()


def _is_addendum(parts: Sequence[tuple[str, str]]) -> bool:
    """Whether there is nothing but an addendum to a report that came before."""
    said = [(heading, text) for heading, text in parts if text.strip()]
    if all(heading == "ADDENDUM" for heading, _ in said):
        return True
    first = said[0][1]
    headed = re.search(r"^[ \t]*(?:findings|impression)\b", first, re.IGNORECASE | re.MULTILINE) is not None
    return len({heading for heading, _ in said}) == 1 and _ADDENDUM.match(first) is not None and not headed


def _heading(message: Message, segment: Segment) -> str:
    """The header that OBX-3 stands for: "&IMP^IMPRESSION", "19005-8^Impression^LN", "RPT^Reason for study^L"."""
    components = segment.field(3).split(message.separators[1])
    codes = [code for place in (0, 3) for code in components[place : place + 1]]
    for code in codes:
        for part in code.split(message.separators[4]):
            if heading := heading_of_code(message.text(part)):
                return heading
    words = [message.text(component).replace(message.separators[4], " ") for component in components]
    return next((heading for each in words if (heading := heading_of_words(each))), "")


def _encapsulated(components: Sequence[str], encoding: str) -> str:
    """The text of an ED value; "" where it holds none (a PDF, a picture)."""
    padded = [*components, "", "", "", "", ""][:5]
    kind = f"{padded[1]} {padded[2]}".lower()
    if not any(word in kind for word in ("text", "plain", "html")) or "rtf" in kind:
        return ""
    try:
        if padded[3].lower() == "base64":
            return base64.b64decode(padded[4], validate=False).decode(encoding or "utf-8")
        if padded[3].lower() == "hex":
            return bytes.fromhex(padded[4]).decode(encoding or "utf-8")
    except (binascii.Error, ValueError) as error:
        raise SourceError("an encapsulated text of a message cannot be decoded", code="E_SOURCE_DAMAGED") from error
    return padded[4]


def _without_text(results: Sequence[Segment]) -> str:
    """What a report is that has no text: "PDF", "encapsulated data", "reference", "nothing"; "" where it is none."""
    for segment in results:
        kind, value = segment.field(2), segment.field(5).upper()
        if segment.name == "OBX" and kind in _TEXT_KINDS:
            return "nothing"
        if kind == "ED":
            return "PDF" if "PDF" in value[:80] or "JVBER" in value[:200] else "encapsulated data"
        if kind == "RP":
            return "reference"
    return ""
