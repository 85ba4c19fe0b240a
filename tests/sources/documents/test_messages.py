from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuralgraph.errors import SourceError
from neuralgraph.sources.documents import ReportDocument, is_message, latest_final, read_messages

HEAD = r"MSH|^~\&|RIS|SITE|NGR|SITE|20200102||ORU^R01|7|P|2.3"


def message(*segments, head=HEAD, end="\r"):
    return end.join([head, *segments, ""]).encode()


def test_a_report_of_lines():
    (report,) = read_messages(
        message(
            "PID|1||4711^^^SITE^MR||Doe^Jane",
            "ORC|RE",
            "OBR|1|PL9|ACC1^RIS|CHEST^XR|||20200101|||||||||||ACC18||||20200102093000||CR|F",
            "OBX|1|TX|&GDT^FINDINGS||Heart is normal.||||||F",
            r"OBX|2|TX|&GDT^FINDINGS||T\T\E 3 cm \S\ no effusion.||||||F",
            r"OBX|3|FT|&IMP^IMPRESSION||No pneumonia.\.br\Clear.~Again.||||||F",
            "OBX|4|NM|DOSE||3||||||F",
            "ZDS|1.2.3.4^RIS^Application^DICOM",
        )
    )
    assert report == ReportDocument(
        "FINDINGS:\nHeart is normal.\nT&E 3 cm ^ no effusion.\n\nIMPRESSION:\nNo pneumonia.\nClear.\nAgain.",
        accessions=frozenset({"ACC1", "ACC18", "PL9"}),
        studies=frozenset({"1.2.3.4"}),
        patient="4711",
        issued="20200102093000",
    )


def test_headers_of_the_text_itself_stay():
    lines = ("INDICATION: fever", "", "IMPRESSION: Clear.")
    (report,) = read_messages(
        message("OBR|1||A1||||||||||||||||||||||F", *(f"OBX|{n}|TX|RPT^TEXT||{line}" for n, line in enumerate(lines)))
    )
    assert report.text == "\n".join(lines)
    assert (report.accessions, report.studies, report.patient) == ({"A1"}, set(), "")


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_several_messages(end):
    one = message("OBR|1||A1", "OBX|1|TX|IMP||One.||||||P", end=end)
    two = message("OBR|1||A2||||||||||||||||||||||C", "OBX|1|TX|||Two.", end=end)
    other = message("PID|1||1", head=HEAD.replace("ORU^R01", "ADT^A01"), end=end)
    stream = b"\x0b" + one + b"\x1c\r\x0b" + other + b"\x1c\r" + b"\x0b" + two + b"\x1c\r"
    batch = f"FHS|^~\\&|{end}BHS|^~\\&|{end}".encode() + one + two + f"BTS|2{end}FTS|1".encode()
    for data in (stream, batch):
        assert is_message(data)
        first, second = read_messages(data)
        assert (first.text, first.final) == ("IMPRESSION:\nOne.", False)
        assert (second.text, second.final, second.corrected) == ("Two.", True, True)


def test_latin_1():
    (report,) = read_messages(message("OBR|1||A1", "OBX|1|TX|||Thorax: keine Ergüsse.").decode().encode("latin-1"))
    assert report.text == "Thorax: keine Ergüsse."


def test_nothing_to_read():
    assert not is_message(b"MSHA nothing")
    assert not is_message(b"\x89PNG")
    assert read_messages(message("OBR|1||A1", "OBX|1|NM|X||3")) == []
    assert read_messages(b"Dear colleague,") == []


@given(st.binary(max_size=200))
def test_anything_is_read_or_refused(data):
    # Any other exception fails the test.
    with suppress(SourceError):
        read_messages(b"MSH|^~\\&|" + data)


def test_which_report_counts():
    preliminary = ReportDocument("p", final=False, issued="9")
    first, last = ReportDocument("a", issued="1"), ReportDocument("b", issued="2")
    corrected = ReportDocument("c", corrected=True, issued="1")
    assert latest_final([preliminary]) is None
    assert latest_final([first, last, preliminary]) == last
    assert latest_final([first, corrected, last]) == corrected
