"""Header elements that are read without pydicom have the values that pydicom gives them."""

from __future__ import annotations

import struct
from types import SimpleNamespace

import pytest
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from neuralgraph.errors import SourceError
from neuralgraph.sources.films import dicom_header
from neuralgraph.sources.films.dicom_header import DicomHeader, plain_value

KEYWORDS = {"CS": "Modality", "UI": "SOPClassUID", "DS": "WindowCenter", "IS": "NumberOfFrames", "US": "Rows"}
VALUES = {
    "CS": [
        b"CR",
        b"CR ",
        b"CR  ",
        b"ISO_10918_1 ",
        b"A\\B ",
        b"A \\B\\C",
        b"",
        b" ",
        b" CR",
        b"cr",
        b"CR\0",
        b"A\\\\B",
    ],
    "UI": [b"1.2.840.10008.1.2", b"1.2.3\0", b"1.2.3\0\0", b"1.2.3 ", b"", b"1.2\\1.3", b"x"],
    "DS": [
        b"1",
        b"-1.5 ",
        b"+2",
        b"1\\2.25 ",
        b"1 \\2",
        b"1e3",
        b"1E-2 ",
        b".5",
        b"5.",
        b" 5",
        b"",
        b"x",
        b"nan",
        b"1\\",
    ],
    "IS": [b"1 ", b"12", b"007", b"-3", b"1.0", b"1.5", b"", b"1\\2", b"99999999999", b"x"],
    "US": [b"\0\1", b"\1\0", b"\1\0\2\0", b"", b"\1", b"\xff\xff"],
}
CASES = [(kind, value) for kind, values in VALUES.items() for value in values]


def header(kind, value, *, plain, is_little_endian=True):
    tag = dicom_header.KEPT[KEYWORDS[kind]]
    raw = RawDataElement(Tag(tag), kind, len(value), value, 0, False, is_little_endian)
    dataset = Dataset()
    dataset._dict[Tag(tag)] = raw
    left = plain_value(raw) if plain else dicom_header._LEFT
    return DicomHeader("", dataset, 0, 0, False, False, not is_little_endian, {tag: left})


def answer(of, question, kind):
    try:
        return getattr(of, question)(KEYWORDS[kind])
    except SourceError as error:
        return error.code, str(error)


@pytest.mark.parametrize("is_little_endian", [True, False])
@pytest.mark.parametrize(("kind", "value"), CASES)
def test_every_question_has_the_answer_of_pydicom(kind, value, is_little_endian):
    # Numbers are never asked for words, which pydicom would spell as the file does.
    words = () if kind in ("DS", "IS") else ("word", "words")
    for question in (*words, "identifier", "integer", "numbers", "first_item"):
        plain, theirs = (
            answer(header(kind, value, plain=plain, is_little_endian=is_little_endian), question, kind)
            for plain in (True, False)
        )
        assert plain == theirs, question


def test_ordinary_values_need_no_pydicom():
    for kind in KEYWORDS:
        value = VALUES[kind][0]
        assert (
            plain_value(RawDataElement(Tag(0x00280010), kind, len(value), value, 0, False, True))
            is not dicom_header._LEFT
        )


def test_other_elements_are_left_to_pydicom():
    for kind, value in [("LO", b"A"), (None, struct.pack("<H", 1)), ("SQ", b""), ("CS", None)]:
        raw = RawDataElement(Tag(0x00280010), kind, 0, value, 0, kind is None, True)
        assert plain_value(raw) is dicom_header._LEFT
    assert plain_value(SimpleNamespace(value=b"CR", VR="CS", is_raw=False)) is dicom_header._LEFT
