"""Archives of many studies: what opening, finding and reading one costs.

    python -m bench.archives [--studies 1000000] [--folder FOLDER]

Two archives are written to FOLDER and deleted: one of many tiny studies (a 2 x 2 grid, one patch of 2 values), and one
of 10,000 studies of 20 patches with 768 bfloat16 values (noise, over a grid of 30 x 30: sizes are those of studies, the
values are not). Each measurement of opening is a process of its own, because only its first is one. Times are those of
the clock; "processor" times count only what the process itself ran, which is what remains comparable on a machine with
other work. Cold reads are those of a file whose pages the system was asked to drop (posix_fadvise), and which came back
from the disk or from whatever caches below; reading as the library does it and bare pread take turns.
"""

from __future__ import annotations

import argparse
import json
import mmap
import os
import platform
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from bench.range_server import range_server
from neuralgraph import Patches, Study, View
from neuralgraph import open as open_archive
from neuralgraph.codecs.registry import FORMS, STORE
from neuralgraph.container.encode import encode_record
from neuralgraph.container.record import Record
from neuralgraph.container.streams import ENTRY, GRAPH_STREAM, HEADER
from neuralgraph.container.writer import ContainerWriter
from neuralgraph.wire.checksums import content_digest, crc32
from neuralgraph.wire.limits import Limits

RESULTS = Path(__file__).parent / "results" / "archives.json"
REALISTIC = 10_000
ROUNDS = 9
COLD_READS = 151
SEED = 20

OPENING = """
import json, os, random, sys, time
import neuralgraph as ng
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
def private():
    with open("/proc/self/smaps_rollup") as file:
        return sum(int(line.split()[1]) for line in file if line.startswith("Private_")) * 1024
path, seed = sys.argv[1], int(sys.argv[2])
rest = random.Random(seed)
before, before_private = resident(), private()
start, busy = time.perf_counter(), time.process_time()
archive = ng.open(path)
opened, busy_opened = time.perf_counter(), time.process_time()
after = resident()
position = rest.randrange(len(archive))
begin, busy_begin = time.perf_counter(), time.process_time()
study = archive[position]
first, busy_first = time.perf_counter(), time.process_time()
def timed(action, arguments):
    times = []
    for argument in arguments:
        begin_one = time.perf_counter()
        action(argument)
        times.append(time.perf_counter() - begin_one)
    return sorted(times)[len(times) // 2]
places = [rest.randrange(len(archive)) for _ in range(300)]
names = [f"study-{place:07d}" for place in places]
by_id = timed(archive.position, names)
by_position = timed(archive.__getitem__, places)
again = timed(archive.__getitem__, places)
print(json.dumps({
    "open_ms": (opened - start) * 1e3, "open_processor_ms": (busy_opened - busy) * 1e3,
    "open_and_first_study_processor_ms": (busy_opened - busy + busy_first - busy_begin) * 1e3,
    "open_resident_mib": (after - before) / 2**20,
    "first_study_ms": (first - begin) * 1e3, "open_and_first_study_ms": (opened - start + first - begin) * 1e3,
    "id_to_position_us": by_id * 1e6, "study_first_time_us": by_position * 1e6, "study_again_us": again * 1e6,
    "resident_after_mib": (resident() - before) / 2**20, "private_after_mib": (private() - before_private) / 2**20}))
"""


def template(patches: int, width: int, side: int) -> Study:
    """A study with an id of the width that all have."""
    draws = np.random.default_rng(SEED)
    code = draws.integers(0, 200, (side, side), np.uint8, endpoint=True)
    code.flat[:patches] = np.linspace(250, 200, patches).astype(np.uint8)
    cell = np.arange(patches)
    score = np.float32(code.flat[:patches].astype(np.float64) ** 2 * np.float32(0.001))
    embedding = (draws.uniform(-1, 1, (patches, width)).astype("<f4").view("<u4") & 0xFFFF0000).view("<f4")
    view = View(side * 32, side * 32, 32.0, 32.0, code, np.float32(0.001))
    return Study(
        "study-0000000",
        (view,),
        Patches(cell // side, cell % side, score, embedding),
        labels={"pneumonia": 1.0},
    )


def renamed(study: Study) -> Callable[[str], bytes]:
    """The record of ``study`` under another id of the same length, its checksums and content digest made anew."""
    columns = study.columns()
    forms = {"embedding": FORMS["bfloat16"].form, "concept_vectors": FORMS["float32"].form}
    record = encode_record(columns, **forms, level=3)
    parsed = Record(memoryview(record), where="template", limits=Limits())
    entry, graph = parsed.streams[GRAPH_STREAM], bytearray(columns.graph_stream())
    at = len(graph) - len(columns.graph["text"])
    table = HEADER.size + ENTRY.size * list(parsed.streams).index(GRAPH_STREAM) + ENTRY.offset("crc32")
    head = HEADER.size + ENTRY.size * len(parsed.streams)
    if entry.encoding != STORE:
        raise ValueError("the graph of this study is compressed; its bytes cannot be replaced")
    parts = [columns.embedding.tobytes(), columns.concept_vectors.tobytes(), b"", b""]
    counts = columns.counts.pack()

    def under(study_id: str) -> bytes:
        graph[at : at + len(study_id)] = study_id.encode()
        result = bytearray(record)
        result[entry.offset : entry.offset + entry.stored_bytes] = graph
        result[table : table + 4] = crc32(graph).to_bytes(4, "little")
        digest_at = HEADER.offset("content_digest")
        result[digest_at : HEADER.size] = content_digest(columns.method, counts, [graph, *parts])
        result[head : head + 4] = crc32(result[:head]).to_bytes(4, "little")
        return bytes(result)

    return under


def write(path: Path, studies: int, study: Study) -> dict[str, float]:
    """Stream an archive of one study under many ids; a record at a time is in memory."""
    record, method = renamed(study), study.columns().method
    start, busy = time.perf_counter(), time.process_time()
    with path.open("wb") as stream:
        writer = ContainerWriter(stream)
        for number in range(studies):
            study_id = f"study-{number:07d}"
            writer.add(record(study_id), study_id=study_id, method=method)
        writer.finish()
        stream.flush()
        os.fsync(stream.fileno())
    return {
        "studies": studies,
        "bytes": path.stat().st_size,
        "seconds": time.perf_counter() - start,
        "processor_seconds": time.process_time() - busy,
        "peak_resident_of_writer_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def opening(path: Path) -> dict[str, Any]:
    """Medians over fresh processes, and the slowest."""
    rounds = []
    for number in range(ROUNDS):
        command = [sys.executable, "-c", OPENING, str(path), str(number)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        rounds.append(json.loads(done.stdout))
    medians = {name: median(one[name] for one in rounds) for name in rounds[0]}
    return {"median": medians, "slowest": {name: max(one[name] for one in rounds) for name in rounds[0]}}


def cold_reads(path: Path) -> dict[str, float]:
    """Microseconds, medians: bare pread of a record; the library's bytes of it, parsed record, and study."""
    draws = random.Random(SEED)
    descriptor = os.open(path, os.O_RDONLY)
    with open_archive(path) as archive:
        container = archive.files[0][2]
        offsets, lengths = container.index.offset[:].tolist(), container.index.length[:].tolist()
        actions: list[tuple[str, Callable[[int], object]]] = [
            ("pread", lambda n: os.pread(descriptor, lengths[n], offsets[n])),
            ("bytes", container.record_bytes),
            ("record", container.record),
            ("study", archive.__getitem__),
        ]
        times: dict[str, list[float]] = {name: [] for name, _ in actions}
        busy: dict[str, list[float]] = {name: [] for name, _ in actions}
        archive[0]  # what is done once per process
        for _ in range(COLD_READS):
            draws.shuffle(actions)
            for name, action in actions:
                position = draws.randrange(len(archive))
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
                start, start_busy = time.perf_counter(), time.process_time()
                action(position)
                times[name].append(time.perf_counter() - start)
                busy[name].append(time.process_time() - start_busy)
    os.close(descriptor)
    result = {f"{name}_us": median(values) * 1e6 for name, values in times.items()}
    result |= {f"{name}_processor_us": median(values) * 1e6 for name, values in busy.items()}
    for name in ("bytes", "record", "study"):
        result[f"{name}_over_pread"] = result[f"{name}_us"] / result["pread_us"]
    return result


def requests(path: Path) -> dict[str, float]:
    """Requests of ranges over HTTP on the loopback interface."""
    with path.open("rb") as file, range_server() as server:
        server.files["a.ngr"] = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        draws, found = random.Random(SEED), {}

        def counted(name: str, action: Callable[[], object]) -> Any:
            server.ranges.clear()
            start = time.perf_counter()
            result = action()
            found[f"{name}_requests"] = len(server.ranges)
            found[f"{name}_ms"] = (time.perf_counter() - start) * 1e3
            return result

        archive = counted("open", lambda: open_archive(server.url("a.ngr")))
        n = len(archive)
        counted("first_study", lambda: archive[draws.randrange(n)])
        counted("study", lambda: archive[draws.randrange(n)])
        counted("study_by_id", lambda: archive[f"study-{draws.randrange(n):07d}"])
        counted("batch_of_64_neighbours", lambda: archive.read_many(range(n // 2, n // 2 + 64)))
        counted("batch_of_64_at_random", lambda: archive.read_many([draws.randrange(n) for _ in range(64)]))
        archive.close()
        return found


def main() -> None:
    """Measure, print, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder, prefix="ngr-archives-") as folder:
        large, real = Path(folder, "large.ngr"), Path(folder, "real.ngr")
        results: dict[str, Any] = {
            "command": f"python -m bench.archives --studies {options.studies}",
            "machine": {
                "cores": os.cpu_count(),
                "processor": platform.processor() or platform.machine(),
                "load_before": os.getloadavg()[0],
            },
            "versions": {"python": platform.python_version(), "numpy": metadata.version("numpy")},
            "seed": SEED,
            "rounds": ROUNDS,
            "cold_reads": COLD_READS,
        }
        results["large"] = {"written": write(large, options.studies, template(1, 2, 2))}
        print(json.dumps(results["large"]), flush=True)
        results["realistic"] = {"written": write(real, REALISTIC, template(20, 768, 30))}
        print(json.dumps(results["realistic"]), flush=True)
        for name, path in (("large", large), ("realistic", real)):
            results[name]["opening"] = opening(path)
            print(json.dumps(results[name]["opening"]), flush=True)
            results[name]["requests"] = requests(path)
            print(json.dumps(results[name]["requests"]), flush=True)
        results["realistic"]["cold"] = cold_reads(real)
        results["machine"]["load_after"] = os.getloadavg()[0]
        print(json.dumps(results["realistic"]["cold"]), flush=True)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
