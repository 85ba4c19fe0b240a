"""The few header elements of a DICOM file that a film needs, and where its pixel data begins (PS3.5, PS3.10).

Only the listed elements are ever kept: names, dates and identifiers of the patient are skipped while reading, not
removed afterwards.
"""

from __future__ import annotations

import math
import re
import struct
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from neuralgraph.errors import NeuralGraphError, SourceError, missing_extra

__all__ = [
    "DicomHeader",
    "plain_value",
    "quiet_pydicom",
    "read_dicom_header",
    "read_transfer_syntax",
    "registered_name",
]

KEPT: dict[str, int] = {
    "SOPClassUID": 0x00080016,
    "Modality": 0x00080060,
    "BodyPartExamined": 0x00180015,
    "ImagerPixelSpacing": 0x00181164,
    "NominalScannedPixelSpacing": 0x00182010,
    "PatientPosition": 0x00185100,
    "ViewPosition": 0x00185101,
    "FieldOfViewRotation": 0x00187032,
    "FieldOfViewHorizontalFlip": 0x00187034,
    "PatientOrientation": 0x00200020,
    "ImageOrientationPatient": 0x00200037,
    "SamplesPerPixel": 0x00280002,
    "PhotometricInterpretation": 0x00280004,
    "PlanarConfiguration": 0x00280006,
    "NumberOfFrames": 0x00280008,
    "Rows": 0x00280010,
    "Columns": 0x00280011,
    "PixelSpacing": 0x00280030,
    "PixelAspectRatio": 0x00280034,
    "BitsAllocated": 0x00280100,
    "BitsStored": 0x00280101,
    "HighBit": 0x00280102,
    "PixelRepresentation": 0x00280103,
    "PixelPaddingValue": 0x00280120,
    "PixelPaddingRangeLimit": 0x00280121,
    "BurnedInAnnotation": 0x00280301,
    "WindowCenter": 0x00281050,
    "WindowWidth": 0x00281051,
    "RescaleIntercept": 0x00281052,
    "RescaleSlope": 0x00281053,
    "VOILUTFunction": 0x00281056,
    "RedPaletteColorLookupTableDescriptor": 0x00281101,
    "GreenPaletteColorLookupTableDescriptor": 0x00281102,
    "BluePaletteColorLookupTableDescriptor": 0x00281103,
    "RedPaletteColorLookupTableData": 0x00281201,
    "GreenPaletteColorLookupTableData": 0x00281202,
    "BluePaletteColorLookupTableData": 0x00281203,
    "LossyImageCompression": 0x00282110,
    "LossyImageCompressionRatio": 0x00282112,
    "LossyImageCompressionMethod": 0x00282114,
    "ModalityLUTSequence": 0x00283000,
    "VOILUTSequence": 0x00283010,
    "ViewCodeSequence": 0x00540220,
    "PatientOrientationCodeSequence": 0x00540410,
    "PresentationLUTShape": 0x20500020,
}
"""The elements that are read, by keyword."""

_PIXEL_DATA = 0x7FE00010
_FLOAT_PIXEL_DATA = (0x7FE00008, 0x7FE00009)
# A film's header has a few hundred elements; private ones can make it some thousand. Each takes one or two reads.
_MAX_READS = 60_000
_MAX_SEQUENCE_BYTES = 2 * 1024 * 1024
_MAX_VALUES = 64
_PLAIN_TEXT = {
    "CS": re.compile(rb"[A-Z0-9_]+ *(?:\\[A-Z0-9_]+ *){0,7}"),
    "UI": re.compile(rb"[0-9.]+\0?"),
    "DS": re.compile(rb"[+-]?[0-9]+(?:\.[0-9]+)? *(?:\\[+-]?[0-9]+(?:\.[0-9]+)? *){0,7}"),
    "IS": re.compile(rb"[0-9]{1,9} *"),
}
"""Values that can be read in one way only, by representation."""
_PLAIN_KIND: dict[str, type] = {"CS": str, "UI": str, "DS": float, "IS": int}
_LEFT: Any = object()
_LONG_FORMS = frozenset((b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"UC", b"UN", b"UR", b"UT", b"SV", b"UV"))
_IMPLICIT_LITTLE = "1.2.840.10008.1.2"
_EXPLICIT_BIG = "1.2.840.10008.1.2.2"


def _damaged(what: str) -> SourceError:
    return SourceError(f"the DICOM file is damaged or truncated: {what}", code="E_SOURCE_DAMAGED")


class _BoundedReader(BytesIO):
    """A file that gives out after a number of reads, so that a header of millions of elements costs little."""

    reads_left = _MAX_READS

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads_left -= 1
        if self.reads_left < 0:
            raise _damaged("its header has more elements than a film can have")
        return super().read(size)


@contextmanager
def quiet_pydicom(doing: str) -> Iterator[None]:
    """Run pydicom: its warnings stay inside, and whatever it raises becomes a SourceError.

    Parameters
    ----------
    doing : what failed if it fails, as the end of a sentence ("its header cannot be read").

    Raises
    ------
    SourceError (E_SOURCE_DAMAGED) : it cannot be read. What pydicom says is not repeated: it may quote the header.
    SourceError (E_SOURCE_SIZE) : memory runs out.
    MissingExtraError (E_EXTRA) : a library that pydicom needs is absent.
    """
    with _damage(doing), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def _damage(doing: str) -> Iterator[None]:
    """What ``quiet_pydicom`` makes of exceptions, for what can give no warning."""
    try:
        yield
    except NeuralGraphError:
        raise
    except MemoryError as error:
        raise SourceError("not enough memory to read the DICOM file", code="E_SOURCE_SIZE") from error
    except ImportError as error:
        raise missing_extra("reading DICOM", extra="dicom", library=error.name or "pydicom") from error
    except Exception as error:
        # pydicom and its decoders raise whatever their parsing runs into.
        raise _damaged(doing) from error


def registered_name(uid: str, kind: str) -> str:
    """What a UID is called in the standard, for an error text.

    Parameters
    ----------
    uid : of a SOP class or a transfer syntax.
    kind : what to call it where the standard has no name: a private UID may name a site, and is not repeated.
    """
    with quiet_pydicom(f"{kind} cannot be read"):
        from pydicom.uid import UID

        name = str(UID(uid).name)
    return name if name != uid else f"{kind} (private or unknown)"


@dataclass(frozen=True)
class DicomHeader:
    """The kept elements, and the place of the pixel data."""

    transfer_syntax: str
    """UID."""
    elements: Any
    """A pydicom Dataset of the elements in ``kept``."""
    pixel_start: int
    """Offset of the pixel data's value in the file; -1 where there is none."""
    pixel_length: int
    """Bytes of the value; -1 where it is encapsulated."""
    has_float_pixels: bool
    """The pixel data is float, as parametric maps have it."""
    has_word_pixels: bool
    """The pixel data is a row of 16-bit words (representation OW), not of bytes."""
    big_endian: bool
    """Byte order of numbers."""
    values: Mapping[int, Any]
    """Value of every element that is there, by tag; ``_LEFT`` for those that pydicom is to be asked for."""
    kept: Mapping[str, int] = field(default_factory=lambda: KEPT)
    """The elements that were read, tag by keyword."""

    def _value(self, keyword: str) -> Any:
        tag = self.kept[keyword]
        value = self.values.get(tag)
        if value is not _LEFT:
            return value
        with quiet_pydicom(f"element {keyword} cannot be read"):
            return self.elements[tag].value

    def word(self, keyword: str) -> str:
        """The first value as a code string: upper case, no spaces around; "" where absent or empty."""
        words = self.words(keyword)
        return words[0] if words else ""

    def words(self, keyword: str) -> list[str]:
        """All values as code strings."""
        value = self._value(keyword)
        if value is None:
            return []
        values = _several(value)
        return [str(item).strip(" \0").upper() for item in values[:_MAX_VALUES]]

    def identifier(self, keyword: str) -> str:
        """The value as it is written, without padding; "" where absent or empty, or not one value."""
        value = self._value(keyword)
        return value.strip(" \0") if isinstance(value, str) else ""

    def integer(self, keyword: str, default: int | None = None) -> int:
        """An integer that must be there unless ``default`` says otherwise.

        Raises
        ------
        SourceError (E_SOURCE_DAMAGED)
        """
        value = self._value(keyword)
        if value is None or value == "":
            if default is None:
                raise _damaged(f"element {keyword} is missing")
            return default
        with _damage(f"element {keyword} is not one integer"):
            return int(value)

    def numbers(self, keyword: str) -> list[float]:
        """All values as finite floats; empty where absent or empty.

        Raises
        ------
        SourceError (E_SOURCE_DAMAGED) : not numbers.
        """
        value = self._value(keyword)
        if value is None or value == "":
            return []
        with _damage(f"element {keyword} is not a number"):
            numbers = [float(item) for item in _several(value)[:_MAX_VALUES]]
        if not all(math.isfinite(number) for number in numbers):
            raise _damaged(f"element {keyword} is not a finite number")
        return numbers

    def first_item(self, keyword: str) -> Any:
        """The first item of a sequence as a pydicom Dataset, or None where there is none.

        Raises
        ------
        SourceError (E_SOURCE_DAMAGED) : no sequence, or one too large to be a table or a code.
        """
        items = self.items(keyword)
        return items[0] if items else None

    def items(self, keyword: str) -> list[Any]:
        """The items of a sequence as pydicom Datasets; errors as ``first_item``."""
        tag = self.kept[keyword]
        if tag not in self.values:
            return []
        with quiet_pydicom(f"element {keyword} cannot be read"):
            raw = self.elements.get_item(tag).value
        if isinstance(raw, bytes) and len(raw) > _MAX_SEQUENCE_BYTES:
            raise _damaged(f"element {keyword} is larger than it can be")
        value = self._value(keyword)
        with quiet_pydicom(f"element {keyword} is not a sequence"):
            items = [] if value is None else list(value[:_MAX_VALUES])
            # A text has a first character, too; a sequence has datasets.
            if not all(hasattr(item, "elements") for item in items):
                raise TypeError
        return items


def _several(value: Any) -> list[Any]:
    """The values of an element, however many; a header can give any element any representation."""
    if isinstance(value, str | bytes) or not hasattr(value, "__iter__"):
        return [value]
    return list(value)


def read_dicom_header(data: bytes, kept: Mapping[str, int] = KEPT) -> DicomHeader:
    """The header of a DICOM file.

    Parameters
    ----------
    data : the file, which begins with a preamble and "DICM" (PS3.10 section 7.1); where there is pixel data, all that
        precedes it suffices.
    kept : the elements to read, tag by keyword.

    Raises
    ------
    SourceError (E_SOURCE_DAMAGED) : a deflated data set is damage here: ``deflated.inflated_file`` comes first.
    MissingExtraError (E_EXTRA) : pydicom is not installed.
    """
    transfer_syntax, start = read_transfer_syntax(data)
    reader = _BoundedReader(data)
    reader.seek(start)
    stopped: list[tuple[int, bool, int, int]] = []

    def at_pixels(tag: int, representation: str | None, length: int) -> bool:
        if tag == _PIXEL_DATA or tag in _FLOAT_PIXEL_DATA:
            stopped.append((int(tag), representation != "OB", reader.tell(), length))
            return True
        return False

    big_endian = transfer_syntax == _EXPLICIT_BIG
    with quiet_pydicom("its header cannot be read"):
        from pydicom.filereader import read_dataset

        elements = read_dataset(
            reader,
            is_implicit_VR=transfer_syntax == _IMPLICIT_LITTLE,
            is_little_endian=not big_endian,
            stop_when=at_pixels,
            specific_tags=list(kept.values()),
        )
        values = {int(element.tag): plain_value(element) for element in elements.values()}
    if not stopped:
        if reader.tell() != len(data):
            raise _damaged("it ends within an element")
        return DicomHeader(
            transfer_syntax,
            elements,
            pixel_start=-1,
            pixel_length=0,
            has_float_pixels=False,
            has_word_pixels=False,
            big_endian=big_endian,
            values=values,
            kept=kept,
        )
    tag, has_words, value_start, length = stopped[-1]
    return DicomHeader(
        transfer_syntax,
        elements,
        value_start,
        -1 if length == 0xFFFFFFFF else length,
        tag in _FLOAT_PIXEL_DATA,
        has_words,
        big_endian,
        values,
        kept,
    )


def plain_value(element: Any) -> Any:
    """What pydicom makes of an element, for the plain values that nearly all films have; ``_LEFT`` for any other.

    pydicom takes ten times as long, which over the elements of a film is a tenth of decoding its pixels.
    """
    value = element.value
    if not element.is_raw or not isinstance(value, bytes):
        return _LEFT
    if element.VR == "US" and len(value) == 2:
        return int.from_bytes(value, "little" if element.is_little_endian else "big")
    if element.VR in _PLAIN_TEXT and _PLAIN_TEXT[element.VR].fullmatch(value):
        kind = _PLAIN_KIND[element.VR]
        values = [kind(text) for text in value.decode("ascii").split("\\")]
        return values if len(values) > 1 else values[0]
    return _LEFT


def read_transfer_syntax(data: bytes) -> tuple[str, int]:
    """Transfer syntax, and where the data set begins, from the file meta information (PS3.10 section 7.1).

    Raises
    ------
    SourceError (E_SOURCE_DAMAGED) : it ends early, or states no transfer syntax, or two.
    """
    position, syntax = 132, ""
    while data[position : position + 2] == b"\x02\x00":
        if position + 12 > len(data):
            raise _damaged("it ends within its file meta information")
        element, representation, length = struct.unpack_from("<H2sH", data, position + 2)
        position += 8
        if representation in _LONG_FORMS:
            (length,) = struct.unpack_from("<I", data, position)
            position += 4
        value, position = data[position : position + length], position + length
        if position > len(data):
            raise _damaged("it ends within its file meta information")
        if element == 0x0010:
            if syntax:
                raise _damaged("it states two transfer syntaxes")
            syntax = value.rstrip(b"\0 ").decode("ascii", "replace")
    if not syntax:
        raise _damaged("it states no transfer syntax")
    return syntax, position
