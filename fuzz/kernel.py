"""Fuzz the batch kernel: ``python -m fuzz.kernel [--seconds 20] [--seed 1] [--record]``. Needs gcc or clang.

The driver (``kernel_driver.c``) sends mutants of the records of ``spec/vectors/valid`` through all steps of the kernel,
which is built with the address and undefined-behaviour sanitizers, and without the comparison of checksums that would
stop every mutant at once. A finding ends the run and names seed and execution; ``--first`` runs that one again.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from fuzz.seeds import uncompressed
from neuralgraph.container.reader import BytesSource, Container

__all__ = ["build", "compiler", "run"]

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "neuralgraph" / "batches" / "kernel_source"
VECTORS = ROOT / "spec" / "vectors" / "valid"
RESULTS = ROOT / "bench" / "results" / "fuzzing.json"
FLAGS = (
    "-std=gnu11", "-D_GNU_SOURCE", "-O1", "-g", "-ffp-contract=off", "-fno-omit-frame-pointer",
    "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-DNGR_WITHOUT_CHECKSUMS",
)  # fmt: skip
_LARGEST_SEED = 20_000


def compiler() -> str | None:
    """A compiler that has the sanitizers, as a rule."""
    return next(filter(None, map(shutil.which, ("gcc", "clang"))), None)


def build(folder: Path) -> Path:
    """The driver, compiled into ``folder``; the error of the compiler otherwise."""
    driver = folder / "driver"
    sources = [path for path in sorted(SOURCES.glob("*.c")) if not path.name.startswith("module")]
    command = [compiler() or "cc", *FLAGS, f"-iquote{SOURCES}", *map(str, sources)]
    command += [str(Path(__file__).with_name("kernel_driver.c")), "-o", str(driver), "-lm"]
    subprocess.run(command, check=True, capture_output=True, text=True)
    return driver


def seed_records() -> list[bytes]:
    """Records of the valid vectors, as they are and with every stream stored."""
    records: dict[bytes, None] = {}
    for path in sorted(VECTORS.glob("*.ngr")):
        container = Container(BytesSource(path.read_bytes()))
        for position in range(len(container)):
            record = container.record(position)
            for data in (bytes(record.data), uncompressed(record)):
                if len(data) <= _LARGEST_SEED:
                    records[data] = None
    return list(records)


def run(
    driver: Path, *, seed: int, seconds: int, first: int = 0, count: int = 2**62
) -> subprocess.CompletedProcess[str]:
    """Run the driver; its output is a map of how many executions ended in what."""
    seeds = driver.with_name("seeds")
    seeds.write_bytes(b"".join(len(data).to_bytes(4, "little") + data for data in seed_records()))
    command = [str(driver), str(seeds), *map(str, (seed, first, seconds, count))]
    # What the process leaves to the system at its end is no leak of the kernel.
    environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=1:allocator_may_return_null=1"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def main() -> None:
    """Build, run, and say how mutants ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=None, help="run this execution alone")
    parser.add_argument("--record", action="store_true", help="put the figures into bench/results/fuzzing.json")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        driver, began = build(Path(folder)), time.monotonic()
        if given.first is None:
            done = run(driver, seed=given.seed, seconds=given.seconds)
        else:
            done = run(driver, seed=given.seed, seconds=60, first=given.first, count=1)
        seconds = time.monotonic() - began
    if done.returncode:
        sys.exit(f"a finding\n{done.stderr}")
    ends: dict[str, Any] = json.loads(done.stdout)
    sys.stdout.write(json.dumps(ends, indent=1) + "\n")
    if given.record:
        results = json.loads(RESULTS.read_text())
        executions = ends.pop("executions")
        results["kernel"] = {
            "command": f"python -m fuzz.kernel --seconds {given.seconds} --seed {given.seed} --record",
            "executions": executions,
            "seconds": round(seconds),
            "findings": 0,
            "ends": {end: n for end, n in ends.items() if n},
        }
        RESULTS.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
