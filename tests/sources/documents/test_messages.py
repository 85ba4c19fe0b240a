from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuralgraph.errors import SourceError
from neuralgraph.sources.documents import ReportDocument, is_message, latest_final, read_messages, whole_report

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
        patients=frozenset({"4711"}),
        issued="20200102093000",
    )


def test_headers_of_the_text_itself_stay():
    lines = ("INDICATION: fever", "", "IMPRESSION: Clear.")
    (report,) = read_messages(
        message("OBR|1||A1||||||||||||||||||||||F", *(f"OBX|{n}|TX|RPT^TEXT||{line}" for n, line in enumerate(lines)))
    )
    assert report.text == "\n".join(lines)
    assert (report.accessions, report.studies, report.patients) == ({"A1"}, set(), set())


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


def text_of(*results, head=HEAD):
    """The text of a message with one order and these OBX segments."""
    (report,) = read_messages(message("PID|1||4711", "OBR|1||A1|" + "|" * 21 + "F", *results, head=head))
    return report.text


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_a_line_end_inside_a_field_ends_no_field(end):
    assert text_of(f"OBX|1|TX|&IMP||No edema.{end}Right effusion.{end}{end}Scoliosis.||||||F") == (
        "IMPRESSION:\nNo edema.\nRight effusion.\n\nScoliosis."
    )


def test_text_that_begins_like_a_segment_is_text():
    assert text_of("OBX|1|TX|&IMP||Table:\nPTX|none\nEFF|small") == "IMPRESSION:\nTable:\nPTX|none\nEFF|small"


def test_a_bar_that_nobody_escaped_cuts_nothing_off():
    assert text_of("OBX|1|TX|&IMP||Mass | right upper lobe || growing||||F") == (
        "IMPRESSION:\nMass | right upper lobe || growing"
    )


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r"Mass s\p biopsy. Left effusion.", r"Mass s\p biopsy. Left effusion."),
        (r"See C:\films \ old. Edema.", r"See C:\films \ old. Edema."),
        ("Edema \\", "Edema \\"),
        (r"\H\HISTORY:\N\ cough", "HISTORY: cough"),
        (r"One.\.br\Two.\.sp2\Three.", "One.\nTwo.\nThree."),
        (r"3 \F\ 4 \S\ 5 \T\ 6 \R\ 7 \E\ 8", "3 | 4 ^ 5 & 6 ~ 7 \\ 8"),
        ("One.\\X0D0A\\Two.\\X0A\\\\X41\\", "One.\nTwo.\nA"),
        (r"Local \Zxy\ escape \.zz\ stays", r"Local \Zxy\ escape \.zz\ stays"),
        (r"\.fi\Wrapped\.nf\ text\.sk3\end", "Wrapped text end"),
    ],
)
def test_escapes_are_resolved_and_nothing_else(written, read):
    assert text_of(f"OBX|1|FT|RPT||{written}||||||F") == read


def test_separators_of_a_message_are_its_own():
    data = message(
        "OBR:1::A1" + ":" * 22 + "F",
        "OBX:1:TX:IMP::One.#Two @F@ B.::::::F",
        head="MSH:*#@%:RIS:SITE:NGR:SITE:2020::ORU*R01:7:P:2.3",
    )
    (report,) = read_messages(data)
    assert report.text == "IMPRESSION:\nOne.\nTwo : B."


def test_html_becomes_lines_and_not_words():
    html = "<p><b>HISTORY</b><br/>r/o mass</p><P>IMPRESSION<BR>No&nbsp;edema<BR>Right &lt; 1 cm nodule</P>"
    assert text_of(f"OBX|1|FT|RPT||{html}") == ("HISTORY\nr/o mass\nIMPRESSION\nNo edema\nRight < 1 cm nodule")
    rows = "<table><tr><td>Edema</td><td>No</td></tr><tr><td>Mass</td><td>Yes</td></tr></table>"
    assert text_of(f"OBX|1|FT|RPT||{rows}").splitlines() == ["Edema\tNo", "Mass\tYes"]
    assert text_of("OBX|1|TX|RPT||Effusion L>R, nodule <5 mm") == "Effusion L>R, nodule <5 mm"
    assert text_of("OBX|1|TX|RPT||<style>p {x}</style>Edema<ul><li>mass</li></ul>") == "Edema\n- mass"


@pytest.mark.parametrize(
    ("identifier", "heading"),
    [
        ("18785-6^Anything^LN", "INDICATION"),
        ("RPT^x^L^18782-3^y^LN", "FINDINGS"),
        ("59776-5^Procedure findings^LN", "FINDINGS"),
        ("19005-8^Imp^LN", "IMPRESSION"),
        ("55752-0^Clin info^LN", "HISTORY"),
        ("18834-2^Comp^LN", "COMPARISON"),
        ("RPT&ADT", "ADDENDUM"),
        ("71020&IMP^CHEST", "IMPRESSION"),
        ("X^REASON FOR EXAM^L", "INDICATION"),
        ("X^Prior findings^L", "COMPARISON"),
        ("X^Radiologist's conclusion^L", "IMPRESSION"),
    ],
)
def test_what_obx_3_says_becomes_a_heading(identifier, heading):
    assert text_of(f"OBX|1|TX|{identifier}||Words.") == f"{heading}:\nWords."


def test_text_without_a_heading_is_no_part_of_the_indication_before_it():
    assert text_of("OBX|1|TX|18785-6^Reason^LN||Cough.", "OBX|2|TX|36643-5^XR^LN||Edema.") == (
        "INDICATION:\nCough.\n\nREPORT:\nEdema."
    )


def test_notes_of_a_result_belong_to_it_and_notes_of_an_order_do_not():
    (report,) = read_messages(
        message(
            "OBR|1||A1||||||||||||||||||||||F",
            "NTE|1||rule out pneumonia",
            "OBX|1|TX|&GDT||No effusion.",
            "NTE|1||Left pneumothorax.~Seen twice.",
            "OBX|2|TX|&GDT||wrong||||||W",
            "NTE|1||of the wrong one",
        )
    )
    assert report.text == "FINDINGS:\nNo effusion.\nLeft pneumothorax.\nSeen twice."


def test_a_result_without_content_is_a_report_without_text():
    (report,) = read_messages(message("OBR|1||A1||||||||||||||||||||||F", "OBX|1|TX|&GDT||", "OBX|2|TX|&IMP|| "))
    assert (report.text, report.problem, report.addendum) == ("", "nothing", False)
    assert whole_report([report]) == (None, "report_without_text")


def test_withdrawn_results_do_not_count():
    assert text_of("OBX|1|TX|IMP||Wrong.||||||D", "OBX|2|TX|IMP||Right.||||||F") == "IMPRESSION:\nRight."


@pytest.mark.parametrize(
    ("declared", "encoding"),
    [("8859/1", "latin-1"), ("8859/15", "iso8859-15"), ("UNICODE UTF-8", "utf-8"), ("UNICODE UTF-16", "utf-16"),
     ("", "utf-16-le"), ("", "utf-16-be"), ("", "utf-8-sig"), ("", "cp1252"), ("GB 18030-2000", "gb18030")],
)  # fmt: skip
def test_declared_character_sets(declared, encoding):
    head = HEAD + "||||||" + declared
    data = message("OBR|1||A1", "OBX|1|TX|||Größe: 3 cm – é", head=head).decode()
    data = data if encoding != "latin-1" else data.replace("–", "-")
    data = data if encoding != "iso8859-15" else data.replace("–", "€")
    encoded = data.encode(encoding)
    assert is_message(encoded)
    (report,) = read_messages(encoded)
    assert report.text.startswith("Größe: 3 cm")


def test_a_character_set_that_is_not_known_or_not_kept_is_refused():
    for declared, body in (("KLINGON", b"x"), ("UNICODE UTF-8", b"\xe9"), ("GB 18030-2000", b"\xff")):
        data = message("OBR|1||A1", "OBX|1|TX|||@", head=f"{HEAD}||||||{declared}").replace(b"@", body)
        with pytest.raises(SourceError) as caught:
            read_messages(data)
        assert caught.value.code == "E_SOURCE_TEXT"


def test_all_identifiers_of_the_patient_count():
    (report,) = read_messages(message("PID|1|99|4711^^^HOSP~0815^^^LAB|7^^^ALT", "OBR|1||A1", "OBX|1|TX|||Edema."))
    assert report.patients == {"4711", "0815", "7", "99"}
    assert report.is_of("0815")
    assert report.is_of("815")
    assert report.is_of("")
    assert not report.is_of("4712")
    assert ReportDocument("x").is_of("anyone")
    assert not ReportDocument("x", patients=frozenset({"00"})).is_of("0A")


def test_what_has_no_text_is_named():
    order = "OBR|1||A1" + "|" * 22 + "F"
    (report,) = read_messages(message(order, "OBX|1|ED|PDF^Report||^application^pdf^Base64^JVBERi0x"))
    assert (report.text, report.problem) == ("", "PDF")
    assert whole_report([report]) == (None, "report_without_text")
    (report,) = read_messages(message(order, "OBX|1|RP|X||http://host/report"))
    assert report.problem == "reference"


def test_encapsulated_text_is_text():
    assert text_of("OBX|1|ED|RPT||^TEXT^plain^Base64^RWRlbWEu") == "Edema."
    assert text_of("OBX|1|ED|RPT||^TEXT^HTML^Base64^PGI+RWRlbWEuPC9iPg==") == "Edema."
    with pytest.raises(SourceError, match="decoded"):
        text_of("OBX|1|ED|RPT||^TEXT^plain^Base64^R")


def test_rtf_is_refused_by_name():
    with pytest.raises(SourceError, match="RTF"):
        text_of("OBX|1|TX|RPT||{\\rtf1 Edema.}")


def dated(text, issued, **facts):
    return ReportDocument(text, issued=issued, **facts)


def test_addenda_follow_their_report_in_order():
    base = dated("IMPRESSION:\nEdema.", "20240102")
    second = dated("ADDENDUM:\nAlso a mass.", "20240104", addendum=True)
    first = dated("Addendum: rib fracture.", "20240103", addendum=True)
    whole, reason = whole_report([second, base, first])
    assert reason == ""
    assert whole.text == ("IMPRESSION:\nEdema.\n\nADDENDUM:\nAddendum: rib fracture.\n\nADDENDUM:\nAlso a mass.")
    # A report that was sent again with its addendum has it once.
    again = dated("IMPRESSION:\nEdema.\nADDENDUM:\nAlso a mass.", "20240105")
    assert whole_report([base, second, again])[0].text == again.text
    assert whole_report([first]) == (None, "addendum_alone")
    assert whole_report([dated("x", "1", final=False)]) == (None, "report_not_final")
    draft = dated("ADDENDUM:\nNot signed.", "20240109", addendum=True, final=False)
    assert whole_report([base, draft])[0].text == base.text


@pytest.mark.parametrize(
    ("results", "alone"),
    [
        (["OBX|1|TX|RPT&ADT||Typo."], True),
        (["OBX|1|TX|RPT||Addendum: typo."], True),
        (["OBX|1|TX|RPT||ADDENDUM", "OBX|2|TX|RPT||Rib fracture."], True),
        (["OBX|1|TX|RPT&ADT||Typo.", "OBX|2|TX|RPT&IMP||Edema."], False),
        (["OBX|1|TX|RPT||Addendum: typo.\nIMPRESSION: Edema."], False),
        (["OBX|1|TX|RPT||IMPRESSION: Edema.\nAddendum: typo."], False),
    ],
)
def test_a_message_that_is_an_addendum_alone(results, alone):
    (report,) = read_messages(message("OBR|1||A1", *results))
    assert report.addendum is alone


def test_nothing_of_a_report_is_logged(caplog, capfd):
    caplog.set_level(0)
    read_messages(message("PID|1||1||Quuxman^Zzyzx", "OBR|1||A1", r"OBX|1|TX|||Seen by Quuxman \ x \q\ C:\s."))
    with suppress(SourceError):
        read_messages(b"MSH|^~\\&|" + b"|" * 16 + b"KLINGON\rOBX|1|TX|||Quuxman")
    assert caplog.text == ""
    assert capfd.readouterr() == ("", "")
