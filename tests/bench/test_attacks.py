"""The page of attacks is that of the vectors, and no code of a vector is left out."""

from __future__ import annotations

import json

from bench.attacks import ATTACKS, INDEX, PAGE, page


def test_page_is_current():
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m bench.attacks"


def test_every_code_of_an_invalid_vector_is_an_attack():
    codes = {row["code"] for row in json.loads(INDEX.read_bytes())["vectors"] if "code" in row}
    named = [code for attack in ATTACKS for code in attack.codes]
    assert len(named) == len(set(named))
    assert set(named) == codes
