"""Which score rule finds the lesion: every rule on held-out phantoms, with one model.

    python -m bench.score_rules [--model demo] [--films 200] [--output bench/results/score_rules.json]

A phantom knows where its lesions are. For every rule and retention: the share of lesion studies with a lesion patch
among the kept patches, and the share of the kept patches that are lesion patches. A lesion patch is a cell of which a
lesion covers more than a tenth; an enlarged heart is no lesion here, because it fills the film.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.demo_model import COVERED, NOT_LOCAL, coverage, kept
from neuralgraph.compressor.compressor import present_findings
from neuralgraph.compressor.model.files import model_digest
from neuralgraph.compressor.model.mean_attention import read_mean_attention
from neuralgraph.compressor.report_graph import extractor
from neuralgraph.compressor.score_rules import SCORE_RULES, Scoring
from neuralgraph.compressor.scored_film import ScoredFilm
from neuralgraph.compressor.scorer import DEMO, DEMO_DIRECTORY, load_scorer
from neuralgraph.phantoms import phantom

ROOT = Path(__file__).resolve().parents[1]
LIBRARIES = ("torch", "transformers", "timm")
RETENTIONS = (0.023, 0.05, 0.10)
FIRST_SEED = 5_000_000
"""Seeds from here on belong to no training set."""


def kept_shares(scores: list[ScoredFilm], cells: list[NDArray[np.bool_]], retention: float) -> dict[str, float]:
    """Share of studies with a lesion patch among those kept; mean share of the kept that are lesion patches."""
    found = []
    for scored, lesion in zip(scores, cells, strict=True):
        found.append(lesion[kept(scored.score, retention)])
    return {
        "lesion_kept": round(float(np.mean([one.any() for one in found])), 3),
        "patches_on_lesion": round(float(np.mean([one.mean() for one in found])), 3),
    }


def measure(model: str, films: int, side: int) -> dict[str, Any]:
    """The results for one model."""
    studies = []
    seed = FIRST_SEED
    while len(studies) < films:
        made = phantom(seed, height=side, width=side)
        seed += 1
        masks = [finding.mask for finding in made.findings if finding.present and finding.name not in NOT_LOCAL]
        if masks and np.any(masks):
            studies.append((made, masks))
    directory = DEMO_DIRECTORY if model == DEMO else Path(model)
    reader = extractor("rules", sections="findings+impression")
    pixels, reports = [made.pixels for made, _ in studies], [made.report for made, _ in studies]
    table: dict[str, Any] = {}
    for rule in SCORE_RULES:
        if rule == "contrast" and read_mean_attention(directory) is None:
            table[rule] = "the model has no mean attention map"
            continue
        scoring = Scoring(rule=rule, findings=lambda text: present_findings(reader, text))
        scorer = load_scorer(model if model == DEMO else directory, scoring=scoring)
        scored = scorer(pixels, reports)
        cells = [
            coverage(np.any(masks, axis=0), one) > COVERED for (_, masks), one in zip(studies, scored, strict=True)
        ]
        table[rule] = {str(each): kept_shares(scored, cells, each) for each in RETENTIONS}
        table[rule]["studies_by_sum_instead"] = sum(one.rule != rule for one in scored)
    random = np.random.default_rng(0)
    draws = [one._replace(score=random.random(len(one.score), np.float32)) for one in scored]
    table["random"] = {str(each): kept_shares(draws, cells, each) for each in RETENTIONS}
    return {
        "model": {"digest": model_digest(directory), "trained": scorer.trained},
        "films": films,
        "film_side": side,
        "seeds": [FIRST_SEED, seed],
        "rules": table,
    }


def main() -> None:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=DEMO)
    parser.add_argument("--films", type=int, default=200)
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--output", type=Path, default=ROOT / "bench" / "results" / "score_rules.json")
    arguments = parser.parse_args()
    results = {
        "command": f"python -m bench.score_rules --films {arguments.films} --side {arguments.side}",
        "machine": {"cores": os.cpu_count(), "platform": platform.machine()},
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("torch", "transformers")},
        },
        **measure(arguments.model, arguments.films, arguments.side),
    }
    arguments.output.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(results["rules"], indent=1) + "\n")


if __name__ == "__main__":
    main()
