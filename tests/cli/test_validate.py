"""``ngr validate``: all problems, at the level asked for, in the formats that CI systems read."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from json_outputs import printed
from typer.testing import CliRunner

import neuralgraph as ng
from neuralgraph.cli.main import application
from neuralgraph.errors import CODES
from neuralgraph.storage.validate import DEPTHS

VECTORS = Path(__file__).parents[2] / "spec" / "vectors"
APP = application(["validate", "decode"])
VALID = VECTORS / "valid" / "smallest.ngr"
# One vector for each level at which it is first found.
FOUND_AT = {
    "framing": VECTORS / "invalid/E_TRAILER/reserved-2-1.ngr",
    "header": VECTORS / "invalid/E_RECORD/flipped-counts.ngr",
    "streams": VECTORS / "invalid/E_ZSTD/zstd-cut.ngr",
    "digest": VECTORS / "invalid/E_DIGEST/root.ngr",
    "meaning": VECTORS / "invalid/E_IDX/triple-loop.ngr",
}


def run(*arguments: object):
    return CliRunner().invoke(APP, ["validate", *map(str, arguments)], catch_exceptions=False)


@pytest.fixture
def folder(tmp_path):
    """A valid file, one with a bad index, one damaged in a folder below, and a file of another kind."""
    shutil.copy(VALID, tmp_path / "a b.ngr")
    shutil.copy(FOUND_AT["meaning"], tmp_path / "looped.ngr")
    (tmp_path / "below").mkdir()
    data = bytearray(VALID.read_bytes())
    data[100] ^= 1
    (tmp_path / "below" / "damaged.ngr").write_bytes(data)
    (tmp_path / "notes.txt").write_text("no study")
    return tmp_path


def test_exit_codes(folder, tmp_path_factory):
    assert run(folder / "a b.ngr").exit_code == 0
    assert run(folder).exit_code == 1
    assert run(folder / "missing.ngr").exit_code == 1
    assert run(tmp_path_factory.mktemp("empty")).exit_code == 1
    assert run(folder / "notes.txt").exit_code == 1
    assert run(folder, "--format", "yaml").exit_code == 2
    assert run(folder, "--level", "all").exit_code == 2


def test_folder_is_searched_and_everything_listed(folder):
    found = printed("validate", run(folder, "--format", "json").stdout)
    by_name = {Path(report["path"]).name: report for report in found}
    assert set(by_name) == {"a b.ngr", "looped.ngr", "damaged.ngr"}
    assert by_name["a b.ngr"] == {
        "path": str(folder / "a b.ngr"),
        "ok": True,
        "n_studies": 1,
        "level": "meaning",
        "problems": [],
    }
    assert [problem["code"] for problem in by_name["looped.ngr"]["problems"]] == ["E_IDX"]
    damaged = [problem["code"] for problem in by_name["damaged.ngr"]["problems"]]
    assert damaged[0] in CODES
    assert not by_name["damaged.ngr"]["ok"]


def test_text_names_file_code_place_and_reason(folder):
    result = run(folder / "looped.ngr", folder / "a b.ngr")
    assert f"{folder / 'looped.ngr'}: E_IDX [record[0].triples]: a triple joins a concept to itself\n" in result.stdout
    assert f"{folder / 'a b.ngr'}: valid, 1 study\n" in result.stdout
    assert run(folder / "a b.ngr", "--quiet").stdout == ""


@pytest.mark.parametrize("first", DEPTHS)
def test_levels_find_what_they_are_for_and_no_more(first):
    path = FOUND_AT[first]
    oks = [ng.validate(path, level=level).ok for level in DEPTHS]
    assert oks == [level_number < DEPTHS.index(first) for level_number in range(len(DEPTHS))]
    assert [run(path, "--level", level).exit_code for level in DEPTHS] == [int(not ok) for ok in oks]


def test_higher_levels_only_add():
    for row in json.loads((VECTORS / "index.json").read_bytes())["vectors"][::5]:
        found = [set(ng.validate(VECTORS / row["path"], level=level).problems) for level in DEPTHS]
        assert all(lower <= higher for lower, higher in pairwise(found)), row["path"]


def test_every_changed_byte_is_refused(tmp_path):
    data, path = VALID.read_bytes(), tmp_path / "a.ngr"
    for position in range(len(data)):
        path.write_bytes(data[:position] + bytes([data[position] ^ 0x55]) + data[position + 1 :])
        assert run(path).exit_code == 1, position
        with pytest.raises(ng.NeuralGraphError):
            ng.load(path)


def test_junit_is_a_suite_of_cases(folder):
    (folder / "bad\x01name.ngr").write_bytes(b"no")
    result = run(folder, "--format", "junit")
    suite = ElementTree.fromstring(result.stdout)
    # The attributes and children that the JUnit schema of Jenkins requires or knows.
    assert suite.tag == "testsuite"
    assert set(suite.attrib) == {"name", "tests", "failures", "errors", "skipped"}
    cases = suite.findall("testcase")
    assert int(suite.get("tests", "")) == len(cases) == len(suite) == 4
    failed = [case for case in cases if case.find("failure") is not None]
    assert int(suite.get("failures", "")) == len(failed) == 3
    for case in cases:
        assert set(case.attrib) == {"classname", "name"}
        for failure in case:
            assert failure.tag == "failure"
            assert set(failure.attrib) == {"type", "message"}
            assert failure.get("type") in CODES
            assert failure.text
    assert any("bad?name" in case.get("name", "") for case in cases)


def test_sarif_has_the_structure_of_its_schema(folder):
    document = json.loads(run(folder, "--format", "sarif").stdout)
    # Required properties of sarif-schema-2.1.0.json, and no others than it knows.
    assert set(document) == {"$schema", "version", "runs"}
    assert document["version"] == "2.1.0"
    assert "sarif-2.1.0" in document["$schema"]
    (only,) = document["runs"]
    assert set(only) == {"tool", "results"}
    driver = only["tool"]["driver"]
    assert set(only["tool"]) == {"driver"}
    assert set(driver) == {"name", "version", "rules"}
    rules = [rule["id"] for rule in driver["rules"]]
    assert rules == sorted(set(rules))
    for rule in driver["rules"]:
        assert set(rule) == {"id", "shortDescription", "help"}
        assert rule["shortDescription"]["text"]
        assert rule["help"]["text"].startswith(rule["id"])
    assert {result["ruleId"] for result in only["results"]} == set(rules)
    for result in only["results"]:
        assert set(result) == {"ruleId", "level", "message", "locations", "partialFingerprints"}
        assert result["level"] in ("none", "note", "warning", "error")
        assert set(result["message"]) == {"text"}
        assert result["message"]["text"]
        (location,) = result["locations"]
        uri = location["physicalLocation"]["artifactLocation"]["uri"]
        assert uri.startswith("file:///")
        assert " " not in uri
        assert location["physicalLocation"]["region"] == {"startLine": 1}
    marks = [result["partialFingerprints"]["problem/v1"] for result in only["results"]]
    assert len(set(marks)) > 1
    again = json.loads(run(folder, "--format", "sarif").stdout)["runs"][0]["results"]
    assert marks == [result["partialFingerprints"]["problem/v1"] for result in again]


def test_sarif_of_valid_files_is_empty():
    (only,) = json.loads(run(VALID, "--format", "sarif").stdout)["runs"]
    assert (only["results"], only["tool"]["driver"]["rules"]) == ([], [])


MODULES = """
import sys
from neuralgraph.cli import main
try:
    main()
except SystemExit:
    pass
heavy = {"torch", "transformers", "spacy", "PIL", "pydicom", "networkx", "matplotlib", "scipy", "pandas"}
print(sorted(heavy & set(sys.modules)), file=sys.stderr)
"""


@pytest.mark.parametrize("verb", ["validate", "info"])
def test_small_file_loads_nothing_heavy(verb):
    """Both verbs answer in well under half a second because of what they do not import."""
    command = [sys.executable, "-c", MODULES, verb, str(VALID)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stderr.strip() == "[]"
    assert result.stdout


def test_a_server_that_fails_is_not_an_invalid_file(folder):
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
    from threading import Thread

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def answer(self):
            self.send_response(503)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_HEAD = answer

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/a.ngr"
        result = run(url, folder / "a b.ngr")
        assert result.exit_code == 1
        assert "1 of 2 files could not be read" in result.stderr
        assert "not valid" not in result.stderr
        told = {
            entry["path"]: entry
            for entry in printed("validate", run(url, folder / "a b.ngr", "--format", "json").stdout)
        }
        assert (told[url]["ok"], told[url]["read"]) == (False, False)
        assert told[str(folder / "a b.ngr")]["ok"]
        suite = ElementTree.fromstring(run(url, "--format", "junit").stdout)
        assert (suite.get("errors"), suite.get("failures")) == ("1", "0")
        assert suite.find("testcase/error") is not None
    finally:
        server.shutdown()
        server.server_close()


def test_progress_counts_bytes(folder, capfd, monkeypatch):
    from neuralgraph.cli import progress, validate

    seen = []
    real = progress._Lines.at
    monkeypatch.setattr(
        progress._Lines, "at", lambda self, done, total, text="": (seen.append((done, total)), real(self, done, total))
    )
    validate._verdicts([str(folder)], "meaning", None)
    sizes = [path.stat().st_size for path in folder.rglob("*.ngr")]
    assert seen
    assert all(done <= total == sum(sizes) for done, total in seen)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
