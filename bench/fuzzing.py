"""Fuzzing, measured: ``python -m bench.fuzzing --seconds 600 --keep FOLDER`` runs every target in turn.

Needs atheris (``pip install atheris``). Runs on the same folder add up: corpora grow in ``FOLDER/corpus``, figures
stand in ``FOLDER/runs.jsonl``, and bench/results/fuzzing.json holds the sums. A finding ends its target; the input that
made it is left in ``FOLDER/findings``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import time
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fuzz.corpus import unpack
from fuzz.targets import TARGETS

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).with_name("results") / "fuzzing.json"
_MOST_RUNS = 500_000
"""Executions of one process: the engine keeps 0.1 to 1 kB of each, while the targets by themselves do not grow."""
_APART = 1_000_000
"""Between the seeds of the processes of one run."""
OPTIONS = ("-rss_limit_mb=1024", "-timeout=60", "-print_final_stats=1", "-verbosity=1")


def run(target: str, seconds: int, folder: Path, *, seed: int) -> dict[str, Any]:
    """Run one target for some time, in processes one after another."""
    parts: list[dict[str, Any]] = []
    end = time.monotonic() + seconds
    while (left := round(end - time.monotonic())) >= 1 and not (parts and parts[-1]["finding"]):
        parts.append(_process(target, left, folder, seed=seed + _APART * len(parts)))
    return {
        "target": target,
        "seconds": seconds,
        "seed": seed,
        "executions": sum(part["executions"] for part in parts),
        "peak_memory_mb": max(part["peak_memory_mb"] for part in parts),
        **{name: parts[-1][name] for name in ("edges", "features", "inputs_kept", "finding")},
    }


def _process(target: str, seconds: int, folder: Path, *, seed: int) -> dict[str, Any]:
    corpus, findings = folder / "corpus" / target, folder / "findings" / target
    findings.mkdir(parents=True, exist_ok=True)
    if not corpus.exists():
        unpack(target, corpus)
    command = [sys.executable, "-m", "fuzz", target, str(corpus), *OPTIONS]
    command += [f"-max_total_time={seconds}", f"-runs={_MOST_RUNS}", f"-artifact_prefix={findings}/", f"-seed={seed}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, errors="replace", check=False)
    stats = dict(re.findall(r"stat::(\w+):\s+(\d+)", done.stderr))
    reached = re.findall(r"cov: (\d+) ft: (\d+) corp: (\d+)/", done.stderr)
    if done.returncode:
        sys.stderr.write(f"{target} ended with a finding, see {findings}\n{done.stderr[-3000:]}\n")
    return {
        "executions": int(stats["number_of_executed_units"]),
        "peak_memory_mb": int(stats["peak_rss_mb"]),
        "edges": int(reached[-1][0]),
        "features": int(reached[-1][1]),
        "inputs_kept": int(reached[-1][2]),
        "finding": bool(done.returncode),
    }


def summary(folder: Path) -> dict[str, Any]:
    """The sums over all runs on a folder, and how the inputs kept end."""
    rows = [json.loads(line) for line in (folder / "runs.jsonl").read_text().splitlines()]
    targets = {}
    for target, entry in TARGETS.items():
        mine = [row for row in rows if row["target"] == target]
        if not mine:
            continue
        kept = sorted((folder / "corpus" / target).iterdir())
        targets[target] = {
            "runs": len(mine),
            "seconds": sum(row["seconds"] for row in mine),
            "executions": sum(row["executions"] for row in mine),
            "peak_memory_mb": max(row["peak_memory_mb"] for row in mine),
            **{name: mine[-1][name] for name in ("edges", "features", "inputs_kept")},
            "findings": sum(row["finding"] for row in mine),
            "ends_of_inputs_kept": dict(sorted(Counter(entry.check(path.read_bytes()) for path in kept).items())),
        }
    return {
        "command": "python -m bench.fuzzing, several times on one folder",
        "atheris": version("atheris"),
        "python": platform.python_version(),
        "machine": f"{os.cpu_count()} cores, shared with other work; one process of low priority",
        "seeds": sorted({row["seed"] for row in rows}),
        "options": list(OPTIONS[:2]),
        "executions": sum(target["executions"] for target in targets.values()),
        "targets": targets,
    }


def main() -> None:
    """Run the targets and write the sums."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600, help="for all targets together; 0: only sum up")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, required=True, help="folder for corpora, findings and figures")
    parser.add_argument("--target", choices=list(TARGETS), action="append", help="repeatable; default: all")
    given = parser.parse_args()
    folder = given.keep.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    chosen = given.target or list(TARGETS)
    whole = sum(TARGETS[name].share for name in chosen)
    for name in chosen if given.seconds else ():
        row = run(name, max(1, int(given.seconds * TARGETS[name].share / whole)), folder, seed=given.seed)
        with (folder / "runs.jsonl").open("a") as file:
            file.write(json.dumps(row) + "\n")
    # The kernel has a driver of its own (``python -m fuzz.kernel --record``); its figures stay.
    results = summary(folder) | {name: run for name, run in json.loads(RESULTS.read_text()).items() if name == "kernel"}
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")
    print(f"{results['executions']:,} executions")


if __name__ == "__main__":
    main()
