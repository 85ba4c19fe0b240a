"""The machine-readable tables in spec/ are those of the code, and the document agrees with both."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from neuralgraph.errors import CODES
from neuralgraph.wire.columns import GRAPH_COLUMNS
from neuralgraph.wire.vocabulary import CONCEPT_LABELS, RELATIONS, REPORT_SECTIONS, VIEW_POSITIONS
from spec.tools.tables import FOLDER, tables

FORMAT = (Path(__file__).parents[2] / "FORMAT.md").read_text(encoding="utf-8")
TABLES = tables()


@pytest.mark.parametrize("name", TABLES)
def test_table_is_that_of_the_code(name):
    assert (FOLDER / name).read_text(encoding="utf-8") == TABLES[name], "run: python -m spec.tools"


def test_document_names_only_codes_that_exist():
    rules, reserved = FORMAT.split("## 15. ")
    named = set(re.findall(r"\bE_[A-Z_]+\b", rules))
    assert len(named) > 25
    assert named <= CODES.keys()
    assert not set(re.findall(r"\bE_[A-Z_]+\b", reserved)) & CODES.keys()


def test_document_has_every_graph_column_in_order():
    section = FORMAT.split("### 5.3")[1].split("### 5.4")[0]
    table = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    assert [name for cell in table for name in re.findall(r"`(\w+)`", cell)] == [
        column.name for column in GRAPH_COLUMNS
    ]


def test_document_has_every_word_of_the_vocabularies():
    section = FORMAT.split("### 8.1")[1].split("### 8.2")[0]
    words = re.findall(r"`([^`]+)`", section)
    assert words[: len(VIEW_POSITIONS)] == list(VIEW_POSITIONS)
    assert [word for word in words if word in CONCEPT_LABELS[:6]] == list(CONCEPT_LABELS[:6])
    assert words[-len(RELATIONS) :] == list(RELATIONS)
    assert words[-len(RELATIONS) - len(REPORT_SECTIONS) : -len(RELATIONS)] == list(REPORT_SECTIONS)


def test_schema_forbids_what_the_code_forbids():
    schema = json.loads(TABLES["contents.schema.json"])
    assert schema["additionalProperties"] is False
    assert schema["$defs"]["method"]["properties"]["model"]["additionalProperties"] is False
    assert [key for key in schema["$defs"]["source"]["patternProperties"] if re.fullmatch(key, "x.org.example.a")]
