"""The demo model against the truth of phantoms it has never met."""

from __future__ import annotations

from typing import Any

from docs.tools.tables import table

TITLE = "The demo model"
RESULTS = "demo_model.json"

LESION_KEPT, POINTING, BLEU = 0.95, 0.8, 0.6
"""What was asked for: at 2.3 %, of all phrases, from all patches."""

SHOWN = ("all patches", "kept 2.3%")

UNGUIDED = """
The unguided model had the same data, recipe and seed (`build_demo --guidance 0`) and learnt from reports alone where to look.
"""


def write(results: dict[str, Any]) -> str:
    """Text of the chapter."""
    lesions, pointing, reports = results["lesions"], results["pointing"], results["reports"]
    retentions = [key for key in lesions if key.startswith("0.")]
    rankings = ("model", "mean_map", "centre", "random")
    kept = [
        [
            f"{float(retention):.1%}",
            *(lesions[retention][name]["lesion_kept"] for name in rankings),
            *(lesions[retention][name]["area_kept"] for name in rankings),
        ]
        for retention in retentions
    ]
    names = ("model", "model_centre", "whole_report_map", "mean_map", "centre", "random")
    groups = {
        "all": {"phrases": pointing["phrases"], **pointing["all"]},
        "all but cardiomegaly": {"phrases": "", **pointing["all_but_cardiomegaly"]},
        **pointing["by_finding"],
    }
    pointed = [[group, hit["phrases"], *(hit[name] for name in names)] for group, hit in groups.items()]
    best = lesions[retentions[0]]["model"]["lesion_kept"]
    targets = [
        ["a lesion patch among the kept 2.3 %", LESION_KEPT, best, _verdict(best, LESION_KEPT)],
        ["phrase pointing", POINTING, pointing["all"]["model"], _verdict(pointing["all"]["model"], POINTING)],
        *(
            [f"BLEU-2 from {name.replace('kept', 'the kept')}", BLEU, value, _verdict(value, BLEU)]
            for name, value in reports["bleu2"].items()
            if name.startswith(("all", "kept"))
        ),
    ]
    layers = [
        [kind, row["layer"], row["lesion_kept"], row["pointing"]]
        for kind, rows in results["by_layer"].items()
        for row in rows
    ]
    unguided = UNGUIDED if "unguided" in results["by_layer"] else ""
    large = results["large_films"]
    training = results["training"] or {}
    log = [
        [
            line["step"],
            line.get("eval_loss", ""),
            line.get("eval_generation_loss", ""),
            line.get("eval_classification_loss", ""),
            line.get("eval_pruned_loss", ""),
        ]
        for line in training.get("log", [])
        if "eval_loss" in line
    ]
    named = [
        [finding, reports["named"][SHOWN[0]][finding]["true"]]
        + [value for name in SHOWN for value in _shares(reports["named"][name][finding])]
        for finding in reports["named"][SHOWN[0]]
    ]
    return f"""Command: `{results["command"]}`; the model is trained by `python -m neuralgraph.compressor.training.build_real`.

**These are phantoms; nothing here says how the model does on films of people, [which is measured apart](real.md).** Its encoder,
which began with photographs, took first lessons from the marks of the training films (which patch shows which finding). The last
layer of the decoder, whose cross-attention is the score, was told in training where to look: at the words of a finding, at the
patches of its mask. So these figures say that what was taught holds on phantoms never met; they do not say that attention finds
lesions by itself.

Held out: {results["held_out"]["films"]} films of {results["held_out"]["patients"]} patients of another cohort, {results["held_out"]["film"][0]} x {results["held_out"]["film"][1]} pixels, grid {results["grid"][0]} x {results["grid"][1]}; {lesions["lesion_studies"]} of them with a
lesion, which covers {lesions["lesion_patches"]:.1%} of the patches on average. A lesion patch is covered by more than a tenth. Model
`{results["model"]["digest"][:12]}`.

{table(["target", "asked", "measured", ""], targets)}

Studies with a lesion patch among the kept ones (an enlarged heart does not count, it fills the film), and the share of the
lesions' area that is kept, by the paper's score and by baselines that do not look at the film:

{table(["kept", *(f"studies: {name.replace('_', ' ')}" for name in rankings), *(f"area: {name.replace('_', ' ')}" for name in rankings)], kept)}

Phrase pointing: the maximum of the attention summed over the words of a phrase is a lesion patch of the finding it names
("centre of patch" asks that the centre of the patch lies in the mask; "whole report" takes the maximum of the paper's score):

{table(["finding", "phrases", "model", "model, centre of patch", "whole report", "mean map", "centre of film", "random"], pointed)}

By decoder layer, lesion studies with a lesion patch among the kept {float(retentions[0]):.1%}, and phrase pointing:

{table(["model", "layer", "lesion kept", "pointing"], layers)}
{unguided}
Area under the ROC curve of the classification head:

{table(list(results["auc"]), [list(results["auc"].values())])}

On {large["films"]} films of {large["film"][0]} x {large["film"][1]} pixels (grid {large["grid"][0]} x {large["grid"][1]}) of the same cohort a lesion patch is among the kept
2.3 % in {large["lesions"]["0.023"]["model"]["lesion_kept"]:.3g} of the lesion studies (random {large["lesions"]["0.023"]["random"]["lesion_kept"]:.3g}), and phrase pointing is {large["pointing"]["model"]:.3g}.

Reports, {reports["films"]} films, BLEU-2 (`{reports["signature"]}`) against findings and impression. The patches that are kept were chosen
with the true report at hand, as when a study with a report is compressed; the decoder reads nothing but them. In training it
read each report from a pruned film too (recipe field `pruned_weight`), and which patches are left tells it something as well:

{table(["written from", "BLEU-2"], [[name, value] for name, value in reports["bleu2"].items()])}

What the reports name, as the rules of the report graph read them, in {reports["films"]} films:

{table(["finding", "true reports", *(f"{name}: {what}" for name in SHOWN for what in ("recall", "precision"))], named)}

![Held-out films: kept patches, and where the words of a phrase look](demo_model.png)

The first held-out film with each finding. Yellow: the mask of the finding. Above, the patches kept by the paper's score;
below, the attention of one phrase.

Validation loss by update:

{table(["update", "joint", "generation", "classification", "generation from 5 % of the patches"], log)}
"""


def _verdict(value: float, asked: float) -> str:
    return "reached" if value >= asked else "missed"


def _shares(counts: dict[str, int]) -> tuple[float | str, float | str]:
    """Recall and precision; "" where there is nothing to divide by."""
    found = counts["found"]
    return (
        round(found / counts["true"], 3) if counts["true"] else "",
        round(found / counts["named"], 3) if counts["named"] else "",
    )
