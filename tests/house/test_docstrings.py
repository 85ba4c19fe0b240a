"""One dialect of docstrings, which the site's reference reads: entries are ``name : what it is``.

An error has its codes in brackets, ``StudyError (E_NUM) : the share is not in (0, 1]``; fields of a dataclass or named
tuple are described below themselves; shapes are written ``float32 [n, d]``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "neuralgraph"
FILES = sorted(PACKAGE.rglob("*.py"))
SECTIONS = {"Parameters", "Returns", "Yields", "Raises", "Examples"}
_HEADING = re.compile(r"^(\w[\w ]*)\n-{3,}$", re.MULTILINE)
_ERROR = r"[\w.]+(?: \([^()]+\))?"
_RAISES = re.compile(rf"{_ERROR}(?:, {_ERROR})*(?: : (?!E_)|$)")
_ENTRY = re.compile(r"\*{0,2}\w+(?:, \*{0,2}\w+)* : ")
_SHAPE_FIRST = re.compile(r"\[[a-z_, 0-9]+\] (?:u?int\d|float\d|bool)")
_BARE_TERM = re.compile(r"^(?:Returns|Yields)\n-+\n[\w.]+\n {4}", re.MULTILINE)
_DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def documented(path: Path) -> Iterator[tuple[_DOCUMENTED, str]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        text = ast.get_docstring(node) if isinstance(node, _DOCUMENTED) else None
        if text:
            yield node, text


def sections(text: str) -> dict[str, list[str]]:
    """Entries of every section, by its heading: lines at the margin, without what continues them."""
    _, *rest = _HEADING.split(text)
    return {
        title: [line for line in body.strip().split("\n\n")[0].splitlines() if line and not line.startswith(" ")]
        for title, body in zip(rest[::2], rest[1::2], strict=True)
    }


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_sections_are_written_one_way(path):
    for node, text in documented(path):
        found = sections(text)
        name = getattr(node, "name", path.stem)
        assert set(found) <= SECTIONS, name
        assert not [entry for entry in found.get("Raises", ()) if not _RAISES.match(entry)], name
        assert not [entry for entry in found.get("Parameters", ()) if not _ENTRY.match(entry)], name
        assert not _BARE_TERM.search(text), name
        assert not _SHAPE_FIRST.search(text), name


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_fields_are_described_below_themselves(path):
    for node, text in documented(path):
        if isinstance(node, ast.ClassDef):
            marks = [*map(ast.unparse, node.decorator_list), *map(ast.unparse, node.bases)]
            if any("dataclass" in mark or "NamedTuple" in mark for mark in marks):
                assert "Parameters" not in sections(text), node.name
