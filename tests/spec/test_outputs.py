"""Every verb that prints JSON has a schema in spec/outputs, and what it prints is what the schema says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from builders import build_study
from json_outputs import printed, schemas
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

import neuralgraph as ng
from neuralgraph.cli.main import application

pytest.importorskip("duckdb", reason="the extra catalog is not installed")

ROOT = Path(__file__).parents[2]
APPLICATION = application()
HELD_IN = {
    "assemble": "compressor/model/test_checkpoints.py",
    "audit": "cli/test_audit.py",
    "bench": "cli/test_bench.py",
    "compress": "cli/test_compress.py",
    "conformance": "cli/test_conformance.py",
    "convert": "cli/test_convert.py",
    "doctor": "cli/test_manners.py",
    "evaluate": "tasks/test_evaluation.py",
    "generate": "cli/test_generate.py",
    "migrate": "cli/test_migrate.py",
    "pull": "pacs/test_pull.py",
    "recover": "cli/test_recover.py",
    "train": "cli/test_train.py",
}
"""Verbs whose own tests hold what they print against the schema: to run them takes more than a few studies."""
RUN_HERE: list[list[str]] = [
    ["info", "one.ngr"],
    ["info", "one.ngr", "--sentences"],
    ["info", "several.ngr"],
    ["info", "several.ngr", "--brief"],
    ["info", "several.ngr", "--study", "study-1"],
    ["info", "folder"],
    ["info", "collection"],
    ["validate", "one.ngr", "damaged.ngr", "missing.ngr"],
    ["diff", "one.ngr", "one.ngr"],
    ["diff", "one.ngr", "several.ngr"],
    ["catalog", "several.ngr", "-o", "catalog.parquet"],
    ["find", "collection", "finding any"],
    ["find", "collection", "--sql", "SELECT *, TIMESTAMP '2026-11-29 09:00:00' AS time FROM studies"],
    ["card", "collection", "-o", "folder/README.md"],
    ["collection", "create", "new"],
    ["collection", "add", "collection", "several.ngr", "--dry-run"],
    ["collection", "remove", "collection", "--id", "study-1"],
    ["collection", "compact", "collection"],
    ["collection", "verify", "collection"],
    ["collection", "log", "collection"],
    ["collection", "vacuum", "collection", "--older-than", "0s"],
]


def verbs(group: Any, *before: str) -> Iterator[str]:
    """Verbs that print JSON, in groups too: "info", "collection-add"."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from verbs(command, *before, name)
        elif any("--json" in option.opts or "json" in getattr(option.type, "choices", ()) for option in command.params):
            yield "-".join((*before, name))


def verb_of(arguments: list[str]) -> str:
    return "-".join(arguments[: 2 if arguments[0] == "collection" else 1])


def test_every_verb_that_prints_json_has_a_schema_that_is_held():
    found = set(verbs(typer.main.get_command(APPLICATION))) - {"export"}
    assert found == schemas().keys()
    assert found == HELD_IN.keys() | {verb_of(arguments) for arguments in RUN_HERE}
    for verb, path in HELD_IN.items():
        assert f'printed("{verb}", ' in (ROOT / "tests" / path).read_text(encoding="utf-8")


def test_the_page_lists_every_schema():
    page = (ROOT / "docs" / "reference" / "outputs.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"spec/outputs/([\w-]+)\.schema\.json", page)) == sorted(schemas())


@pytest.mark.parametrize("verb", schemas())
def test_a_schema_says_what_each_member_is(verb):
    schema = schemas()[verb]
    Draft202012Validator.check_schema(schema)
    assert verb.replace("-", " ") in schema["title"]
    waiting: list[Any] = [schema]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting += part
        if not isinstance(part, dict):
            continue
        waiting += part.values()
        if isinstance(part.get("properties"), dict):
            assert part["additionalProperties"] is False
            assert set(part.get("required", ())) <= part["properties"].keys()
            for name, member in part["properties"].items():
                assert "description" in member or "$ref" in member, name


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("outputs")
    (place / "folder").mkdir()
    studies = [build_study(seed=seed, report="One finding. Another.", concepts=2) for seed in range(4)]
    ng.save(studies[0], place / "one.ngr", embedding="int8")
    ng.save(studies, place / "several.ngr")
    ng.save(studies[:2], place / "folder" / "a.ngr")
    (place / "damaged.ngr").write_bytes((place / "one.ngr").read_bytes()[:-9])
    runner = CliRunner()
    for arguments in (["create", place / "collection"], ["add", place / "collection", place / "folder"]):
        assert runner.invoke(APPLICATION, ["collection", *map(str, arguments)]).exit_code == 0
    return place


@pytest.mark.parametrize("arguments", RUN_HERE, ids=" ".join)
def test_what_is_printed_is_what_the_schema_says(folder, arguments, monkeypatch):
    monkeypatch.chdir(folder)
    format_ = ["--format", "json"] if arguments[0] == "validate" else ["--json"]
    run = CliRunner().invoke(APPLICATION, [*arguments, *format_])
    assert run.exception is None or isinstance(run.exception, SystemExit), run.exception
    printed(verb_of(arguments), run.stdout)
