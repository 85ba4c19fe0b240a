"""What was asked for, what was measured, and why a target was missed."""

from __future__ import annotations

from typing import Any

from docs.tools.chapters._downstream_cells import auc_of, best_pool, difference_text
from docs.tools.tables import table


def targets(results: dict[str, Any]) -> str:
    """The section of the targets."""
    if not results["targets"]:
        return "## Targets\n\nNone of them could be measured on these studies; see the end.\n"
    rows = []
    for row in results["targets"]:
        verdict = "met" if row["met"] else "**missed**"
        settled = "yes" if row["settled"] else "no"
        rows.append([row["what"], f"{row['asked']:+.2f} or more", difference_text(row), verdict, settled])
        rows[-1] += [difference_text(row.get(key)) for key in ("all_tested", "macro")]
    head = [
        "target (AUC, first minus second)",
        "asked",
        "measured (95 %)",
        "",
        "settled by the interval",
        "all test studies",
        "all labels",
    ]
    return f"""## Targets

{table(head, rows)}

{_reasons(results)}"""


def _reasons(results: dict[str, Any]) -> str:
    """What the other measurements say about a target that was missed."""
    lines = []
    differences, systems = results["differences"], results["systems"].values()
    missed = {row["what"] for row in results["targets"] if not row["met"]}
    if any(what.startswith("attention against random") for what in missed):
        gap = differences["all patches minus random"]
        line = f"""Attention against random: all patches are only {difference_text(gap)} ahead of random ones, so that much is there to win;
random patches reach {auc_of(systems, results["retain"], "random"):.3f}."""
        if "mask minus random" in differences:
            line += f" Patches chosen by the masks of the truth are {difference_text(differences['mask minus random'])} ahead of random."
        lines.append(line)
    if any(what.startswith("pruned against not pruned, image alone") for what in missed):
        lines.append(_why_pruned(results))
    if any(what.startswith(".ngr") for what in missed):
        lines.append(_why_bytes(results))
    open_ = [row["what"] for row in results["targets"] if not row["settled"]]
    if open_:
        tested = results["data"]["tested"]
        lines.append(
            f"With {tested['positive']} positive test studies the interval leaves open: {'; '.join(open_)}. "
            "All test studies, at their natural prevalence, stand in a column of their own."
        )
    return "\n\n".join(lines) + "\n"


def _why_pruned(results: dict[str, Any]) -> str:
    lesions = results["lesions"].get("rankings", {}).get("attention")
    kept = (
        f" A lesion patch is among the kept in {lesions['studies_with_one_kept']:.1%} of the test studies with a lesion, and "
        f"{lesions['area_kept']:.1%} of the lesions' area."
        if lesions
        else ""
    )
    return f"Pruning, image alone: what is not kept cannot be read.{kept}"


def _why_bytes(results: dict[str, Any]) -> str:
    rows = {row["name"]: row for row in results["rates"]["rows"]}
    kept = next(
        row for row in results["rates"]["equal_bytes"] if row["kind"] == "kept patches" and row["codec"] == "JPEG"
    )
    study, picture = (best_pool(rows[kept[side]])["auc"]["value"] for side in ("study", "picture"))
    lossless = best_pool(rows["PNG lossless"])["auc"]["value"]
    text = (
        f"At equal bytes: the studies reach {study:.3f} and the JPEGs {picture:.3f} of {results['data']['target']}; without loss the same reader gets {lossless:.3f} "
        f"from films. The JPEG leaves {1 - picture:.3f} to win."
    )
    if "macro" in kept:
        text += f" Over all labels, studies minus JPEG is {difference_text(kept['macro'])}."
    return text
