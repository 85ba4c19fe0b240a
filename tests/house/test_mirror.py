"""Every module of the package has a test: one of its name, one of its room that imports it, or the one named here."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "neuralgraph"
TESTS = ROOT / "tests"

HELD: dict[str, str] = {}
"""Test file -> the modules it holds through what uses them, or by running their verb."""


def name_of(path: Path) -> str:
    """The dotted name of a module or package."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}
MODULES = [name for name, path in SOURCES.items() if path.stem not in ("__init__", "__main__")]


def home(module: str, name: str) -> str:
    """The module that a name comes from, through the packages that hand it on."""
    if f"{module}.{name}" in SOURCES:
        return f"{module}.{name}"
    if module in SOURCES and SOURCES[module].stem == "__init__":
        for node in ast.walk(tree(SOURCES[module])):
            if isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    if (alias.asname or alias.name) == name and (node.module, alias.name) != (module, name):
                        return home(node.module, alias.name)
    return module


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports(path: Path) -> frozenset[str]:
    """The modules of the package that a file imports, or names behind ``import neuralgraph as ng``."""
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("neuralgraph"):
            found |= {home(node.module, alias.name) for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.startswith("neuralgraph.")}
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "ng":
            found.add(home("neuralgraph", node.attr))
    return frozenset(found)


def named(module: str) -> bool:
    """Whether a test of its room has its name, or imports it."""
    parts = module.split(".")[1:]
    for path in (TESTS / parts[0] if len(parts) > 1 else TESTS).rglob("test_*.py"):
        if path.stem == f"test_{parts[-1]}" or module in imports(path):
            return True
    return False


def public(module: str) -> list[str]:
    """What ``__all__`` of a module holds."""
    for node in tree(SOURCES[module]).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return [str(name) for name in ast.literal_eval(node.value)]
    return []


TABLE = {f"neuralgraph.{module}": test for test, modules in HELD.items() for module in modules.split()}


@pytest.mark.parametrize("module", MODULES)
def test_a_module_has_a_test(module):
    assert named(module) or module in TABLE, "no test has its name or imports it, and HELD names none"


def test_the_table_holds_only_what_it_must():
    assert sum(len(modules.split()) for modules in HELD.values()) == len(TABLE), "a module stands there twice"
    assert [module for module in TABLE if module not in MODULES] == []
    assert [module for module in TABLE if named(module)] == []


@pytest.mark.parametrize("test", HELD)
def test_a_test_of_the_table_reaches_its_modules(test):
    path = ROOT / test
    near = imports(path)
    reached = near.union(*(imports(SOURCES[module]) for module in near if module in SOURCES))
    text = path.read_text(encoding="utf-8")
    for module in (f"neuralgraph.{each}" for each in HELD[test].split()):
        told = any(re.search(rf"\b{re.escape(name)}\b", text) for name in public(module))
        assert told or module in reached, f"{test} neither names {module} nor what imports it"
