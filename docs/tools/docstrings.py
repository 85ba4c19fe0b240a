"""Docstrings as the site shows them: a griffe extension, loaded by mkdocs.yml.

The project's docstrings have numpy's headings, and below them ``name : what it is``: types stand in the signature.
A parser of numpy's style takes what follows the colon for a type; this one makes lists of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import griffe

__all__ = ["PlainSections", "plain_sections"]

_HEADING = re.compile(r"^(\w[\w ]*)\n-{3,}$", re.MULTILINE)
_ENTRY = re.compile(r"^(?=\S)", re.MULTILINE)
_TERM = re.compile(r"(?P<term>[^:\n]+?) : (?P<text>.*)", re.DOTALL)


def plain_sections(docstring: str) -> str:
    """The text of a docstring in Markdown: headings of numpy's style in bold, their entries as lists."""
    first, *rest = _HEADING.split(docstring)
    parts = [first.rstrip()]
    for title, body in zip(rest[::2], rest[1::2], strict=True):
        parts.append(f"**{title}**")
        parts.append("\n".join(_entries(body.strip())))
    return "\n\n".join(part for part in parts if part)


def _entries(body: str) -> Iterator[str]:
    """Lines of a section: an item for every entry with a term, everything else as it stands."""
    whole = [entry for entry in _ENTRY.split(body) if entry.strip()]
    if not any(_TERM.match(entry) for entry in whole):
        yield body
        return
    for entry in whole:
        found = _TERM.match(entry)
        term, text = (f"`{found['term'].strip()}`: ", found["text"]) if found else ("", entry)
        yield f"- {term}{' '.join(text.split())}"


class PlainSections(griffe.Extension):
    """Turn every docstring before anything reads it."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """What griffe calls for every module, class, function and attribute."""
        if obj.docstring is not None:
            obj.docstring.value = plain_sections(obj.docstring.value)

    def on_class_members(self, *, cls: griffe.Class, **_: Any) -> None:
        """What griffe calls for every class: what ``wire.computed`` decorates is a property, as ``cached_property``."""
        for name, member in list(cls.members.items()):
            if member.is_function and any(str(each.value) == "computed" for each in member.decorators):
                shown = griffe.Attribute(
                    name, lineno=member.lineno, annotation=member.returns, docstring=member.docstring, parent=cls
                )
                shown.labels |= {"cached", "property"}
                cls.set_member(name, shown)
