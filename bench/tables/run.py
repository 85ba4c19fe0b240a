"""One run: collect, train every system, score, weigh, and judge."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.tables.data import Data
from bench.tables.gather import Sample, model_directory
from bench.tables.measures import attention_by_rank, lesions_kept, sizes
from bench.tables.pictures import LOSSLESS, jpeg_xl_missing
from bench.tables.ranking import attention_of, centre_scores, contrast_scores, random_scores, ranked_by
from bench.tables.rates import Parts, Reader, image_alone, measure_rates
from bench.tables.scoring import Truth, compared, scored
from bench.tables.systems import ATTENTION, Job, Predictions, System, listed, train_all, write_rankings
from bench.tables.targets import targets
from bench.tables.written import score_reports
from neuralgraph.compressor.model.mean_attention import read_mean_attention
from neuralgraph.graph.study import Study
from neuralgraph.storage.opening import open_archive
from neuralgraph.tasks import TrainingSettings

__all__ = ["RETENTIONS", "TRAINING", "measure"]

RETENTIONS = (1.0, 0.3, 0.1, 0.05, 0.023, 0.01, 0.004)
# Chosen by the validation loss of graphs without pruning: they need the most steps, and look worse with fewer.
TRAINING = TrainingSettings(epochs=40, patience=10, batch_size=32, learning_rate=1e-2)
_PRUNED = "kept patches"
_OWN = "kept patches, chosen without the report"


def measure(
    data: Data,
    *,
    model: str,
    retain: float,
    seeds: Sequence[int],
    work: Path,
    workers: int,
    progress: Callable[[str], None],
) -> dict[str, Any]:
    """All results of a run, ready for JSON.

    Parameters
    ----------
    data : the studies.
    model : that made them.
    retain : of the tables and ablations.
    seeds : of training.
    work : folder for what the processes share.
    workers : processes.
    progress : told what is going on.
    """
    left_out = dict(data.left_out)
    with open_archive(data.whole) as archive:
        whole = [archive[name] for name in data.split.every]
    complete = data.share == 1.0
    rankings = _rankings(data, whole, model, left_out) if complete else {}
    if not complete:
        left_out["other rankings, retentions above the stored one"] = f"studies hold {data.share:.3g} of their patches"
    write_rankings(work, data.split.every, {name: each for name, each in rankings.items() if name not in _COMPUTED})
    words = all(study.word_attention is not None or not study.concepts for study in whole)
    if not words:
        left_out["fusion by the words' attention"] = "the studies do not hold it"
    systems = listed(
        retain=retain,
        retentions=[share for share in RETENTIONS if share <= data.share],
        rankings=[name for name in rankings if name != ATTENTION],
        written=data.written is not None,
        words=words,
    )
    job = Job(
        whole=data.whole,
        written=data.written or data.whole,
        work=work,
        split=data.split,
        labels=data.labels,
        seeds=tuple(seeds),
        settings=TRAINING,
    )
    predicted: dict[System, Predictions] = {}
    for system, predictions in train_all(systems, job, workers=workers):
        predicted[system] = predictions
        progress(f"trained {len(predicted)} of {len(systems)}: {system.name}")
    test = range(len(whole) - len(data.split.test), len(whole))
    tested = [whole[number] for number in test]
    samples = [data.samples[number] for number in test]
    found = _scored(data, predicted, retain)
    rates = _rates(data, whole, rankings, retain, progress) if complete else {}
    if any(sample.pictures for sample in data.samples) and (reason := jpeg_xl_missing()):
        left_out["JPEG XL"] = reason
    return {
        "data": data.facts,
        "retain": retain,
        "stored_share": data.share,
        "seeds": list(seeds),
        "training": asdict(TRAINING),
        "systems": found["systems"],
        "differences": found["differences"],
        "written": _reports(samples, left_out),
        "sizes": sizes(tested, retain) | _picture_size(samples),
        "patches": {"all": float(np.mean([study.n_cells for study in tested]))},
        "attention_by_rank": attention_by_rank([attention_of(study) for study in tested], retain) if complete else {},
        "lesions": lesions_kept(samples, {name: [each[n] for n in test] for name, each in rankings.items()}, retain)
        if rankings
        else {},
        "rates": rates,
        "targets": targets(found["differences"], rates.get("equal_bytes", ()), studies=(_PRUNED, _OWN)),
        "left_out": left_out,
    }


_COMPUTED = ("random", "centre", ATTENTION)
"""Rankings that every process makes itself."""


def _rankings(
    data: Data, whole: Sequence[Study], model: str, left_out: dict[str, str]
) -> dict[str, list[NDArray[np.float32]]]:
    """Scores of every study's cells by ranking, rows as in ``data``."""
    found = {
        ATTENTION: [attention_of(study) for study in whole],
        "random": [random_scores(study) for study in whole],
        "centre": [centre_scores(study) for study in whole],
    }
    for name in data.samples[0].rankings:
        found[name] = [sample.rankings[name] for sample in data.samples]
    mean = read_mean_attention(model_directory(model))
    if mean is None:
        left_out["contrast"] = "the model has no mean attention map"
    else:
        found["contrast"] = [contrast_scores(study, mean) for study in whole]
    if all(sample.lesion is not None for sample in data.samples):
        # Without a lesion the mask is empty: the attention decides, and keeps the order from telling who is healthy.
        found["mask"] = [
            (sample.lesion + 1e-3 * scores / max(float(scores.max()), 1e-12)).astype(np.float32)
            for sample, scores in zip(data.samples, found[ATTENTION], strict=True)
            if sample.lesion is not None
        ]
    return found


def _scored(data: Data, predicted: Mapping[System, Predictions], retain: float) -> dict[str, Any]:
    """Scores of every system, and the differences that the tables speak of."""
    truth, everyone = data.truth(), data.truth(all_tested=True)
    systems = {}
    for system, predictions in sorted(predicted.items(), key=lambda item: (-item[0].retain, item[0].name)):
        runs = [run[data.tested] for run in predictions.runs]
        systems[system.name] = {
            **asdict(system),
            "nodes": predictions.nodes,
            "patches": predictions.patches,
            "epochs": predictions.epochs,
            **scored(truth, runs),
            "all_tested": scored(everyone, predictions.runs)["auc"],
        }
    differences = {}
    for name, (first, second) in _pairs(retain).items():
        if first in predicted and second in predicted:
            differences[name] = _difference(data, truth, everyone, predicted[first], predicted[second])
    for system, predictions in predicted.items():
        base = System(retain=1.0, text=system.text if system.text == "none" else "given")
        if system != base and base in predicted:
            systems[system.name]["against_no_pruning"] = _difference(
                data, truth, everyone, predictions, predicted[base]
            )
        kept = System(retain=retain, text=system.text)
        if system != kept and kept in predicted and system.retain == retain:
            systems[system.name]["against_attention"] = _difference(data, truth, everyone, predictions, predicted[kept])
    return {"systems": systems, "differences": differences}


def _pairs(retain: float) -> dict[str, tuple[System, System]]:
    image, fused = System(retain=retain), System(retain=retain, text="given")
    return {
        "kept, with report": (fused, System(retain=1.0, text="given")),
        "kept, image alone": (image, System(retain=1.0)),
        "attention minus random": (image, System(retain=retain, ranking="random")),
        "all patches minus random": (System(retain=1.0), System(retain=retain, ranking="random")),
        "mask minus random": (System(retain=retain, ranking="mask"), System(retain=retain, ranking="random")),
    }


def _difference(data: Data, truth: Truth, everyone: Truth, first: Predictions, second: Predictions) -> dict[str, Any]:
    few = compared(truth, [run[data.tested] for run in first.runs], [run[data.tested] for run in second.runs])
    return {**few, "all_tested": compared(everyone, first.runs, second.runs)}


def _reports(samples: Sequence[Sample], left_out: dict[str, str]) -> dict[str, Any]:
    usable = [sample for sample in samples if sample.truth]
    ways = [
        name for name in ("all", "kept", "kept by own report", "kept at random") if usable and name in usable[0].written
    ]
    if not ways:
        left_out["BLEU-2"] = "there is no report to compare with, or none was written"
        return {}
    written = {name: [sample.written[name] for sample in usable] for name in ways}
    example = {"truth": usable[0].truth, **{name: texts[0] for name, texts in written.items()}}
    return {**score_reports([sample.truth for sample in usable], written), "example": example}


def _picture_size(samples: Sequence[Sample]) -> dict[str, float]:
    """Mean bytes of the films without loss, as the encoder sees them."""
    found = [sample.pictures[LOSSLESS].bytes for sample in samples if sample.pictures]
    return {"picture": float(np.mean(found))} if found else {}


def _rates(
    data: Data,
    whole: Sequence[Study],
    rankings: Mapping[str, Sequence[NDArray[np.float32]]],
    retain: float,
    progress: Callable[[str], None],
) -> dict[str, Any]:
    # The same studies teach every reader, whatever its files: those with pictures, all where there are none.
    pictures = any(sample.pictures for sample in data.samples)
    taken = np.array([bool(sample.pictures) or not pictures for sample in data.samples])
    studies = [whole[row] for row in np.flatnonzero(taken)]
    n_train, n_test = int(taken[: len(data.split.train)].sum()), len(data.split.test)
    reader = Reader(
        outcome=data.outcome[taken],
        known=data.known[taken],
        parts=Parts(*np.split(np.arange(len(studies)), [n_train, len(studies) - n_test])),
        truth=data.truth(),
        chosen=data.tested,
    )
    bare = [image_alone(study) for study in studies]
    kinds = {_PRUNED: [study.prune(retain=retain) for study in bare]}
    if "own report" in rankings:
        kinds[_OWN] = [
            ranked_by(study, scores).prune(retain=retain)
            for study, scores in zip(bare, (rankings["own report"][row] for row in np.flatnonzero(taken)), strict=True)
        ]
    for share in (0.05, 0.1, 1.0):
        kinds["all patches" if share == 1 else f"{share:.0%} of the patches"] = [
            study.prune(retain=share) for study in bare
        ]
    pictured = [sample for sample in data.samples if sample.pictures]
    return {"studies_to_learn_from": n_train, **measure_rates(kinds, pictured, reader, progress=progress)}
