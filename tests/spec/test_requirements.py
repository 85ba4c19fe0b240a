"""Every requirement of FORMAT.md is exercised by a vector or a named test; every section cited in code exists."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from corpus import ROWS

ROOT = Path(__file__).parents[2]
FORMAT = (ROOT / "FORMAT.md").read_text(encoding="utf-8")
IDS = Counter(re.findall(r"\[([RWF]\d+)\]", FORMAT))
NAMED = json.loads((Path(__file__).parent / "requirements.json").read_bytes())
SECTIONS = set(re.findall(r"^#{2,3} (\d+(?:\.\d+)?)\.? ", FORMAT, flags=re.MULTILINE))


RESERVED = {"R14", "F29", *(f"F{number}" for number in range(33, 38))}
"""Ids that drafts of 1.0 had; they are not given out again."""


def test_document_is_short():
    assert len(FORMAT.encode()) <= 32_768


def test_ids_are_numbered_without_gap():
    for letter in "RWF":
        numbers = {int(each[1:]) for each in IDS.keys() | RESERVED if each[0] == letter}
        assert numbers == set(range(1, len(numbers) + 1))


def test_ids_that_went_stay_reserved():
    assert not IDS.keys() & RESERVED
    said = FORMAT.split("## 15. ")[1]
    assert {"F29", "F33 to F37", "R14"} <= set(re.findall(r"[RF]\d+ to [RF]\d+|[RF]\d+", said))


def test_every_must_has_an_id():
    """In its paragraph, list entry or table, behind the paragraph that says what an id is."""
    body = FORMAT.split("## 1. Conventions")[1]
    for text in re.split(r"\n\n|\n(?=- )", body):
        assert "MUST" not in text or re.search(r"\[[RWF]\d+\]", text), text


def test_no_id_stands_twice():
    assert [each for each, count in IDS.items() if count > 1] == []


def test_every_requirement_is_exercised():
    by_vectors = {requirement for row in ROWS for requirement in row["requirements"]}
    assert by_vectors | NAMED.keys() >= IDS.keys()
    assert by_vectors | NAMED.keys() <= IDS.keys(), "an id that the document does not have"


def test_named_tests_exist():
    for requirement, tests in NAMED.items():
        for test in tests:
            path, name = test.split("::")
            assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), (requirement, test)


def test_every_file_rule_has_a_file_that_breaks_it():
    broken = {requirement for row in ROWS if "code" in row for requirement in row["requirements"]}
    assert broken >= {each for each in IDS if each[0] == "F"}


def test_cited_sections_exist():
    cited = {}
    for folder in ("neuralgraph", "bench", "codecs", "docs", "spec"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in (".py", ".js", ".mjs", ".md") and path.is_file():
                text = re.sub(r"\s+", " ", path.read_text(encoding="utf-8"))
                for numbers in re.findall(r"FORMAT\.md,? sections? ((?:\d+(?:\.\d+)?(?:, | and | to )?)+)", text):
                    cited |= dict.fromkeys(re.findall(r"\d+(?:\.\d+)?", numbers), path)
    assert len(cited) > 15
    assert {number: path for number, path in cited.items() if number not in SECTIONS} == {}


def test_sections_named_in_the_document_exist():
    references = re.findall(r"\((\d+\.\d+)\)|\bsections? (\d+(?:\.\d+)?)\b(?! of)", FORMAT)
    # Of other documents: RFC 6962 section 2.1.
    named = {one or other for one, other in references} - {"2.1"}
    assert named <= SECTIONS
