"""The lexicon: phrases, cues and connecting words of the rule-based extractor, read from ``lexicon.json``.

Concepts carry the lexicon's own words and nothing of the report's, so no name can pass into a file
(FORMAT.md: allow-listed text). In a phrase, ``(x)`` is optional and ``(x|y)`` is one of both:
``opacit(y|ies)``, ``effusion(s)``, ``granuloma(|s|ta)``.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import product
from types import MappingProxyType
from typing import Any, NamedTuple

from .words import NUMBER, PLACEHOLDER, split_words

__all__ = ["UNITS", "Entry", "Lexicon", "expand", "load_lexicon"]

UNITS = frozenset({"mm", "cm"})
"""Units of the measurements that are read."""

_GROUP = re.compile(r"\(([^()]*)\)")
_TABLES = (("findings", "finding"), ("devices", "device"), ("states", "state"), ("anatomy", "anatomy"))


class Entry(NamedTuple):
    """One meaning: what its phrases have in common."""

    kind: str
    """finding, device, state, anatomy, modifier, link or ignored."""
    concept: str
    """The canonical words, as stored in ``Concept.text``."""
    category: str
    """Finding category or modifier class; the canonical words for anatomy."""


@dataclass(frozen=True)
class Lexicon:
    """The parsed lexicon.

    Parameters
    ----------
    version : the data file's own version.
    fingerprint : SHA-256 (hex) of its content, independent of white space and member order.
    phrases : words of each phrase to its entry.
    compositions : (observation, anatomy) to the finding they make together ("enlarged" "heart": cardiomegaly).
    glue : sets of connecting words, by role.
    cues : negspacy term sets, "absent" and "uncertain".
    categories : canonical words of findings, devices and states to their category.
    sections : section headers, lower case, and what they open.
    vocabulary : every word that the rules can tell from an unknown one.
    """

    version: str
    fingerprint: str
    phrases: Mapping[tuple[str, ...], Entry]
    compositions: Mapping[tuple[str, str], Entry]
    glue: Mapping[str, frozenset[str]]
    cues: Mapping[str, Mapping[str, tuple[str, ...]]]
    categories: Mapping[str, str]
    vocabulary: frozenset[str]
    sections: Mapping[str, str]


def expand(phrase: str) -> list[str]:
    """All spellings of a phrase with optional groups, in a fixed order."""
    pieces: list[tuple[str, ...]] = []
    end = 0
    for match in _GROUP.finditer(phrase):
        pieces.append((phrase[end : match.start()],))
        inner = match.group(1)
        pieces.append(tuple(inner.split("|")) if "|" in inner else ("", inner))
        end = match.end()
    pieces.append((phrase[end:],))
    return ["".join(choice) for choice in product(*pieces)]


@cache
def load_lexicon() -> Lexicon:
    """The lexicon shipped with this package; read once per process."""
    data = json.loads(files(__package__).joinpath("lexicon.json").read_text(encoding="utf-8"))
    return _parse(data)


def _parse(data: Mapping[str, Any]) -> Lexicon:
    phrases: dict[tuple[str, ...], Entry] = {}

    def add(entry: Entry, texts: list[str]) -> None:
        for text in texts:
            for spelling in expand(text):
                words = split_words(spelling)
                # A phrase with two meanings would make the result depend on the order of the file.
                if phrases.setdefault(words, entry) != entry:
                    raise AssertionError(f"lexicon.json: {spelling!r} has two meanings")

    for table, kind in _TABLES:
        for row in data[table]:
            add(Entry(kind, row["concept"], row.get("category", row["concept"])), row["phrases"])
    for row in data["modifiers"]:
        add(Entry("modifier", row["concept"], row["class"]), row["phrases"])
    add(Entry("link", "link", "link"), data["links"])
    add(Entry("ignored", "ignored", "ignored"), data["ignored"])

    terms = [term for cues in data["cues"].values() for role in cues.values() for term in role]
    vocabulary = {word for words in (*phrases, *(split_words(term) for term in terms)) for word in words}
    vocabulary.update(word for words in data["glue"].values() for word in words)
    entries = {entry.concept: entry for entry in phrases.values() if entry.kind == "finding"}
    compositions = {
        (state, place): entries[row["concept"]]
        for row in data["compositions"]
        for state in row["states"]
        for place in row["anatomy"]
    }
    canonical = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return Lexicon(
        version=data["version"],
        fingerprint=hashlib.sha256(canonical.encode("ascii")).hexdigest(),
        phrases=MappingProxyType(phrases),
        compositions=MappingProxyType(compositions),
        glue=MappingProxyType({role: frozenset(words) for role, words in data["glue"].items()}),
        cues=MappingProxyType(
            {name: {role: tuple(terms) for role, terms in terms.items()} for name, terms in data["cues"].items()}
        ),
        categories=MappingProxyType(
            {e.concept: e.category for e in phrases.values() if e.kind in {"finding", "device", "state"}}
        ),
        sections=MappingProxyType({name: kind for kind, names in data["sections"].items() for name in names}),
        vocabulary=frozenset(vocabulary | UNITS | {NUMBER, PLACEHOLDER, "x", "/", "-"}),
    )
