"""The report graph against sentences, relations and tags."""

from __future__ import annotations

from typing import Any

from docs.tools.tables import table

TITLE = "The report graph"
RESULTS = "report_graph.json"

_HALVES = (("open", "looked at while the rules were made"), ("apart", "kept apart, first run when they were done"))


def write(results: dict[str, Any]) -> str:
    """Text of the chapter."""
    rows = [
        [
            finding,
            asserted["tagged"],
            asserted["precision"],
            asserted["recall"],
            results["asserted_without_uncertain"][finding]["precision"],
            results["asserted_without_uncertain"][finding]["recall"],
        ]
        for finding, asserted in results["asserted"].items()
    ]
    speed = [
        [choice, each["reports_per_second"]["median"], each["reports_per_cpu_second"]["median"]]
        for choice, each in results["speed"].items()
    ]
    return f"""Command: `python -m bench report_graph`.

## Sentences

Sentences of the project's own, over the kinds in which reports differ from fluent prose, each with the findings it names, what
it says of them, and their sides. They were written before the rules were read, by the author of the rules, and split by a hash of the text.
Intervals are of 95 % (Wilson).

{_overall(results["sentences"])}

{_kinds(results["sentences"])}

## What libraries make of them

{_rivals(results)}

## Relations

{results["relations"]["reports"]} reports of Open-i, annotated by hand: the relations of findings and devices, strictly scored (both ends and
the type must agree). The rules were changed after a first run of 0.814 for all.

{_relations(results["relations"]["relations"])}

## Tags of Open-i

{results["data"]["collection"]}; {results["data"]["reports_with_text"]} reports with text.
Note: {results["data"]["note"]}.

{table(["finding", "tagged reports", "precision", "recall", "precision without uncertain", "recall without uncertain"], rows)}

Speed of one process, the median of {results["speed"]["impression"]["passes"]} passes over {results["speed"]["impression"]["reports"]} reports:

{table(["sections read", "reports per second", "reports per second of CPU"], speed)}
"""


def _overall(halves: dict[str, Any]) -> str:
    rows = []
    for half, words in _HALVES:
        whole = halves[half]["all"]
        rows.append(
            [
                f"{half}: {words}",
                whole["sentences"],
                whole["findings"],
                _share(whole["polarity"]),
                _share(whole["precision"]),
                _share(whole["recall"]),
                whole["f1"],
                whole["f1_with_side"],
                _share(whole["relations"]),
            ]
        )
    columns = [
        "half",
        "sentences",
        "findings",
        "polarity of what is found",
        "precision",
        "recall",
        "F1",
        "F1 with side",
        "relations",
    ]
    return table(columns, rows)


def _kinds(halves: dict[str, Any]) -> str:
    rows = []
    for kind in halves["open"]["kinds"]:
        row: list[Any] = [kind]
        for half, _ in _HALVES:
            each = halves[half]["kinds"].get(kind)
            row += (
                ["", "", "", ""]
                if each is None
                else [
                    f"{each['right']} of {each['sentences']}",
                    _share(each["precision"]),
                    _share(each["recall"]),
                    "" if each["f1"] is None else each["f1"],
                ]
            )
        rows.append(row)
    columns = [f"{half}: {name}" for half, _ in _HALVES for name in ("all right", "precision", "recall", "F1")]
    return table(["kind", *columns], rows)


def _rivals(results: dict[str, Any]) -> str:
    rows = []
    for name in results["rivals"]["apart"]:
        row: list[Any] = [f"{name} ({results['rivals']['apart'][name]['version']})"]
        for half, _ in _HALVES:
            each = results["rivals"][half][name]
            row += [_share(each["polarity"]), each["f1"]]
        rows.append([*row, results["rivals"]["apart"][name]["sentences_per_cpu_second"]])
    own: list[Any] = ["these rules"]
    for half, _ in _HALVES:
        each = results["sentences"][half]["all"]
        own += [_share(each["polarity"]), each["f1"]]
    rows.append([*own, ""])
    columns = [f"{half}: {name}" for half, _ in _HALVES for name in ("polarity", "F1")]
    return f"""{table(["rules of denial and doubt", *columns, "sentences per second"], rows)}

All read the same phrases in the same sentences, cut by the product's own code, which has turned forms and boxes into prose
before: none of the libraries does that. What they lack is where a denial ends: NegEx and ConText end it at listed words and at
the end of the sentence, so that "no effusion, large left pneumothorax" is one denial or, with the comma as an end, "no
effusion, pneumothorax or consolidation" is three statements; neither knows which of the two a comma is, nor that "not seen on
the prior study" says that something is there. Rules for that need the members of a list, which ConText's modifiers cannot
see. medspaCy holds numpy below 2 on Python 3.11; QuickUMLS needs a UMLS licence and finds
phrases, not denial; RadGraph-XL stays an extractor for those who have its weights (`--extractor radgraph`); a dependency parse
needs a model that is not on the package index under its maker's name, and the models are trained on sentences with verbs,
which these are not. So phrases, cues and lists are the project's own; spaCy and
negspacy, which had been left with looking up phrases, are no longer needed to read a report."""


def _relations(found: dict[str, Any]) -> str:
    rows = [
        [name, each["annotated"], each["given"], _share(each["precision"]), _share(each["recall"]), each["f1"]]
        for name, each in found.items()
    ]
    return table(["relation", "annotated", "found", "precision", "recall", "F1"], rows)


def _share(share: dict[str, Any]) -> str:
    if share["share"] is None:
        return ""
    return f"{share['share']:.3f} ({share['low']:.3f} to {share['high']:.3f})"
