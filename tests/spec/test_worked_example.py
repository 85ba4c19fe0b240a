"""The worked example of FORMAT.md is the smallest vector, explained."""

from __future__ import annotations

import re
from pathlib import Path

from bench.worked_example import BEGIN, END, VECTOR, example
from neuralgraph.storage.decoded import decoded_bytes

FORMAT = (Path(__file__).parents[2] / "FORMAT.md").read_text(encoding="utf-8")


def test_example_in_the_document_is_the_vector():
    assert FORMAT.count(example(VECTOR.read_bytes())) == 1, "run: python -m bench.worked_example --write"


def test_file_typed_from_the_document_reads():
    text = FORMAT.split(BEGIN)[1].split(END)[0]
    lines = re.findall(r"^ *(\d+)  ((?:[0-9a-f]{2} ?)+)", text, flags=re.MULTILINE)
    data = b""
    for offset, digits in lines:
        assert int(offset) == len(data)
        data += bytes.fromhex(digits)
    assert data == VECTOR.read_bytes()
    assert decoded_bytes(data)["studies"][0]["id"] == "a"
