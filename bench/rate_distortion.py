"""Bytes of a study against what its embedding loses, for every form: the measurement the default was chosen from.

    python -m bench.rate_distortion [--model FOLDER] [--studies 400] [--wide 12]

Two data sets. Studies of phantoms through the demo model, or any other trained one: synthetic, but the encoder has
learnt something and labels are true, so that damage to a downstream probe can be measured. And, for sizes at 1,024
values per patch, the studies of bench.layout: real films and reports through an encoder of that shape with random
weights.

Errors are normalised by the deviation of each channel over the whole collection, not by that of a study.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from importlib import metadata
from pathlib import Path
from statistics import mean, median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.probe import Probe, macro_auc
from bench.rounding import rounded
from bench.shared_data import SHARED_DATA
from neuralgraph import Study, to_bytes
from neuralgraph.codecs import zstd
from neuralgraph.codecs.loss import normalised_rmse
from neuralgraph.codecs.registry import FORMS, exact_form
from neuralgraph.compressor import Compressor
from neuralgraph.compressor.pruning import TopFraction
from neuralgraph.container.reader import BytesSource, Container
from neuralgraph.container.record import EMBEDDING_STREAMS, MATRIX_STREAMS
from neuralgraph.phantoms import FINDINGS, phantom_cohort
from neuralgraph.storage.lossy import form_named

__all__ = ["SETTINGS", "main", "pareto"]

RESULTS = Path(__file__).parent / "results" / "rate_distortion.json"
SETTINGS = (
    *("float32", "float16", "bfloat16", "int8"),
    *(f"svd:{loss}" for loss in (0.005, 0.011, 0.03, 0.06, 0.075, 0.12, 0.2, 0.3, 0.45, 0.6)),
)
RETENTIONS = (0.08, 0.023)
SEED, SIDE, SIZED = 7, 256, 24
MIN_CASES = 20
Matrices = list[NDArray[np.float32]]


def phantom_studies(model: str, count: int) -> tuple[list[Study], list[str]]:
    """Studies at the largest retention, and the patient of each; labels are the truth of the picture."""
    compressor = Compressor.from_pretrained(model, policy=TopFraction(max(RETENTIONS)))
    studies: list[Study] = []
    patients = []
    for made in phantom_cohort(SEED, count, height=SIDE, width=SIDE):
        studies.append(compressor(made.pixels, made.report, labels=made.labels, study_id=f"study-{len(studies):05d}"))
        patients.append(made.patient_id)
        if len(studies) == count:
            break
    return studies, patients


def decoded(studies: list[Study], setting: str) -> Matrices:
    """What a reader gets of every embedding."""
    result = []
    for study in studies:
        matrix = study.patches.embedding
        form = form_named(setting) or exact_form(matrix)
        result.append(form.decode(form.encode(matrix), *matrix.shape, where=study.study_id))
    return result


def sizes(studies: list[Study], setting: str) -> dict[str, float]:
    """Mean bytes of a file of one study, and of the embedding in it."""
    files = [to_bytes(study, embedding=setting) for study in studies]
    streams = []
    for data in files:
        entries = Container(BytesSource(data)).record(0).streams.values()
        planes = range(EMBEDDING_STREAMS, EMBEDDING_STREAMS + MATRIX_STREAMS)
        streams.append(sum(entry.stored_bytes for entry in entries if entry.stream_id in planes))
    values = mean(study.patches.embedding.size for study in studies)
    return {
        "file_bytes": mean(map(len, files)),
        "embedding_bytes": mean(streams),
        "bits_per_value": 8 * mean(streams) / values,
    }


def distortion(originals: Matrices, results: Matrices) -> dict[str, float]:
    """Channel-normalised RMSE over the collection, and 1 - cosine: mean and largest over all patches."""
    before, after = np.concatenate(originals), np.concatenate(results)
    a, b = before.astype(np.float64), after.astype(np.float64)
    cosine = 1 - (a * b).sum(axis=1) / np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    return {
        "rmse": normalised_rmse(before, after, a.std(axis=0)),
        "cosine_mean": float(np.maximum(cosine, 0).mean()),
        "cosine_max": float(np.maximum(cosine, 0).max()),
    }


def pareto(rows: list[dict[str, Any]], loss: str) -> set[str]:
    """Settings that no other beats in both bytes and ``loss``."""
    return {
        row["setting"]
        for row in rows
        if not any(
            other["file_bytes"] <= row["file_bytes"] and other[loss] <= row[loss] and other is not row for other in rows
        )
    }


def measure_phantoms(model: str, count: int) -> dict[str, Any]:
    """Rate, distortion and drift of the probe on studies of a trained encoder."""
    whole, patients = phantom_studies(model, count)
    every = np.array([[study.labels[name] for name in FINDINGS] for study in whole])
    enough = [name for name, count in zip(FINDINGS, every.sum(axis=0), strict=True) if count >= MIN_CASES]
    labels = every[:, [FINDINGS.index(name) for name in enough]]
    result: dict[str, Any] = {
        "findings": enough,
        "width": whole[0].patches.embedding.shape[1],
        "provenance": dict(whole[0].provenance["model"]),
    }
    for retention in RETENTIONS:
        studies = [study.prune(retain=retention) for study in whole]
        originals = [study.patches.embedding for study in studies]
        probe = Probe(labels, patients)
        baseline = probe.scores(pooled(originals))
        rows = []
        for setting in SETTINGS:
            results = decoded(studies, setting)
            row: dict[str, Any] = {
                "setting": setting,
                **sizes(studies[:SIZED], setting),
                **distortion(originals, results),
            }
            row |= probe.drift(baseline, probe.scores(pooled(results)))
            rows.append(row)
            print(retention, json.dumps(rounded(row)), flush=True)
        front = pareto(rows, "rmse")
        result[f"retention {retention}"] = {
            "patches": mean(len(study.patches) for study in studies),
            "auc": mean(macro_auc(labels[test], scores) for test, scores in baseline),
            "settings": [{**row, "pareto": row["setting"] in front} for row in rows],
        }
    return result


def pooled(matrices: Matrices) -> NDArray[np.float64]:
    """float64 [studies, width]: mean over the patches of a study."""
    return np.stack([matrix.astype(np.float64).mean(axis=0) for matrix in matrices])


def measure_wide(count: int) -> dict[str, Any]:
    """Sizes at 20 patches of 1,024 values: real films and reports, an encoder with random weights."""
    from bench.layout import studies

    reports = SHARED_DATA / "openi" / "indiana_reports_200.csv"
    made = studies("swin_base_patch4_window12_384", SHARED_DATA / "cxr", reports, count)
    originals = [study.patches.embedding for study in made]
    rows = []
    for setting in SETTINGS:
        rows.append({"setting": setting, **sizes(made, setting), **distortion(originals, decoded(made, setting))})
        print("wide", json.dumps(rounded(rows[-1])), flush=True)
    front = pareto(rows, "rmse")
    return {
        "studies": count,
        "patches": len(made[0].patches),
        "width": originals[0].shape[1],
        "settings": [{**row, "pareto": row["setting"] in front} for row in rows],
        "lossless": {name: lossless(originals, name) for name in ("float32", "from float16", "from bfloat16")},
    }


def lossless(originals: Matrices, kind: str) -> dict[str, float]:
    """Bytes of exact storage against the order-0 entropy of the four byte planes, and the speed of decoding."""
    if kind == "from float16":
        originals = [matrix.astype(np.float16).astype(np.float32) for matrix in originals]
    if kind == "from bfloat16":
        originals = [(matrix.view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32) for matrix in originals]
    stored, floor, speeds = [], [], []
    for matrix in originals:
        form = exact_form(matrix)
        planes = form.encode(matrix)
        packed = [(zstd.encode(plane), plane) for plane in planes]
        kept = [(small, True) if 100 * len(small) <= 97 * len(plane) else (plane, False) for small, plane in packed]
        stored.append(sum(len(data) for data, _ in kept))
        floor.append(sum(_entropy_bytes(plane) for plane in FORMS["float32"].form.encode(matrix)))
        times = []
        for _ in range(15):
            start = time.perf_counter()
            back = [
                zstd.decode(memoryview(data), matrix.size, where="") if compressed else data
                for data, compressed in kept
            ]
            form.decode(back, *matrix.shape, where="")
            times.append(time.perf_counter() - start)
        speeds.append(matrix.nbytes / median(times) / 1e9)
    raw = mean(matrix.nbytes for matrix in originals)
    return {
        "raw_bytes": raw,
        "stored_bytes": mean(stored),
        "entropy_bytes": mean(floor),
        "ratio": raw / mean(stored),
        "above_entropy_percent": 100 * (mean(stored) / mean(floor) - 1),
        "decode_gb_per_s": median(speeds),
    }


def _entropy_bytes(plane: bytes) -> float:
    counts = np.bincount(np.frombuffer(plane, "u1"), minlength=256)
    share = counts[counts > 0] / len(plane)
    return float(-(share * np.log2(share)).sum() * len(plane) / 8)


def main() -> None:
    """Measure, and write the results."""
    parser = argparse.ArgumentParser(prog="python -m bench.rate_distortion", description=__doc__)
    parser.add_argument("--model", default="demo", help="'demo', or the folder of a trained model")
    parser.add_argument("--studies", type=int, default=400, help="studies of phantoms")
    parser.add_argument("--wide", type=int, default=12, help="studies of 1,024 values; 0 keeps what the results hold")
    arguments = parser.parse_args()
    before = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    results: dict[str, Any] = {
        "command": "python -m bench.rate_distortion",
        "studies": arguments.studies,
        "seed": SEED,
        "probe_seeds": list(Probe.SEEDS),
        "versions": {name: metadata.version(name) for name in ("numpy", "zstandard", "scikit-learn", "torch", "timm")},
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "phantoms": measure_phantoms(arguments.model, arguments.studies),
        "wide": measure_wide(arguments.wide) if arguments.wide else before["wide"],
    }
    RESULTS.write_text(json.dumps(rounded(results), indent=2) + "\n", encoding="utf-8")
    print(RESULTS)


if __name__ == "__main__":
    main()
