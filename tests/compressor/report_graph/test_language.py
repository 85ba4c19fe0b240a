from __future__ import annotations

import pytest

from neuralgraph.compressor.report_graph.language import is_another_language
from neuralgraph.compressor.report_graph.unread import UNREAD, unread_reason


@pytest.mark.parametrize(
    "text",
    [
        "Kein Pneumothorax.",
        "BEFUND: Herz nicht vergrößert. Kein Erguss.",
        "CONCLUSION : Cardiomégalie. Pas d'épanchement.",
        "Cardiomegalia. Sin derrame.",
        "Cardiomegalia, non versamento.",
        "Geen pneumothorax, hart vergroot.",
        "Sem derrame pleural. Cardiomegalia.",
        "Bez odmy opłucnej.",
        "Ingen pneumothorax. Hjertet er ikke forstørret.",
        "Пневмоторакса нет. Pneumothorax 0.",
        "未见气胸。",
        "Plörezi izlenmedi.",
    ],
)
def test_other_languages(text: str) -> None:
    assert is_another_language(text)
    assert unread_reason(text) == "language"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "...",
        "Pneumothorax, left.",
        "CHF.",
        "PTX",
        "NAD",
        "Normal.",
        "ETT, NGT.",
        "XXXX. ___",
        "Seen by Dr. van der Berg and Mme de la Tour: no pneumothorax.",
        "Pneumothorax 2 cm en face.",
        "LUNGS: Clear.",
        "Cor pulmonale. No edema.",
    ],
)
def test_terse_english_is_english(text: str) -> None:
    assert not is_another_language(text)


def test_why_a_report_gave_no_concept() -> None:
    assert unread_reason("INDICATION: rule out pneumonia") == "sections"
    assert unread_reason("Dictated, not signed.") == "words"
    assert unread_reason(" \n...") == ""
    assert set(UNREAD) == {"language", "sections", "words"}
