"""One concept for what a report says twice, and which place decides."""

from __future__ import annotations

import pytest

from neuralgraph.compressor.report_graph import ReportGraph
from neuralgraph.compressor.report_graph.rules import RulesExtractor
from neuralgraph.graph.concepts import Mention
from neuralgraph.wire.vocabulary import RELATIONS

PRESENT = "Observation::definitely present"
ABSENT = "Observation::definitely absent"
UNCERTAIN = "Observation::uncertain"


@pytest.fixture(scope="module")
def rules() -> RulesExtractor:
    return RulesExtractor()


def said(graph: ReportGraph, text: str) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """(label, section, [(label, section) of the mentions]) of each concept of that text."""
    return [
        (
            concept.label.split("::")[-1].removeprefix("definitely "),
            concept.section,
            [
                (mention.label.split("::")[-1].removeprefix("definitely "), mention.section)
                for mention in graph.mentions
                if mention.concept == number
            ],
        )
        for number, concept in enumerate(graph.concepts)
        if concept.text == text
    ]


def test_the_same_finding_in_both_sections_is_one_concept_with_both_spans(rules: RulesExtractor) -> None:
    text = "FINDINGS: Small left effusion at the base.\nIMPRESSION: Left effusion."
    (graph,) = rules([text])
    assert said(graph, "pleural effusion") == [("present", "impression", [("present", "findings")])]
    number = next(number for number, concept in enumerate(graph.concepts) if concept.text == "pleural effusion")
    (mention,) = [each for each in graph.mentions if each.concept == number]
    assert text[mention.start : mention.end] == text[graph.concepts[number].start : graph.concepts[number].end]
    assert mention == Mention(number, PRESENT, text.index("effusion"), text.index("effusion") + 8, "findings")
    # What either place adds is kept, once.
    names = [
        (graph.concepts[head].text, RELATIONS[kind], graph.concepts[tail].text)
        for head, kind, tail in graph.triples.tolist()
    ]
    assert sorted(names) == [
        ("left", "modify", "pleural effusion"),
        ("pleural effusion", "located_at", "lung base"),
        ("small", "modify", "pleural effusion"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # The impression decides, and what the findings said stays visible.
        ("FINDINGS: No mass.\nIMPRESSION: Left mass.", [("present", "impression", [("absent", "findings")])]),
        ("FINDINGS: Possible mass.\nIMPRESSION: No mass.", [("absent", "impression", [("uncertain", "findings")])]),
        # Its place in the text does not matter, its rank does.
        ("IMPRESSION: No mass.\nFINDINGS: Left mass.", [("absent", "impression", [("present", "findings")])]),
        # Addenda decide before the impression, the newest before older ones.
        ("IMPRESSION: No mass.\nADDENDUM: Left mass.", [("present", "addendum", [("absent", "impression")])]),
        (
            "IMPRESSION: Mass.\nADDENDUM 1: No mass.\nADDENDUM 2: A mass after all.",
            [("present", "addendum", [("present", "impression"), ("absent", "addendum")])],
        ),
        # A draft counts least.
        ("WET READ: Left mass.\nIMPRESSION: No mass.", [("absent", "impression", [("present", "unknown")])]),
        (
            "WET READ: Left mass. On second thought no mass.\nIMPRESSION: Left mass.",
            [("present", "impression", [("present", "unknown"), ("absent", "unknown")])],
        ),
        # Within one section both stand: they are about two things.
        ("FINDINGS: No mass. Left mass.", [("absent", "findings", []), ("present", "findings", [])]),
        # Doubt is not denied in one sentence.
        ("No definite mass, although a mass cannot be excluded.", [("uncertain", "unknown", [("absent", "unknown")])]),
        # Sides and places tell findings apart.
        (
            "FINDINGS: Left mass.\nIMPRESSION: No right mass.",
            [("present", "findings", []), ("absent", "impression", [])],
        ),
        (
            "FINDINGS: Mass in the right upper lobe.\nIMPRESSION: No mass in the right lower lobe.",
            [("present", "findings", []), ("absent", "impression", [])],
        ),
        # To deny a large or a new one is not to deny it.
        ("FINDINGS: Left mass.\nIMPRESSION: No new mass.", [("present", "findings", []), ("absent", "impression", [])]),
    ],
)
def test_which_place_decides(rules: RulesExtractor, text: str, expected: list[object]) -> None:
    assert said(rules([text])[0], "mass") == expected


def test_what_an_overruled_place_described_goes_with_it(rules: RulesExtractor) -> None:
    (graph,) = rules(["FINDINGS: Large left mass.\nIMPRESSION: No mass."])
    assert [concept.text for concept in graph.concepts] == ["mass"]
    assert len(graph.triples) == 0


def test_places_of_the_body_are_one_concept_each(rules: RulesExtractor) -> None:
    (graph,) = rules(["Mass and nodule in the left lung base. Opacity in the left lung base. Right lung base clear."])
    assert [concept.text for concept in graph.concepts].count("lung base") == 2


def test_a_section_of_the_report_reaches_every_concept(rules: RulesExtractor) -> None:
    text = "Edema.\nFINDINGS: Mass.\nIMPRESSION: Nodule.\nADDENDUM: Scoliosis.\nCOMMENT: Cardiomegaly."
    (graph,) = rules([text])
    assert {concept.text: concept.section for concept in graph.concepts} == {
        "mass": "findings",
        "nodule": "impression",
        "scoliosis": "addendum",
        "cardiomegaly": "unknown",
    }
