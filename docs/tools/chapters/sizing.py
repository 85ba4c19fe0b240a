"""How long an archive takes and what it weighs."""

from __future__ import annotations

from typing import Any

from docs.tools.tables import table

TITLE = "Sizing a conversion"
RESULTS = "sizing.json"


def write(results: dict[str, Any]) -> str:
    """Text of the chapter."""
    seconds = results["core_seconds_per_study"]
    films = results["films"]
    days = [
        [f"{name} ({films[name]:,} films)", rate, *(f"{value:,.2f}" for value in by_gpus.values())]
        for name, rates in results["days_by_gpus"].items()
        for rate, by_gpus in rates.items()
    ]
    gpus = list(next(iter(next(iter(results["days_by_gpus"].values())).values())))
    sizes = [
        [form, f"{size:,.0f}", *(f"{results['bytes'][name][form] / 1e9:,.1f}" for name in films)]
        for form, size in results["bytes_per_study"].items()
    ]
    cores = [[rate, count] for rate, count in results["cores_to_feed_one_gpu"].items()]
    demo = ", ".join(
        f"{count:,.1f} core days for {name}" for name, count in results["core_days_with_demo_model"].items()
    )
    return f"""Command: `{results["command"]}`. **Modelled**, not measured: figures of one study from `stages.json` and `layout.json`, multiplied.
Assumed: {results["assumed"]}.

One study costs {1000 * seconds["besides_model"]:.1f} ms of one core besides the model, and {1000 * seconds["demo_model"]:.0f} ms in the demo model on that
core. With the demo model on processors alone: {demo}.

How many studies a second a GPU passes depends on the model and was not measured. Days, if it passes so many:

{table(["archive", "studies/s of one GPU", *(f"{count} GPUs" if count != "1" else "1 GPU" for count in gpus)], days)}

Cores that read, decode, encode and write for one GPU:

{table(["studies/s of one GPU", "cores"], cores)}

What studies weigh, in 10^9 bytes:

{table(["studies stored as", "bytes each", *films], sizes)}
"""
