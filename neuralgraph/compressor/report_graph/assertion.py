"""What a sentence says of its findings: there, not there, in doubt, or nothing.

ConText's idea (Harkema et al., J Biomed Inform 2009): cues with a direction, and scopes that end. What is added are the
ends that reports have: the pieces of ``clauses``, and lists, which go on over commas when they are lists of the same
kind ("no effusion, pneumothorax or edema") and do not when a member is a statement of its own ("no effusion, large left
pneumothorax").
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from neuralgraph.compressor.report_graph.clauses import OBSERVATIONS, Cue, CueFinder, Join, Phrase, Piece, pieces_of
from neuralgraph.compressor.report_graph.lexicon import Lexicon

__all__ = ["ABSENT", "NOTHING", "PRESENT", "UNCERTAIN", "Judge"]

PRESENT, UNCERTAIN, ABSENT = "definitely present", "uncertain", "definitely absent"
NOTHING = ""
"""The sentence names the finding without saying anything of it: history, a request, what cannot be seen."""

_BEFORE = {"absent_before": ABSENT, "uncertain_before": UNCERTAIN, "nothing_before": NOTHING}
_AFTER = {
    "absent_after": ABSENT,
    "uncertain_after": UNCERTAIN,
    "nothing_after": NOTHING,
    "present_after": PRESENT,
    "normal_after": NOTHING,
}
_DETERMINERS = frozenset({"a", "an", "the", "this", "these", "there", "it", "its", "both", "some"})
_FILM_REFERENCE = frozenset({"to", "from", "with", "than", "since", "on", "the", "and", "in"})
_ALTERNATIVES = frozenset({"or", "nor", "versus", "vs"})
_DENIALS = frozenset({"no", "not", "without"})
_EARLIER = frozenset({"prior", "previous"})
_MAINTAINED = frozenset({"again", "persists", "persist", "remains", "remain", "unchanged"})
_PARTS_OF_DEVICES = frozenset({"tip", "tips", "end", "port", "sideport", "course", "portion"})
_FAR = 9
"""Words after a denial within which an earlier film may be named."""


@dataclass
class _Marks:
    """What cues say of one observation."""

    before: list[tuple[int, str]] = field(default_factory=list)
    after: list[str] = field(default_factory=list)


class Judge:
    """Decides what sentences say.

    Parameters
    ----------
    lexicon : for cues and the kinds of findings.
    """

    def __init__(self, lexicon: Lexicon) -> None:
        self._cues = lexicon.cues
        self._adjectives = lexicon.adjectives
        self._subjects = frozenset(
            words
            for words, entry in lexicon.phrases.items()
            if entry.kind == "anatomy" and len(words) == 1 and words[0] not in lexicon.adjectives
        )
        self._finder = CueFinder(lexicon.cues)

    def __call__(self, words: Sequence[str], phrases: Sequence[Phrase]) -> list[str]:
        """The polarity of each phrase: ``PRESENT``, ``UNCERTAIN``, ``ABSENT`` or ``NOTHING``.

        Parameters
        ----------
        words : the sentence.
        phrases : what the lexicon knows in it, in order, not overlapping.
        """
        if self._finder.telling.isdisjoint(words) and _ALTERNATIVES.isdisjoint(words):
            return [PRESENT] * len(phrases)
        return _Sentence(words, phrases, self._cues, self._adjectives, self._subjects, self._finder).verdicts()


class _Sentence:
    def __init__(self, words, phrases, cues, adjectives, subjects, finder) -> None:  # type: ignore[no-untyped-def]
        self.words: Sequence[str] = words
        self.phrases: Sequence[Phrase] = phrases
        self.lexicon_cues = cues
        self.adjectives: frozenset[str] = adjectives
        self.subjects: frozenset[tuple[str, ...]] = subjects
        self.cues: list[Cue] = finder.cues(words, phrases)
        self.finder: CueFinder = finder
        self.pieces = pieces_of(words, phrases, self.cues)
        self.marks = [_Marks() for _ in phrases]
        self.ranges: list[tuple[str, int, int]] = []

    def verdicts(self) -> list[str]:
        for number, piece in enumerate(self.pieces):
            for cue in piece.cues:
                self._apply(number, piece, cue)
        found = [self._verdict(number) for number in range(len(self.phrases))]
        self._alternatives(found)
        return found

    def _apply(self, number: int, piece: Piece, cue: Cue) -> None:
        role = cue.role
        if role in ("absent_either", "uncertain_either"):
            role = self._direction(piece, cue)
        if role in _BEFORE:
            if role != "nothing_before" or not self._names_a_film(cue):
                self._forward(number, cue, _BEFORE[role])
        elif role in _AFTER and not self._is_about_something_else(piece, cue, role):
            self._backward(number, piece, cue, role)

    def _direction(self, piece: Piece, cue: Cue) -> str:
        kind = cue.role.partition("_")[0]
        before = any(self.phrases[each].start < cue.start for each in piece.observations)
        after = any(self.phrases[each].start >= cue.end for each in piece.observations)
        if kind == "absent":
            # "negative pneumothorax" and "resolved edema", but "the effusion on the left resolved".
            return "absent_after" if before or not after else "absent_before"
        return "uncertain_before" if after else "uncertain_after"

    def _names_a_film(self, cue: Cue) -> bool:
        """Whether "prior" stands for the earlier film: "compared to prior", "the previous effusion"."""
        if self.words[cue.start] not in _EARLIER or cue.end - cue.start > 1:
            return False
        return cue.start > 0 and self.words[cue.start - 1] in _FILM_REFERENCE

    def _is_about_something_else(self, piece: Piece, cue: Cue, role: str) -> bool:
        """Whether a cue speaks of an earlier film, or of the tip of a tube, whose being not seen says it is there."""
        if role == "present_after":
            return False
        if not _PARTS_OF_DEVICES.isdisjoint(self.words[piece.start : cue.start]):
            return True
        return _AFTER[role] == ABSENT and self._is_about_an_earlier_film(cue)

    def _is_about_an_earlier_film(self, cue: Cue) -> bool:
        """Whether a denial speaks of an earlier film: "not seen on the prior study", "previously not seen"."""
        if "longer" in self.words[cue.start : cue.end] or self.words[cue.end - 1] in ("resolved", "removed", "cleared"):
            return False
        for prior in self.finder.prior(self.words):
            if prior.end == cue.start:
                return True
            if cue.end <= prior.start <= cue.end + _FAR and not self._hard_between(cue.end, prior.start):
                return True
        return False

    def _hard_between(self, start: int, end: int) -> bool:
        return any(piece.join == Join.HARD and start < piece.start <= end for piece in self.pieces)

    # Scopes to the right.

    def _forward(self, number: int, cue: Cue, verdict: str) -> None:
        piece = self.pieces[number]
        end, covered, closed = self._cover(piece, cue.end, cue, verdict, covered=False)
        narrow = self.words[cue.start] == "not" or self.words[cue.start] in _EARLIER or cue.end - cue.start == 0
        previous = number
        last = number
        while not closed and last + 1 < len(self.pieces):
            following = self.pieces[last + 1]
            if following.join in (Join.HARD, Join.START):
                break
            if self._is_trivial(following):
                last += 1
                end = following.end
                continue
            if narrow and following.join not in (Join.OR, Join.SLASH, Join.AND):
                break
            if not self._continues(last + 1, verdict, covered=covered, first=previous):
                break
            end, now, closed = self._cover(following, following.start, cue, verdict, covered=False)
            covered = covered or now
            last += 1
        self.ranges.append((verdict, cue.end, end))

    def _cover(self, piece: Piece, start: int, cue: Cue, verdict: str, *, covered: bool) -> tuple[int, bool, bool]:
        """Mark what a scope covers in a piece; its end, whether it covers anything, whether a verb ended it."""
        verbs = [each for each in piece.cues if each.start >= start and each.role == "verbs"]
        reached = piece.end
        for each in piece.observations:
            place = self.phrases[each].start
            if place < start:
                continue
            ended = next((verb for verb in verbs if verb.start < place), None)
            if ended is not None and covered:
                reached = ended.start
                break
            self.marks[each].before.append((cue.start, verdict))
            covered = True
        closed = covered and any(True for verb in verbs if self._follows_an_observation(piece, verb, start))
        return reached, covered, closed

    def _follows_an_observation(self, piece: Piece, verb: Cue, start: int) -> bool:
        return any(start <= self.phrases[each].start < verb.start for each in piece.observations)

    def _is_trivial(self, piece: Piece) -> bool:
        """A piece that neither states nor denies: "left" of "left or right", "in size" of "small in size"."""
        return not piece.observations and not any(cue.role != "verbs" for cue in piece.cues)

    def _continues(self, number: int, verdict: str, *, covered: bool, first: int) -> bool:
        """Whether a list goes on in this piece."""
        piece = self.pieces[number]
        opening = min((self.phrases[each].start for each in piece.observations), default=piece.end)
        if any(cue.role not in ("verbs", "neutral") and cue.start <= opening for cue in piece.cues):
            return False
        join = piece.join
        if join == Join.OR:
            return not self._is_statement(piece)
        if any(cue.role.endswith("_after") and cue.start > opening for cue in piece.cues):
            return False
        if join in (Join.SLASH, Join.VERSUS):
            return True
        if self.words[piece.start] in _DETERMINERS or self._is_statement(piece) or not covered:
            return False
        if join == Join.AND:
            return not self._affirms(piece, alone=False)
        closing = self._closing(number)
        if closing == Join.OR:
            return not self._maintains(piece)
        if closing == Join.AND:
            return not self._affirms(piece, alone=False)
        if verdict == UNCERTAIN or self._has_predicate(piece):
            return False
        generic = all(
            self.phrases[each].entry.concept in self.lexicon_cues.generic for each in self.pieces[first].observations
        )
        return not generic and not self._affirms(piece, alone=True) and not self._is_news(number, first)

    def _is_news(self, number: int, first: int) -> bool:
        """ "No effusion, cardiomegaly." names two organs and has no third member that would make it a list."""
        names = {self.phrases[each].entry.concept for each in self.pieces[number].observations}
        last = number + 1 == len(self.pieces) or self.pieces[number + 1].join == Join.HARD
        return number == first + 1 and last and names == {"cardiomegaly"}

    def _closing(self, number: int) -> Join | None:
        """What joins the last member of the list that this piece belongs to."""
        for piece in self.pieces[number + 1 :]:
            if piece.join in (Join.HARD, Join.START):
                return None
            if piece.join in (Join.OR, Join.AND) and not self._is_trivial(piece):
                opening = min((self.phrases[each].start for each in piece.observations), default=piece.end)
                cued = any(cue.role not in ("verbs", "neutral") and cue.start <= opening for cue in piece.cues)
                if cued or self._is_statement(piece) or self.words[piece.start] in _DETERMINERS:
                    return None
                return piece.join
            if self._is_statement(piece):
                return None
        return None

    def _is_statement(self, piece: Piece) -> bool:
        """Whether a piece has a subject and says something of it: "heart enlarged", "the lungs are clear"."""
        subject = False
        for number in piece.phrases:
            phrase = self.phrases[number]
            kind = phrase.entry.kind
            if kind == "anatomy" and self.words[phrase.end - 1] not in self.adjectives:
                subject = True
                continue
            if kind in ("modifier", "measurement"):
                continue
            predicate = kind == "state" or self.words[phrase.end - 1].endswith(("ed", "ous", "ic"))
            # "heart enlarged" is a name of its own in the lexicon.
            named = phrase.end - phrase.start > 1 and (self.words[phrase.start],) in self.subjects
            if predicate and (subject or named):
                return True
            break
        return any(cue.role == "verbs" and self.words[cue.start] in _MAINTAINED for cue in piece.cues)

    def _has_predicate(self, piece: Piece) -> bool:
        return any(cue.role == "verbs" and self._follows_an_observation(piece, cue, piece.start) for cue in piece.cues)

    def _maintains(self, piece: Piece) -> bool:
        if any(word in _MAINTAINED for word in self.words[piece.start : piece.end]):
            return True
        return any(self.phrases[each].entry.concept == "stable" for each in piece.phrases)

    def _affirms(self, piece: Piece, *, alone: bool) -> bool:
        """Whether a member of a list is described as only something that is there is described."""
        if self._maintains(piece) or self.words[piece.start] in ("present", "positive"):
            return True
        seen = False
        for number in piece.phrases:
            phrase = self.phrases[number]
            kind, concept = phrase.entry.kind, phrase.entry.concept
            if kind == "measurement" or (kind == "modifier" and self._tells(phrase)):
                return True
            if kind == "device" or (alone and concept in self.lexicon_cues.standing):
                return True
            if alone and kind == "anatomy" and seen:
                return True
            seen = seen or kind in OBSERVATIONS
        return False

    def _tells(self, phrase: Phrase) -> bool:
        return phrase.entry.concept not in self.lexicon_cues.denied_modifiers

    # Scopes to the left.

    def _backward(self, number: int, piece: Piece, cue: Cue, role: str) -> None:
        verdict = _AFTER[role]
        mine = [each for each in piece.observations if self.phrases[each].start < cue.start]
        if role == "normal_after":
            if cue.end - cue.start == 1 and cue.end != piece.end:
                return  # "within normal lung" describes the lung
            mine = [each for each in mine if self.phrases[each].entry.kind != "device"][-1:]
            for each in mine:
                if self.phrases[each].end + 2 >= cue.start or not self._cued_between(self.phrases[each].end, cue):
                    self.marks[each].after.append(verdict)
            return
        if role == "present_after":
            # "status post chest tube placement": of all that was before, only what was placed is there.
            mine = [each for each in mine if self.phrases[each].entry.kind == "device"][-1:]
            self._mark_after(mine, verdict)
        elif mine:
            self._mark_after(mine, verdict)
            self._left_of(number, verdict)
        elif self._points_back(piece, cue):
            for before in range(number - 1, -1, -1):
                found = self.pieces[before].observations
                if found:
                    self._mark_after(found[-1:] if self.pieces[before + 1].join == Join.HARD else found, verdict)
                    self._left_of(before, verdict)
                    break

    def _cued_between(self, start: int, cue: Cue) -> bool:
        return any(start <= other.start < cue.start for other in self.cues)

    def _mark_after(self, observations: Sequence[int], verdict: str) -> None:
        for each in observations:
            self.marks[each].after.append(verdict)
            phrase = self.phrases[each]
            self.ranges.append((verdict, phrase.start, phrase.end))

    def _left_of(self, number: int, verdict: str) -> None:
        """Mark the other members of the list that ends in this piece."""
        coordinated = False
        for at in range(number, 0, -1):
            join, before = self.pieces[at].join, self.pieces[at - 1]
            coordinated = coordinated or join in (Join.AND, Join.OR, Join.SLASH, Join.VERSUS)
            if join in (Join.HARD, Join.START) or (join in (Join.COMMA, Join.LINE) and not coordinated):
                return
            if self._is_trivial(before) and not before.cues:
                continue
            if before.cues or self._is_statement(before):
                return
            self._mark_after(before.observations, verdict)

    def _points_back(self, piece: Piece, cue: Cue) -> bool:
        """Whether the clause of a cue is about what was said before: "..., but one cannot be excluded"."""
        known = {place for each in piece.phrases for place in self._words_of(each) if self._is_modifier(each)}
        known.update(place for verb in piece.cues if verb.role == "verbs" for place in range(verb.start, verb.end))
        # A clause that is about what was said before has no other words in front of its cue.
        pronouns = self.lexicon_cues.words["pronouns"]
        return all(self.words[place] in pronouns or place in known for place in range(piece.start, cue.start))

    def _words_of(self, number: int) -> Iterator[int]:
        yield from range(self.phrases[number].start, self.phrases[number].end)

    def _is_modifier(self, number: int) -> bool:
        return self.phrases[number].entry.kind in ("modifier", "measurement")

    # What the marks come to.

    def _verdict(self, number: int) -> str:
        phrase, marks = self.phrases[number], self.marks[number]
        if phrase.entry.kind not in OBSERVATIONS:
            inside = [verdict for verdict, start, end in self.ranges if start <= phrase.start < end]
            return NOTHING if NOTHING in inside else ABSENT if ABSENT in inside else inside[0] if inside else PRESENT
        if PRESENT in marks.after:
            return PRESENT
        nothing = [place for place, verdict in marks.before if verdict == NOTHING]
        if ABSENT in marks.after and all(self.words[place] in _EARLIER for place in nothing):
            nothing = []  # "the previous effusion is not seen"
        if NOTHING in marks.after or nothing:
            return NOTHING
        if UNCERTAIN in marks.after:
            return UNCERTAIN
        if ABSENT in marks.after:
            return ABSENT
        # "no finding to suggest edema" denies, "probably no edema" doubts: the outer cue decides.
        return min(marks.before)[1] if marks.before else PRESENT

    def _alternatives(self, found: list[str]) -> None:
        """One of two: "atelectasis versus pneumonia", "scarring or atelectasis"."""
        for left, right in zip(self.pieces, self.pieces[1:], strict=False):
            if right.join == Join.VERSUS and len(left.observations) + len(right.observations) == 1:
                # "nodule versus nipple shadow"
                (only,) = (*left.observations, *right.observations)
                found[only] = UNCERTAIN if found[only] == PRESENT else found[only]
            if right.join not in (Join.VERSUS, Join.OR) or not left.observations or not right.observations:
                continue
            if any(cue.role == "neutral" and self.words[cue.start] in _DENIALS for cue in left.cues):
                continue  # "no change in cardiomegaly or effusions" has both
            pair = (left.observations[-1], right.observations[0])
            findings = all(self.phrases[each].entry.kind == "finding" for each in pair)
            if findings and all(found[each] in (PRESENT, UNCERTAIN) for each in pair):
                for each in pair:
                    found[each] = UNCERTAIN
