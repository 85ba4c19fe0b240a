"""Sentences to the graph of a report: what is said twice is one concept, and the part that counts more decides.

Two places say the same concept when their words are the same in the lexicon and neither side nor place tells them
apart. Within one part of the report they must also agree: a reader who writes "no consolidation" and "left
consolidation" in one section means two things, one who denies in the findings and asserts in the impression means one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from neuralgraph.compressor.report_graph.relations import SentenceGraph
from neuralgraph.compressor.report_graph.result import ReportGraph
from neuralgraph.compressor.report_graph.sections import Part
from neuralgraph.graph.concepts import Concept, Mention
from neuralgraph.wire.vocabulary import RELATIONS

__all__ = ["MOST_MENTIONS", "Merger"]

MOST_MENTIONS = 65_535
"""Mentions that are kept: what a reader of the format takes by default; a report has fewer than a hundred."""

_MODIFY, _LOCATED_AT = (RELATIONS.index(name) for name in ("modify", "located_at"))
_SIDES = {"left": frozenset({"left"}), "right": frozenset({"right"}), "bilateral": frozenset({"left", "right"})}
_SIDED_PLACES = {
    "lingula": frozenset({"left"}),
    "middle lobe": frozenset({"right"}),
    "both lung bases": frozenset({"left", "right"}),
    "both lung apices": frozenset({"left", "right"}),
}
# Places that every finding of a chest lies in tell no two apart.
_ANYWHERE = frozenset({"lung", "chest", "pleura", "bone", "soft tissue", "heart", "alveoli", "interstitium"})
# "No large effusion" and "no new nodule" deny something else than "no effusion" and "no nodule".
_RESTRICTING = frozenset(
    {"acute", "subacute", "new", "large", "significant", "suspicious", "severe", "moderate", "worsened", "displaced"}
)
_DENIED, _DOUBTED = "Observation::definitely absent", "Observation::uncertain"


@dataclass(slots=True)
class _Said:
    """A node of a sentence, in the report."""

    text: str
    label: str
    start: int
    end: int
    kind: str
    part: int
    sentence: int
    modifiers: list[int] = field(default_factory=list)
    places: list[int] = field(default_factory=list)


@dataclass(slots=True)
class _Group:
    """Places that say the same."""

    members: list[int]
    sides: frozenset[str]
    places: frozenset[str]
    labels: dict[int, tuple[str, int]]
    """What each part of the report says of it last, and in which sentence."""
    restricted: bool
    """Whether it denies a kind of finding alone: a large one, a new one."""


class Merger:
    """Collects the sentences of one report.

    Parameters
    ----------
    parts : what is read of it.
    """

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = parts
        self._said: list[_Said] = []
        self._triples: list[tuple[int, int, int]] = []
        self._sentences = 0

    def add(self, part: int, graph: SentenceGraph, texts: Sequence[str], spans: Sequence[tuple[int, int]]) -> None:
        """One sentence: its graph, and text and place in the report of each node."""
        first = len(self._said)
        for node, text, (start, end) in zip(graph.nodes, texts, spans, strict=True):
            self._said.append(_Said(text, node.label, start, end, node.kind, part, self._sentences))
        for head, relation, tail in graph.triples:
            if relation == _MODIFY:
                self._said[first + tail].modifiers.append(first + head)
            elif relation == _LOCATED_AT:
                self._said[first + head].places.append(first + tail)
            self._triples.append((first + head, relation, first + tail))
        self._sentences += 1

    def graph(self) -> ReportGraph:
        """The graph of the report."""
        decided: dict[int, int] = {}
        for groups in (self._observations(), self._places()):
            for group in groups:
                chosen = self._deciding(group.members)
                decided.update(dict.fromkeys(group.members, chosen))
        overruled = {
            number for number, chosen in decided.items() if self._said[number].label != self._said[chosen].label
        }
        decided.update(self._modifiers(decided, overruled))
        return self._build(decided, overruled)

    # Which places say the same.

    def _observations(self) -> list[_Group]:
        by_text: dict[str, list[_Group]] = {}
        for number, said in enumerate(self._said):
            if said.kind not in ("finding", "device", "state"):
                continue
            groups = by_text.setdefault(said.text, [])
            sides, places = self._sides(said), self._where(said)
            fitting = [group for group in groups if self._fits(group, said, sides, places)]
            if fitting:
                # What no side is given for belongs to what says the same.
                same = [group for group in fitting if self._said[group.members[0]].label == said.label]
                group = (same or fitting)[0]
                group.members.append(number)
                group.sides |= sides
                group.places |= places
                group.restricted = group.restricted or self._is_restricted(said)
            else:
                group = _Group([number], sides, places, {}, self._is_restricted(said))
                groups.append(group)
            group.labels[said.part] = said.label, said.sentence
        return [group for groups in by_text.values() for group in self._settled(groups)]

    def _settled(self, groups: list[_Group]) -> list[_Group]:
        """Groups without those that a part which counts more contradicts as a whole: a draft that said both."""
        if len(groups) < 2:
            return groups
        ranked = [(self._rank(self._deciding(group.members)), group) for group in groups]
        kept: list[_Group] = []
        for rank, group in sorted(ranked, key=lambda pair: pair[0], reverse=True):
            label = self._said[self._deciding(group.members)].label
            over = next(
                (
                    other
                    for other in kept
                    if self._rank(self._deciding(other.members)) > rank
                    and self._said[self._deciding(other.members)].label != label
                    and self._contradict(group, other)
                ),
                None,
            )
            if over is None:
                kept.append(group)
            else:
                over.members += group.members
        return kept

    def _contradict(self, one: _Group, other: _Group) -> bool:
        if one.restricted or other.restricted or self._said[one.members[0]].kind == "state":
            return False
        whole = [
            group
            for group in (one, other)
            if self._said[group.members[0]].label == _DENIED and not (group.sides or group.places)
        ]
        return bool(whole) or (bool(one.sides) and one.sides == other.sides and one.places == other.places)

    def _rank(self, number: int) -> tuple[int, int]:
        part = self._said[number].part
        return self._parts[part].rank, part

    def _is_restricted(self, said: _Said) -> bool:
        return said.label == _DENIED and any(self._said[each].text in _RESTRICTING for each in said.modifiers)

    def _fits(self, group: _Group, said: _Said, sides: frozenset[str], places: frozenset[str]) -> bool:
        if said.kind == "state":
            if places != group.places:
                return False
        elif (places and group.places and not places & group.places) or (
            sides and group.sides and not sides & group.sides
        ):
            return False
        if said.label != self._said[group.members[0]].label and (group.restricted or self._is_restricted(said)):
            return False
        label, sentence = group.labels.get(said.part, (said.label, 0))
        if label == said.label:
            return True
        # "No pneumothorax, although a small one cannot be excluded" doubts.
        return {label, said.label} == {_DENIED, _DOUBTED} and sentence == said.sentence

    def _sides(self, said: _Said) -> frozenset[str]:
        found: frozenset[str] = frozenset()
        for number in said.modifiers:
            found |= _SIDES.get(self._said[number].text, frozenset())
        for number in said.places:
            place = self._said[number]
            found |= _SIDED_PLACES.get(place.text, frozenset())
            for modifier in place.modifiers:
                found |= _SIDES.get(self._said[modifier].text, frozenset())
        return found

    def _where(self, said: _Said) -> frozenset[str]:
        places = {self._said[number].text for number in said.places}
        return frozenset(places if said.kind == "state" else places - _ANYWHERE)

    def _places(self) -> list[_Group]:
        by_words: dict[tuple[str, ...], _Group] = {}
        for number, said in enumerate(self._said):
            if said.kind == "anatomy":
                words = (said.text, *sorted(self._said[modifier].text for modifier in said.modifiers))
                group = by_words.setdefault(words, _Group([], frozenset(), frozenset(), {}, restricted=False))
                group.members.append(number)
        return list(by_words.values())

    def _deciding(self, members: Sequence[int]) -> int:
        """The member of the part that counts most; there, what doubts before what denies, and the first."""
        if len(members) == 1:
            return members[0]
        return min(
            members,
            key=lambda number: (
                -self._parts[self._said[number].part].rank,
                -self._said[number].part,
                self._said[number].label == _DENIED,
                number,
            ),
        )

    def _modifiers(self, decided: dict[int, int], overruled: set[int]) -> dict[int, int]:
        """Modifiers of one concept that say the same are one; those of an overruled place go with it."""
        found: dict[int, int] = {}
        known: dict[tuple[int, str, str], int] = {}
        # What the deciding place says comes first.
        chosen = sorted(number for number, decision in decided.items() if number == decision)
        others = sorted(number for number, decision in decided.items() if number != decision)
        for number in (*chosen, *others):
            if number in overruled:
                continue
            for modifier in self._said[number].modifiers:
                said = self._said[modifier]
                key = (decided[number], said.text, said.kind)
                found[modifier] = known.setdefault(key, modifier)
        # A modifier of a place that modifies nothing is its own.
        gone = {modifier for number in overruled for modifier in self._said[number].modifiers}
        for number, said in enumerate(self._said):
            if said.kind in ("modifier", "measurement") and number not in found and number not in gone:
                found[number] = number
        return found

    # The graph.

    def _build(self, decided: dict[int, int], overruled: set[int]) -> ReportGraph:
        standing = sorted(
            {chosen for number, chosen in decided.items()},
            key=lambda number: (self._said[number].start, self._said[number].end, number),
        )
        place = {number: at for at, number in enumerate(standing)}
        concepts = tuple(
            Concept(said.text, said.label, said.start, said.end, self._parts[said.part].section)
            for said in (self._said[number] for number in standing)
        )
        triples = {
            (place[decided[head]], relation, place[decided[tail]])
            for head, relation, tail in self._triples
            if head in decided and tail in decided and head not in overruled and tail not in overruled
        }
        mentions: dict[tuple[int, int, int], Mention] = {}
        for number, chosen in decided.items():
            said, main = self._said[number], self._said[chosen]
            if (said.start, said.end) != (main.start, main.end):
                section = self._parts[said.part].section
                mention = Mention(place[chosen], said.label, said.start, said.end, section)
                mentions.setdefault((mention.concept, mention.start, mention.end), mention)
        return ReportGraph(
            concepts,
            np.array(sorted(triple for triple in triples if triple[0] != triple[2]), dtype=np.int32).reshape(-1, 3),
            tuple(mentions[key] for key in sorted(mentions)[:MOST_MENTIONS]),
        )
