"""Report text to sentences: which lines belong together, where items begin, what a ticked box says.

Reports are wrapped at a width, so that a sentence runs over line ends, and are also written one finding to a line
without a full stop. A line goes on in the next one where its last word asks for more ("no", "the", "right pleural", a
comma) or the next one's first word cannot begin anything ("or", "of", "is"); a line as long as the text is wide may go
on. Where that stays open, ``LINE`` marks the line end and the rules of scope decide.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from neuralgraph.compressor.report_graph.forms import Forms
from neuralgraph.compressor.report_graph.lexicon import Lexicon
from neuralgraph.compressor.report_graph.words import LINE, Kind, Sentence, Token, ends_sentence, tokens

__all__ = ["LONGEST_SENTENCE", "Lines"]

LONGEST_SENTENCE = 200
"""Words after which a text without full stops is cut, so that no input makes the rules slow."""

_NARROWEST = 60
"""Characters of the widest line from which on a text may be wrapped."""

_BEGINNING = frozenset({"no", "there", "the", "a", "an"})
# Boxes, and what parts the cells of a table.
_FORM = re.compile(
    r"[\[(|\t\N{BALLOT BOX}\N{BALLOT BOX WITH CHECK}\N{BALLOT BOX WITH X}\N{BLACK SQUARE}\N{WHITE SQUARE}"
    r"\N{WHITE CIRCLE}\N{CHECK MARK}\N{HEAVY CHECK MARK}]"
)
_BREAK = re.compile(r"[\n\t]|   ")
_MARKS = frozenset({Kind.ITEM, Kind.EMPTY, Kind.TICKED})
_LONGEST_ANSWER = 6
_YES, _NO = frozenset({"yes", "present", "positive", "abnormal"}), frozenset({"no", "absent", "negative", "normal"})


class Lines:
    """Cuts a text into sentences.

    Parameters
    ----------
    lexicon : tells names of findings from the words that stand before them.
    """

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._forms = Forms(lexicon)
        # A line that ends with one of these is not at its end; one that begins with one of those began before.
        self._open, self._going_on = lexicon.cues.words["open"], lexicon.cues.words["going_on"]

    def sentences(self, text: str, start: int = 0, end: int | None = None) -> Iterator[Sentence]:
        """The sentences of ``text[start:end]``.

        Parameters
        ----------
        text : the whole report.
        start, end : the part to read, in code points.

        Yields
        ------
        Sentence : never empty; places count from the start of ``text``.
        """
        for statement in self._statements(text, start, len(text) if end is None else end):
            kept = [token for token in statement if token.kind not in _MARKS]
            if kept:
                yield Sentence(tuple([token.word for token in kept]), tuple([token[1:3] for token in kept]))

    def _statements(self, text: str, start: int, end: int) -> Iterator[list[Token]]:
        end = start + len(text[start:end].rstrip())
        lines = _lines(text, start, end, self._lexicon.vocabulary)
        if len(lines) == 1 and _FORM.search(text, start, end) is None:
            yield from self._cut(lines[0])
            return
        style = _Style.of([line for line in lines if line], text)
        block: list[Token] = []
        last: list[Token] = []
        columns: dict[int, str] = {}
        asked: list[Token] = []
        for line in lines:
            boxed = any(token.kind is Kind.EMPTY or token.kind is Kind.TICKED for token in line)
            heading = _columns(line)
            if boxed or heading or (columns and line):
                yield from self._cut(block)
                block, last = [], []
                if heading:
                    columns = heading
                    continue
                marked = self._row(line, columns) if columns else None
                if marked is not None:
                    yield from marked
                    continue
                columns = {}
                if boxed:
                    yield from self._boxes(line, asked)
                    continue
            if not line:
                columns = {}
            joined = bool(last) and bool(line) and self._goes_on(last, line, style)
            if not joined:
                yield from self._cut(block)
                block = []
            elif not self._certain(last, line):
                block.append(Token(LINE, line[0].start, line[0].start, Kind.SIGN))
            block += line
            last = line
            if line:
                asked = line[:-1] if line[-1].word == ":" else []
        yield from self._cut(block)

    def _certain(self, last: Sequence[Token], line: Sequence[Token]) -> bool:
        return (
            last[-1].kind == Kind.STOP
            or last[-1].word == ":"
            or last[-1].word in self._open
            or line[0].word in self._going_on
            or (last[-1].word in self._lexicon.adjectives and not self._is_behind(last))
        )

    def _goes_on(self, last: Sequence[Token], line: Sequence[Token], style: _Style) -> bool:
        first, closing = line[0], last[-1]
        if first.kind in (Kind.ITEM, Kind.EMPTY, Kind.TICKED):
            return False
        if closing.kind == Kind.STOP and closing.word != "?":
            return True  # the sentence ends by itself
        if any(token.kind is Kind.GAP and token.word == "|" for token in (*last, *line)):
            return False
        if closing.word == ":":
            return self._forms.question(last[:-1]) is None or not any(token.word == ":" for token in line)
        if closing.word in {"no", "none", "yes"}:
            return len(last) == 1 or self._forms.question(_without_sign(last[:-1])) is None
        if self._forms.question(last[:-1]) == 0 and self._forms.answer(last[-1:]) is not None:
            return False
        if closing.word in self._open:
            return True
        capital = style.begins_with_capital(first)
        if first.word in self._going_on and not (capital and style.mixed):
            return True
        if capital and style.mixed:
            # A capital begins a new line of a list, but a wrapped line may begin with a name or an abbreviation.
            return False
        if first.word in _BEGINNING:
            return style.is_full(last, first)
        if closing.word in self._lexicon.adjectives and not self._is_behind(last):
            return True
        return style.is_full(last, first) or (style.mixed and style.capital_lines and not capital)

    def _is_behind(self, last: Sequence[Token]) -> bool:
        """Whether the adjective that ends a line follows what it describes: "effusion left", "on the left"."""
        at = len(last) - 1
        while at >= 0 and last[at].word in self._lexicon.adjectives:
            at -= 1
        if at < 0:
            return False
        if last[at].word in {"the", "is", "are", "remains"}:
            return True
        return last[at].word in self._lexicon.nouns

    def _cut(self, block: Sequence[Token]) -> Iterator[list[Token]]:
        """Sentences and items of joined lines; a form's answer stays with its question."""
        sentence: list[Token] = []
        for number, token in enumerate(block):
            if token.kind is Kind.ITEM or (token.kind is Kind.STOP and ends_sentence(_last(sentence), token)):
                if token.word == "?" and sentence:
                    if self._answered(sentence, block[number + 1 :]):
                        sentence.append(token)
                        continue
                    # What is asked and not answered is in doubt.
                    sentence.insert(0, Token("possible", sentence[0].start, sentence[0].start))
                yield from self._read(sentence)
                sentence = []
            elif token.kind != Kind.STOP:
                sentence.append(token)
                if len(sentence) >= LONGEST_SENTENCE:
                    yield from self._read(sentence)
                    sentence = []
        yield from self._read(sentence)

    def _answered(self, sentence: Sequence[Token], rest: Sequence[Token]) -> bool:
        """Whether what follows a question mark answers it: "Pneumothorax? No."."""
        stop = next((number for number, token in enumerate(rest) if token.kind in (Kind.STOP, Kind.ITEM)), len(rest))
        answer = rest[:stop]
        if not answer or self._forms.question(sentence) is None:
            return False
        found = self._forms.answer(answer)
        return not self._forms.has_finding(answer[found[1] if found else 0 :]) and (
            found is not None or (stop <= _LONGEST_ANSWER and self._forms.describes(answer))
        )

    def _read(self, sentence: Sequence[Token]) -> Iterator[list[Token]]:
        if sentence:
            for statement in self._forms.read(sentence):
                if statement:
                    yield statement

    def _boxes(self, line: Sequence[Token], asked: Sequence[Token]) -> Iterator[list[Token]]:
        marks = [number for number, token in enumerate(line) if (token.kind is Kind.EMPTY or token.kind is Kind.TICKED)]
        before = _trimmed(line[: marks[0]])
        bounds = [*marks, len(line)]
        options = [
            (line[mark].kind == Kind.TICKED, _trimmed(line[mark + 1 : bounds[number + 1]]))
            for number, mark in enumerate(marks)
        ]
        if before and not options[-1][1]:
            # The box stands behind its words.
            begins = [0, *(mark + 1 for mark in marks)]
            pairs = zip(begins, marks, strict=False)
            options = [(line[mark].kind == Kind.TICKED, _trimmed(line[begin:mark])) for begin, mark in pairs]
            before = []
        question = _without_sign(before) or (
            list(asked) if not any(self._forms.has_finding(words) for _, words in options) else []
        )
        if question and self._forms.question(question) is not None:
            ticked = [words for is_ticked, words in options if is_ticked and words]
            if any(is_ticked for is_ticked, _ in options):
                answer = [token for words in ticked for token in (*words, _comma(words))][:-1]
                link = Token(":", question[-1].end, question[-1].end, Kind.SIGN)
                yield from self._read([*question, link, *(answer or [Token("yes", link.end, link.end)])])
            return
        if before:
            yield from self._read(before)
        for is_ticked, words in options:
            if is_ticked:
                yield from self._cut(words)
            elif self._forms.has_finding(words) and not any(token.word in {"no", "not", "without"} for token in words):
                yield [Token("no", words[0].start, words[0].start), *words]

    def _row(self, line: Sequence[Token], columns: dict[int, str]) -> list[list[Token]] | None:
        """A row of a table whose head says yes and no; None when it is none."""
        cells = _cells(line)
        question = next((cell for cell in cells if self._forms.question(cell) is not None), None)
        marks = [
            number
            for number, cell in enumerate(cells)
            if len(cell) == 1 and (cell[0].kind == Kind.TICKED or cell[0].word in {"x", "+"})
        ]
        if question is None or len(marks) != 1 or marks[0] not in columns:
            return None
        at = question[0].start
        return [[Token("no", at, at), *question] if columns[marks[0]] == "no" else list(question)]


class _Style:
    """How a text is set: its width, and whether its lines begin with capitals."""

    def __init__(self, *, width: int, mixed: bool, capital_lines: bool, text: str) -> None:
        self.width = width
        self.mixed = mixed
        self.capital_lines = capital_lines
        self._text = text

    @classmethod
    def of(cls, lines: Sequence[Sequence[Token]], text: str) -> _Style:
        spans = [(line[0].start, line[-1].end) for line in lines]
        width = max((end - start for start, end in spans), default=0)
        letters = [text[start : min(end, start + 200)] for start, end in spans]
        mixed = any(not piece.isupper() and not piece.islower() for piece in letters if piece)
        return cls(
            width=width,
            mixed=mixed,
            capital_lines=bool(spans) and all(text[start : start + 1].isupper() for start, _ in spans[:1]),
            text=text,
        )

    def begins_with_capital(self, token: Token) -> bool:
        return self._text[token.start : token.start + 1].isupper()

    def is_full(self, last: Sequence[Token], first: Token) -> bool:
        """Whether the next word would not have fitted on the line."""
        used = last[-1].end - last[0].start
        return self.width >= _NARROWEST and used + 1 + (first.end - first.start) > self.width


def _lines(text: str, start: int, end: int, vocabulary: frozenset[str]) -> list[list[Token]]:
    found = tokens(text, start, end, vocabulary)
    if _BREAK.search(text, start, end) is None:
        return [found]
    line: list[Token] = []
    lines = [line]
    for token in found:
        kind = token.kind
        if kind is Kind.NEWLINE:
            line = []
            lines.append(line)
        elif kind is Kind.GAP and text[token.start] in " \t":
            # An indentation is no column.
            if line:
                line.append(token._replace(word=" "))
        else:
            line.append(token)
    for line in lines:
        while line and line[-1].kind is Kind.GAP and line[-1].word == " ":
            line.pop()
    return lines


def _last(tokens: Sequence[Token]) -> Token | None:
    return tokens[-1] if tokens else None


def _comma(words: Sequence[Token]) -> Token:
    end = words[-1].end
    return Token(",", end, end, Kind.SIGN)


def _trimmed(tokens: Sequence[Token]) -> list[Token]:
    kept = list(tokens)
    while kept and (kept[-1].kind == Kind.GAP or kept[-1].word in {",", ";", "|"}):
        kept.pop()
    while kept and (kept[0].kind == Kind.GAP or kept[0].word in {",", ";", "|"}):
        kept.pop(0)
    return kept


def _without_sign(tokens: Sequence[Token]) -> list[Token]:
    kept = _trimmed(tokens)
    while kept and kept[-1].word in {":", "?", "=", "-", ","}:
        kept.pop()
    return kept


def _cells(line: Sequence[Token]) -> list[list[Token]]:
    cells: list[list[Token]] = [[]]
    for token in line:
        if token.kind is Kind.GAP:
            cells.append([])
        else:
            cells[-1].append(token)
    return cells


def _columns(line: Sequence[Token]) -> dict[int, str]:
    """Which cell of a table's head says yes and which no; empty when the line is no such head."""
    if not any(token.kind is Kind.GAP for token in line):
        return {}
    cells = [" ".join(token.word for token in cell) for cell in _cells(line)]
    found = {number: "yes" if cell in _YES else "no" for number, cell in enumerate(cells) if cell in _YES | _NO}
    return found if set(found.values()) == {"yes", "no"} else {}
