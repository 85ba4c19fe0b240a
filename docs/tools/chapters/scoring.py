"""Scoring against the published pipeline, with the same weights on the same machine."""

from __future__ import annotations

from typing import Any

from docs.tools.tables import table

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
    plain = {
        row["side"]: row["studies_per_second"]["published"] for row in results["rows"] if row["dtype"] == "float32"
    }
    other = [row for row in results["rows"] if row["dtype"] != "float32" and row["side"] in plain]
    across = " and ".join(
        f"{row['studies_per_second']['ours'] / plain[row['side']]:.1f} x in {row['dtype']} at {row['side']} pixels"
        for row in other
    )
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
out, language-model head and loss computed, layers as torch runs them. *Ours* takes {results["batch"]} studies together, its model made
ready for inference as every scorer does it (`neuralgraph.compressor.model.inference`): on a CPU linear layers are
multiplied by oneDNN in place of MKL and the attention of windows is fused; the one cross-attention that is summed is
computed once more. *Bare* is encoder and decoder of that model alone. They took turns, {results["repetitions"]} times, medians;
{results["model"]} with random weights, which time does not depend on.

{table(headings, rows)}

{f"Ours over the published pipeline in float32: {across}." if across else ""}

Weights are the same tensors either way: oneDNN reads them as they lie, nothing is copied or packed, and a model that has
scored can be saved and trained as before. It runs where torch was built with it and for types the processor has (here:
{", ".join(machine["onednn"]) or "none"}). Elsewhere, such as on macOS, and after `torch.backends.mkldnn.enabled = False`, layers run as torch runs
them, slower where MKL is slow and with the same scores to 1e-5.

Attention memory beyond the forward pass, {memory["patches"]:,} patches and {memory["tokens"]} tokens: published {memory["published"]:,} bytes, ours
{memory["ours"]:,}, {memory["ratio"]:.0f} times less.
"""
