"""No code of a vector is left out of the page of attacks."""

from __future__ import annotations

import json

from docs.tools.attacks import ATTACKS, INDEX


def test_every_code_of_an_invalid_vector_is_an_attack():
    codes = {row["code"] for row in json.loads(INDEX.read_bytes())["vectors"] if "code" in row}
    named = [code for attack in ATTACKS for code in attack.codes]
    assert len(named) == len(set(named))
    assert set(named) == codes
