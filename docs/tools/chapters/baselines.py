"""The paper's rival systems, small, beside a neuralgraph model."""

from __future__ import annotations

from typing import Any

from docs.tools.tables import table

TITLE = "Rival systems"
RESULTS = "baselines.json"


def write(results: dict[str, Any]) -> str:
    """Text of the chapter."""
    films, budget, data = results["films"], results["budget"], results["data"]
    spent = f"{budget['films']:,} films shown" if budget["films"] else f"{budget['seconds']:,.0f} seconds of training"
    machine = results["machine"]
    names = list(results["classifiers"]) + list(results["generators"])
    return f"""Command: `{results["command"]}`. Data: **{data}**; nothing here says how any system does on films of people.

The systems are small re-implementations ({", ".join(names)}), each one file of `bench/baselines` that says what was published and what is left
out. They begin with random weights where the published ones begin with pre-trained ones, and their scores are not those of the
published systems. Each was trained for {spent} (batches of 32, {machine["cores"]} {machine["platform"]} cores, {machine["device"]}), on the same {films["learn"]:,}
films, at {films["side"]} x {films["side"]} pixels. Tested are {films["test"]:,} films, one a patient, of patients nobody learnt from. {_ours(results)}

## Findings

Area under the ROC curve, mean over findings and some of them, with intervals of 95 % (bootstrap over films). **Reports state the
findings**, so a system that reads the text answers from it; compare systems that are given the same.

{_classifiers(results)}
{_paired(results)}
## Reports

BLEU-2 against findings and impression of the true report, greedy decoding for all.

{_generators(results)}

The first held-out film, the true report and what each system writes:

{table(["", "report"], _examples(results))}
"""


def _ours(results: dict[str, Any]) -> str:
    mine = results.get("neuralgraph")
    if mine is None:
        return ""
    if not mine["trained"]:
        return f"The neuralgraph model (`{mine['digest'][:12]}`) is **not trained**: its rows only show that it is scored by the same code."
    shown = "an unknown number of" if mine["films_shown"] is None else f"{mine['films_shown']:,}"
    return (
        f"The neuralgraph model (`{mine['digest'][:12]}`, {mine['parameters']:,} parameters) was **not trained under this budget** but as it is "
        f"given, shown at most {shown} films (a film counts each time); a demo model learnt from the masks of the findings too, which no other "
        "system saw."
    )


def _classifiers(results: dict[str, Any]) -> str:
    rows = [
        (name, given, scores, system["spent"])
        for name, system in results["classifiers"].items()
        for given, scores in system["given"].items()
    ]
    if mine := results.get("neuralgraph"):
        rows.append(("neuralgraph, head", "film", mine["head"], mine))
    shown = ("pneumonia", "consolidation", "pleural effusion", "nodule", "cardiomegaly", "pneumothorax")
    findings = [name for name in shown if any(name in scores["findings"] for _, _, scores, _ in rows)]
    body = [
        [
            name,
            given,
            _interval(scores["mean"]),
            *(_interval(scores["findings"].get(finding)) for finding in findings),
            spent["parameters"],
            spent["films_shown"] or "",
        ]
        for name, given, scores, spent in rows
    ]
    return table(["system", "given", "mean", *findings, "parameters", "films shown"], body)


def _paired(results: dict[str, Any]) -> str:
    paired = results.get("paired")
    if not paired:
        return ""
    rows = [[name, f"{test['difference']:+.3f}", f"{test['p_value']:.2g}"] for name, test in paired["systems"].items()]
    head = ["system", "AUC minus that of the head", "p"]
    return f"\nAgainst the {paired['against']}, which sees the film alone, {paired['finding']}, DeLong's paired test:\n\n{table(head, rows)}\n"


def _generators(results: dict[str, Any]) -> str:
    body = [
        [name, source, f"{scores['bleu2']:.3f}", system["spent"]["parameters"], system["spent"]["films_shown"]]
        for name, system in results["generators"].items()
        for source, scores in system["from"].items()
    ]
    if mine := results.get("neuralgraph"):
        body += [
            ["neuralgraph", source, f"{scores['bleu2']:.3f}", mine["parameters"], mine["films_shown"] or ""]
            for source, scores in mine["from"].items()
        ]
    other = "another patient's report"
    body.append([other, "", f"{results['reports'][other]['bleu2']:.3f}", "", ""])
    return table(["system", "from", "BLEU-2", "parameters", "films shown"], body)


def _examples(results: dict[str, Any]) -> list[list[str]]:
    texts = {"true": results["reports"]["example"]}
    texts |= {name: system["example"] for name, system in results["generators"].items()}
    if mine := results.get("neuralgraph"):
        texts["neuralgraph, all patches"] = mine["example"]
    return [[name, " ".join(text.replace("|", " ").split())] for name, text in texts.items()]


def _interval(area: dict[str, Any] | None) -> str:
    if area is None or area["auc"] is None:
        return ""
    return f"{area['auc']:.3f} ({area['low']:.3f} to {area['high']:.3f})"
