"""The lexicon: phrases, cues and connecting words of the rule-based extractor, from the JSON files beside this one.

``lexicon.json`` holds what can be found, ``cues.json`` what denies, doubts or sets it aside, ``sections.json`` the
headings, ``languages.json`` how other languages show. Concepts carry the lexicon's own words and nothing of the
report's, so no name can pass into a file (FORMAT.md: allow-listed text). In a phrase, ``(x)`` is optional and ``(x|y)``
is one of both: ``opacit(y|ies)``, ``effusion(s)``, ``granuloma(|s|ta)``; in a cue ``{seen}`` is any word of that class.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import product
from types import MappingProxyType
from typing import Any, NamedTuple

from neuralgraph.compressor.report_graph.words import LINE, NUMBER, PLACEHOLDER, YEAR, split_words

__all__ = ["UNITS", "Cues", "Entry", "Lexicon", "expand", "load_lexicon"]

UNITS = frozenset({"mm", "cm"})
"""Units of the measurements that are read."""

_GROUP = re.compile(r"\(([^()]*)\)")
_CLASS = re.compile(r"\{(\w+)\}")
_TABLES = (("findings", "finding"), ("devices", "device"), ("states", "state"), ("anatomy", "anatomy"))
_SIGNS = ["x", "/", "-", ",", ";", ":", "(", ")", "[", "]", "|", "=", "&", "+", ">", "<", "–", "—", '"']
_ROLES = (
    "neutral",
    "absent_before",
    "absent_after",
    "absent_either",
    "uncertain_before",
    "uncertain_after",
    "uncertain_either",
    "nothing_before",
    "nothing_after",
    "normal_after",
    "present_after",
    "breaks",
    "verbs",
)
# Adjectives of places, which stand before what they describe: a line that ends with one is not at its end.
_ADJECTIVE = re.compile(r"(?:al|ar|ic|ous|ary|ated|ed|oid|ing|ive)\Z")


class Entry(NamedTuple):
    """One meaning: what its phrases have in common."""

    kind: str
    """finding, device, state, anatomy, modifier, link or ignored."""
    concept: str
    """The canonical words, as stored in ``Concept.text``."""
    category: str
    """Finding category or modifier class; the canonical words for anatomy."""


@dataclass(frozen=True)
class Cues:
    """What changes what a report says of a finding."""

    roles: Mapping[tuple[str, ...], str]
    """Words of each cue to its role, e.g. ("not", "seen") to "absent_after"."""
    prior: frozenset[tuple[str, ...]]
    """Phrases that place a statement on an earlier film."""
    dropped: frozenset[str]
    """Adverbs that change no cue ("cannot be entirely excluded")."""
    denied_modifiers: frozenset[str]
    """Canonical words of modifiers that stand in denials as often as in statements ("no focal ...")."""
    standing: frozenset[str]
    """Findings that are seldom listed in a denial without "or": devices, chronic changes."""
    generic: frozenset[str]
    """Findings so general that what follows a comma after their denial is news."""
    answers: Mapping[tuple[str, ...], str]
    """Words of each answer of a form to "absent", "present", "uncertain" or "nothing"."""
    words: Mapping[str, frozenset[str]]
    """Sets of small words by what they do: "open" asks for more at the end of a line, "going_on" cannot begin one,
    "asking" stands in a question of a form, "describing" in its answer, "pronouns" point back."""


@dataclass(frozen=True)
class Lexicon:
    """The parsed lexicon."""

    version: str
    """The data files' own version."""
    fingerprint: str
    """SHA-256 (hex) of their content, independent of white space and member order."""
    phrases: Mapping[tuple[str, ...], Entry]
    """Words of each phrase to its entry."""
    compositions: Mapping[tuple[str, str], Entry]
    """(observation, anatomy) to the finding they make together ("enlarged" "heart": cardiomegaly)."""
    glue: Mapping[str, frozenset[str]]
    """Sets of connecting words, by role."""
    cues: Cues
    """See ``Cues``."""
    categories: Mapping[str, str]
    """Canonical words of findings, devices and states to their category."""
    vocabulary: frozenset[str]
    """Every word that the rules can tell from an unknown one."""
    sections: Mapping[str, str]
    """Section headers, lower case, and what they open."""
    english: frozenset[str]
    foreign: frozenset[str]
    """Words of English, and small words of other languages, some of them English too."""
    adjectives: frozenset[str]
    """Words that stand before what they describe."""
    nouns: frozenset[str]
    """Words that end the name of a finding or device."""


def expand(phrase: str, classes: Mapping[str, list[str]] | None = None) -> list[str]:
    """All spellings of a phrase with optional groups and word classes, in a fixed order."""
    found = _CLASS.search(phrase)
    if found is not None and classes is not None:
        parts = phrase.partition(found.group())
        return [spelling for word in classes[found[1]] for spelling in expand(f"{parts[0]}{word}{parts[2]}", classes)]
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
    folder = files(__package__)
    words, cues, sections, languages = (
        json.loads(folder.joinpath(f"{name}.json").read_text(encoding="utf-8"))
        for name in ("lexicon", "cues", "sections", "languages")
    )
    return _parse(words, cues, sections, languages)


def _parse(
    data: Mapping[str, Any],
    cue_data: Mapping[str, Any],
    sections: Mapping[str, list[str]],
    languages: Mapping[str, Any],
) -> Lexicon:
    phrases = _phrases(data)
    cues = _cues(cue_data)
    vocabulary = {word for words in (*phrases, *cues.roles, *cues.prior, *cues.answers) for word in words}
    vocabulary.update(word for words in data["glue"].values() for word in words)
    vocabulary.update(cues.dropped, cues.words["pronouns"])
    entries = {entry.concept: entry for entry in phrases.values() if entry.kind == "finding"}
    compositions = {
        (state, place): entries[row["concept"]]
        for row in data["compositions"]
        for state in row["states"]
        for place in row["anatomy"]
    }
    canonical = json.dumps(
        [data, cue_data, sections, languages], sort_keys=True, separators=(",", ":"), ensure_ascii=True
    )
    # A line end inside a sentence parts no two words that belong together.
    glue = {
        role: frozenset(words) | ({LINE} if role in ("near", "listing") else set())
        for role, words in data["glue"].items()
    }
    named = {"finding", "device", "state"}
    return Lexicon(
        version=data["version"],
        fingerprint=hashlib.sha256(canonical.encode("ascii")).hexdigest(),
        phrases=MappingProxyType(phrases),
        compositions=MappingProxyType(compositions),
        glue=MappingProxyType(glue),
        cues=cues,
        categories=MappingProxyType({e.concept: e.category for e in phrases.values() if e.kind in named}),
        sections=MappingProxyType({name: kind for kind, names in sections.items() for name in names}),
        vocabulary=frozenset(vocabulary | UNITS | {NUMBER, YEAR, PLACEHOLDER, LINE, *_SIGNS}),
        english=frozenset(languages["english"].split()) | vocabulary,
        foreign=frozenset(word for words in languages["others"].values() for word in words.split()),
        adjectives=_adjectives(phrases),
        nouns=frozenset(words[-1] for words, entry in phrases.items() if entry.kind in {"finding", "device"}),
    )


def _phrases(data: Mapping[str, Any]) -> dict[tuple[str, ...], Entry]:
    """Every spelling of every phrase, as words, to its entry."""
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
    return phrases


def _adjectives(phrases: Mapping[tuple[str, ...], Entry]) -> frozenset[str]:
    """Words that stand before what they describe: modifiers, and places that end like one."""
    modifiers = {
        words[0]
        for words, entry in phrases.items()
        if entry.kind == "modifier" and len(words) == 1 and entry.category not in {"change", "position"}
    }
    places = {words[-1] for words, entry in phrases.items() if entry.kind == "anatomy"}
    return frozenset(modifiers | {word for word in places if _ADJECTIVE.search(word) is not None})


def _cues(data: Mapping[str, Any]) -> Cues:
    classes = data["classes"]
    dropped = frozenset(data["dropped"])

    def all_words(texts: Iterable[str]) -> Iterable[tuple[str, ...]]:
        for text in texts:
            for spelling in expand(text, classes):
                # Cues are compared with sentences from which these adverbs are gone.
                words = split_words(spelling)
                kept = tuple(word for word in words if word not in dropped)
                # "not yet" must not become a rule for every "not".
                if len(kept) > 1 or len(kept) == len(words):
                    yield kept

    roles: dict[tuple[str, ...], str] = {}
    for role in _ROLES:
        for words in all_words(data[role]):
            # The earlier role of the list decides: "not changed" is neutral although "not ..." denies.
            roles.setdefault(words, role)
    answers: dict[tuple[str, ...], str] = {}
    for answer, texts in data["answers"].items():
        for words in all_words(texts):
            answers.setdefault(words, answer)
    return Cues(
        roles=MappingProxyType({words: role for words, role in roles.items() if words}),
        prior=frozenset(all_words(data["prior"])),
        dropped=dropped,
        denied_modifiers=frozenset(data["denied_modifiers"]),
        standing=frozenset(data["standing"]),
        generic=frozenset(data["generic"]),
        answers=MappingProxyType(answers),
        words=MappingProxyType({name: frozenset(words) for name, words in data["words"].items()}),
    )
