"""What is said of a report that gave no concept."""

import json
from dataclasses import replace

import numpy as np
import pytest
from builders import build_study

from neuralgraph.bulk.converter import Converter
from neuralgraph.bulk.facts import StudyFacts, Totals, read_facts
from neuralgraph.bulk.settings import ConversionSettings
from neuralgraph.bulk.task import Task, answer_line, read_answer


def silent(*_, **__):
    return replace(
        build_study(), concepts=(), mentions=(), triples=np.empty((0, 3), np.int32), fusion=None, report=None
    )


@pytest.mark.parametrize(
    ("report", "extractor", "reason"),
    [
        ("BEFUND: Kein Erguss.", "rules", "language"),
        ("FINDINGS: Dictated.", "rules", "words"),
        (None, "rules", ""),
        ("BEFUND: Kein Erguss.", "none", ""),
    ],
)
def test_an_answer_says_why(film, tmp_path, report, extractor, reason):
    (tmp_path / "film.png").write_bytes(film)
    converter = Converter(ConversionSettings(extractor=extractor), silent)
    answer = converter(Task("s", [(str(tmp_path / "film.png"), "PA")], str(tmp_path / "s.ngr"), report))
    assert (answer.reason, answer.facts.unread) == ("", reason)
    assert read_answer(answer_line(answer)) == answer


def test_reasons_are_counted():
    totals = Totals()
    for unread in ("language", "", "language", "words"):
        totals.add(StudyFacts(unread=unread))
    assert totals.unread == {"language": 2, "words": 1}
    assert read_facts(json.loads(json.dumps({"unread": "words"}))) == StudyFacts(unread="words")


def test_people_are_told(capsys, tmp_path):
    from neuralgraph.bulk.destination import Destination
    from neuralgraph.bulk.outcome import Outcome
    from neuralgraph.cli.conversion_report import tell_outcome

    outcome = Outcome(planned=2)
    outcome.here.add(StudyFacts(unread="language"))
    tell_outcome(outcome, Destination(tmp_path), None, json=True)
    told = capsys.readouterr()
    assert told.err == "ngr: 1 report gave no concept: the report is not in English: nothing of it was read\n"
    assert json.loads(told.out)["here"]["unread"] == {"language": 1}
