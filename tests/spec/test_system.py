"""The definitions for other tools in spec/system say what FORMAT.md says."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from neuralgraph.container.layout import MAGIC

sys.path.insert(0, str(Path(__file__).parent))
from corpus import FOLDER

ROOT = FOLDER.parents[1]
SYSTEM = ROOT / "spec" / "system"
MEDIA_TYPE = "application/vnd.neuralgraph"


def unescaped(text: str) -> bytes:
    return re.sub(rb"\\x([0-9a-f]{2})", lambda match: bytes.fromhex(match[1].decode()), text.encode())


@pytest.mark.skipif(shutil.which("file") is None, reason="file(1) is not installed")
@pytest.mark.parametrize("name", ["smallest", "everything", "archive-of-five"])
def test_file_knows_the_format(name):
    def ask(*options: str) -> str:
        command = ["file", "--brief", *options, "-m", str(SYSTEM / "magic"), str(FOLDER / "valid" / f"{name}.ngr")]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    assert ask() == "neuralgraph medical study data, version 1.0"
    assert ask("--mime-type") == MEDIA_TYPE


def test_magic_snippet_has_the_signature():
    (signature,) = re.findall(r"^0\tstring\t(\S+)", (SYSTEM / "magic").read_text(), flags=re.MULTILINE)
    assert unescaped(signature) == MAGIC


def test_mime_definition_has_signature_suffix_and_type():
    root = ElementTree.parse(SYSTEM / "neuralgraph.xml").getroot()
    space = "{http://www.freedesktop.org/standards/shared-mime-info}"
    (mime_type,) = root.findall(f"{space}mime-type")
    assert mime_type.get("type") == MEDIA_TYPE
    assert [glob.get("pattern") for glob in mime_type.findall(f"{space}glob")] == ["*.ngr"]
    (match,) = mime_type.findall(f"{space}magic/{space}match")
    assert (unescaped(match.get("value", "")), match.get("offset")) == (MAGIC, "0")


def test_document_names_the_media_type():
    assert MEDIA_TYPE in (ROOT / "FORMAT.md").read_text(encoding="utf-8")


def test_hook_starts_a_verb_that_exists():
    from neuralgraph.cli.main import VERBS

    hook = (ROOT / ".pre-commit-hooks.yaml").read_text()
    (entry,) = re.findall(r"entry: (.*)", hook)
    program, verb, *options = entry.split()
    assert (program, options) == ("ngr", ["--quiet"])
    assert verb in VERBS
    (pattern,) = re.findall(r"files: (.*)", hook)
    assert re.search(pattern, "data/a.ngr")
    assert not re.search(pattern, "data/a.ngr.txt")
