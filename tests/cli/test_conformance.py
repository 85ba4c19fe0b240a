"""``ngr conformance`` and ``ngr decode``: who agrees, who does not, and how that is said."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
from json_outputs import printed
from typer.testing import CliRunner

from neuralgraph.cli.conformance import difference, read_vectors, verdict
from neuralgraph.cli.main import application
from neuralgraph.errors import NeuralGraphError

FOLDER = Path(__file__).parents[2] / "spec" / "vectors"
OUR_READER = [sys.executable, "-c", "from neuralgraph.cli import main; main()", "decode"]
LIAR = [sys.executable, "-c", 'print(\'{"ok": false, "code": "E_MAGIC"}\')']


def run(*arguments: str):
    return CliRunner().invoke(application(), [*arguments], catch_exceptions=True)


@pytest.fixture
def few(tmp_path):
    """A corpus of three vectors."""
    rows = json.loads((FOLDER / "index.json").read_bytes())["vectors"]
    chosen = [
        row for row in rows if row["path"] in ("valid/smallest.ngr", "valid/basic.ngr", "invalid/E_MAGIC/preamble.ngr")
    ]
    for row in chosen:
        for name in (row["path"], row.get("expected", row["path"])):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(FOLDER / name, tmp_path / name)
    (tmp_path / "index.json").write_text(json.dumps({"vectors": chosen}))
    return tmp_path


def test_our_own_reader_agrees_with_every_vector():
    result = run("conformance", "--json", "--batch", "--", *OUR_READER, "--list")
    assert result.exit_code == 0, result.output
    summary = printed("conformance", result.stdout)
    assert summary["disagreements"] == []
    assert summary["agreed"] == summary["vectors"] > 700


def test_reader_started_for_every_file(few):
    result = run("conformance", "--vectors", str(few), "--jobs", "2", "--", *OUR_READER)
    assert result.exit_code == 0, result.output
    assert result.stdout == "3 of 3 vectors agree\n"


def test_disagreement_is_named_and_is_exit_code_1(few):
    result = run("conformance", "--vectors", str(few), "--", *LIAR)
    assert result.exit_code == 1
    assert "valid/basic.ngr: expected accepted, got refused with E_MAGIC" in result.stdout
    assert "1 of 3 vectors agree" in result.stdout


def test_too_few_lines_are_disagreements(few):
    result = run("conformance", "--vectors", str(few), "--batch", "--json", "--", *LIAR)
    found = printed("conformance", result.stdout)["disagreements"]
    assert [each["got"] for each in found][-1] == "nothing"


def test_reader_that_hangs_or_is_not_there(few):
    result = run("conformance", "--vectors", str(few), "--timeout", "0.05", "--", sys.executable, "-c", "input()")
    assert result.exit_code == 1
    result = run("conformance", "--vectors", str(few), "--", "no-such-reader")
    assert isinstance(result.exception, NeuralGraphError)
    assert result.exception.code == "E_OPEN"


def test_damaged_corpus_is_refused(few):
    (few / "valid" / "basic.ngr").write_bytes(b"")
    with pytest.raises(NeuralGraphError) as caught:
        read_vectors(few)
    assert (caught.value.code, caught.value.where) == ("E_DIGEST", "valid/basic.ngr")


@pytest.mark.parametrize(
    "content", [None, "", "[]", "{}", '{"vectors": []}', '{"vectors": [1]}', '{"vectors": [{"path": "a"}]}']
)
def test_folder_without_a_corpus_is_refused(tmp_path, content):
    if content is not None:
        (tmp_path / "index.json").write_text(content)
    with pytest.raises(NeuralGraphError) as caught:
        read_vectors(tmp_path)
    assert caught.value.code == "E_OPEN"


@pytest.mark.parametrize(
    ("expected", "got", "place"),
    [
        ({"a": [1, {"b": "x"}]}, {"a": [1, {"b": "x"}]}, None),
        ({"a": [1, {"b": "x"}]}, {"a": [1, {"b": "y"}]}, ".a[1].b"),
        ({"a": 1}, {"a": 1.0}, ".a"),
        ({"a": 1}, {"a": True}, ".a"),
        ({"a": 0}, {"a": None}, ".a"),
        ({"a": [1, 2]}, {"a": [1]}, ".a[1]"),
        ({"a": [1]}, {"a": [1, 2]}, ".a[1]"),
        ({"a": 1}, {}, ".a"),
        ({}, {"a": 1}, ".a"),
        ([], {}, "the top"),
    ],
)
def test_first_place_where_values_differ(expected, got, place):
    assert difference(expected, got) == place


@pytest.mark.parametrize(
    ("expected", "answer", "said"),
    [
        ({"ok": False, "code": "E_CRC"}, b'{"ok": false, "code": "E_CRC", "where": "x", "message": "y"}', None),
        ({"ok": False, "code": "E_CRC"}, b'{"ok": false, "code": "E_ZSTD"}', "refused with E_ZSTD"),
        ({"ok": False, "code": "E_CRC"}, b'{"ok": true, "studies": []}', "accepted"),
        ({"ok": True, "studies": []}, b'{"ok": true, "studies": []}', None),
        ({"ok": True, "studies": []}, b'{"ok": true, "studies": [1]}', "another value at .studies[0]"),
        ({"ok": True, "studies": []}, b'{"ok": 1, "studies": []}', "refused with None"),
        ({"ok": True, "studies": []}, b"Traceback\nmore", "no JSON: Traceback more"),
        ({"ok": True, "studies": []}, b"[]", "JSON that is not an object"),
        ({"ok": True, "studies": []}, "no answer in 1 s", "no answer in 1 s"),
    ],
)
def test_verdict_in_words(expected, answer, said):
    assert verdict(expected, answer) == said


def test_decode_prints_a_line_per_file(tmp_path):
    good, bad = FOLDER / "valid" / "smallest.ngr", FOLDER / "invalid" / "E_MAGIC" / "preamble.ngr"
    result = run("decode", str(good), str(bad), str(tmp_path / "absent.ngr"))
    assert result.exit_code == 1
    forms = [json.loads(line) for line in result.stdout.splitlines()]
    assert [form.get("code") for form in forms] == [None, "E_MAGIC", "E_OPEN"]
    assert run("decode", str(good)).exit_code == 0


def test_decode_reads_a_list(tmp_path):
    listing = tmp_path / "list"
    listing.write_text(f"{FOLDER / 'valid' / 'smallest.ngr'}\n\n{FOLDER / 'valid' / 'basic.ngr'}\n")
    assert len(run("decode", "--list", str(listing)).stdout.splitlines()) == 2
    result = run("decode", "--list", str(tmp_path / "absent"))
    assert isinstance(result.exception, NeuralGraphError)
