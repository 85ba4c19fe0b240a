"""The house stands as CONTRIBUTING.md says: style, types, floors, public names, no code-carrying loads."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import neuralgraph

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
FILES = sorted((ROOT / "neuralgraph").rglob("*.py"))
ROOMS = ("bench", "docs/tools", "examples", "fuzz", "spec/tools")
TOOLS = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))


@pytest.mark.parametrize(
    "command", [("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",), ("lint-imports",)], ids=" ".join
)
def test_tool_finds_nothing(command):
    result = subprocess.run([BIN / command[0], *command[1:]], cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert result.returncode == 0, result.stdout + result.stderr


def test_public_names_are_sorted_and_there():
    assert neuralgraph.__all__ == sorted(neuralgraph.__all__)
    assert [name for name in neuralgraph.__all__ if not hasattr(neuralgraph, name)] == []


def test_importing_the_package_loads_nothing_heavy():
    heavy = "torch transformers timm pydicom spacy PIL matplotlib networkx pandas"
    code = f"import sys, neuralgraph, neuralgraph.cli; print([m for m in {heavy.split()} if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_files_are_short():
    lines = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in (*FILES, *TOOLS)}
    assert {path: count for path, count in lines.items() if count > 400} == {}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_file_runs_nothing_it_reads(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in ("eval", "exec", "torch.load", "pickle.load", "pickle.loads")
            assert not any(
                keyword.arg == "allow_pickle" and ast.unparse(keyword.value) == "True" for keyword in node.keywords
            )


def test_readme_and_ci_run_the_same_tests():
    command = next(line for line in (ROOT / "README.md").read_text().splitlines() if line.endswith("-m pytest"))
    assert command in (ROOT / ".ci" / "run").read_text().splitlines()
