"""Fuzzing, measured: ``python -m bench.fuzzing --seconds 600`` runs every target and writes bench/results/fuzzing.json.

Needs atheris (``pip install atheris``). A finding ends its target; the input that made it is left in the folder of
``--keep``, together with the inputs that reached something new.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from fuzz.oracles import check_program, check_reading

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).with_name("results") / "fuzzing.json"
TARGETS: dict[str, tuple[float, Callable[[bytes], str]]] = {
    "read": (0.9, check_reading),
    "interpret": (0.1, check_program),
}
"""Target -> its share of the time, and what says how an input ends."""
OPTIONS = ("-max_len=8192", "-rss_limit_mb=1024", "-timeout=10", "-print_final_stats=1", "-verbosity=1")


def measure(target: str, seconds: float, folder: Path, *, seed: int) -> dict[str, object]:
    """Run one target."""
    corpus, artefacts = folder / "corpus" / target, folder / "findings" / target
    for path in (corpus, artefacts):
        path.mkdir(parents=True, exist_ok=True)
    seeds = folder / "seeds" / target
    command = [sys.executable, "-m", f"fuzz.{target}", str(corpus), str(seeds), *OPTIONS]
    command += [f"-max_total_time={int(seconds)}", f"-artifact_prefix={artefacts}/", f"-seed={seed}"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, errors="replace", check=False)
    stats = dict(re.findall(r"stat::(\w+):\s+(\d+)", run.stderr))
    reached = re.findall(r"cov: (\d+) ft: (\d+) corp: (\d+)/", run.stderr)
    findings = sorted(path.name for path in artefacts.iterdir())
    for name in findings:
        sys.stderr.write(f"finding: {artefacts / name}\n{run.stderr[-3000:]}\n")
    _, outcome = TARGETS[target]
    ends = Counter(outcome(path.read_bytes()) for path in sorted(corpus.iterdir()))
    return {
        "seconds": int(seconds),
        "seeds": len(list(seeds.iterdir())),
        "executions": int(stats["number_of_executed_units"]),
        "executions_per_second": int(stats["average_exec_per_sec"]),
        "peak_memory_mb": int(stats["peak_rss_mb"]),
        "edges": int(reached[-1][0]),
        "features": int(reached[-1][1]),
        "inputs_kept": int(reached[-1][2]),
        "ends_of_new_inputs": dict(sorted(ends.items())),
        "findings": len(findings),
    }


def main() -> None:
    """Run all targets and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder for corpus and findings; continues from what is there")
    given = parser.parse_args()
    with TemporaryDirectory() as scratch:
        folder = (given.keep or Path(scratch)).resolve()
        subprocess.run([sys.executable, "-m", "fuzz.seeds", str(folder / "seeds")], cwd=ROOT, check=True)
        results = {
            "command": f"python -m bench.fuzzing --seconds {given.seconds:g} --seed {given.seed}",
            "atheris": version("atheris"),
            "python": sys.version.split()[0],
            "options": [*OPTIONS[:3]],
            "targets": {
                name: measure(name, share * given.seconds, folder, seed=given.seed)
                for name, (share, _) in TARGETS.items()
            },
        }
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
