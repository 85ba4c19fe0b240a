"""In-sentence rules: which mention modifies, lies in, or suggests which.

The types of the RadGraph schema (Jain et al., NeurIPS Datasets and Benchmarks 2021) hold throughout: modify joins two
observations or two anatomies, located_at an observation and an anatomy, suggestive_of two observations.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from neuralgraph.compressor.report_graph.lexicon import Entry, Lexicon
from neuralgraph.compressor.report_graph.mentions import ABSENT, NOTHING, LexiconPhrase
from neuralgraph.compressor.report_graph.words import PLACEHOLDER, UNKNOWN
from neuralgraph.wire.vocabulary import RELATIONS

__all__ = ["Node", "SentenceGraph", "relate"]

_MODIFY, _LOCATED_AT, _SUGGESTIVE_OF = (RELATIONS.index(name) for name in ("modify", "located_at", "suggestive_of"))
_OBSERVATIONS = frozenset({"finding", "device", "state"})
_SPATIAL = frozenset({"side", "zone"})
# Words between a modifier and its head behind it ("effusion ... is small"); further away it is about something else.
_REACH = 10
_HAVING = frozenset({"has", "have", "shows", "demonstrates", "contains"})
_NEAR = 4


class Node(NamedTuple):
    """A concept of one sentence; ``start`` and ``end`` count its words."""

    text: str
    """Canonical words; "" for a measurement, whose figures only the report has."""
    label: str
    start: int
    end: int
    kind: str
    """finding, device, state, anatomy, modifier or measurement."""


class SentenceGraph(NamedTuple):
    """The graph of one sentence."""

    nodes: tuple[Node, ...]
    triples: tuple[tuple[int, int, int], ...]


def relate(words: Sequence[str], mentions: Sequence[LexiconPhrase], lexicon: Lexicon) -> SentenceGraph:
    """Join the mentions of one sentence.

    Parameters
    ----------
    words : the sentence, as ``words.sentences`` gives it.
    mentions : phrases and measurements in it, in order, not overlapping.
    lexicon : for connecting words and compositions.

    Returns
    -------
    SentenceGraph : modifiers and measurements that belong to nothing are left out; links ("suggestive of") become
        triples.
    """
    return _Relator(words, mentions, lexicon).graph()


class _Relator:
    def __init__(self, words: Sequence[str], mentions: Sequence[LexiconPhrase], lexicon: Lexicon) -> None:
        self.words = words
        self.mentions = [
            mention for mention in mentions if mention.entry.kind != "ignored" and mention.polarity != NOTHING
        ]
        self.lexicon = lexicon
        self.near = lexicon.glue["near"]
        self.listing = lexicon.glue["listing"]
        self.copula = lexicon.glue["copula"]
        self.filler = lexicon.glue["filler"]
        self.preposition = lexicon.glue["preposition"]

    def graph(self) -> SentenceGraph:
        kinds = [mention.entry.kind for mention in self.mentions]
        self.is_observation = [kind in _OBSERVATIONS for kind in kinds]
        self.is_anatomy = [kind == "anatomy" for kind in kinds]
        self.is_modifier = [kind in {"modifier", "measurement"} for kind in kinds]
        heads = {
            i: head
            for i in range(len(kinds))
            if self.is_modifier[i] and (head := self._head(i)) is not None and not self._is_denied_of(i, head)
        }
        self.predicates: set[int] = set()
        places: dict[int, list[int]] = {}
        for i, observation in enumerate(self.is_observation):
            if observation:
                places[i] = self._places(i, places)
        triples: list[tuple[int, int, int]] = []
        spatial: set[int] = set()
        for i, head in heads.items():
            on_anatomy = self.is_anatomy[head]
            if on_anatomy and self.mentions[i].entry.category in _SPATIAL:
                spatial.add(i)
            loose = on_anatomy and i not in spatial
            triples.append((i, _LOCATED_AT if loose else _MODIFY, head))
        triples += [(i, _LOCATED_AT, place) for i, found in places.items() for place in found]
        triples += self._suggestions()
        return self._collect(heads, spatial, triples)

    def _is_denied_of(self, modifier: int, head: int) -> bool:
        """Whether a finding that is there is said not to be so: "the effusion is not large"."""
        denied = self.mentions[modifier].polarity == ABSENT
        return denied and self.is_observation[head] and self.mentions[head].polarity != ABSENT

    def _gap(self, left: int, right: int) -> Sequence[str]:
        return self.words[self.mentions[left].end : self.mentions[right].start]

    def _adjoins(self, gap: Sequence[str], *, listed: bool) -> bool:
        """Whether only connecting words, and at most one unknown or removed adjective, lie in the gap."""
        strange = [word for word in gap if word not in self.near and not (listed and word in self.listing)]
        return len(gap) <= 4 and (not strange or strange in ([UNKNOWN], [PLACEHOLDER]))

    def _head(self, index: int) -> int | None:
        mention = self.mentions[index]
        spatial = mention.entry.category in _SPATIAL
        anatomy = None
        for j in range(index + 1, len(self.mentions)):
            listed = self.is_modifier[j] or (anatomy is not None and self.is_anatomy[j])
            if not self._adjoins(self._gap(j - 1, j), listed=listed):
                break
            if self.is_observation[j]:
                return anatomy if spatial and anatomy is not None else j
            if self.is_anatomy[j]:
                if spatial:
                    return j
                anatomy = j if anatomy is None else anatomy
            elif not self.is_modifier[j]:
                break
        if anatomy is not None:
            return anatomy
        return self._head_behind(index, spatial=spatial)

    def _head_behind(self, index: int, *, spatial: bool) -> int | None:
        fallback = None
        for j in range(index - 1, -1, -1):
            between = self.words[self.mentions[j].end : self.mentions[index].start]
            if len(between) > _REACH or ";" in between:
                break
            if self.is_observation[j] or (self.is_anatomy[j] and spatial):
                return j
            if self.is_anatomy[j] and fallback is None:
                fallback = j
        return fallback if self.mentions[index].entry.kind == "modifier" else None

    def _places(self, index: int, known: dict[int, list[int]]) -> list[int]:
        found = self._places_before(index)
        if found:
            found = found + self._owner(found[0])
        else:
            found = self._places_of_subject(index, known)
            if found:
                self.predicates.add(index)
        return found + [place for place in self._places_after(index) if place not in found]

    def _anatomies_back(self, index: int) -> list[int]:
        """The list of anatomies that ends at ``index``: "heart and mediastinum"."""
        found = [index]
        for j in range(index - 1, -1, -1):
            if not self._adjoins(self._gap(j, j + 1), listed=True):
                break
            if self.is_anatomy[j]:
                found.append(j)
            elif not self.is_modifier[j]:
                break
        return found[::-1]

    def _places_before(self, index: int) -> list[int]:
        """Attributive: "right basilar opacity"."""
        for j in range(index - 1, -1, -1):
            if not self._adjoins(self._gap(j, j + 1), listed=self.is_modifier[j] and self.is_modifier[j + 1]):
                break
            if self.is_anatomy[j]:
                return self._anatomies_back(j)
            if not self.is_modifier[j]:
                break
        return []

    def _owner(self, place: int) -> list[int]:
        """What has the place: the left lung, in "the left lung has a basal consolidation"."""
        between: list[str] = []
        for j in range(place - 1, -1, -1):
            between = [*self._gap(j, j + 1), *between]
            if self.is_anatomy[j]:
                return [j] if len(between) <= _NEAR and not _HAVING.isdisjoint(between) else []
            if not self.is_modifier[j]:
                break
        return []

    def _places_of_subject(self, index: int, known: dict[int, list[int]]) -> list[int]:
        """Predicative: "the heart is mildly enlarged", "lungs are hyperlucent and hyperinflated"."""
        if self.mentions[index].entry.kind == "device":
            return []
        between: list[str] = []
        for j in range(index - 1, -1, -1):
            between = [*self._gap(j, j + 1), *between]
            if self.is_modifier[j]:
                continue
            words = self.words[self.mentions[j].start : self.mentions[j].end]
            if self.mentions[j].entry.kind == "link" and all(word in self.copula for word in words):
                # "the heart may be enlarged" says of the heart what "is" would.
                between = [*words, *between]
                continue
            if self.is_anatomy[j]:
                allowed = self.copula | self.filler
                strange = sum(word not in allowed for word in between)
                joined = any(word in self.copula for word in between)
                # Free text after the name of a place ("heart size normal") states it as a verb would.
                state = self.mentions[index].entry.kind == "state"
                terse = state and all(word in {"not", "size", "remains"} for word in between)
                return self._anatomies_back(j) if terse or (joined and strange <= 1) else []
            listed = bool(between) and all(word in self.listing or word in self.near for word in between)
            return list(known.get(j, ())) if listed and j in self.predicates else []
        return []

    def _places_after(self, index: int) -> list[int]:
        """Prepositional: "opacity in the right lower lobe and lingula"; shared along a list of findings."""
        found: list[int] = []
        placed = False
        attributive = True
        for j in range(index + 1, len(self.mentions)):
            gap = self._gap(j - 1, j)
            # "in the outer region of the ..." is longer than what may lie between two words of one phrase.
            if ";" in gap or len(gap) > (7 if gap[:1] and gap[0] in self.preposition else 4):
                break
            # "clear lungs", "well expanded and clear lungs", "enlarged left hilum"
            attributive = attributive and all(word in self.near for word in gap if word != "and")
            if self.is_observation[j]:
                if found or placed or not gap or not all(word in self.listing for word in gap):
                    break
                continue
            if self.is_modifier[j]:
                placed = placed or any(word in self.preposition for word in gap)
                continue
            if not self.is_anatomy[j]:
                break
            if found:
                if not self._adjoins(gap, listed=True):
                    break
            else:
                placed = placed or any(word in self.preposition for word in gap)
                if not (placed or attributive):
                    break
            found.append(j)
        # An anatomy in front of another finding is that finding's place: "effusion and basilar atelectasis".
        return self._without_attributive(found)

    def _without_attributive(self, found: list[int]) -> list[int]:
        if not found:
            return found
        last = found[-1]
        following = last + 1
        if following < len(self.mentions) and self.is_observation[following] and not self._gap(last, following):
            return found[:-1]
        return found

    def _suggestions(self) -> list[tuple[int, int, int]]:
        triples = []
        for i, mention in enumerate(self.mentions):
            if mention.entry.kind != "link":
                continue
            source = next((j for j in range(i - 1, -1, -1) if self.is_observation[j]), None)
            before = self.words[mention.start - 1] if mention.start else ""
            if source is None or before in {"and", "with", ";"}:
                continue
            if self.mentions[source].entry.concept in {"normal", "clear", "intact"}:
                continue
            triples += [(source, _SUGGESTIVE_OF, target) for target in self._suggested(i)]
        return triples

    def _suggested(self, link: int) -> list[int]:
        found: list[int] = []
        for j in range(link + 1, len(self.mentions)):
            gap = self._gap(j - 1, j)
            if ";" in gap or len(gap) > 6:
                break
            if self.mentions[j].entry.kind == "link":
                break
            if self.is_observation[j]:
                between = self.words[self.mentions[found[-1]].end : self.mentions[j].start] if found else ()
                if found and not any(word in self.listing for word in between):
                    break
                found.append(j)
        return found

    def _collect(
        self, heads: dict[int, int], spatial: set[int], triples: Sequence[tuple[int, int, int]]
    ) -> SentenceGraph:
        composed: dict[int, Entry] = {}
        for head, relation, tail in triples:
            if relation == _LOCATED_AT:
                pair = (self.mentions[head].entry.concept, self.mentions[tail].entry.concept)
                entry = self.lexicon.compositions.get(pair)
                if entry is not None:
                    composed.setdefault(head, entry)
        nodes: list[Node] = []
        number: dict[int, int] = {}
        for i, mention in enumerate(self.mentions):
            kind = mention.entry.kind
            if kind == "link" or (self.is_modifier[i] and i not in heads):
                continue
            number[i] = len(nodes)
            text = "" if kind == "measurement" else composed.get(i, mention.entry).concept
            nodes.append(Node(text, self._label(i, heads, spatial), mention.start, mention.end, kind))
        kept = {(number[h], r, number[t]) for h, r, t in triples if h != t and h in number and t in number}
        return SentenceGraph(tuple(nodes), tuple(sorted(kept)))

    def _label(self, index: int, heads: dict[int, int], spatial: set[int]) -> str:
        mention = self.mentions[index]
        if self.is_anatomy[index] or index in spatial:
            return "Anatomy::definitely present"
        polarity = mention.polarity
        if self.is_modifier[index]:
            # A modifier is as sure as what it modifies: in "no large effusion" nothing large is there.
            head = self.mentions[heads[index]]
            polarity = mention.polarity if head.entry.kind == "anatomy" else head.polarity
        if mention.entry.kind == "measurement":
            return f"Observation::measurement::{polarity}"
        return f"Observation::{polarity}"
