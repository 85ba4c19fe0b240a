"""The book of codecs and the shelf in the package hold the same encodings."""

from __future__ import annotations

import ast
import json
import math
import re
from operator import add, mod, mul, truediv
from pathlib import Path

import pytest

from neuralgraph.codecs.registry import BYTE_CODECS, FORMS, STORE, ZSTD
from neuralgraph.codecs.zstd import MAX_WINDOW_BYTES
from neuralgraph.errors import CODES

ROOT = Path(__file__).parents[2]
BOOK = ROOT / "codecs"
PAGES = {folder.name: folder for folder in BOOK.iterdir() if folder.is_dir()}
ENTRIES = {name: json.loads((folder / "codec.json").read_text(encoding="utf-8")) for name, folder in PAGES.items()}


def test_the_book_and_the_shelf_hold_the_same_encodings():
    assert set(PAGES) == {codec.name for codec in BYTE_CODECS.values()} | set(FORMS)


def test_ids_agree():
    assert {entry["id"]: name for name, entry in ENTRIES.items() if entry["kind"] == "bytes"} == {
        number: codec.name for number, codec in BYTE_CODECS.items()
    }
    assert (BYTE_CODECS[STORE].name, BYTE_CODECS[ZSTD].name) == ("store", "zstd")
    assert ENTRIES["zstd"]["max_window_bytes"] == MAX_WINDOW_BYTES


def test_offsets_and_planes_agree():
    for name, entry in ENTRIES.items():
        if entry["kind"] == "form":
            assert (entry["offset"], len(entry["planes"])) == (FORMS[name].offset, FORMS[name].form.n_planes)
            for rows, width in ((3, 5), (1, 1), (32, 64), (71, 129)):
                sizes = [eval_size(size, rows=rows, width=width) for size in entry["planes"]]
                assert tuple(sizes) == FORMS[name].form.plane_bytes(rows, width)


def eval_size(formula, **values):
    """The value of a formula such as "4+1056*floor(rows/32)"."""

    def value(node):
        match node:
            case ast.Expression():
                return value(node.body)
            case ast.Constant():
                return node.value
            case ast.Name():
                return values[node.id]
            case ast.Call(func=ast.Name(id="ceil" | "floor" as name)):
                return getattr(math, name)(value(node.args[0]))
            case ast.BinOp():
                operators = {ast.Add: add, ast.Mult: mul, ast.Div: truediv, ast.Mod: mod}
                return operators[type(node.op)](value(node.left), value(node.right))
        raise AssertionError(formula)

    return value(ast.parse(formula, mode="eval"))


def test_planes_of_different_forms_have_different_streams():
    streams = [entry.offset + plane for entry in FORMS.values() for plane in range(entry.form.n_planes)]
    assert len(streams) == len(set(streams))
    assert max(streams) < 0x40


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_complete(name):
    entry = ENTRIES[name]
    kind = {"id"} if entry["kind"] == "bytes" else {"offset", "planes"}
    assert {"name", "kind", "lossless", "errors", "since"} | kind <= set(entry)
    assert entry["name"] == name
    text = (PAGES[name] / "SPEC.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {name}\n")
    codes = set(re.findall(r"\bE_[A-Z_]+\b", text))
    assert codes == set(entry["errors"]) <= set(CODES)


def test_the_specification_has_the_same_table():
    text = (ROOT / "FORMAT.md").read_text(encoding="utf-8").split("## 7. Encodings")[1].split("## 8.")[0]
    codecs = re.findall(r"^\| (\d+) \| `(\w+)`", text, re.MULTILINE)
    forms = re.findall(r"^\| (0x[0-9A-F]+) \| `(\w+)` \| (\d):", text, re.MULTILINE)
    assert {int(number): name for number, name in codecs} == {n: codec.name for n, codec in BYTE_CODECS.items()}
    assert {(int(offset, 16), name, int(planes)) for offset, name, planes in forms} == {
        (entry.offset, name, entry.form.n_planes) for name, entry in FORMS.items()
    }


def test_ids_of_drafts_are_reserved():
    """What went from 1.0 is named where ids are looked up, and is on no shelf."""
    for document in (ROOT / "FORMAT.md", BOOK / "README.md"):
        text = re.sub(r"\s+", " ", document.read_text(encoding="utf-8"))
        assert re.search(r"(codecs|encodings) 2 and 3[,;] forms (at )?0x04, 0x05, 0x06, 0x12 and 0x18", text), document
    assert not {2, 3} & BYTE_CODECS.keys()
    assert not {0x04, 0x05, 0x06, 0x12, 0x18} & {entry.offset for entry in FORMS.values()}


def test_the_book_holds_no_code():
    # A top-level package called codecs would hide the one of the standard library.
    assert not list(BOOK.rglob("*.py"))
