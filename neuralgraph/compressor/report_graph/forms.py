"""Forms: "Pneumothorax: none", "Effusion | Yes", "Nodule? No.", "Effusion [N]", as the sentences they stand for.

An answer is turned into plain words in front of its question ("no pneumothorax", "possible effusion"), which have an
empty place; the rules of prose then read both. A question without an answer says nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from neuralgraph.compressor.report_graph.lexicon import Entry, Lexicon
from neuralgraph.compressor.report_graph.words import Kind, Token

__all__ = ["Forms"]

_COLONS = frozenset({":", "="})
_DASHES = frozenset({"-", "\N{EN DASH}", "\N{EM DASH}"})
_PARTS = frozenset({",", ";", "(", ")", "|"})
_BARE_ANSWERS = frozenset({"yes", "no", "none", "absent", "present", "negative", "positive", "nil", "y", "n"})
_BRACKETS = {"[": "]", "(": ")"}
_BRACKETED = {
    **dict.fromkeys(("-", "\N{MINUS SIGN}", "\N{EN DASH}", "n", "no", "none", "absent", "negative", "neg"), "no"),
    **dict.fromkeys(("+", "y", "yes", "present", "positive", "pos"), "yes"),
}
_SIDES = frozenset({"left", "right"})
# "..., but present on the left", "..., and the left persists".
_TURNS, _AT = frozenset({"but", "and", "while", ","}), frozenset({"on", "in", "at"})
_TURNED = frozenset({"present", "absent", "not", "none"})
_COURSES = frozenset({"persists", "remains", "unchanged", "resolved", "increased", "decreased", "improved", "worsened"})
_MARKS = _COLONS | _DASHES | frozenset({"?", "|", " "})
_LONGEST_PHRASE = 7
_LONGEST_QUESTION = 10


class Forms:
    """Reads answers of forms.

    Parameters
    ----------
    lexicon : for findings, their descriptions, and answers.
    """

    def __init__(self, lexicon: Lexicon) -> None:
        self._phrases = lexicon.phrases
        self._cues = lexicon.cues
        self._nouns = lexicon.nouns
        self._asking, self._describing = lexicon.cues.words["asking"], lexicon.cues.words["describing"]

    def read(self, line: Sequence[Token]) -> list[list[Token]]:
        """The statements of a sentence, item or row: one, itself, when it is no form."""
        if any(token.word in _BRACKETS for token in line):
            return [statement for part in self._unbracketed(line) for statement in self._read(part)]
        sides = self._other_side(line)
        return self._read(line) if sides is None else sides

    def _read(self, line: Sequence[Token]) -> list[list[Token]]:
        tokens = _stripped(line)
        words = [token.word for token in tokens]
        # Most sentences are prose, and show it at a glance.
        answered = bool(words) and words[-1] in _BARE_ANSWERS
        if not answered and (_MARKS.isdisjoint(words) or self._nouns.isdisjoint(words)):
            return [[token for token in tokens if token.word != " "]]
        starts = self._questions(tokens)
        if len(starts) > 1:
            bounds = [*starts, len(tokens)]
            # What stands before the first question is a heading, or prose of its own.
            found = [list(tokens[: starts[0]])] if starts[0] else []
            for number in range(len(starts)):
                found += self._one(_stripped(tokens[bounds[number] : bounds[number + 1]]))
            return [each for each in found if each]
        return self._one(tokens)

    def _other_side(self, line: Sequence[Token]) -> list[list[Token]] | None:
        """Two statements of "effusion is absent on the right but present on the left"; None when it is no such."""
        words = [token.word for token in line]
        if not _SIDES.issubset(words):
            return None
        for at, word in enumerate(words[:-3]):
            course = words[at + 1] == "the" and words[at + 2] in _SIDES and words[at + 3] in _COURSES
            answered = words[at + 1] in _TURNED and words[at + 2] in _AT
            if word not in _TURNS or not (course or answered):
                continue
            first, rest = line[:at], line[at + 1 :]
            end = next((end for end in range(at, 0, -1) if words[end - 1] in self._nouns), 0)
            start = self.question(first[:end])
            if start is None or not (_has_side(first) and _has_side(rest)) or self.has_finding(rest):
                return None
            if course:
                return [list(first), [rest[1], *_repeated(first[start:end], rest[2:])]]
            if rest[0].word in _BRACKETED and _BRACKETED[rest[0].word] == "yes":
                return [list(first), _repeated(first[start:end], rest)]
            denial = Token("no", rest[0].start, rest[0].start)
            return [list(first), [denial, *_repeated(first[start:end], rest[1:])]]
        return None

    def _unbracketed(self, line: Sequence[Token]) -> list[list[Token]]:
        """ "Effusion [N], nodule (+)" as "effusion: no" and "nodule: yes"; "(Y/N)" is left out."""
        parts: list[list[Token]] = [[]]
        at = 0
        while at < len(line):
            closing = _BRACKETS.get(line[at].word)
            inside = [token.word for token in line[at + 1 : at + 5]]
            size = inside.index(closing) if closing in inside else 0
            asks = size in (1, 3) and self.question(_stripped(parts[-1])) is not None
            if asks and size == 1 and inside[0] in _BRACKETED:
                answer = line[at + 1]
                colon = Token(":", answer.start, answer.start, Kind.SIGN)
                parts[-1] += [colon, answer._replace(word=_BRACKETED[inside[0]], kind=Kind.WORD)]
                parts.append([])
                at += 3
            elif asks and size == 3 and inside[1] == "/" and {inside[0][0], inside[2][0]} == {"y", "n"}:
                at += 5
            else:
                parts[-1].append(line[at])
                at += 1
        return parts

    def question(self, tokens: Sequence[Token]) -> int | None:
        """Where the finding begins that these words end with and ask for; None when they ask for none."""
        words = [token.word for token in tokens]
        while words and (words[-1] in self._asking or words[-1] in {")", "(", "?", "s"}):
            words.pop()
        if not words or words[-1] not in self._nouns or len(words) > _LONGEST_QUESTION:
            return None
        for size in range(min(_LONGEST_PHRASE, len(words)), 0, -1):
            entry = self._phrases.get(tuple(words[-size:]))
            if entry is not None:
                return len(words) - size if self._is_finding(entry) else None
        return None

    def has_finding(self, tokens: Sequence[Token]) -> bool:
        """Whether a finding or device is named."""
        words = [token.word for token in tokens]
        for end, word in enumerate(words, 1):
            if word in self._nouns:
                for size in range(1, min(_LONGEST_PHRASE, end) + 1):
                    entry = self._phrases.get(tuple(words[end - size : end]))
                    if entry is not None and self._is_finding(entry):
                        return True
        return False

    def _is_finding(self, entry: Entry) -> bool:
        # "change" and "finding" are findings of no kind: "effusion: no change" answers for the effusion.
        return entry.kind in {"finding", "device"} and entry.concept not in self._cues.generic

    def answer(self, tokens: Sequence[Token]) -> tuple[str, int] | None:
        """("absent", "present", "uncertain" or "nothing", number of tokens it takes), where these words answer."""
        words, places = [], []
        for number, token in enumerate(tokens[:_LONGEST_QUESTION]):
            if token.word not in self._cues.dropped:
                words.append(token.word)
                places.append(number)
        for size in range(min(len(words), 6), 0, -1):
            key = tuple(words[:size])
            if self._cues.roles.get(key) == "neutral":
                return None
            kind = self._cues.answers.get(key)
            if kind is not None:
                return kind, places[size - 1] + 1
        return None

    def statement(self, question: Sequence[Token], answer: Sequence[Token]) -> list[list[Token]]:
        """What a question and its answer say together."""
        pieces = _pieces(answer)
        if not pieces:
            return []
        found = self.answer(pieces[0])
        if found is not None and self.has_finding(pieces[0][found[1] :]):
            found = None
        if found is None:
            if self.has_finding(answer):
                return [list(answer)]
            return self._described(question, answer, pieces)
        kind, size = found
        rest = [pieces[0][size:], *pieces[1:]]
        if kind == "nothing":
            return []
        said, others = _sided(rest[0]), rest[1:]
        at = question[0].start
        if kind == "present":
            return [[*question, Token("is", question[-1].end, question[-1].end), *self._joined([said, *others])]]
        statements = [[Token("no" if kind == "absent" else "possible", at, at), *question, *said]]
        # "none on the right, small on the left"
        for piece in others:
            again = self.answer(piece)
            if again is None and self.describes(piece) and kind == "absent" and _has_side(piece):
                statements.append(_repeated(question, piece))
            elif again is not None and again[0] == "present":
                statements.append(_repeated(question, piece[again[1] :] or piece))
        return statements

    def _questions(self, tokens: Sequence[Token]) -> list[int]:
        """Where the questions of a line begin, each ended by a colon."""
        starts, begin = [], 0
        for number, token in enumerate(tokens):
            if token.word in _COLONS and token.kind == Kind.SIGN:
                place = self.question(tokens[begin:number])
                if place is not None:
                    starts.append(begin + place)
                begin = number + 1
            elif token.word in _PARTS:
                begin = number + 1
        return starts

    def _one(self, tokens: Sequence[Token]) -> list[list[Token]]:
        for number, token in enumerate(tokens[: _LONGEST_QUESTION + 6]):
            colon = token.word in _COLONS and token.kind == Kind.SIGN
            if not (colon or token.kind == Kind.GAP or token.word == "?" or token.word in _DASHES):
                continue
            question, answer = tokens[:number], _stripped(tokens[number + 1 :])
            asks = self.question(question)
            if asks is None:
                if (token.kind == Kind.GAP or colon) and (turned := self._turned(question, answer)) is not None:
                    return turned
                continue
            if colon:
                return self._headed(question, answer, asks)
            found = self.answer(answer)
            answered = found is not None and not self.has_finding(answer[found[1] :])
            if answered or (token.kind == Kind.GAP and answer and self.describes(answer)):
                return self.statement(question, answer)
        return [self._bare(tokens)]

    def _headed(self, question: Sequence[Token], answer: Sequence[Token], asks: int) -> list[list[Token]]:
        # "Possible pneumothorax: none" is a question; "no pneumothorax: the line is a fold" is prose.
        if any(token.word in {"no", "not", "without"} for token in question[:asks]):
            return [[*question, Token(":", question[-1].end, question[-1].end, Kind.SIGN), *answer]]
        return self.statement(question, answer)

    def _turned(self, first: Sequence[Token], second: Sequence[Token]) -> list[list[Token]] | None:
        """The answer in front: "Absent | Pneumothorax", "Negative for: pneumothorax, effusion"."""
        found = self.answer(first)
        if found is None or found[1] != len(first) or not self.has_finding(second):
            return None
        if found[0] == "nothing":
            return []
        if found[0] == "present":
            return [list(second)]
        word = "no" if found[0] == "absent" else "possible"
        return [[Token(word, piece[0].start, piece[0].start), *piece] for piece in _pieces(second)]

    def _bare(self, tokens: Sequence[Token]) -> list[Token]:
        """ "Pneumothorax no", "Infiltrate,no": a finding, perhaps a sign, and one word."""
        if len(tokens) >= 2 and tokens[-1].word in _BARE_ANSWERS:
            question = tokens[:-1]
            if question[-1].word in _PARTS:
                question = question[:-1]
            if question and self.question(question) == 0:
                found = self.answer(tokens[-1:])
                at = question[0].start
                word = "no" if found is not None and found[0] == "absent" else "evident"
                return [Token(word, at, at), *question]
        return [token for token in tokens if not (token.kind == Kind.GAP and token.word == " ")]

    def _described(
        self, question: Sequence[Token], answer: Sequence[Token], pieces: list[Sequence[Token]]
    ) -> list[list[Token]]:
        if not any(self.describes(piece) for piece in pieces):
            words = tuple(token.word for token in answer[:2])
            neutral = any(self._cues.roles.get(words[:size]) == "neutral" for size in (1, 2))
            return [[*question, Token("is", question[-1].end, question[-1].end), *answer]] if neutral else []
        statements: list[list[Token]] = []
        own: list[Sequence[Token]] = []
        for piece in pieces:
            again = self.answer(piece)
            if again is not None and again[0] == "absent" and _has_side(piece):
                at = piece[0].start
                statements.append([Token("no", at, at), *_repeated(question, piece[again[1] :])])
            else:
                own.append(piece)
        link = Token("is", question[-1].end, question[-1].end)
        return [[*question, link, *self._joined(own)], *statements]

    def _joined(self, pieces: Sequence[Sequence[Token]]) -> list[Token]:
        """The parts of an answer as one description: "small, left, lower lobe" is small, left, in the lower lobe."""
        joined: list[Token] = []
        for piece in pieces:
            last = tuple(token.word for token in piece[-2:])
            entry = self._phrases.get(last) or self._phrases.get(last[-1:])
            if entry is not None and entry.kind == "anatomy":
                joined.append(Token("in", piece[0].start, piece[0].start))
            joined += piece
        return joined

    def describes(self, tokens: Sequence[Token]) -> bool:
        """Whether these words only describe: size, side, place, course; "small, left"."""
        words = [token.word for token in tokens]
        strange, known, at = 0, 0, 0
        while at < len(words):
            for size in range(min(_LONGEST_PHRASE, len(words) - at), 0, -1):
                entry = self._phrases.get(tuple(words[at : at + size]))
                if entry is not None and entry.kind in {"modifier", "anatomy", "state"}:
                    known += 1
                    at += size
                    break
            else:
                number = tokens[at].kind == Kind.NUMBER
                known += number
                strange += not (number or words[at] in self._describing)
                at += 1
        return known > 0 and strange <= 1


def _stripped(tokens: Sequence[Token]) -> Sequence[Token]:
    first, last = 0, len(tokens)
    edge = {",", ";", ".", "!"}
    while first < last and (tokens[first].kind == Kind.GAP or tokens[first].word in edge):
        first += 1
    while last > first and (tokens[last - 1].kind == Kind.GAP or tokens[last - 1].word in edge):
        last -= 1
    return tokens[first:last]


def _pieces(tokens: Sequence[Token]) -> list[Sequence[Token]]:
    pieces: list[Sequence[Token]] = []
    begin = 0
    for number in range(len(tokens) + 1):
        if number == len(tokens) or tokens[number].word in _PARTS or tokens[number].kind == Kind.GAP:
            if number > begin:
                pieces.append(tokens[begin:number])
            begin = number + 1
    return pieces


def _has_side(tokens: Sequence[Token]) -> bool:
    return any(token.word in _SIDES for token in tokens)


def _sided(tokens: Sequence[Token]) -> Sequence[Token]:
    """Of what follows "none", only where: "none on the left"."""
    return tokens if _has_side(tokens) or any(token.word in {"bilaterally", "bilateral"} for token in tokens) else []


def _repeated(question: Sequence[Token], piece: Sequence[Token]) -> list[Token]:
    """The question said again about another side; its words take the place of the answer's first."""
    at = piece[0] if piece else question[-1]
    width = max(1, at.end - at.start)
    place = (at.start, at.start + width)
    words = [Token(token.word, place[0], place[0]) for token in question[:-1]]
    return [*words, Token(question[-1].word, *place), Token("is", place[1], place[1]), *piece]
