"""The verdict on a trained model in words, from ``training.json`` beside its weights; needs no library of models."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from neuralgraph.wire.json_reading import parsed_json

__all__ = ["read_verdict", "verdict_lines"]

_MEASURES = {
    "area_kept": "area of lesions in the kept 2.3 %",
    "pointing": "maximum on a lesion",
    "patch_auc": "patch AUC",
    "phrase_pointing": "phrase pointing",
    "side_gain": "true side less swapped side",
    "text_gain": "own report less another patient's",
    "auc": "AUC of the findings",
    "bleu2": "BLEU-2 of written reports",
}


def verdict_lines(verdict: Mapping[str, Any]) -> list[str]:
    """A verdict in words: what the model is worth, against the one the run began with and a map that never looks."""
    before, after = verdict["before"], verdict["after"]
    lines = [
        f"{words}: {after[name]:.3f}" + (f", before {before[name]:.3f}" if name in before else "")
        for name, words in _MEASURES.items()
        if name in after
    ]
    if "mean_map_area" in after:
        better = after["area_kept"] > after["mean_map_area"]
        fixed = f"a fixed map of where lesions lie keeps {after['mean_map_area']:.3f}"
        lines.append(f"it sees more than a fixed map ({fixed})" if better else f"NOT better than a fixed map: {fixed}")
    else:
        lines.append("no validation film has marks: whether its patches are the right ones is not known")
    if after.get("text_gain", 1.0) <= 0:
        lines.append("it does NOT read: another patient's report keeps as much")
    return lines


def read_verdict(directory: Path) -> dict[str, Any]:
    """The verdict of the run that made a model; empty where there is none, as for models of others."""
    try:
        verdict = parsed_json((directory / "training.json").read_text(encoding="utf-8"))["verdict"]
        return verdict if isinstance(verdict["before"], dict) and isinstance(verdict["after"], dict) else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
