"""The score rules against the truth of phantoms."""

from __future__ import annotations

from typing import Any

from docs.tools.tables import table

TITLE = "Score rules"
RESULTS = "score_rules.json"
KINDS = ("lesion_kept", "patches_on_lesion")


def write(results: dict[str, Any]) -> str:
    """Text of the chapter."""
    kept = results["rules"]
    retentions = [name for name in kept["random"] if name != "studies_by_sum_instead"]
    rows = [
        [rule, *(values[name][kind] for kind in KINDS for name in retentions), values.get("studies_by_sum_instead", "")]
        for rule, values in kept.items()
    ]
    smallest = retentions[0]
    ranked = sorted((rule for rule in kept if rule != "random"), key=lambda rule: -kept[rule][smallest][KINDS[1]])
    order = ", ".join(f"`{rule}` {kept[rule][smallest][KINDS[1]]:.2f}" for rule in ranked)
    headings = [
        "rule",
        *(f"{words} {float(name):.1%}" for words in ("lesion kept at", "on lesion at") for name in retentions),
        "films scored by sum instead",
    ]
    return f"""Command: `{results["command"]}`.

**Synthetic films.** Share of {results["films"]} phantoms with a lesion in which a lesion patch is among the kept, by the rule that makes
attention a score, and the share of the kept patches that are lesion patches; model `{results["model"]["digest"][:12]}` ({"trained" if results["model"]["trained"] else "NOT TRAINED"}), films of {results["film_side"]} pixels.

{table(headings, rows)}

At {float(smallest):.1%} the share of kept patches that lie on a lesion is, from best to worst: {order}.
The paper's `sum` stays the default: this model was told where to look, and on films of people the sum keeps as much as
`findings` ([there](real.md)); what these rules do for another model has to be measured on it.
"""
