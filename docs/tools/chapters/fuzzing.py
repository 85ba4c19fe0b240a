"""Fuzzing: what was run, and what it found."""

from __future__ import annotations

from typing import Any

from docs.tools.tables import table

TITLE = "Fuzzing"
RESULTS = "fuzzing.json"
AIM = 10_000_000


def write(results: dict[str, Any]) -> str:
    """Text of the chapter."""
    rows = [
        [
            name,
            f"{target['executions']:,}",
            f"{target['seconds']:,}",
            target["edges"],
            target["features"],
            target["inputs_kept"],
            target["peak_memory_mb"],
            target["findings"],
        ]
        for name, target in results["targets"].items()
    ]
    ends = sorted({end for target in results["targets"].values() for end in target["ends_of_inputs_kept"]})
    header = ["target", "executions", "seconds", "edges", "features", "inputs kept", "peak memory, MB", "findings"]
    aim = "" if results["executions"] >= AIM else f" The aim of {AIM:,} executions has not been reached yet."
    return f"""Command: `{results["command"]}`; atheris {results["atheris"]}, Python {results["python"]}, {results["machine"]};
options {", ".join(f"`{option}`" for option in results["options"])}, seeds {", ".join(map(str, results["seeds"]))}.
What each target checks is in `fuzz/README.md`. {results["executions"]:,} executions in all.{aim}

{table(header, rows)}

Seconds are by the clock, of a process that gave way to all others. The inputs kept end in {len(ends)} different ways:
{", ".join(f"`{end}`" for end in ends)}. The committed corpus (`fuzz/corpus`) is what remains of them when every input takes a
step through the code that no smaller one took; both readers judge its files in the tests.

What came of it, runs before this one included: two rules of the targets asked too much (a lost study may have stood behind the
end of a truncated file; a study loads without the section that batches are cut from). On the inputs kept of `read` the two readers disagreed about which of two broken rules comes first, in
four places; each is a vector now ("two rules broken at once" in `spec/tools/vectors`). The rest are zstd frames whose bit streams do not end with
their last bit, which libzstd decodes and the reader in JavaScript refuses; FORMAT.md section 7.1 allows both. Peak memory is
that of the engine, which keeps something of every execution and is begun anew after 500,000; the targets alone do not grow.
{_kernel(results["kernel"]) if "kernel" in results else ""}"""


def _kernel(run: dict[str, Any]) -> str:
    ends = sorted(run["ends"].items(), key=lambda item: -item[1])
    return f"""
## The batch kernel

Command: `{run["command"]}`; address and undefined-behaviour sanitizers, checksums not compared. {run["executions"]:,} batches of mutated
records in {run["seconds"]:,} seconds, {run["findings"]} findings. What the kernel found wrong with them ("nothing": all arrays were written):

{table(["reason", "batches"], [[reason, f"{n:,}"] for reason, n in ends])}
"""
