"""Every extra that is advised is one that can be installed."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

import neuralgraph
from neuralgraph.errors import DISTRIBUTION, missing_extra

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = set(PROJECT["optional-dependencies"])
_ADVICE = re.compile(r"(?:'\.|ngr-format)\[([a-z, ]+)\]")
_STRANGER = re.compile(r"pip install(?: -\S+)* ['\"]?neuralgraph(?:\[|\s|$|['\"=<>])", re.MULTILINE)


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


def test_nobody_is_sent_to_the_package_of_a_stranger():
    assert PROJECT["name"] == DISTRIBUTION
    assert _STRANGER.search("- run: pip install neuralgraph\n")
    assert _STRANGER.search("pip install -q 'neuralgraph[plot]'")
    texts = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    for folder in ("neuralgraph", "docs", "examples", "spec", "deploy", "viewer"):
        texts += (
            path for path in (ROOT / folder).rglob("*") if path.suffix in (".py", ".md", ".yaml", ".yml", ".html")
        )
    found = {path.relative_to(ROOT).as_posix() for path in texts if _STRANGER.search(path.read_text(encoding="utf-8"))}
    assert found == set()


def test_the_constraints_satisfy_what_is_required():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if not line.startswith("#"))
    needs = [*PROJECT["dependencies"], *(need for each in PROJECT["optional-dependencies"].values() for need in each)]
    wanted = [Requirement(need) for need in needs if not need.startswith(DISTRIBUTION)]
    pinned = {each.name for each in wanted if each.name in pins}
    assert {"numpy", "torch", "transformers", "pydicom", "pytest"} <= pinned
    assert [str(each) for each in wanted if each.name in pins and pins[each.name] not in each.specifier] == []


def test_a_library_that_no_extra_brings_is_advised_by_its_own_name():
    error = missing_extra("reading reports with RadGraph", extra="", library="radgraph")
    assert error.message.endswith("pip install radgraph")
    assert "neuralgraph[" not in error.message


def test_the_interpreters_are_named():
    classifiers = set(PROJECT["classifiers"])
    assert {f"Programming Language :: Python :: 3.{minor}" for minor in (11, 12, 13, 14)} <= classifiers
    assert neuralgraph.__version__ == PROJECT["version"]
    assert f"\nversion: {neuralgraph.__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
