"""Does the bundled model see? Attention, findings and reports against the truth of phantoms it has never met.

    python -m bench.demo_model [--model demo] [--unguided DIR] [--patients 160]

Patients come from a cohort of another seed than the training's. Definitions, fixed before anything was measured:

- a lesion patch is a cell of which the mask covers more than a tenth; an enlarged heart is left out of "lesion kept",
  because it fills the film, and is counted in phrase pointing;
- kept are the ceil(share x patches) patches of highest score, as the compressor keeps them;
- phrase pointing: the maximum of the attention summed over the words of one phrase is a lesion patch of the finding the
  phrase names; "centre" counts only patches whose centre lies in the mask;
- by layer: the same two measures for the attention of each decoder layer; of the model, and with ``--unguided`` of one
  that was trained alike, but not told where to look (``build_demo --guidance 0``);
- BLEU-2 is sacrebleu's corpus BLEU with n-grams up to 2 (tokenisation 13a) against findings and impression;
- a report names a finding when the rules that make report graphs read it as present or possible; what they read in a
  true report is what the film shows (tests/bench/test_demo_model.py), and "device or old change" is any distractor.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import statistics
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bench.figures import draw_attention
from bench.tables.ranking import coverage as mask_coverage
from neuralgraph.compressor import Compressor
from neuralgraph.compressor.generation import ReportWriter
from neuralgraph.compressor.model.configuration import NeuralGraphConfig
from neuralgraph.compressor.model.files import model_digest
from neuralgraph.compressor.model.mean_attention import read_mean_attention
from neuralgraph.compressor.model.model import NeuralGraphModel
from neuralgraph.compressor.model.preprocess import Preprocessor
from neuralgraph.compressor.pruning import TopFraction
from neuralgraph.compressor.report_graph import extractor
from neuralgraph.compressor.report_graph.lexicon import load_lexicon
from neuralgraph.compressor.score_rules import Scoring
from neuralgraph.compressor.scored_film import ScoredFilm
from neuralgraph.compressor.scorer import DEMO, DEMO_DIRECTORY, load_scorer
from neuralgraph.compressor.training.report_text import described_text
from neuralgraph.phantoms import FINDINGS, PhantomStudy, phantom_cohort

ROOT = Path(__file__).resolve().parents[1]
FIGURE = ROOT / "docs" / "measurements" / "demo_model.png"
LIBRARIES = ("torch", "transformers", "timm", "sacrebleu")
HELD_OUT_SEED = 2026
RETENTIONS = (0.023, 0.05, 0.10)
COVERED = 0.1
NOT_LOCAL = ("cardiomegaly",)
DISTRACTING = "device or old change"
NAMES = {
    **{name: name for name in FINDINGS},
    "effusion": "pleural effusion",
    **dict.fromkeys(("device", "fracture", "degenerative", "granuloma"), DISTRACTING),
}
"""What a category of the lexicon is called here."""
ASSERTED = ("definitely present", "uncertain")

Scores = list[NDArray[np.float64]]


def coverage(mask: NDArray[np.bool_], scored: ScoredFilm) -> NDArray[np.float32]:
    """Share of every cell that a mask covers, [rows * cols]."""
    return mask_coverage(mask, scored.patch_height, scored.patch_width, (scored.rows, scored.cols))


def central(mask: NDArray[np.bool_], scored: ScoredFilm) -> NDArray[np.bool_]:
    """Whether the centre of each cell lies in a mask, [rows * cols]."""
    rows = np.minimum(((np.arange(scored.rows) + 0.5) * scored.patch_height).astype(int), mask.shape[0] - 1)
    cols = np.minimum(((np.arange(scored.cols) + 0.5) * scored.patch_width).astype(int), mask.shape[1] - 1)
    return mask[np.ix_(rows, cols)].ravel()


def from_centre(scored: ScoredFilm) -> NDArray[np.float64]:
    """The centre prior: the nearer to the middle of the film, the higher."""
    rows = (np.arange(scored.rows) + 0.5) / scored.rows - 0.5
    cols = (np.arange(scored.cols) + 0.5) / scored.cols - 0.5
    return -np.hypot(rows[:, None], cols[None, :]).ravel()


def from_mean(mean: NDArray[np.float32], scored: ScoredFilm) -> NDArray[np.float64]:
    """The model's mean attention map on the grid of a film."""
    fitted = torch.nn.functional.interpolate(
        torch.from_numpy(mean)[None, None].double(), size=(scored.rows, scored.cols), mode="bilinear", antialias=True
    )
    return fitted.numpy().ravel()


def kept(score: NDArray[Any], share: float) -> NDArray[np.int64]:
    """Numbers of the patches the compressor would keep."""
    return np.argsort(-score, kind="stable")[: math.ceil(share * len(score))]


def chance(hits: int, cells: int, drawn: int) -> float:
    """That `drawn` of `cells` patches, drawn at random, have one of `hits` among them."""
    return 1 - math.comb(cells - hits, drawn) / math.comb(cells, drawn)


def lesions_kept(studies: list[PhantomStudy], scored: list[ScoredFilm], mean: NDArray[np.float32]) -> dict[str, Any]:
    """Studies with a lesion patch among the kept, and the share of the lesions' area kept; with baselines."""
    rows = []
    for study, film in zip(studies, scored, strict=True):
        masks = [finding.mask for finding in study.findings if finding.present and finding.name not in NOT_LOCAL]
        share = coverage(np.any(masks, axis=0), film) if masks else np.zeros(0)
        if (share > COVERED).any():
            rows.append((share, film))
    rankings: dict[str, Callable[[ScoredFilm], NDArray[Any]]] = {
        "model": lambda film: film.score,
        "centre": from_centre,
        "mean_map": lambda film: from_mean(mean, film),
    }
    result: dict[str, Any] = {
        "lesion_studies": len(rows),
        "lesion_patches": _mean((s > COVERED).mean() for s, _ in rows),
    }
    for retention in RETENTIONS:
        table = {}
        for name, ranking in rankings.items():
            chosen = [(share, kept(ranking(film), retention)) for share, film in rows]
            table[name] = {
                "lesion_kept": _mean((share[keep] > COVERED).any() for share, keep in chosen),
                "area_kept": _mean(share[keep].sum() / share.sum() for share, keep in chosen),
                "patches_on_lesion": _mean((share[keep] > COVERED).mean() for share, keep in chosen),
            }
        table["random"] = {
            "lesion_kept": _mean(
                chance(int((s > COVERED).sum()), len(s), math.ceil(retention * len(s))) for s, _ in rows
            ),
            "area_kept": _mean(math.ceil(retention * len(s)) / len(s) for s, _ in rows),
            "patches_on_lesion": _mean((s > COVERED).mean() for s, _ in rows),
        }
        result[str(retention)] = table
    return result


def pointing(studies: list[PhantomStudy], scored: list[ScoredFilm], mean: NDArray[np.float32]) -> dict[str, Any]:
    """Phrase pointing by finding, and for all; baselines for all."""
    hits: dict[str, list[dict[str, float]]] = {}
    for study, film in zip(studies, scored, strict=True):
        words = film.words
        if words is None:
            raise AssertionError("the scorer was asked for words")
        for finding in study.findings:
            if not finding.present:
                continue
            cells, centres = coverage(finding.mask, film) > COVERED, central(finding.mask, film)
            for start, end in finding.phrases:
                inside = (words.start < end) & (words.end > start)
                place = int(words.attention[inside].sum(axis=0).argmax())
                hits.setdefault(finding.name, []).append(
                    {
                        "model": float(cells[place]),
                        "model_centre": float(centres[place]),
                        "whole_report_map": float(cells[int(film.score.argmax())]),
                        "random": float(cells.mean()),
                        "centre": float(cells[int(from_centre(film).argmax())]),
                        "mean_map": float(cells[int(from_mean(mean, film).argmax())]),
                    }
                )
    every = [hit for found in hits.values() for hit in found]
    local = [hit for name, found in hits.items() if name not in NOT_LOCAL for hit in found]
    return {
        "phrases": len(every),
        "all": {name: _mean(hit[name] for hit in every) for name in every[0]},
        "all_but_cardiomegaly": {name: _mean(hit[name] for hit in local) for name in local[0]},
        "by_finding": {
            name: {"phrases": len(found), **{key: _mean(hit[key] for hit in found) for key in found[0]}}
            for name, found in sorted(hits.items())
        },
    }


def scored_films(directory: Path, studies: list[PhantomStudy], layer: int) -> list[ScoredFilm]:
    """The films of some studies, scored by one decoder layer, with the maps of their words."""
    scorer = load_scorer(directory, scoring=Scoring(layer=layer))
    return [scorer([study.pixels], [study.report], words=True)[0] for study in studies]


def by_layer(
    directory: Path, studies: list[PhantomStudy], mean: NDArray[np.float32], last: list[ScoredFilm]
) -> list[dict[str, float]]:
    """Lesions kept at the smallest retention and phrase pointing, for every decoder layer; ``last`` is scored."""
    rows = []
    count = NeuralGraphConfig.read(directory).text.num_layers
    for layer in range(count):
        scored = last if layer == count - 1 else scored_films(directory, studies, layer)
        smallest = lesions_kept(studies, scored, mean)[str(RETENTIONS[0])]["model"]
        pointed = pointing(studies, scored, mean)["all"]["model"]
        rows.append({"layer": layer, "lesion_kept": smallest["lesion_kept"], "pointing": pointed})
    return rows


def head_auc(directory: Path, studies: list[PhantomStudy]) -> dict[str, float]:
    """Area under the ROC curve of the classification head, by finding."""
    model, preprocessor = NeuralGraphModel.from_pretrained(directory), Preprocessor.read(directory)
    with torch.inference_mode():
        logits = np.concatenate([model(preprocessor(study.pixels)[None]).class_logits.numpy() for study in studies])
    areas = {}
    for column, name in enumerate(model.config.labels):
        truth = np.array([study.labels[name] for study in studies]) == 1
        wins = np.sign(logits[truth, column][:, None] - logits[~truth, column][None, :])
        areas[name] = round(float((wins.mean() + 1) / 2), 3)
    return areas


def reports(directory: Path, studies: list[PhantomStudy], plain: list[PhantomStudy]) -> dict[str, Any]:
    """BLEU-2 of the reports written from all patches and from the kept ones, with what bounds it."""
    from sacrebleu.metrics import BLEU

    metric = BLEU(max_ngram_order=2)
    compressor = Compressor.from_pretrained(directory, policy=TopFraction(1.0), report_graph="none")
    writer = ReportWriter.from_pretrained(directory)
    whole = [compressor(study.pixels, study.report) for study in studies]
    truth = [described_text(study.report) for study in studies]

    def score(written: list[str]) -> float:
        return round(metric.corpus_score(written, [truth]).score / 100, 3)

    written = {"all patches": [writer(study) for study in whole]}
    for retention in RETENTIONS:
        written[f"kept {retention:.1%}"] = [writer(study.prune(retain=retention)) for study in whole]
    result: dict[str, Any] = {
        "films": len(studies),
        "bleu2": {name: score(texts) for name, texts in written.items()},
        "named": {name: naming(truth, texts) for name, texts in written.items()},
    }
    result["bleu2"]["report of another patient"] = score(truth[1:] + truth[:1])
    result["bleu2"]["plainest report of the truth"] = score([described_text(study.report) for study in plain])
    result["signature"] = str(metric.get_signature())
    result["example"] = {"truth": truth[0], "written": written["all patches"][0]}
    return result


def named_findings(texts: list[str]) -> list[set[str]]:
    """The findings that each text says are there or may be, and DISTRACTING when it names a distractor."""
    categories = load_lexicon().categories
    return [
        {
            NAMES[category]
            for concept in graph.concepts
            if concept.label.partition("::")[2] in ASSERTED and (category := categories.get(concept.text)) in NAMES
        }
        for graph in extractor("rules", sections="findings+impression")(texts)
    ]


def naming(truth: list[str], written: list[str]) -> dict[str, dict[str, int]]:
    """By finding: how many true reports name it, how many of these the written ones name too, how many these name."""
    pairs = list(zip(named_findings(truth), named_findings(written), strict=True))
    return {
        name: {
            "true": sum(name in true for true, _ in pairs),
            "found": sum(name in true and name in said for true, said in pairs),
            "named": sum(name in said for _, said in pairs),
        }
        for name in sorted({*FINDINGS, DISTRACTING})
    }


def measure(
    model: str, patients: int, written: int, unguided: Path | None
) -> tuple[dict[str, Any], list[PhantomStudy], list[ScoredFilm]]:
    """All results for one model."""
    directory = DEMO_DIRECTORY if model == DEMO else Path(model)
    mean = read_mean_attention(directory)
    if mean is None:
        raise SystemExit("the model has no mean attention map")
    studies = list(phantom_cohort(HELD_OUT_SEED, patients))
    scored = scored_films(directory, studies, -1)
    some = max(1, patients // 4)
    large = list(phantom_cohort(HELD_OUT_SEED, some, height=960, width=800))
    large_scored = scored_films(directory, large, -1)
    first = max(1, written // 2)
    plain = list(phantom_cohort(HELD_OUT_SEED, first, height=64, width=64, variety=0.0))
    layers = {"guided": by_layer(directory, studies, mean, scored)}
    if unguided is not None:
        layers["unguided"] = by_layer(unguided, studies, mean, scored_films(unguided, studies, -1))
    results = {
        "model": {"digest": model_digest(directory), "trained": NeuralGraphConfig.read(directory).trained},
        "held_out": {"cohort_seed": HELD_OUT_SEED, "patients": patients, "films": len(studies), "film": [512, 512]},
        "grid": [scored[0].rows, scored[0].cols],
        "lesions": lesions_kept(studies, scored, mean),
        "pointing": pointing(studies, scored, mean),
        "by_layer": layers,
        "auc": head_auc(directory, studies),
        "large_films": {
            "film": [960, 800],
            "films": len(large),
            "grid": [large_scored[0].rows, large_scored[0].cols],
            "lesions": lesions_kept(large, large_scored, mean),
            "pointing": pointing(large, large_scored, mean)["all"],
        },
        "reports": reports(directory, studies[: len(plain)], plain),
    }
    return results, studies, scored


def _mean(values: Any) -> float:
    return round(statistics.fmean(float(value) for value in values), 3)


def main() -> None:
    """Measure, write the results and draw the figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=DEMO)
    parser.add_argument("--unguided", type=Path, metavar="DIR")
    parser.add_argument("--patients", type=int, default=160)
    parser.add_argument("--written", type=int, default=120, help="about how many films reports are written of")
    parser.add_argument("--output", type=Path, default=ROOT / "bench" / "results" / "demo_model.json")
    parser.add_argument("--figure", type=Path, default=FIGURE)
    arguments = parser.parse_args()
    results, studies, scored = measure(arguments.model, arguments.patients, arguments.written, arguments.unguided)
    training = (DEMO_DIRECTORY if arguments.model == DEMO else Path(arguments.model)) / "training.json"
    record = {
        "command": f"python -m bench.demo_model --patients {arguments.patients} --written {arguments.written}"
        + (" --unguided DIR" if arguments.unguided else ""),
        "machine": {"cores": os.cpu_count(), "platform": platform.machine()},
        "versions": {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}},
        **results,
        "training": json.loads(training.read_text(encoding="utf-8")) if training.is_file() else None,
    }
    arguments.output.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    draw_attention(arguments.figure, studies, scored, share=RETENTIONS[0])
    shown = {name: results[name] for name in ("lesions", "pointing", "by_layer", "auc", "large_films", "reports")}
    sys.stdout.write(json.dumps(shown, indent=1) + "\n")


if __name__ == "__main__":
    main()
