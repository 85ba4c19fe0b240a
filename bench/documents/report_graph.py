"""The report graph against the tags of Open-i."""

from __future__ import annotations

from typing import Any

from bench.documents.tables import table

TITLE = "The report graph"
RESULTS = "report_graph.json"


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
    return f"""Command: `python -m bench.report_graph`. {results["data"]["collection"]}; {results["data"]["reports_with_text"]} reports with text.
Note: {results["data"]["note"]}.

{table(["finding", "tagged reports", "precision", "recall", "precision without uncertain", "recall without uncertain"], rows)}

Speed of one process, the median of {results["speed"]["impression"]["passes"]} passes over {results["speed"]["impression"]["reports"]} reports:

{table(["sections read", "reports per second", "reports per second of CPU"], speed)}
"""
