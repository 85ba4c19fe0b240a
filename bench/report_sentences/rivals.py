"""What libraries that are kept well make of the same sentences: the same phrases, their rules of denial and doubt.

The phrases and the sentences' boundaries are ours for all (medspaCy and negspacy bring neither for chest films), so
that what differs is what they are here for: which finding is denied, doubted, or history. Sides are not compared: the
libraries have none.
"""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bench.report_sentences.sentences import HALVES, Case, judge, read_cases, summary
from neuralgraph.compressor.report_graph.lexicon import Lexicon, load_lexicon
from neuralgraph.compressor.report_graph.lines import Lines
from neuralgraph.compressor.report_graph.mentions import build_tagger
from neuralgraph.compressor.report_graph.sections import read_parts

__all__ = ["rivals"]

_CUES = Path(__file__).with_name("negspacy_cues.json")
Labels = Callable[[Sequence[str], Sequence[tuple[int, int]]], list[str]]
"""Words and spans of findings to a sign for each: "+", "-", "?" or "" for history and the like."""


def rivals(cases: Iterable[Case]) -> dict[str, Any]:
    """Scores by library; one that is not installed is left out."""
    cases = list(cases)
    found: dict[str, Any] = {}
    if find_spec("negspacy") is not None:
        found["negspacy, its own cues"] = _scored(cases, _negspacy(None), "negspacy")
        tuned = json.loads(_CUES.read_text(encoding="utf-8"))
        found["negspacy twice, cues tuned on Open-i"] = _scored(cases, _negspacy(tuned), "negspacy")
    if find_spec("medspacy") is not None:
        found["medspaCy ConText, its own rules"] = _scored(cases, _medspacy(), "medspacy")
    return found


def _scored(cases: Sequence[Case], label: Labels, package: str) -> dict[str, Any]:
    lexicon = load_lexicon()
    lines, tag = Lines(lexicon), build_tagger(lexicon)
    rows = []
    taken, number = 0.0, 0
    for case in cases:
        said: dict[tuple[str, str], None] = {}
        for part in read_parts(case.text):
            for sentence in lines.sentences(case.text, part.start, part.end):
                mentions = [each for each in tag(sentence.words) if _is_finding(lexicon, each.entry.concept)]
                spans = [(each.start, each.end) for each in mentions]
                started = time.process_time()
                signs = label(sentence.words, spans)
                taken, number = taken + time.process_time() - started, number + 1
                said.update(
                    {(each.entry.concept, sign): None for each, sign in zip(mentions, signs, strict=True) if sign}
                )
        rows.append(judge(case, [(name, sign, "*") for name, sign in said]))
    result = summary(rows)
    for name in ("f1_with_side", "relations"):
        result.pop(name)
    result["sentences_per_cpu_second"] = round(number / taken)
    try:
        result["version"] = version(package)
    except PackageNotFoundError:
        result["version"] = ""
    return result


def _is_finding(lexicon: Lexicon, concept: str) -> bool:
    return lexicon.categories.get(concept, "normal") not in ("normal", "abnormal", "abnormality")


def _negspacy(cues: dict[str, Any] | None) -> Labels:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import spacy
        from negspacy.negation import Negex  # noqa: F401  registers the pipe
        from spacy.tokens import Doc, Span

        nlp = spacy.blank("en")
        pipes = []
        for name in ("absent", "uncertain") if cues else ("absent",):
            config: dict[str, Any] = {"extension_name": f"rival_{name}_{'tuned' if cues else 'own'}"}
            if cues:
                config["neg_termset"] = cues[name]
            pipes.append((nlp.add_pipe("negex", name=name, config=config), config["extension_name"], name))

    def label(words: Sequence[str], spans: Sequence[tuple[int, int]]) -> list[str]:
        doc = Doc(nlp.vocab, words=list(words), sent_starts=[True] + [False] * (len(words) - 1))
        doc.set_ents([Span(doc, start, end, label="X") for start, end in spans])
        signs = ["+"] * len(spans)
        for pipe, extension, name in pipes:
            pipe(doc)
            for number, entity in enumerate(doc.ents):
                if signs[number] == "+" and entity._.get(extension):
                    signs[number] = "-" if name == "absent" else "?"
        return signs

    return label


def _medspacy() -> Labels:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import spacy
        from medspacy.context import ConText
        from spacy.tokens import Doc, Span

        nlp = spacy.blank("en")
        context = ConText(nlp)

    def label(words: Sequence[str], spans: Sequence[tuple[int, int]]) -> list[str]:
        doc = Doc(nlp.vocab, words=list(words), sent_starts=[True] + [False] * (len(words) - 1))
        doc.set_ents([Span(doc, start, end, label="X") for start, end in spans])
        context(doc)
        signs = []
        for entity in doc.ents:
            aside = entity._.is_historical or entity._.is_hypothetical or entity._.is_family
            signs.append("" if aside else "-" if entity._.is_negated else "?" if entity._.is_uncertain else "+")
        return signs

    return label


if __name__ == "__main__":
    scores = {half: rivals([case for case in read_cases() if case.half == half]) for half in HALVES}
    print(json.dumps(scores))
