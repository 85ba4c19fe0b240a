"""The sentence around a span, by hand."""

from __future__ import annotations

import pytest

from neuralgraph.graph.sentences import SIGNS, polarity, sentence_around
from neuralgraph.wire.vocabulary import CONCEPT_LABELS

REPORT = """FINDINGS: Heart of 1.5 times
the normal size. No effusion!

IMPRESSION
- Nodule on the left
- Line in place"""


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("times", "FINDINGS: Heart of 1.5 times the normal size."),
        ("effusion", "No effusion!"),
        ("IMPRESSION", "IMPRESSION"),
        ("Nodule", "- Nodule on the left"),
        ("Line", "- Line in place"),
    ],
)
def test_a_sentence_ends_at_a_stop_a_blank_line_or_a_new_item(word, sentence):
    start = REPORT.index(word)
    assert sentence_around(REPORT, start, start + len(word)) == sentence


def test_a_sentence_without_end_is_cut():
    report = "a" * 1000 + " here " + "b" * 1000
    assert len(sentence_around(report, 1001, 1005)) == 604


def test_every_label_has_a_sign():
    assert {polarity(label) for label in CONCEPT_LABELS if "::" in label} <= SIGNS.keys()
    assert len(set(SIGNS.values())) == 3
