from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuralgraph.errors import SourceError
from neuralgraph.sources import normalise_report, read_report
from neuralgraph.sources.reports import MAX_REPORT_BYTES


def code_of(call):
    with pytest.raises(SourceError) as caught:
        call()
    return caught.value.code


@pytest.fixture
def report(tmp_path):
    def write(data):
        path = tmp_path / "report.txt"
        path.write_bytes(data)
        return path

    return write


def test_line_ends_mark_and_composition(report):
    path = report(b"\xef\xbb\xbfNo  pneumothorax.\r\nHeart\rnormal.\n\n\tRo\xcc\x88ntgen ")
    assert read_report(path) == "No  pneumothorax.\nHeart\nnormal.\n\n\tR\u00f6ntgen "


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "E_SOURCE_EMPTY"),
        (b" \r\n\t", "E_SOURCE_EMPTY"),
        (b"\xef\xbb\xbf", "E_SOURCE_EMPTY"),
        (b"caf\xe9", "E_SOURCE_TEXT"),
        (b"\xff\xfen\x00o", "E_SOURCE_TEXT"),
        (b"a\0b", "E_SOURCE_TEXT"),
        (b"a\x1bb", "E_SOURCE_TEXT"),
        (b"a\x0cb", "E_SOURCE_TEXT"),
        (b"a\xc2\x85b", "E_SOURCE_TEXT"),
        (b"\xed\xa0\x80", "E_SOURCE_TEXT"),
        (b"\xc0\x80", "E_SOURCE_TEXT"),
        (b"a" * (MAX_REPORT_BYTES + 1), "E_SOURCE_SIZE"),
    ],
)
def test_what_is_no_report_is_refused(report, data, code):
    assert code_of(lambda: read_report(report(data))) == code


def test_the_largest_report_passes(report):
    assert len(read_report(report(b"a" * MAX_REPORT_BYTES))) == MAX_REPORT_BYTES


def test_missing_file_and_folder(tmp_path):
    assert code_of(lambda: read_report(tmp_path / "none.txt")) == "E_SOURCE_READ"
    assert code_of(lambda: read_report(tmp_path)) == "E_SOURCE_READ"


def test_the_error_quotes_neither_path_nor_text(report):
    with pytest.raises(SourceError) as caught:
        read_report(report(b"Jane Doe\0"))
    assert "Doe" not in str(caught.value)
    assert "report.txt" not in str(caught.value)
    assert "position 8" in str(caught.value)


def test_inline_text_follows_the_same_rules():
    assert code_of(lambda: normalise_report("")) == "E_SOURCE_EMPTY"
    assert code_of(lambda: normalise_report("a\ud800")) == "E_SOURCE_TEXT"
    assert code_of(lambda: normalise_report("\u20ac" * (MAX_REPORT_BYTES // 2))) == "E_SOURCE_SIZE"


@given(st.text(min_size=1, max_size=200))
def test_the_normal_form_is_its_own(text):
    try:
        once = normalise_report(text)
    except SourceError:
        return
    assert normalise_report(once) == once
    assert "\r" not in once


@given(st.binary(min_size=1, max_size=200))
def test_any_bytes_give_text_or_one_error(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "any.txt"
    path.write_bytes(data)
    # Any other exception fails the test.
    with suppress(SourceError):
        assert read_report(path)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_the_mark_of_utf_8_is_no_text(report, mark):
    assert read_report(report(mark + b"No effusion.")) == "No effusion."


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_says_so_by_its_mark(report, encoding):
    data = ("\ufeff" + "Small effusion.\r\nÜbersicht.").encode(encoding)
    assert read_report(report(data)) == "Small effusion.\nÜbersicht."
