from __future__ import annotations

import pytest

from neuralgraph.compressor.training.report_text import described_text, training_text, usual_opening

REPORT = (
    "INDICATION: Rule out pneumonia.\nFINDINGS: The heart is\n normal. No effusion.\n"
    "IMPRESSION: Small nodule on the left."
)
FINDINGS = "FINDINGS: The heart is normal. No effusion."
IMPRESSION = "IMPRESSION: Small nodule on the left."


def test_a_model_writes_findings_and_impression_and_no_indication():
    assert described_text(REPORT) == f"{FINDINGS}\n{IMPRESSION}"


def test_other_headings_become_the_same_two():
    assert described_text("History: cough.\n\nConclusion: Normal chest.") == "IMPRESSION: Normal chest."


@pytest.mark.parametrize(
    ("reports", "opening"),
    [
        ([REPORT, REPORT, "IMPRESSION: Normal chest."], "FINDINGS:"),
        (["Conclusion: Normal.", "IMPRESSION: Normal chest.", REPORT], "IMPRESSION:"),
        ([REPORT, "Lungs are clear."], ""),
        (["Lungs are clear.", "Lungs are small."], ""),
        ([], ""),
    ],
)
def test_the_opening_is_the_heading_of_most_reports(reports, opening):
    assert usual_opening(reports) == opening


@pytest.mark.parametrize("text", ["Lungs are clear.", "TECHNIQUE: PA view."])
def test_a_report_without_these_parts_is_taken_whole(text):
    assert described_text(text) == text
    assert {training_text(text, draw / 20) for draw in range(20)} <= {text, "PA view."}


def test_the_texts_a_film_is_learnt_with():
    whole, bare_impression, bare, findings, impression, usual = (
        training_text(REPORT, draw) for draw in (0.1, 0.3, 0.35, 0.42, 0.48, 0.9)
    )
    assert whole == REPORT
    assert bare_impression == "Small nodule on the left."
    assert bare == "The heart is\n normal. No effusion.\n\nSmall nodule on the left."
    assert (findings, impression) == (FINDINGS, IMPRESSION)
    assert usual == described_text(REPORT)
