"""Every extra that is advised is one that can be installed."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import neuralgraph
from neuralgraph.errors import missing_extra

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = set(PROJECT["optional-dependencies"])
_ADVICE = re.compile(r"neuralgraph\[([a-z, ]+)\]")


def advised() -> dict[str, set[str]]:
    """Every extra that code or documents name, and where."""
    found: dict[str, set[str]] = {}
    texts = [path for folder in ("neuralgraph", "docs", "examples", "spec") for path in (ROOT / folder).rglob("*")]
    for path in [*texts, ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "pyproject.toml"]:
        if path.suffix not in (".py", ".md", ".toml") or not path.is_file():
            continue
        text = path.read_text(encoding="utf-8")
        for names in _ADVICE.findall(text):
            for name in names.replace(" ", "").split(","):
                found.setdefault(name, set()).add(path.name)
        if path.suffix == ".py":
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.keyword) and node.arg == "extra" and isinstance(node.value, ast.Constant):
                    found.setdefault(node.value.value, set()).add(path.name)
    return found


def test_every_advised_extra_exists():
    found = advised()
    assert len(found) > 8
    assert {name: places for name, places in found.items() if name and name not in EXTRAS} == {}


def test_a_library_that_no_extra_brings_is_advised_by_its_own_name():
    error = missing_extra("reading reports with RadGraph", extra="", library="radgraph")
    assert error.message.endswith("pip install radgraph")
    assert "neuralgraph[" not in error.message


def test_the_interpreters_are_named():
    classifiers = set(PROJECT["classifiers"])
    assert {f"Programming Language :: Python :: 3.{minor}" for minor in (11, 12, 13, 14)} <= classifiers
    assert neuralgraph.__version__ == PROJECT["version"]
