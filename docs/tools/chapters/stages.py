"""Where the time of one study goes."""

from __future__ import annotations

from typing import Any

from docs.tools.tables import table

TITLE = "The stages of a conversion"
RESULTS = "stages.json"
_TARGET, _WORKERS_TARGET = 2.0, 1.7


def write(results: dict[str, Any]) -> str:
    """Text of the chapter."""
    films, machine = results["films"], results["machine"]
    pillow = results["pillow_decode_ms"]
    rows = [[name, f"{value:.2f}", f"{value / pillow:.2f}"] for name, value in results["milliseconds"].items()]
    ratio = results["ours_over_pillow"]
    text = f"""Command: `{results["command"]}`. {films["count"]} synthetic films of {films["side"]} x {films["side"]} pixels as baseline JPEG of quality {films["jpeg_quality"]} in
DICOM (median {films["jpeg_bytes_median"]:,} bytes), {machine["cores"]} {machine["arch"]} cores, one thread. Processor milliseconds, medians of {results["rounds"]} rounds.

{table(["stage", "ms", "of Pillow's decoding"], rows)}

Pillow decodes the same JPEG in {pillow:.2f} ms. Everything but the pixel decode takes {results["ours_without_decode_ms"]:.2f} ms, **{ratio:.2f} times** that; the
target is less than {_TARGET:.0f} times, {"reached" if ratio < _TARGET else "**missed**"}. The forward pass of the demo model takes another {results["model_forward_ms"]:.0f} ms on this core.
"""
    if ratio >= _TARGET:
        text += """
What came since the target was set: how a film uses its grey levels is counted and judged (grey levels), films keep 384 pixels a side
where they had 256 (preprocess, fuse), reports are read for mentions and sides too (report graph).
"""
    if workers := results.get("workers"):
        reached = workers["two_over_one"] >= _WORKERS_TARGET
        text += f"""
Two worker processes pass {workers["two"]} studies a second, one {workers["one"]}: {workers["two_over_one"]:.2f} times as many (target {_WORKERS_TARGET}, {"reached" if reached else "**missed**"}; medians of {workers["rounds"]}
runs each, in turn).
"""
    if memory := results.get("memory"):
        samples = [[f"{int(count):,}", parent, worker] for count, parent, worker in memory["samples"]]
        text += f"""
`{memory["command"]}`: memory over {memory["studies"]:,} studies of {memory["side"]} x {memory["side"]} pixels, everything but the model (`{memory["worker"]}`): in the second half the
worker grew by {memory["worker_growth_second_half_mib"]} MiB, the parent by {memory["parent_growth_second_half_mib"]} MiB. Resident MiB:

{table(["studies", "parent", "worker"], samples)}
"""
    return text
