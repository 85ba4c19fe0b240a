"""The worked example beside FORMAT.md is the smallest vector, explained."""

from __future__ import annotations

import re

from neuralgraph.storage.decoded import decoded_bytes
from spec.tools.worked_example import PAGE, VECTOR, example

TEXT = PAGE.read_text(encoding="utf-8")


def test_page_is_the_vector():
    assert example(VECTOR.read_bytes()) == TEXT, "run: python -m spec.tools"


def test_file_typed_from_the_page_reads():
    lines = re.findall(r"^ *(\d+)  ((?:[0-9a-f]{2} ?)+)", TEXT, flags=re.MULTILINE)
    data = b""
    for offset, digits in lines:
        assert int(offset) == len(data)
        data += bytes.fromhex(digits)
    assert data == VECTOR.read_bytes()
    assert decoded_bytes(data)["studies"][0]["id"] == "a"
