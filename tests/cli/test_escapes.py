"""Nothing that a file holds moves the cursor of a terminal or turns the direction of its text, whatever the output."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import xml.dom.minidom
from dataclasses import replace

import pytest
from builders import build_study

import neuralgraph as ng
from neuralgraph.wire.escapes import escaped_json, escaped_xml

CONTROL = re.compile(
    rb"[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xd8\x9c|\xe2\x80[\x8e\x8f\xa8-\xae]|\xe2\x81[\xa6-\xa9]"
)
EVIL = "a\x1b]0;x\x07\x1b[2J\x9b2J\u202e\u2066\u061c"


@pytest.fixture
def evil(tmp_path):
    study = build_study(seed=1, report="report \x1b[31m\u202e text")
    provenance = {"model": {"name": EVIL, "digest": EVIL, "trained": True}, "labeler": EVIL, "terms": EVIL}
    ng.save(replace(study, provenance=provenance), tmp_path / "evil.ngr")
    return tmp_path / "evil.ngr"


@pytest.mark.parametrize(
    "command",
    [
        ["info", "{}"],
        ["info", "{}", "--json"],
        ["decode", "{}"],
        ["diff", "{}", "{other}"],
        ["diff", "{}", "{other}", "--json"],
        ["validate", "{}"],
        ["validate", "{bad}"],
        ["validate", "{bad}", "--format", "json"],
        ["validate", "{bad}", "--format", "junit"],
        ["validate", "{bad}", "--format", "sarif"],
        ["info", "{bad}"],
        ["export", "{}", "--to", "json", "-o", "{out}"],
        ["export", "{}", "--to", "graphml", "-o", "{out}"],
        ["export", "{}", "--to", "radgraph", "-o", "{out}"],
    ],
    ids=" ".join,
)
def test_no_output_holds_controls(evil, tmp_path, command):
    bad, other = tmp_path / "b\x1b[31m\u202e\n]]>&.ngr", tmp_path / "other.ngr"
    bad.write_bytes(b"x" * 200)
    ng.save(build_study(seed=2), other)
    names = {"{}": evil, "{other}": other, "{bad}": bad, "{out}": tmp_path / "out"}
    arguments = [str(names.get(word, word)) for word in command]
    done = subprocess.run(
        [sys.executable, "-m", "neuralgraph", *arguments],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )
    written = (tmp_path / "out").read_bytes() if (tmp_path / "out").exists() else b""
    assert done.stdout or done.stderr
    assert sorted(set(CONTROL.findall(done.stdout + done.stderr + written))) == []


def test_programs_read_what_they_read_before():
    value = {"a\u202e": [EVIL, "tab\t line\n é 患者 😀", 1.5, None]}
    for layout in ({}, {"indent": 2}, {"separators": (",", ":"), "sort_keys": True}):
        text = escaped_json(value, **layout)
        assert json.loads(text) == value
        assert CONTROL.findall(text.encode()) == []
        assert "患者" in text
    text = escaped_xml("<a b='x\u202e\x85'>\u2066é\n</a>")
    assert CONTROL.findall(text.encode()) == []
    element = xml.dom.minidom.parseString(text).documentElement
    assert element.getAttribute("b") == "x\u202e\x85"
    assert element.firstChild.data == "\u2066é\n"
