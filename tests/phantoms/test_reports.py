"""Reports of the phantom: they say what the film shows, deny what it lacks, and every phrase is where it is."""

from __future__ import annotations

import re

import pytest

from neuralgraph.phantoms import FINDINGS, patient, phantom

_WORDS = {
    "opacity": r"opacit(?:y|ies)",
    "consolidation": r"consolidation",
    "pleural effusion": r"pleural effusions?",
    "nodule": r"nodule",
    "cardiomegaly": r"cardiomegaly|enlarge|enlargement",
    "pneumothorax": r"pneumothorax",
    "atelectasis": r"atelectasis",
}
_SPOKEN = {**_WORDS, "cardiomegaly": r"cardiomegaly|enlarge|[Hh]eart|cardiac silhouette"}
_CLEAR = re.compile(r"lungs are clear")


def _studies():
    for seed in range(90):
        yield phantom(seed, height=32, width=32, variety=1.0)
    for number in range(20):
        yield from patient(2, number, height=32, width=32, variety=1.0)


@pytest.fixture(scope="module")
def studies():
    return list(_studies())


def _said(report):
    """Where FINDINGS or IMPRESSION, whichever is first, begins."""
    return re.search(r"^(FINDINGS|IMPRESSION):", report, re.MULTILINE).start()


def test_labels_are_the_findings_that_are_present(studies):
    for study in studies:
        present = {f.name for f in study.findings if f.present}
        assert present == {name for name in FINDINGS if study.labels[name] == 1.0}
        for finding in study.findings:
            assert finding.present == bool(finding.mask.any())
            assert finding.present == bool(finding.severity)


def test_every_phrase_holds_the_words_of_its_finding(studies):
    for study in studies:
        for finding in study.findings:
            assert finding.phrases
            assert list(finding.phrases) == sorted(finding.phrases)
            for start, end in finding.phrases:
                phrase = study.report[start:end]
                assert phrase == phrase.strip()
                clear = not finding.present and finding.name in ("opacity", "consolidation") and _CLEAR.search(phrase)
                assert clear or re.search(_SPOKEN[finding.name], phrase, re.IGNORECASE), (finding.name, phrase)
                assert start >= _said(study.report)


def test_every_mention_of_a_finding_is_recorded(studies):
    for study in studies:
        spans = {f.name: f.phrases for f in study.findings}
        for name, pattern in _WORDS.items():
            for match in re.finditer(pattern, study.report):
                if match.start() < _said(study.report):
                    continue
                covering = [k for k, v in spans.items() if any(s <= match.start() < e for s, e in v)]
                assert covering == [name] or (name in covering and _CLEAR.search(study.report))


def test_absent_findings_are_denied_and_present_ones_are_not(studies):
    denial = re.compile(r"(\bno\b|\bnot\b|neither|nor|resolved|no longer|normal|clear|, *$|or *$)", re.IGNORECASE)
    for study in studies:
        for finding in study.findings:
            for start, end in finding.phrases:
                before = study.report.rfind(".", 0, start) + 1
                after = study.report.find(".", end)
                sentence = study.report[before:after]
                assert bool(denial.search(sentence)) is not finding.present, sentence


def test_phrases_of_present_findings_name_side_and_place(studies):
    checked = 0
    for study in studies:
        for finding in study.findings:
            if not finding.present or finding.name == "cardiomegaly":
                continue
            for start, end in finding.phrases:
                phrase = study.report[start:end].lower()
                if finding.side == "bilateral":
                    assert "bilateral" in phrase or "both" in phrase
                else:
                    other = "left" if finding.side == "right" else "right"
                    assert finding.side in phrase or "lingula" in phrase
                    assert other not in phrase
                if finding.name not in ("pleural effusion", "pneumothorax"):
                    words = {"upper": ("upper",), "mid": ("mid", "lingula"), "lower": ("lower", "base")}[finding.zone]
                    assert any(word in phrase for word in words)
                checked += 1
    assert checked > 100


def test_hedged_findings_are_hedged_in_every_sentence(studies):
    hedge = re.compile(r"possible|may be|cannot be excluded|questionable", re.IGNORECASE)
    hedged = 0
    for study in studies:
        for finding in study.findings:
            for start, end in finding.phrases:
                sentence = study.report[study.report.rfind(".", 0, start) + 1 : study.report.find(".", end)]
                assert bool(hedge.search(sentence)) == finding.uncertain
                hedged += finding.uncertain
    assert hedged > 5


def test_the_pneumonia_label_follows_its_rule(studies):
    for study in studies:
        rule = any(
            f.present and (f.name == "consolidation" or (f.name == "opacity" and f.severity != "mild"))
            for f in study.findings
        )
        assert study.labels["pneumonia"] == float(rule)


def test_indications_leak_a_diagnosis_that_is_not_there(studies):
    healthy = [s for s in studies if not s.labels["pneumonia"]]
    leaking = [s for s in healthy if "pneumonia" in s.report[: _said(s.report)].lower()]
    assert 0.1 < len(leaking) / len(healthy) < 0.6


def test_variety_changes_the_words_but_neither_film_nor_truth():
    plain = phantom(4, height=64, width=64, variety=0.0)
    varied = phantom(4, height=64, width=64, variety=1.0)
    assert plain.report != varied.report
    assert plain.labels == varied.labels
    assert (plain.pixels == varied.pixels).all()


def test_without_variety_equal_truths_have_equal_sentences():
    reports = [phantom(seed, height=32, width=32, findings=[], variety=0.0).report for seed in range(15)]
    impressions = {report.split("IMPRESSION: ")[1] for report in reports}
    assert impressions == {"No acute cardiopulmonary abnormality."}


def test_with_variety_reports_rarely_repeat():
    reports = {phantom(seed, height=32, width=32, variety=1.0).report for seed in range(30)}
    assert len(reports) >= 28


def test_devices_and_old_changes_are_named_but_are_no_findings():
    named = 0
    for seed in range(25):
        study = phantom(seed, height=32, width=32, findings=[], variety=1.0)
        assert not any(f.present for f in study.findings)
        named += "degenerative change" in study.distractors and "egenerative" in study.report
    assert named >= 1
