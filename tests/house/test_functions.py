"""Functions that a person can hold: none is long, and what ruff counts stays within the limits of pyproject.toml."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "neuralgraph"
LONGEST = 60
"""Lines of a function, its docstring and comments before it not counted."""


def functions() -> dict[str, int]:
    """Lines of every function of the package without its docstring, by file and name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = node.end_lineno - node.lineno + 1
                if ast.get_docstring(node) is not None:
                    lines -= node.body[0].end_lineno - node.body[0].lineno + 1
                found[f"{path.relative_to(PACKAGE).as_posix()}: {node.name}"] = lines
    return found


def test_no_function_is_long():
    long = {name: lines for name, lines in functions().items() if lines > LONGEST}
    assert not long, "split by idea what is too long"


ROOMS = sorted(path.parent for path in PACKAGE.rglob("__init__.py"))


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.relative_to(PACKAGE.parent).as_posix())
def test_the_docstring_of_a_room_names_its_files(room):
    said = ast.get_docstring(ast.parse((room / "__init__.py").read_text(encoding="utf-8"))) or ""
    parts = {path.stem for path in room.glob("*.py")} | {path.parent.name for path in room.glob("*/__init__.py")}
    parts -= {"__init__", "__main__"}
    assert not sorted(part for part in parts if f"``{part}``" not in said)
