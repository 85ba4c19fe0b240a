"""Docstrings on the site: entries of numpy's headings become lists, types stay in the signature."""

from __future__ import annotations

import pytest

pytest.importorskip("griffe", reason="the documentation needs the extra docs")

import griffe

from docs.tools.docstrings import PlainSections, plain_sections

DOCSTRING = """What it does.

Parameters
----------
path : a path, which may be
    long to say: ``a.ngr``.
row, col : int32 [n].

Returns
-------
float32 [n, d]: the embedding.

Raises
------
FormatError (E_OPEN) : nothing there.
StudyError : broken."""


def test_entries_become_items_with_everything_that_was_said():
    assert (
        plain_sections(DOCSTRING)
        == """What it does.

**Parameters**

- `path`: a path, which may be long to say: ``a.ngr``.
- `row, col`: int32 [n].

**Returns**

float32 [n, d]: the embedding.

**Raises**

- `FormatError (E_OPEN)`: nothing there.
- `StudyError`: broken."""
    )


def test_text_without_headings_stays_as_it_is():
    assert plain_sections("A line.\n\n- an item : of a list\n") == "A line.\n\n- an item : of a list"


def test_what_is_computed_once_is_shown_as_a_property():
    study = griffe.load("neuralgraph", extensions=griffe.load_extensions(PlainSections))["graph.study.Study"]
    assert study["edges"].is_attribute
    assert "property" in study["edges"].labels
    assert study["edges"].docstring.value.startswith("int32 [m, 2]")
    assert study["prune"].is_function
