"""The results that the front page begins with, each beside what it is to be compared with."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import median
from typing import Any

from docs.tools.tables import table

__all__ = ["PAGE", "page"]

PAGE = Path(__file__).parents[1] / "index.md"
_RESULTS = Path(__file__).parents[2] / "bench" / "results"
_BEGIN = "<!-- results: written by python -m docs.tools -->"
_END = "<!-- end of results -->"
_RECORDS, _DIRECT, _PER_FILE = "ngr train, float32", "safetensors, ragged, direct reader", "torch.save per file"
_FILMS = "phantoms, 12 bits, DICOM not compressed"


def page() -> str:
    """The front page of the site, its results as they are now."""
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(_BEGIN)
    return f"{before}{_BEGIN}\n{_headlines()}\n{_END}{rest.split(_END)[1]}"


def _headlines() -> str:
    """A table of five results."""
    found = {
        name: json.loads((_RESULTS / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("real", "loaders", "sizes", "report_graph", "living")
    }
    rows = [
        _seen(found["real"]["summary"]),
        _loaded(found["loaders"]["rounds_of_stores"]),
        _stored(found["sizes"]["groups"][_FILMS]),
        _read(found["report_graph"]),
        _living(found["living"]),
    ]
    return table(["what", "measured", "to compare with", "how"], rows)


def _seen(summary: dict[str, Any]) -> list[str]:
    area = {name: value["mean"] for name, value in summary["measures"]["area 0.023"].items()}
    return [
        "Share of a lesion's area in the 2.3 % of the patches that are kept; films of patients whom the model had not met",
        f"{area['model']:.3f}",
        f"{area['mean map']:.3f} a fixed map, {area['text alone']:.3f} a map of the places that the text names, which sees "
        f"no film, {area['oracle']:.3f} the best there is",
        "[films of people](measurements/real.md)",
    ]


def _loaded(rounds: list[dict[str, Any]]) -> list[str]:
    def per_second(name: str) -> str:
        return f"{median(each[name]['later_cpu'] for each in rounds):,.0f}"

    return [
        "Graphs a second into batches of PyTorch Geometric, one core, every checksum verified",
        per_second(_RECORDS),
        f"{per_second(_PER_FILE)} a file of `torch.save` for each, {per_second(_DIRECT)} a hand-written reader of one "
        "safetensors file that verifies nothing",
        "[loaders](measurements/loaders.md)",
    ]


def _stored(group: dict[str, Any]) -> list[str]:
    sizes = {each["coding"]: each["bytes"] / group["films"] / 1024 for each in group["codings"] if each.get("bytes")}
    lossless = group["smallest_lossless"]
    ours = next(name for name in sizes if name.startswith(".ngr"))
    return [
        "KiB of a synthetic film of 12 bits and its report; a `.ngr` is no image, it holds the kept patches and the graph",
        f"{sizes[ours]:,.1f}",
        f"{sizes['source file']:,.0f} the film, {lossless['bytes'] / group['films'] / 1024:,.0f} {lossless['coding']}, the "
        "smallest coding without loss",
        "[sizes](measurements/sizes.md)",
    ]


def _read(found: dict[str, Any]) -> list[str]:
    rivals = found["rivals"]["apart"]
    best = max(rivals, key=lambda name: rivals[name]["f1"])
    return [
        "F1 of findings and what a report says of them, sentences kept apart while the rules were made",
        f"{found['sentences']['apart']['all']['f1']:.3f}",
        f"{rivals[best]['f1']:.3f} {best}, the best of {len(rivals)} rivals",
        "[the report graph](measurements/report_graph.md)",
    ]


def _living(found: dict[str, Any]) -> list[str]:
    whole = found["add"]["seconds"] / found["added"] * found["studies"]
    steps = [found[name]["seconds"] for name in ("remove_1", "vacuum")]
    return [
        f"Seconds to remove one study of {found['studies']:,} so that no byte of it is left",
        f"{sum(steps):.1f}",
        f"{whole:,.0f} to add them all again, at the rate of {found['added']:,}",
        "[a million studies](measurements/living.md)",
    ]
