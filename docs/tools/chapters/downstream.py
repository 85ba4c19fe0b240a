"""The paper's tables and figures, and ablations beyond them."""

from __future__ import annotations

from typing import Any

from docs.tools.chapters._downstream_cells import (
    against_text,
    area_text,
    best_pool,
    difference_text,
    find_system,
    p_text,
    reduction_text,
)
from docs.tools.chapters._downstream_targets import targets
from docs.tools.tables import of_the_format, table

TITLE = "Downstream tasks"
RESULTS = "tables.json"

_RANKINGS = {
    "attention": "attention, summed (the paper's)",
    "contrast": "attention against its mean map (`contrast`)",
    "own report": "attention of the report the model writes itself",
    "random": "random",
    "centre": "nearest to the centre",
    "variance": "variance of the pixels",
    "saliency": "gradient saliency",
    "mask": "masks of the truth, then attention (a bound, not a method)",
}
_WAYS = {
    "all": "all patches (full)",
    "kept": "kept patches (pruned)",
    "kept by own report": "patches kept without the report, by the attention of the report the model writes",
    "kept at random": "as many random patches",
}
_FUSIONS = {
    "none": "none: two graphs side by side",
    "edge": "one edge between the most central (the paper's)",
    "most attended": "each concept to the kept patch its words attend to most",
    "every pair": "every pair",
}


def write(results: dict[str, Any]) -> str:
    """Text of the chapter."""
    parts = [_introduction(results), targets(results)]
    if results["written"]:
        parts.append(_written(results))
    parts += [_systems(results), _retention(results), _rankings(results), _fusion(results)]
    if results["rates"]:
        parts.append(_rates(results))
    parts.append(_left_out(results))
    return "\n".join(part for part in parts if part)


def _introduction(results: dict[str, Any]) -> str:
    data, model, training = results["data"], results["model"], results["training"]
    counts = data["studies"]
    what = {
        "phantom": "**All of it is measured on phantoms: synthetic films and reports, of nobody. Nothing here is MIMIC-CXR or "
        "CheXpert Plus, and nothing says how the model does on films of people.** The same command takes a data set "
        "(`--data DIR`).",
        "films": "Measured on a data set of films.",
        "studies": "Measured on an archive of studies, without their films.",
    }[data["kind"]]
    trained = "" if model["trained"] else " **The model is NOT TRAINED: its scores mean nothing.**"
    return f"""Command: `{results["command"]}`. {what}{trained}

One study per patient, {counts["train"]:,} patients to learn from, {counts["validate"]:,} to stop by, {counts["test"]:,} to test ({data["split_by"]}). The target is
**{data["target"]}**, {data["natural_prevalence"]:.1%} of all studies; {_tested(data)}.
Model `{model["digest"][:12]}` ({model["name"]}), network MPNN (two GCN layers, mean over nodes, one linear layer), trained on all {len(data["labels"])} labels together,
{len(results["seeds"])} seeds, at most {training["epochs"]} epochs. An AUC is that of the mean prediction over the seeds, with the bootstrap interval
over studies; differences have DeLong's interval and p. *All labels* is the mean over {", ".join(data["labels"])}.
{_data_notes(results)}"""


def _tested(data: dict[str, Any]) -> str:
    positive, studies = data["tested"]["positive"], data["tested"]["studies"]
    if not data["prevalence"]:
        return f"{positive} of the {studies} test studies have it"
    return f"test studies are left out until {positive} of {studies} ({positive / studies:.0%}) have it"


def _data_notes(results: dict[str, Any]) -> str:
    if results["data"]["kind"] != "phantom":
        return ""
    return """
Three things to know before reading the tables. The report of a phantom states its findings and is right, so that whatever
holds the report graph knows the answer: rows with the true report tell whether the graph carries it, not how well the
film is read. And patches are kept by attention over the *true* report, here as in the paper, so that their choice knows
something that the film alone does not say: a row that chooses without it stands beside wherever that matters. And the demo
model was shown, on its own training phantoms, where findings are (see its own page): a model that learns from
reports alone has to find that out.
"""


def _written(results: dict[str, Any]) -> str:
    written = results["written"]
    rows = [
        [
            _WAYS.get(name, name),
            f"{way['bleu2']:.3f} ({way['low']:.3f} to {way['high']:.3f})",
            p_text(way["p_value"]),
            f"{way['words']:.0f}" if "words" in way else "-",
            f"{way['repeating']:.0%}" if "repeating" in way else "-",
        ]
        for name, way in written["ways"].items()
    ]
    return f"""## Table 1: BLEU-2 of written reports

{written["reports"]} test studies, sacrebleu's corpus BLEU with n-grams up to 2 (`{written["signature"]}`) against findings and impression; paired
bootstrap, p against the first row.

{table(["written from", "BLEU-2 (95 %)", "p", "words", "repeat a sentence twice or more"], rows)}

{f"True reports have {written['words']:.0f} words. " if "words" in written else ""}{_pruned_reports(written["ways"])}

{table(["the first test study", "report"], [[_WAYS.get(name, name), " ".join(text.split())] for name, text in written["example"].items()])}
"""


def _pruned_reports(ways: dict[str, Any]) -> str:
    """A warning where reports from kept patches are worse than a stranger's."""
    kept, other = ways.get("kept"), ways["report of another patient"]
    if kept is None or kept["bleu2"] >= other["bleu2"]:
        return ""
    text = f"Reports from the kept patches ({kept['bleu2']:.3f}) are **worse than the report of another patient** ({other['bleu2']:.3f})."
    if "all" in ways and kept.get("repeating", 0) > ways["all"].get("repeating", 0):
        text += (
            f" {kept['repeating']:.0%} of them say the same sentence again and again, {ways['all']['repeating']:.0%} of those from all patches: the decoder learnt "
            "from whole films only, and probably finds nothing else to go on with where nearly every patch that is left shows a finding."
        )
    if "kept at random" in ways and ways["kept at random"]["bleu2"] > kept["bleu2"]:
        text += f" As many random patches give {ways['kept at random']['bleu2']:.3f}."
    return text


def _systems(results: dict[str, Any]) -> str:
    retain, sizes = results["retain"], results["sizes"]
    base = find_system(results, 1.0, "given")
    chosen = [
        ("no pruning, image and report graph", 1.0, "given", True, sizes["whole with report"]),
        ("CI: kept patches and report graph", retain, "given", True, sizes["kept with report"]),
        ("CI+GT, generated text: kept patches, report written from them", retain, "written", True, sizes["kept"]),
        ("no pruning, image alone", 1.0, "none", True, sizes["whole"]),
        ("kept patches alone", retain, "none", True, sizes["kept"]),
        ("report graph alone", retain, "given", False, None),
        ("graph of the written report alone", retain, "written", False, None),
    ]
    rows = []
    for name, share, text, image, size in chosen:
        system = find_system(results, share, text, image=image)
        if system is None:
            continue
        rows.append(
            [
                name,
                area_text(system["auc"]),
                against_text(system, "against_no_pruning"),
                area_text(system["macro"]),
                f"{system['nodes']:.1f}",
                reduction_text(system["nodes"], base["nodes"] if base else None),
                "-" if size is None else f"{size:,.0f}",
                "-" if size is None else reduction_text(size, sizes["whole with report"]),
                "-" if size is None or "picture" not in sizes else reduction_text(size, sizes["picture"]),
            ]
        )
    head = [
        "system",
        f"AUC, {results['data']['target']} (95 %)",
        "minus no pruning (95 %), p",
        "AUC, all labels (95 %)",
        "nodes",
        "nodes saved",
        "bytes",
        f"bytes saved, of {_whole(results).replace('*', '')}",
        "bytes saved, of the film as PNG",
    ]
    held = results["attention_by_rank"].get("held") if results["attention_by_rank"] else None
    tail = f" The kept patches hold {held:.1%} of the attention." if held is not None else ""
    return f"""## Table 2: AUC and reduction

{retain:.1%} of the patches are kept. Bytes are those of an `.ngr` file of one study with embeddings as `ngr compress` stores them
(bfloat16), mean over the test studies; {_whole(results)} has {sizes["whole with report"]:,.0f} of them, the bare float32 embeddings {sizes["whole, float32"]:,.0f}{_png(sizes)}.
Rows with an image are compared with no pruning of the same kind, the others and generated text with image and report. The network takes the mean
over all nodes, in which a finding of a few patches counts for little: no pruning is what pruning is compared with, not a bound.{tail}

{table(head, rows)}
"""


def _whole(results: dict[str, Any]) -> str:
    """What files are compared with: whole studies, or what the archive holds of them."""
    share = results["stored_share"]
    return "*no pruning*" if share == 1 else f"the archive (which keeps {share:.1%})"


def _png(sizes: dict[str, float]) -> str:
    return f", the film as the encoder sees it {sizes['picture']:,.0f} as an 8-bit PNG" if "picture" in sizes else ""


def _retention(results: dict[str, Any]) -> str:
    shares = sorted({each["retain"] for each in results["systems"].values()}, reverse=True)
    rows = []
    for share in shares:
        kinds = [
            find_system(results, share, "given"),
            find_system(results, share, "none"),
            find_system(results, share, "none", ranking="random"),
        ]
        patches = next((each["patches"] for each in kinds if each), 0)
        rows.append([f"{share:.1%}", f"{patches:.0f}", *(area_text(each["auc"]) if each else "-" for each in kinds)])
    return f"""## Figure 2: AUC against retention, and attention by rank

![AUC against retention, mean attention by rank, and rankings side by side](downstream_curves.png)

{table(["kept", "patches", "with the report graph", "image alone", "image alone, random patches"], rows)}
"""


def _rankings(results: dict[str, Any]) -> str:
    lesions = results["lesions"].get("rankings", {})
    rows = []
    for name, words in _RANKINGS.items():
        system = find_system(results, results["retain"], "none", ranking=name)
        if system is None:
            continue
        kept = lesions.get(name)
        rows.append(
            [
                words,
                area_text(system["auc"]),
                against_text(system, "against_attention"),
                area_text(system["macro"]),
                *([f"{kept['studies_with_one_kept']:.1%}", f"{kept['area_kept']:.1%}"] if kept else ["-", "-"]),
            ]
        )
    head = [
        "kept by",
        f"AUC, {results['data']['target']} (95 %)",
        "minus attention (95 %), p",
        "AUC, all labels (95 %)",
        "lesion studies with a lesion patch kept",
        "lesion area kept",
    ]
    cover = (
        f" {results['lesions']['studies']} test studies have a lesion, which covers {results['lesions']['lesion_patches']:.1%} of their patches on average."
        if lesions
        else ""
    )
    return f"""## Which patches

{results["retain"]:.1%} kept, image alone.{cover}

{table(head, rows)}
"""


def _fusion(results: dict[str, Any]) -> str:
    rows = []
    for way, words in _FUSIONS.items():
        system = find_system(results, results["retain"], "given", fusion=way)
        if system is not None:
            rows.append(
                [words, area_text(system["auc"]), against_text(system, "against_attention"), area_text(system["macro"])]
            )
    head = [
        "joined by",
        f"AUC, {results['data']['target']} (95 %)",
        "minus the paper's (95 %), p",
        "AUC, all labels (95 %)",
    ]
    return f"""## How the two graphs are joined

{results["retain"]:.1%} kept, with the report graph.

{table(head, rows)}
"""


def _rates(results: dict[str, Any]) -> str:
    rates = results["rates"]
    rows = [
        [
            f"`.ngr`, {row['name']}" if row["family"] == "ngr" else row["name"],
            f"{row['bytes']:,.0f}",
            area_text(row["pools"]["mean"]["auc"]),
            area_text(row["pools"]["mean and largest"]["auc"]),
            area_text(best_pool(row)["macro"]),
        ]
        for row in rates["rows"]
        if of_the_format(row)
    ]
    equal = [
        [
            f"`.ngr`, {row['study']}",
            f"{row['study_bytes']:,.0f}",
            row["picture"],
            f"{row['picture_bytes']:,.0f}",
            difference_text(row),
            p_text(row["p_value"]),
            difference_text(row.get("macro")),
        ]
        for row in rates["equal_bytes"]
    ]
    target = results["data"]["target"]
    return f"""## Bytes against AUC

![Bytes of one film against the AUC of the same reader](downstream_rates.png)

Image alone: an `.ngr` without report graph and labels, or the film as the encoder sees it (8 bit) through a picture codec and
then the same encoder. The reader is a logistic regression on the patches' embeddings, pooled by their mean, or by their mean and their
largest values; it learns from the same {rates["studies_to_learn_from"]:,} studies for every row, stored like those it is tested on. Bytes of whole
files, mean; of studies over {rates["sized"]} of the test.

{table(["stored as", "bytes", f"AUC, {target}, mean", "AUC, mean and largest", "AUC, all labels"], rows)}

At equal bytes: against each codec the smallest picture that takes at least the bytes of the study, and for each side the pooling that
did better on the validation studies. JPEG may halve the film first.

{table(["study", "bytes", "picture", "bytes", f"AUC, {target}, study minus picture (95 %)", "p", "all labels (95 %)"], equal)}
"""


def _left_out(results: dict[str, Any]) -> str:
    lines = [f"- {what}: {why}" for what, why in results["left_out"].items()]
    failures = results["data"].get("failures", {})
    lines += [f"- {count} studies could not be used: {code}" for code, count in failures.items()]
    return "## Not measured\n\n" + "\n".join(lines) + "\n" if lines else ""
