from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuralgraph.compressor.report_graph.sections import parts_to_read, split_sections


def words(text: str, choice: str = "impression") -> str:
    return " | ".join(text[start:end].strip() for start, end in parts_to_read(text, choice))  # type: ignore[arg-type]


MIMIC = (
    "                                 FINAL REPORT\n EXAMINATION:  CHEST (PA AND LAT)\n\n"
    " INDICATION:  ___ year old with fever, r/o pneumonia\n\n TECHNIQUE:  Chest PA and lateral\n\n"
    " COMPARISON:  ___\n\n FINDINGS: \n\n The lungs are clear.\n\n IMPRESSION: \n \n No acute process.\n"
)


def test_impression_is_preferred_and_findings_come_on_request() -> None:
    assert words(MIMIC) == "No acute process."
    assert words(MIMIC, "findings+impression") == "The lungs are clear. | No acute process."


def test_last_impression_that_says_something() -> None:
    assert words("IMPRESSION: First.\nADDENDUM: x\nIMPRESSION: Second.\nIMPRESSION:\n") == "Second."


@pytest.mark.parametrize(
    "impression",
    [
        "See above.",
        "As above.",
        "See findings.",
        "see body of report",
        ".",
        "",
        "Dictated.",
        "As described above. No edema.",
    ],
)
def test_an_impression_without_content_hides_no_findings(impression: str) -> None:
    assert "Left mass." in words(f"FINDINGS: Left mass.\nIMPRESSION: {impression}")
    assert "Left mass." in words(f"IMPRESSION: {impression}\nFINDINGS: Left mass.")
    # Of a report that has nothing else, it is what there is.
    assert words(f"HISTORY: mass\nIMPRESSION: {impression}") == impression


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("INDICATION: fever\nLUNGS: clear\nHEART: large", "LUNGS: clear\nHEART: large"),
        ("HISTORY: mass.\n\nHeart large.\n\nSmall mass.", "Heart large.\n\nSmall mass."),
        ("HISTORY: mass.\n\nHeart large.\n\nIMPRESSION: Mass.", "Heart large. | Mass."),
        ("REASON: mass\nHeart large.", "Heart large."),
        ("Heart large.\nHISTORY: mass", "Heart large."),
        ("HISTORY: mass. COMPARISON: mass seen. TECHNIQUE: for mass. OPINION: Clear.", "Clear."),
        ("HISTORY - mass\nFINDINGS - Clear.", "Clear."),
        ("cough FINDINGS: clear", "clear"),
        ("*** ADDENDUM ***\nMass.", "Mass."),
        ("WET READ: Mass.\nFINAL REPORT\nHISTORY: mass\nIMPRESSION: Clear.", "Mass. | Clear."),
        ("IMPRESSION: One.\nIMPRESSION: Two.", "One. | Two."),
        ("INDICATION: rule out mass", ""),
        ("COMPARISON: Mass now larger.", ""),
        ("ABSENT: mass\nPRESENT: edema", "ABSENT: mass\nPRESENT: edema"),
        ("RULE OUT MASS: yes\nPTX: NONE", "PTX: NONE"),
    ],
)
def test_the_whole_narrative(text: str, read: str) -> None:
    assert words(text, "findings+impression") == read


@pytest.mark.parametrize(
    "header",
    [
        "IMPRESSION",
        "Impression",
        "CONCLUSION",
        "FINDINGS AND IMPRESSION",
        "IMPRSSION",
        "IMPESSION",
        "Opinion",
        "** IMPRESSION **",
    ],
)
def test_synonyms_and_misspellings(header: str) -> None:
    assert words(f"INDICATION: pneumonia?\n{header}: Clear.") == "Clear."


def test_findings_when_there_is_no_impression() -> None:
    assert words("HISTORY: r/o pneumonia\nFINDINGS: Clear.\nRECOMMENDATION: CT to exclude mass.") == "Clear."
    assert words("PORTABLE CHEST: Clear.\nHISTORY: mass") == "Clear."


def test_headers_within_one_line() -> None:
    text = "History: rule out pneumonia. Findings: Lungs clear. Impression: Normal chest."
    assert words(text) == "Normal chest."
    assert words(text, "findings+impression") == "Lungs clear. | Normal chest."


def test_headings_of_topics_stay_within_the_findings() -> None:
    assert words("FINDINGS:\nLUNGS: clear.\nHEART: normal.\nSmoking history: long.").count(":") == 3


def test_last_paragraph_then_rest_then_comparison() -> None:
    assert words("INDICATION: r/o pneumonia.\n\nHeart is large.\n\nSmall effusion.") == "Small effusion."
    assert words("Small effusion.\nINDICATION: r/o pneumonia.") == "Small effusion."
    assert words("FINAL REPORT: Small effusion.\nINDICATION: r/o pneumonia.") == "Small effusion."
    assert words("INDICATION: r/o pneumonia.\nCOMPARISON: Effusion now smaller.") == "Effusion now smaller."


@pytest.mark.parametrize(
    "text",
    [
        "INDICATION: r/o pneumonia.",
        "HISTORY:\n\nr/o pneumonia.\n",
        "REASON FOR EXAMINATION: pneumonia?\nTECHNIQUE: two views",
        "CLINICAL INFORMATION: pneumonia\n IMPRESSION:\n",
        "INDICTION: pneumonia",
        "SOMETHING ELSE: pneumonia",
    ],
)
def test_the_referrers_words_are_never_read(text: str) -> None:
    assert words(text) == ""


def test_a_note_without_headers_is_read_whole() -> None:
    text = "Chest film of a patient: severe ARDS.\n\nIntubated."
    assert parts_to_read(text) == [(0, len(text))]
    assert [section.kind for section in split_sections(text)] == ["preamble"]


@given(
    st.text(max_size=300)
    | st.lists(st.sampled_from(["IMPRESSION:", "FINDINGS:", "\n", "\n\n", " ", "a.", "HISTORY:"])).map("".join)
)
def test_parts_lie_in_the_text_in_order(text: str) -> None:
    for choice in ("impression", "findings+impression"):
        end = 0
        for start, stop in parts_to_read(text, choice):
            assert end <= start <= stop <= len(text)
            end = stop
