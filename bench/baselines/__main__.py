"""Train and score the paper's rival systems, small, and a neuralgraph model, on the same films.

    python -m bench.baselines [--data phantom|DIR] [--budget-seconds 300 | --budget-films N] [--model demo]

``--data phantom`` renders ``--patients`` phantoms to learn from (or takes rendered ones, ``--films DIR``) and tests on
``--held-out`` patients of another cohort. ``--data DIR`` takes a folder of films as training leaves them
(films.bin, examples.jsonl), split by patient. One film a patient is tested.

Every system is trained for the budget, one after another; the neuralgraph model is taken as it is, and the results say
how many films it was shown.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers.utils import logging as transformers_logging

from bench.baselines import ours
from bench.baselines.chexmed import CheXMedLike
from bench.baselines.cvt2distilgpt2 import Cvt2DistilGpt2Like
from bench.baselines.lessons import Lessons, first_of_each_patient, parts, phantom_films
from bench.baselines.rgrg import RgrgLike
from bench.baselines.rmt import RmtLike
from bench.baselines.scoring import bleu2, findings_scores
from bench.baselines.training import Budget, on_device, trained
from bench.rounding import rounded
from neuralgraph.compressor.scorer import DEMO, DEMO_DIRECTORY
from neuralgraph.compressor.training.examples import ExampleSet
from neuralgraph.tasks.binary_scores import compare_auc

RESULTS = Path(__file__).parents[1] / "results" / "baselines.json"
LIBRARIES = ("torch", "torchvision", "transformers", "sacrebleu")
PHANTOM, HELD_OUT_SEED, TRAINING_SEED = "phantom", 2026, 1
PAIRED = "pneumonia"

CLASSIFIERS: dict[str, Callable[[Lessons], torch.nn.Module]] = {
    "CheXMed-like": CheXMedLike,
    "CheXMed-like, film alone": lambda lessons: CheXMedLike(lessons, with_text=False),
    "RMT-like": RmtLike,
}
GENERATORS: dict[str, Callable[[Lessons], torch.nn.Module]] = {
    "CvT2DistilGPT2-like": Cvt2DistilGpt2Like,
    "RGRG-like": RgrgLike,
}


def measure(
    lessons: Lessons, budget: Budget, *, model: Path | None, systems: list[str], seed: int, device: str
) -> dict[str, Any]:
    """Everything the results say of the systems."""
    labels = np.concatenate([batch.labels.numpy() for batch in lessons.test_batches()]).astype(np.float64)
    truth = [text for batch in lessons.test_batches() for text in batch.texts]
    classifiers: dict[str, Any] = {}
    generators: dict[str, Any] = {}
    every: dict[str, Any] = {}
    for name in [name for name in CLASSIFIERS if name in systems]:
        system, spent = trained(lambda name=name: CLASSIFIERS[name](lessons), lessons, budget, seed=seed, device=device)
        logits = _logits(system, lessons, device)
        every |= {f"{name}, {given}": scores for given, scores in logits.items()}
        scored = {given: findings_scores(labels, scores, lessons.findings) for given, scores in logits.items()}
        classifiers[name] = {"spent": spent, "given": scored}
        _tell(name, spent, {given: row["mean"] for given, row in scored.items()})
    for name in [name for name in GENERATORS if name in systems]:
        system, spent = trained(lambda name=name: GENERATORS[name](lessons), lessons, budget, seed=seed, device=device)
        with torch.inference_mode():
            reports = [text for b in lessons.test_batches() for text in system.written(on_device(b, device))]
        generators[name] = {"spent": spent, "from": {"film": bleu2(reports, truth)}, "example": reports[0]}
        _tell(name, spent, generators[name]["from"])
    result: dict[str, Any] = {
        "classifiers": classifiers,
        "generators": generators,
        "reports": {
            "another patient's report": bleu2(truth[1:] + truth[:1], truth),
            "example": truth[0],
        },
    }
    if model is not None:
        facts = ours.facts(model)
        scores = ours.head_scores(model, lessons.test, lessons.findings)
        every["neuralgraph"] = scores
        texts = ours.written(model, lessons.test)
        result["neuralgraph"] = {
            **facts,
            "head": findings_scores(labels, scores, lessons.findings),
            "from": {source: bleu2(reports, truth) for source, reports in texts.items()},
            "example": texts["all patches"][0],
        }
        _tell("neuralgraph", facts, {"film": result["neuralgraph"]["head"]["mean"], **result["neuralgraph"]["from"]})
        result["paired"] = _paired(every, labels, lessons.findings)
    return result


def _logits(system: Any, lessons: Lessons, device: str) -> dict[str, Any]:
    collected: dict[str, list[torch.Tensor]] = {}
    with torch.inference_mode():
        for batch in lessons.test_batches():
            for given, logits in system.scores(on_device(batch, device)).items():
                collected.setdefault(given, []).append(logits.cpu())
    return {given: torch.cat(rows).double().numpy() for given, rows in collected.items()}


def _paired(every: dict[str, Any], labels: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """DeLong's test of each system against the neuralgraph head, of one finding."""
    if PAIRED not in names:
        return {}
    column = names.index(PAIRED)
    mine = every.pop("neuralgraph")[:, column]
    known = ~(np.isnan(labels[:, column]) | np.isnan(mine))
    if min((labels[known, column] == value).sum() for value in (0, 1)) < 2:
        return {}
    tests = {
        name: compare_auc(labels[known, column], scores[known, column], mine[known])._asdict()
        for name, scores in every.items()
    }
    return {"finding": PAIRED, "against": "neuralgraph head", "systems": tests}


def _tell(name: str, spent: dict[str, Any], scores: dict[str, Any]) -> None:
    sys.stderr.write(f"{name}: {json.dumps(rounded(spent, digits=4))} {json.dumps(rounded(scores, digits=4))}\n")


def _films(arguments: argparse.Namespace, scratch: Path) -> tuple[ExampleSet, ExampleSet]:
    if arguments.data != PHANTOM:
        learn, test = parts(ExampleSet(Path(arguments.data)), seed=arguments.seed)
    else:
        workers = len(os.sched_getaffinity(0))
        learn = (
            ExampleSet(arguments.films)
            if arguments.films
            else phantom_films(scratch / "learn", seed=TRAINING_SEED, patients=arguments.patients, workers=workers)
        )
        test = phantom_films(scratch / "test", seed=HELD_OUT_SEED, patients=arguments.held_out, workers=workers)
    return learn, first_of_each_patient(test)


def main() -> None:
    """Train, score and write the results."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.baselines", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    every = [*CLASSIFIERS, *GENERATORS]
    parser.add_argument("--data", default=PHANTOM, metavar="phantom|DIR")
    parser.add_argument("--films", type=Path, help="rendered phantoms to learn from")
    parser.add_argument("--patients", type=int, default=1500, help="phantoms to render and learn from")
    parser.add_argument("--held-out", type=int, default=400, help="phantoms to test on")
    parser.add_argument("--budget-seconds", type=float, default=300.0, help="training of each system")
    parser.add_argument("--budget-films", type=int, help="films shown to each system; instead of seconds")
    parser.add_argument("--side", type=int, default=128, help="films as the systems see them, pixels; a multiple of 16")
    parser.add_argument("--model", default=DEMO, help="'demo', the folder of a neuralgraph model, or 'none'")
    parser.add_argument("--systems", nargs="+", choices=every, default=every, metavar="NAME", help=", ".join(every))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--output", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    if arguments.side < 32 or arguments.side % 16:
        parser.error("--side must be a multiple of 16, at least 32")
    transformers_logging.set_verbosity_error()
    by_films = arguments.budget_films is not None
    budget = Budget(films=arguments.budget_films) if by_films else Budget(seconds=arguments.budget_seconds)
    model = {DEMO: DEMO_DIRECTORY, "none": None}.get(arguments.model, Path(arguments.model))
    with tempfile.TemporaryDirectory(prefix="ngr-baselines-") as scratch:
        learn, test = _films(arguments, Path(scratch))
        lessons = Lessons(learn, test, side=arguments.side)
        spent = f"--budget-films {budget.films}" if by_films else f"--budget-seconds {budget.seconds:g}"
        synthetic = arguments.data == PHANTOM
        record = {
            "command": f"python -m bench.baselines --data {PHANTOM if synthetic else 'DIR'} {spent}",
            "data": "synthetic films (phantoms)" if synthetic else "films of the person who ran this",
            "seeds": {"training": arguments.seed, **({"held_out_cohort": HELD_OUT_SEED} if synthetic else {})},
            "films": {"learn": len(learn), "test": len(test), "side": arguments.side},
            "budget": {"films": budget.films, "seconds": budget.seconds},
            "machine": {
                "cores": len(os.sched_getaffinity(0)),
                "threads": torch.get_num_threads(),
                "platform": platform.machine(),
                "device": arguments.device,
            },
            "versions": {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}},
            **measure(
                lessons,
                budget,
                model=model,
                systems=arguments.systems,
                seed=arguments.seed,
                device=arguments.device,
            ),
        }
    arguments.output.write_text(json.dumps(rounded(record, digits=4), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
