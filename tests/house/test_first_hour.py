"""The patches of CONTRIBUTING.md apply to the tree as it is, change the files that it names, and their tests pass."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("## Your first hour")[1].split("\n## ")[0]
TASKS = re.findall(
    r"\n\| file \| change \|\n\|---\|---\|\n((?:\|.*\n)+)\n    git apply (\S+)\n    \.venv/bin/python -m (pytest .*)\n",
    TEXT,
)
PATCHES = [patch for _, patch, _ in TASKS]

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not on the path")


def applied(place: Path, patch: str, *options: str) -> bool:
    command = ["git", "apply", *options, str(ROOT / patch)]
    return subprocess.run(command, cwd=place, capture_output=True, check=False).returncode == 0


def test_every_patch_is_named():
    folder = ROOT / "examples" / "first_hour"
    assert sorted(ROOT / patch for patch in PATCHES) == sorted(folder.iterdir())


@pytest.mark.parametrize("patch", PATCHES)
def test_a_patch_applies(patch):
    # Whoever has followed the page has it already.
    assert applied(ROOT, patch, "--check") or applied(ROOT, patch, "--check", "--reverse")


@pytest.mark.parametrize(("table", "patch"), [task[:2] for task in TASKS])
def test_the_page_names_the_files_that_are_touched(table, patch):
    touched = re.findall(r"^\+\+\+ b/(\S+)", (ROOT / patch).read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(re.findall(r"^\| `(\S+)` \|", table, re.MULTILINE)) == sorted(touched)


@pytest.mark.slow
def test_the_commands_pass_with_the_patches(tmp_path):
    house = tmp_path / "house"
    left = shutil.ignore_patterns(".*", "node_modules", "results", "__pycache__", "dist", "build", "site")
    shutil.copytree(ROOT, house, ignore=left)
    for _, patch, command in TASKS:
        assert applied(house, patch) or applied(house, patch, "--check", "--reverse"), patch
        run = subprocess.run(
            [sys.executable, "-m", *shlex.split(command)],
            cwd=house,
            env={**os.environ, "PYTHONPATH": str(house)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stdout
