"""What the measurement of the demo model reads out of reports."""

from __future__ import annotations

from bench.demo_model import DISTRACTING, named_findings, naming
from neuralgraph.compressor.training.report_text import described_text
from neuralgraph.phantoms import phantom_cohort


def test_the_rules_read_in_a_true_report_what_the_film_shows():
    studies = list(phantom_cohort(2026, 40, height=32, width=32))
    read = named_findings([described_text(study.report) for study in studies])
    for study, names in zip(studies, read, strict=True):
        assert names - {DISTRACTING} == {finding.name for finding in study.findings if finding.present}
        # Not every distractor is told, but what is told is there.
        assert DISTRACTING not in names or study.distractors
    assert sum(DISTRACTING in names for names in read) > 20


def test_findings_are_counted_by_hand():
    true = ["FINDINGS: Small left pleural effusion. No pneumothorax.", "FINDINGS: Nodule in the right upper lobe."]
    written = ["FINDINGS: Large left pleural effusion.", "FINDINGS: Possible pneumothorax. Sternal wires are noted."]
    counts = naming(true, written)
    assert counts["pleural effusion"] == {"true": 1, "found": 1, "named": 1}
    assert counts["nodule"] == {"true": 1, "found": 0, "named": 0}
    assert counts["pneumothorax"] == {"true": 0, "found": 0, "named": 1}
    assert counts[DISTRACTING] == {"true": 0, "found": 0, "named": 1}
