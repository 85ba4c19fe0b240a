"""What a vector is, and the tables that say them: a row is the title of a vector, and its file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from neuralgraph.graph.study import Study
from spec.tools.vectors.draft import Draft
from spec.tools.vectors.studies import draft_of

__all__ = ["Table", "Vector", "each", "vector"]

Table = dict[str, Draft | Study | bytes]
"""Title -> what the file is packed of, or its bytes.

A title is "E_COVER F3 F4 name: what is wrong": the code every reader must refuse the file with (a valid one has none),
requirements of FORMAT.md that the file exercises, its name without suffix, and what is special about it.
"""


class Vector(NamedTuple):
    """One file of the corpus."""

    name: str
    data: bytes
    reason: str
    requirements: tuple[str, ...]
    code: str | None

    @property
    def path(self) -> str:
        """Place in spec/vectors."""
        return f"valid/{self.name}.ngr" if self.code is None else f"invalid/{self.code}/{self.name}.ngr"


def vector(title: str, file: Draft | Study | bytes) -> Vector:
    """The vector of a row."""
    head, reason = title.split(": ", 1)
    *rules, name = head.split()
    code = rules.pop(0) if rules[0].startswith("E_") else None
    draft = draft_of(file) if isinstance(file, Study) else file
    return Vector(name, draft if isinstance(draft, bytes) else draft.pack(), reason, tuple(rules), code)


def each(title: str, values: Mapping[str, Any] | Iterable[Any], make: Callable[[Any], Draft | bytes]) -> Table:
    """A row for each value.

    Parameters
    ----------
    title : has {value}, and {name} and {words} for what the value is called; {code} where codes stand before the names.
    values : name -> value; or values that are called what they are.
    make : the file of a value.
    """
    named = values if isinstance(values, Mapping) else {str(value): value for value in values}
    rows: Table = {}
    for called, value in named.items():
        code, _, name = called.rpartition(" ")
        rows[title.format(code=code, name=name, words=name.replace("-", " "), value=value)] = make(value)
    return rows
