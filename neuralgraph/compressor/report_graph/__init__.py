"""Report text to knowledge graph: concepts with polarity and span, joined by RadGraph relations.

- ``assertion``: what a sentence says of its findings: there, not there, in doubt, or nothing
- ``clauses``: a sentence cut where a reader's attention turns
- ``forms``: "Pneumothorax: none", "Effusion | Yes", "Nodule? No.", "Effusion [N]", as the sentences they stand for
- ``language``: whether a report is in English, by its small words: no model, no library, a few microseconds
- ``lexicon``: phrases, cues and connecting words of the rule-based extractor, from the JSON files beside this one
- ``lines``: report text to sentences: which lines belong together, where items begin, what a ticked box says
- ``mentions``: sentence to mentions: which phrases of the lexicon it holds, and what it says of each
- ``merge``: sentences to the graph of a report: what is said twice is one concept
- ``none``: the extractor that extracts nothing: for users who want the visual graph only
- ``radgraph``: graphs of the RadGraph package, or of annotations that a data set ships
- ``relations``: in-sentence rules: which mention modifies, lies in, or suggests which
- ``result``: what every extractor returns, and what an extractor is
- ``rules``: the rule-based extractor: lexicon, cues with scopes and in-sentence rules
- ``sections``: which parts of a report are read, and what each of them is
- ``unread``: why a report gave no concept, in words for whoever waits for its graph
- ``words``: report text to tokens: words in one spelling, signs, numbers, marks of forms, each with its place
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from neuralgraph.compressor.report_graph.result import Extractor, ReportGraph
from neuralgraph.errors import ModelError

__all__ = ["EXTRACTORS", "Extractor", "ReportGraph", "extractor"]


def _rules(**options: Any) -> Extractor:
    from neuralgraph.compressor.report_graph.rules import RulesExtractor

    return RulesExtractor(**options)


def _none(**options: Any) -> Extractor:
    from neuralgraph.compressor.report_graph.none import NoneExtractor

    return NoneExtractor(**options)


def _radgraph(**options: Any) -> Extractor:
    from neuralgraph.compressor.report_graph.radgraph import RadGraphExtractor

    return RadGraphExtractor(**options)


def _radgraph_json(**options: Any) -> Extractor:
    from neuralgraph.compressor.report_graph.radgraph import RadGraphJsonExtractor

    if "annotations" not in options:
        raise ModelError(
            "the extractor radgraph-json needs its annotations (--annotations FILE)", code="E_MODEL", where="extractor"
        )
    return RadGraphJsonExtractor(**options)


# The closed table of extractors: nothing a file or a user names is ever imported from outside it.
_TABLE: dict[str, Callable[..., Extractor]] = {
    "none": _none,
    "radgraph": _radgraph,
    "radgraph-json": _radgraph_json,
    "rules": _rules,
}

EXTRACTORS: tuple[str, ...] = tuple(_TABLE)
"""Names that ``extractor`` knows."""


def extractor(name: str = "rules", **options: Any) -> Extractor:
    """The extractor of that name.

    Parameters
    ----------
    name : one of ``EXTRACTORS``.
    options : keyword arguments of the extractor, e.g. ``sections="findings+impression"`` for ``rules``,
        ``annotations=FILE`` for ``radgraph-json``.

    Raises
    ------
    ModelError (E_MODEL) : there is no extractor of that name.
    MissingExtraError (E_EXTRA) : its library is not installed; spaCy is looked for at the first call, not here.
    """
    build = _TABLE.get(name)
    if build is None:
        raise ModelError(
            f"there is no report extractor called {name!r}; choose one of: {', '.join(EXTRACTORS)}",
            code="E_MODEL",
            where="extractor",
        )
    return build(**options)
