"""HL7 v2 as bytes to segments of fields (HL7 2.5.1 chapter 2): character sets, separators, escapes.

Read here and not by a library: what is left after joining lines that were broken inside a field, and after escapes that
real messages write wrongly, is splitting at the separators of MSH. The library that was tried (python-hl7 0.4.5) splits
at every line end, drops what follows a single backslash, and logs whole fields of text.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from neuralgraph.errors import SourceError

__all__ = ["Message", "Segment", "is_message", "messages_of"]

_START = re.compile(rb"^[\x0b\s]*(?:FHS|BHS|MSH)[^\w\s]")
_CODED_START = re.compile("^[\x0b\\s\ufeff]*(?:FHS|BHS|MSH)[^\\w\\s]")
_BATCH = frozenset({"FHS", "BHS", "BTS", "FTS"})
# A line begins a segment when it begins with one of these and the field separator; else it goes on with a text that a
# line end broke. Text may begin with three capitals and a bar, too ("PTX|no"), so the names are listed.
_NAMES = (
    "ABS ACC ADD ADJ AFF AIG AIL AIP AIS AL1 APR ARQ ARV AUT BHS BLC BLG BPO BPX BTS BTX BUI CDM CDO CER CM0 CM1"
    " CM2 CNS CON CSP CSR CSS CTD CTI CTR DB1 DEV DG1 DMI DON DPS DRG DSC DSP DST ECD ECR EDU EQP EQU ERR EVN FAC"
    " FHS FT1 FTS GOL GP1 GP2 GT1 IAM IAR IIM ILT IN1 IN2 IN3 INV IPC IPR ISD ITM IVC IVT LAN LCC LCH LDP LOC LRL"
    " MCP MFA MFE MFI MRG MSA MSH NCK NDS NK1 NPU NSC NST NTE OBR OBX ODS ODT OH1 OH2 OH3 OH4 OM1 OM2 OM3 OM4 OM5"
    " OM6 OM7 OMC ORC ORG OVR PAC PCE PCR PD1 PDA PDC PEO PES PID PKG PM1 PMT POS PR1 PRA PRB PRC PRD PRT PSG PSH"
    " PSL PSS PTH PV1 PV2 PYE QAK QID QPD QRD QRF QRI RCP RDF RDT REL RF1 RFI RGS RMI RQ1 RQD RXA RXC RXD RXE RXG"
    " RXO RXR RXV SAC SCD SCH SCP SDD SFT SGH SGT SHP SID SLT SPM STF STZ TCC TCD TQ1 TQ2 TXA UAC UB1 UB2 URD URS"
    " VAR VND"
)
_SEGMENTS = frozenset(_NAMES.split())
# MSH-18, HL7 table 0211. What is not named there is tried as UTF-8.
_CHARACTER_SETS = {
    "": "",
    "ASCII": "",
    "UNICODE": "",
    "UNICODE UTF-8": "utf-8",
    "UTF-8": "utf-8",
    "UTF8": "utf-8",
    "UNICODE UTF-16": "utf-16",
    "UTF-16": "utf-16",
    "UNICODE UTF-32": "utf-32",
    **{f"8859/{part}": f"iso8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15, 16)},
    **{f"ISO-8859-{part}": f"iso8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15, 16)},
    "ISO IR6": "",
    "ISO IR100": "iso8859-1",
    "ISO IR101": "iso8859-2",
    "ISO IR144": "iso8859-5",
    "ISO IR126": "iso8859-7",
    "WINDOWS-1252": "cp1252",
    "CP1252": "cp1252",
    "WINDOWS-1250": "cp1250",
    "WINDOWS-1251": "cp1251",
    "GB 18030-2000": "gb18030",
    "BIG-5": "big5",
    "KS X 1001": "euc_kr",
    "CNS 11643-1992": "euc_tw",
    "ISO IR87": "iso2022_jp",
    "ISO IR159": "iso2022_jp_1",
    "ISO IR14": "shift_jis",
}


@dataclass(frozen=True)
class Segment:
    """One segment, its fields not unescaped."""

    name: str
    fields: tuple[str, ...]
    """Field n at place n; place 0 is the name, and place 1 of MSH the field separator."""

    def field(self, number: int) -> str:
        """The field, stripped; "" when the segment ends before it."""
        return self.fields[number].strip() if number < len(self.fields) else ""


@dataclass(frozen=True)
class Message:
    """One message with its separators."""

    segments: tuple[Segment, ...]
    separators: str
    """Field, component, repetition, escape and subcomponent separator."""
    encoding: str
    """Python's name of the character set it was read with."""

    def repetitions(self, field: str) -> list[str]:
        """The repetitions of a field."""
        return field.split(self.separators[2])

    def components(self, repetition: str) -> list[str]:
        """The components of a repetition, unescaped."""
        return [self.text(component) for component in repetition.split(self.separators[1])]

    def first(self, field: str) -> str:
        """The first component (and subcomponent) of the first repetition."""
        component = self.repetitions(field)[0].split(self.separators[1])[0]
        return self.text(component.split(self.separators[4])[0]).strip()

    def text(self, field: str) -> str:
        """A field with its escapes resolved; a backslash that begins none stays a backslash.

        Highlighting (``\\H\\``, ``\\N\\``) is dropped, breaks become line ends, hexadecimal data is decoded.
        """
        escape = re.escape(self.separators[3])
        pattern = (
            rf"{escape}(?:\.(?P<layout>[A-Za-z]{{2}})[+-]?\d*|(?P<sign>[FSTREHNP])|X(?P<data>[0-9A-Fa-f]+)){escape}"
        )
        return re.sub(pattern, self._escaped, field)

    def _escaped(self, match: re.Match[str]) -> str:
        layout, sign, data = match["layout"], match["sign"], match["data"]
        if layout is not None:
            kind = layout.lower()
            if kind in ("br", "sp", "ce", "in", "ti"):
                return "\n"
            return " " if kind == "sk" else "" if kind in ("fi", "nf") else match[0]
        if sign is not None:
            field, component, repetition, escape, part = list(self.separators)
            return {"F": field, "S": component, "R": repetition, "E": escape, "T": part, "P": "#"}.get(sign, "")
        try:
            raw = bytes.fromhex(data)
        except ValueError:
            return match[0]
        text = raw.decode(self.encoding, errors="replace") if self.encoding else raw.decode("latin-1")
        return text.replace("\r\n", "\n").replace("\r", "\n")


def is_message(data: bytes) -> bool:
    """Whether these bytes, the first of a file, begin like HL7 v2: MSH, or the header of a batch."""
    start = data[:64]
    if _START.match(start.removeprefix(codecs.BOM_UTF8)) is not None:
        return True
    encoding = _wide(start)
    return encoding != "" and _CODED_START.match(start[: len(start) // 4 * 4].decode(encoding, "ignore")) is not None


def messages_of(data: bytes) -> Iterator[Message]:
    """The messages of a file, in order.

    Parameters
    ----------
    data : one message, a batch, or a stream with the frames of MLLP; in the character set that MSH-18 declares, else
        UTF-8 or UTF-16, else Windows-1252.

    Raises
    ------
    SourceError (E_SOURCE_TEXT) : a declared character set is not known here, or the bytes are not of it.
    """
    text, encoding = _decoded(data)
    lines = re.split(r"\r\n|\r|\n|\x0b|\x1c", text)
    messages: list[list[str]] = []
    separator = "|"
    for line in lines:
        name = line[:3]
        if name == "MSH" and len(line) > 8:
            separator = line[3]
            messages.append([line])
        elif name in _BATCH and line[3:4] in (separator, "|"):
            continue
        elif messages and line[3:4] == separator and (name in _SEGMENTS or re.fullmatch(r"Z[A-Z0-9]{2}", name)):
            messages[-1].append(line)
        elif messages:
            # A line end inside a field: HL7 wants an escape there, and senders forget it.
            messages[-1][-1] += f"\n{line}"
    for segments in messages:
        yield _message(segments, encoding)


def _message(lines: Sequence[str], encoding: str) -> Message:
    head = lines[0]
    declared = head[4:].split(head[3], 1)[0]
    # Component, repetition, escape, subcomponent: those that are not declared are the usual ones.
    separators = head[3] + (declared + "^~\\&"[len(declared) :])[:4]
    segments = []
    for line in lines:
        # The lines after the last field of a segment are empty: the message ended there.
        fields = line.rstrip("\n").split(separators[0])
        if fields[0] == "MSH":
            fields.insert(1, separators[0])
        segments.append(Segment(fields[0], tuple(fields)))
    return Message(tuple(segments), separators, encoding)


def _wide(data: bytes) -> str:
    """UTF-16 or UTF-32 by their mark, or by the zeros that they put between the letters of MSH."""
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if data[1:2] == b"\0" and data[3:4] == b"\0" and data[:1] != b"\0":
        return "utf-16-le"
    if data[:1] == b"\0" and data[2:3] == b"\0" and data[1:2] != b"\0":
        return "utf-16-be"
    return ""


def _decoded(data: bytes) -> tuple[str, str]:
    encoding = _wide(data)
    if not encoding:
        data = data.removeprefix(codecs.BOM_UTF8)
        encoding = _declared(data)
    try:
        if encoding:
            return data.decode(encoding).lstrip("\ufeff"), encoding
    except UnicodeDecodeError as error:
        raise SourceError(
            f"the message declares the character set {encoding}, and is not written in it", code="E_SOURCE_TEXT"
        ) from error
    for encoding in ("utf-8", "cp1252"):
        with suppress(UnicodeDecodeError):
            return data.decode(encoding), encoding
    return data.decode("latin-1"), "latin-1"


def _declared(data: bytes) -> str:
    """The character set of the first MSH, "" when it names none."""
    start = data.find(b"MSH")
    if start < 0 or len(data) < start + 8:
        return ""
    line = re.split(rb"[\r\n]", data[start : start + 4096], maxsplit=1)[0].decode("latin-1")
    fields = line[4:].split(line[3])
    value = fields[16] if len(fields) > 16 else ""
    repeated = fields[0][1:2] or "~"
    name = value.split(repeated)[0].strip().upper()
    if name not in _CHARACTER_SETS:
        raise SourceError("the message declares a character set that is not known here", code="E_SOURCE_TEXT")
    return _CHARACTER_SETS[name]
