"""An epoch over an archive behind a network, beside downloading the file once.

    python -m bench remote [--studies 3000] [--folder FOLDER]

The archive has the studies of ``bench.loaders.data`` in the default profile. A server in a process of its own serves it
on the loopback interface: it waits 20 ms before each answer, and all its answers together take the bandwidth of a link.
"Downloading" is one plain GET of the whole file from that server, whose bytes are thrown away. Every measurement is the
median of several processes of their own, opening included, importing not; the ways take turns. "From the disk" is the
same epoch over the file itself: what decoding takes.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import neuralgraph as ng
from bench.loaders.data import studies

RESULTS = Path(__file__).parent / "results" / "remote.json"
LATENCY = 0.02
LINKS = {"1 Gbit/s": 125e6, "no limit": 0.0, "200 Mbit/s": 25e6}
ROUNDS = 3
WAYS = (
    "for study in ng.open",
    "StudyDataset",
    "DataLoader of StudyDataset",
    "ArchiveLoader",
    "ArchiveLoader, shuffled",
    "names of labels",
)
"""What is measured unless ``--only`` names others."""
SEED = 11

_MEASURED = """
import json, resource, sys, time, urllib.request
import neuralgraph as ng
from neuralgraph.adapters.pyg import ArchiveLoader, StudyDataset
from torch_geometric.loader import DataLoader
what, place, labels = sys.argv[1], sys.argv[2], ("finding 00", "finding 01")
if place.startswith("http"):
    import fsspec, aiohttp
    import neuralgraph.access.remote, neuralgraph.access.http
def download():
    count = 0
    with urllib.request.urlopen(place) as answer:
        while piece := answer.read(1 << 20):
            count += len(piece)
    return count
def opened():
    with ng.open(place) as archive:
        return sum(1 for _ in archive)
def loader(**settings):
    return lambda: sum(batch.num_graphs for batch in ArchiveLoader(place, batch_size=64, labels=labels, **settings))
def dataset():
    return sum(1 for _ in StudyDataset(place, labels=labels))
def batches(workers):
    def run():
        found = DataLoader(StudyDataset(place, labels=labels), batch_size=64, num_workers=workers)
        return sum(batch.num_graphs for batch in found)
    return run
def twice():
    both = ArchiveLoader(place, batch_size=64, labels=labels)
    return sum(batch.num_graphs for _ in range(2) for batch in both) // 2
ways = {
    "download": download,
    "for study in ng.open": opened,
    "ArchiveLoader": loader(),
    "ArchiveLoader, 2 threads": loader(num_workers=2),
    "ArchiveLoader, shuffled": loader(shuffle=True),
    "ArchiveLoader, shuffled, 2 threads": loader(shuffle=True, num_workers=2),
    "ArchiveLoader, two epochs": twice,
    "StudyDataset": dataset,
    "DataLoader of StudyDataset": batches(0),
    "DataLoader of StudyDataset, 2 workers": batches(2),
    "names of labels": lambda: StudyDataset(place).len(),
}
if what == "?":
    print(json.dumps(list(ways)))
    sys.exit()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
began, worked = time.perf_counter(), time.process_time()
count = ways[what]()
took, worked = time.perf_counter() - began, time.process_time() - worked
more = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(json.dumps({"count": count, "seconds": took, "processor_seconds": worked, "more_mib": more / 1024}))
"""


def measured(what: str, place: str) -> Any:
    """What a fresh process says."""
    command = [sys.executable, "-c", _MEASURED, what, place]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@contextmanager
def served(path: Path, bandwidth: float) -> Any:
    """The URL of the file while the block runs."""
    command = [sys.executable, "-m", "bench.range_server", str(path)]
    command += ["--latency", str(LATENCY), "--bandwidth", str(bandwidth)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
        server.communicate()


def medians(ways: list[str], place: str, expected: dict[str, int], rounds: int) -> dict[str, dict[str, float]]:
    """The medians of each way over rounds in which all of them take turns."""
    found: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, each in found.items():
            each.append(measured(way, place))
            assert each[-1].pop("count") == expected[way], way
    return {
        way: {name: round(statistics.median(one[name] for one in each), 3) for name in each[0]}
        for way, each in found.items()
    }


def main() -> None:
    """Measure, print, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=3000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument(
        "--only",
        nargs="*",
        help="these ways; results are printed, not written",
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder, prefix="ngr-remote-") as folder:
        path = Path(folder, "a.ngr") if options.folder is None else options.folder / f"remote-{options.studies}.ngr"
        if not path.exists():
            ng.save(studies(options.studies, SEED), path)
        size = path.stat().st_size
        ways = [name for name in measured("?", str(path)) if name in (options.only or WAYS)]
        expected = dict.fromkeys(ways, options.studies) | {"download": size}
        results: dict[str, Any] = {
            "command": f"python -m bench remote --studies {options.studies}",
            "machine": {"cores": os.cpu_count(), "processor": platform.processor() or platform.machine()},
            "studies": options.studies,
            "bytes": size,
            "latency": LATENCY,
            "rounds": options.rounds,
            "load_before": os.getloadavg()[0],
        }
        results["disk"] = medians(ways, str(path), expected, options.rounds)
        print(json.dumps(results), flush=True)
        results["links"] = {}
        for link, bandwidth in LINKS.items():
            with served(path, bandwidth) as url:
                results["links"][link] = medians(["download", *ways], url, expected, options.rounds)
            print(link, json.dumps(results["links"][link]), flush=True)
        results["load_after"] = os.getloadavg()[0]
    if not options.only:
        RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
