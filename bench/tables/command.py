"""``python -m bench tables``: one run, its results file and its pictures."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from bench.rounding import rounded
from bench.tables.cases import PHANTOM_SEED
from bench.tables.data import PATIENTS, Wanted, collect
from bench.tables.gather import model_directory
from bench.tables.plots import draw
from bench.tables.run import measure
from neuralgraph.compressor.model.configuration import NeuralGraphConfig
from neuralgraph.compressor.model.files import model_digest
from neuralgraph.errors import NeuralGraphError, missing_extra

__all__ = ["main"]

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "bench" / "results" / "tables.json"
FIGURES = ROOT / "docs" / "measurements"
LIBRARIES = (
    "numpy",
    "torch",
    "torch-geometric",
    "transformers",
    "timm",
    "scikit-learn",
    "sacrebleu",
    "pillow",
    "imagecodecs",
)


def main(arguments: Sequence[str]) -> int:
    """Run; 0 when the results are written, 1 when the data cannot be used."""
    options = _parser().parse_args(arguments)
    started = time.monotonic()

    def progress(line: str) -> None:
        sys.stderr.write(f"{time.monotonic() - started:6.0f} s  {line}\n")
        sys.stderr.flush()

    with tempfile.TemporaryDirectory(prefix="ngr-tables-") as scratch:
        wanted = Wanted(
            data=options.data,
            model=options.model,
            patients=options.patients or (PATIENTS if options.data == "phantom" else None),
            retain=options.retain,
            target=options.target,
            prevalence=options.prevalence,
            splits=options.splits,
            layout=options.layout,
            work=Path(scratch),
            workers=options.workers,
        )
        try:
            _require_libraries()
            results = measure(
                collect(wanted, progress=progress),
                model=options.model,
                retain=options.retain,
                seeds=range(options.seeds),
                work=wanted.work,
                workers=options.workers,
                progress=progress,
            )
        except NeuralGraphError as error:
            sys.stderr.write(f"{error}\n")
            return 1
    record = rounded(
        {
            "command": _command(wanted, options.seeds),
            "model": _model(options.model),
            "versions": {"python": platform.python_version(), **_versions()},
            "machine": {"cores": os.cpu_count(), "platform": platform.machine(), "processes": options.workers},
            **results,
        }
    )
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    draw(record, options.figures)
    for row in record["targets"]:
        verdict = "met" if row["met"] else "missed"
        print(f"{verdict}: {row['what']}: {row['difference']:+.3f} ({row['low']:+.3f} to {row['high']:+.3f})")
    progress(f"results written to {options.output.name}")
    return 0


def _require_libraries() -> None:
    """Refuse at once rather than after minutes.

    Raises
    ------
    MissingExtraError (E_EXTRA) : a library of the extra bench is not installed.
    """
    for library in ("sklearn", "sacrebleu", "matplotlib"):
        if importlib.util.find_spec(library) is None:
            raise missing_extra("measuring the tables", extra="bench", library=library)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench tables", description=__doc__)
    parser.add_argument(
        "--data",
        default="phantom",
        metavar="phantom|DIR",
        help=f"phantoms of cohort {PHANTOM_SEED}; a data set as 'ngr convert' reads it; or an archive of studies",
    )
    parser.add_argument("--model", default="demo", help="'demo', or the folder of a model")
    parser.add_argument("--patients", type=int, help=f"at most; {PATIENTS} phantoms, all of a data set by default")
    parser.add_argument("--retain", type=float, default=0.023, help="share of the patches that the tables keep")
    parser.add_argument("--target", default="pneumonia", help="the label whose AUC the tables show")
    parser.add_argument(
        "--prevalence", type=float, default=0.15, help="of the target among test studies; 0 leaves it as it is"
    )
    parser.add_argument("--seeds", type=int, default=3, help="runs of each system")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)), help="processes")
    parser.add_argument("--splits", type=Path, help="table of study_id and split, for an archive of studies")
    parser.add_argument("--layout", default="auto", help="of a data set, as for 'ngr convert'")
    parser.add_argument("--output", type=Path, default=RESULTS)
    parser.add_argument("--figures", type=Path, default=FIGURES, help="folder of the pictures")
    return parser


def _command(wanted: Wanted, seeds: int) -> str:
    """What repeats the run; a path of the user's is nobody's business."""
    data = "phantom" if wanted.data == "phantom" else "DIR"
    patients = f" --patients {wanted.patients}" if wanted.patients else ""
    rest = f" --retain {wanted.retain:g} --target '{wanted.target}' --prevalence {wanted.prevalence:g} --seeds {seeds}"
    return f"python -m bench tables --data {data}{patients}{rest}"


def _model(model: str) -> dict[str, Any]:
    directory = model_directory(model)
    config = NeuralGraphConfig.read(directory)
    return {"name": config.name, "trained": config.trained, "digest": model_digest(directory)}


def _versions() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
