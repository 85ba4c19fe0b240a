"""Studies per second of bulk conversion: ``python -m bench.bulk``; writes bench/results/bulk.json.

Synthetic films, the demo model. Rates are taken between the first and the last answer, so that loading libraries and
model is not in them but apart. Processor seconds per study say more than wall seconds on a machine that does other
things too. "parent" is the other way to share the work: decoding in worker processes, the model in the parent.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from neuralgraph.bulk import ConversionSettings, convert, make_plan
from neuralgraph.bulk.converter import Converter, default_maker
from neuralgraph.bulk.destination import Destination
from neuralgraph.bulk.pseudonyms import Pseudonyms
from neuralgraph.bulk.run import RunOptions
from neuralgraph.bulk.task import Task
from neuralgraph.phantoms import phantom
from neuralgraph.sources import read_film
from neuralgraph.sources.layouts import Roots, resolve_manifest
from neuralgraph.storage.save import save

RESULT = Path(__file__).parent / "results" / "bulk.json"
LIBRARIES = ("numpy", "torch", "pillow")


def _films(folder: Path, count: int, side: int) -> None:
    from PIL import Image

    for seed in range(count):
        study = phantom(seed, height=side, width=side)
        Image.fromarray(np.rint(study.pixels * 255).astype(np.uint8)).save(folder / f"{seed:04d}.png")
        (folder / f"{seed:04d}.txt").write_text(study.report)


def _processor() -> float:
    """Processor seconds of children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def workers_own_models(source: Path, dest: Path, workers: int) -> dict[str, Any]:
    """The engine as it is: every worker decodes and scores."""
    times: list[float] = []
    began, processor = time.perf_counter(), _processor()
    convert(
        make_plan(resolve_manifest(Roots(source)), Pseudonyms(b"0123456789abcdef")),
        Destination(dest),
        ConversionSettings(),
        RunOptions(workers=workers),
        progress=lambda **_: times.append(time.perf_counter()),
    )
    return _measured(began, times, _processor() - processor)


def model_in_parent(source: Path, dest: Path, workers: int) -> dict[str, Any]:
    """Decoding in workers, the model here."""
    dest.mkdir()
    settings = ConversionSettings()
    plan = make_plan(resolve_manifest(Roots(source)), Pseudonyms(b"0123456789abcdef"))
    began, times = time.perf_counter(), []
    here = time.process_time()
    maker, _ = default_maker(settings)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        films = pool.map(read_film, [study.row.images[0].path for study in plan.studies])
        for study, film in zip(plan.studies, films, strict=True):
            report = Path(study.row.report_path or "").read_text()
            made = maker([film], report, labels={}, study_id=study.study_id, store_report=False, store_pixels=False)
            save(made, dest / f"{study.study_id}.ngr", embedding=settings.embedding)
            times.append(time.perf_counter())
    return _measured(began, times, time.process_time() - here)


def stages(source: Path, dest: Path) -> dict[str, float]:
    """Processor milliseconds of one study, in this process: reading a film, and everything."""
    settings = ConversionSettings()
    maker, _ = default_maker(settings)
    converter = Converter(settings, maker)
    images = sorted(source.glob("*.png"))
    dest.mkdir()

    def task(number: int) -> Task:
        path = images[number]
        return Task(str(number), [(str(path), "PA")], str(dest / f"{number}.ngr"), None, str(path.with_suffix(".txt")))

    converter(task(0))
    began = time.process_time()
    for path in images:
        read_film(path)
    read = time.process_time() - began
    began = time.process_time()
    for number in range(len(images)):
        converter(task(number))
    whole = time.process_time() - began
    return {"read_ms": round(1000 * read / len(images), 2), "whole_ms": round(1000 * whole / len(images), 2)}


def _measured(began: float, times: list[float], processor: float) -> dict[str, Any]:
    return {
        "start_s": round(times[0] - began, 2),
        "studies_per_s": round((len(times) - 1) / (times[-1] - times[0]), 2),
        "processor_s": round(processor, 2),
    }


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=64)
    parser.add_argument("--side", type=int, default=512)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        source = root / "source"
        source.mkdir()
        _films(source, arguments.studies, arguments.side)
        result = {
            "command": f"python -m bench.bulk --studies {arguments.studies} --side {arguments.side}",
            "machine": {"cores": os.cpu_count(), "platform": platform.machine()},
            "versions": {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}},
            "studies": arguments.studies,
            "side": arguments.side,
            "stages": stages(source, root / "stages"),
            "workers": {number: workers_own_models(source, root / f"w{number}", number) for number in (1, 2)},
            "parent": {number: model_in_parent(source, root / f"p{number}", number) for number in (1, 2)},
        }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
