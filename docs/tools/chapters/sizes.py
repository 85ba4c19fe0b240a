"""Films in every coding."""

from __future__ import annotations

from typing import Any

from docs.tools.tables import table

TITLE = "Films in every coding"
RESULTS = "sizes.json"
NGR_SHOWN = (".ngr exact", ".ngr bfloat16", ".ngr int8", ".ngr svd", ".ngr svd:0.06", ".ngr svd:0.3")


def write(results: dict[str, Any]) -> str:
    """Text of the chapter."""
    trained = (
        "trained, as [the page on it](real.md) says"
        if results["model"]["trained"]
        else "NOT trained, so that sizes count and nothing else"
    )
    parts = [
        f"""Command: `{results["command"]}`, which measures as `ngr bench` does; [how to read it](../how-to/measure.md). Every share names what
it is of: the source files, and the smallest lossless coding measured. **A `.ngr` is no image** and has no PSNR; it is smaller
because it holds something else, and the tables must not be read as if it were a better picture coding.

The phantoms are synthetic films of {results["phantom_film"][0]:,} x {results["phantom_film"][1]:,} pixels. Real detectors have other noise, which is most of what a lossless
coding stores. Model `{results["model"]["digest"][:12]}` ({trained}).
"""
    ]
    parts += [_group(name, group) for name, group in results["groups"].items()]
    return "\n".join(parts)


def _group(name: str, group: dict[str, Any]) -> str:
    reference, ngr = group["smallest_lossless"], group["ngr"]
    shown = [row for row in group["codings"] if row["kind"] != "ngr" or row["coding"] in NGR_SHOWN]
    rates = list(shown[0]["seconds"])
    rows = [
        [
            row["coding"],
            row["bytes"],
            f"{row['share_of_source_file']:.2%}",
            f"{row['share_of_smallest_lossless']:.2%}",
            *(_seconds(row["seconds"][rate] / group["films"]) for rate in rates),
            _fidelity(row),
        ]
        for row in shown
    ]
    absent = "".join(f"\n{coding}: {reason}." for coding, reason in group["absent"].items())
    refused = f" {group['refused']} more are refused as no grey film." if group["refused"] else ""
    return f"""## {name[0].upper()}{name[1:]}

{group["films"]} films, {group["source"]["bytes"]:,} bytes of source files.{refused} The `.ngr` keep {ngr["patches"]:,} of {ngr["cells"]:,} patches ({ngr["retention"]:.1%}); reports: {ngr["report"]}.

{table(["coding", "bytes", "of source files", f"of {reference['coding']}", *(f"a film at {rate}" for rate in rates), "fidelity"], rows)}
{absent}"""


def _fidelity(row: dict[str, Any]) -> str:
    if row["kind"] == "source":
        return "as it is"
    if row["kind"] == "ngr":
        error = row["embedding_rmse"]
        return f"no image; embeddings off by {error:.2g}" if error else "no image; embeddings exact"
    if row["lossless"]:
        return "lossless"
    depth = f"{row['bits']} bits, " if row["bits"] else ""
    return depth + (f"PSNR {row['psnr_db']:.1f} dB" if row["psnr_db"] is not None else "nothing shown is lost")


def _seconds(value: float) -> str:
    return f"{value:.0f} s" if value >= 10 else f"{value:.2g} s"
