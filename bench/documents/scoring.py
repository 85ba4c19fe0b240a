"""Scoring against the published pipeline, with the same weights on the same machine."""

from __future__ import annotations

from typing import Any

from bench.documents.tables import table

TITLE = "Scoring"
RESULTS = "scoring.json"


def write(results: dict[str, Any]) -> str:
    """Text of the chapter."""
    machine, memory = results["machine"], results["attention_memory"]
    rows = [
        [
            row["dtype"],
            row["side"],
            *(row["studies_per_second"][name] for name in ("published", "ours", "bare")),
            f"{row['ours_over_published']:.2f} x",
            f"{row['scoring_and_pruning_overhead']:+.0%}",
            f"{row['largest_difference']:.1e}",
        ]
        for row in results["rows"]
    ]
    bounds = [row["studies_per_second"]["bare"] / row["studies_per_second"]["published"] for row in results["rows"]]
    headings = [
        "precision",
        "film",
        "published, studies/s",
        "ours",
        "bare forward",
        "ours over published",
        "scoring and pruning over the bare forward",
        "largest difference of a score",
    ]
    return f"""Command: `{results["command"]}`, on {machine["cores"]} cores ({machine["threads"]} threads, {machine["platform"]}, {machine["device"]}).

*Published* is the pipeline of the paper's code: one study at a time, eager attention, the attention of every layer handed
out, language-model head and loss computed. *Ours* takes {results["batch"]} studies together with fused attention, and computes the one
cross-attention that is summed once more. *Bare* is encoder and decoder alone. They took turns, {results["repetitions"]} times, medians;
{results["model"]} with random weights, which time does not depend on.

{table(headings, rows)}

Encoder and decoder alone run at {min(bounds):.2f} to {max(bounds):.2f} times the rate of the published pipeline: nearly all of its time is the encoder's
forward pass, so that this is what bounds any scorer of the same model on such a machine. What is gained is memory.

Attention memory beyond the forward pass, {memory["patches"]:,} patches and {memory["tokens"]} tokens: published {memory["published"]:,} bytes, ours
{memory["ours"]:,}, {memory["ratio"]:.0f} times less.
"""
