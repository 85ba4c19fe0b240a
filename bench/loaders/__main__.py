"""How fast graphs come from disk: ``python -m bench.loaders [--studies 10000] [--rounds 5] [--folder TEMPORARY]``.

Every store holds the same graphs with all attributes of ``to_data`` and gives PyG batches of 64, in random order, from
the page cache, in one process with one torch thread. Stores are measured in turn within each round, ratios are taken
within a round, and the medians over the rounds are reported, by wall clock and by CPU time: the machine may be shared,
and CPU time shows less of that. Archives are opened anew in each round: the first pass over the chosen studies verifies
every checksum, the third pass over them is what later epochs cost. Rivals verify nothing; their third pass counts.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
import zlib
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from bench.loaders.memory import BATCH
from bench.rounding import rounded

RESULTS = Path(__file__).parents[1] / "results" / "loaders.json"
PACKAGES = (
    "numpy", "torch", "torch-geometric", "isal", "zlib-ng", "safetensors", "h5py", "lmdb", "pyarrow", "pylance",
    "webdataset", "zarr",
)  # fmt: skip


def clocked(work: Callable[[], Any]) -> tuple[float, float]:
    """Seconds by wall clock and of CPU."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def drop(folder: Path) -> None:
    """Take the files of a folder out of the page cache."""
    for path in folder.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            os.fdatasync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


def private_growth(store: Any, order: np.ndarray) -> int:
    """Largest growth of private memory while another process opens a store and iterates (``bench.loaders.memory``)."""
    path = store.folder.parent / "order.npy"
    np.save(path, order)
    command = [sys.executable, "-m", "bench.loaders.memory", store.name, str(store.folder), str(path)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def exhaust(batches: Any) -> None:
    """Take everything there is."""
    for _ in batches:
        pass


def single_reads(store: Any, positions: np.ndarray) -> list[float]:
    """Seconds of each ``get``."""
    return [clocked(lambda position=int(position): store.get(position))[0] for position in positions]


def first_graph(store: Any, *, cold: bool) -> float:
    """Seconds to open a store and take one graph."""
    if cold:
        drop(store.folder)
    return clocked(lambda: (store.open(), store.get(0)))[0] if store.can_get else float("nan")


def measure_round(stores: list[Any], order: np.ndarray, random: np.random.Generator) -> dict[str, dict[str, float]]:
    """One round: every store in turn, in random order of stores."""
    found = {}
    for number in random.permutation(len(stores)).tolist():
        store = stores[number]
        few = order[: BATCH * 2] if store.slow else order
        store.open()
        first = clocked(lambda store=store, few=few: exhaust(store.batches(few, BATCH)))
        # The second pass still takes the pages of stores that map their files into this process's address space.
        exhaust(store.batches(few, BATCH))
        later = clocked(lambda store=store, few=few: exhaust(store.batches(few, BATCH)))
        found[store.name] = {
            "first_wall": len(few) / first[0],
            "first_cpu": len(few) / first[1],
            "later_wall": len(few) / later[0],
            "later_cpu": len(few) / later[1],
        }
        if store.can_get:
            reads = single_reads(store, order[: 8 if store.slow else 48])
            found[store.name] |= {
                "get_p50_us": 1e6 * median(reads),
                "get_p95_us": 1e6 * float(np.quantile(reads, 0.95)),
            }
        print(f"  {store.name}: {found[store.name]['later_wall']:,.0f} graphs/s", file=sys.stderr)
    return found


def memcpy_round(archive: Any, order: np.ndarray) -> dict[str, float]:
    """Batches of float32 against a plain copy of the same bytes, from memory that is in no cache."""
    archive.open()
    for _ in range(2):
        exhaust(archive.batches(order, BATCH))
    sizes = [batch.x.nbytes for batch in archive.batches(order, BATCH)]
    source = np.ones(sum(sizes), np.uint8)
    target = np.empty(max(sizes), np.uint8)
    target[:] = 0

    def copy() -> None:
        position = 0
        for size in sizes:
            np.copyto(target[:size], source[position : position + size])
            position += size

    copying, batches = clocked(copy), clocked(lambda: exhaust(archive.batches(order, BATCH)))
    return {"wall": batches[0] / copying[0], "cpu": batches[1] / copying[1]}


def cold_round(archive: Any, positions: np.ndarray) -> dict[str, float]:
    """One study that is in no cache: through the reader, and as a bare read of its record."""
    archive.open()
    (_, source, container), *_ = archive._batcher.reader.archive.files
    archive.get(int(positions[-1]))
    bare, read = [], []
    for number, position in enumerate(positions[:-1].tolist()):
        offset, length = int(container.index.offset[position]), int(container.index.length[position])
        os.posix_fadvise(source._descriptor, offset, length, os.POSIX_FADV_DONTNEED)
        if number % 2:
            bare.append(clocked(lambda o=offset, n=length: source.read(o, n))[0])
        else:
            read.append(clocked(lambda p=position: archive.get(p))[0])
    return {"read_us": 1e6 * median(read), "bare_us": 1e6 * median(bare), "ratio": median(read) / median(bare)}


def checksum_round() -> dict[str, float]:
    """GB/s of implementations of CRC-32 over pieces as large as the embedding of a study."""
    from isal import isal_zlib
    from zlib_ng import zlib_ng

    pieces = [bytes(81_920)] * 64
    return {
        name: 64 * 81_920 / 1e9 / clocked(lambda crc32=crc32: [crc32(piece) for piece in pieces])[1]
        for name, crc32 in (("zlib", zlib.crc32), ("zlib-ng", zlib_ng.crc32), ("ISA-L", isal_zlib.crc32))
    }


def threads_round(path: Path, n_batches: int) -> dict[str, float]:
    """Graphs per second of the loader without threads, with one and with two."""
    from neuralgraph.adapters.pyg import ArchiveLoader

    rates = {}
    for workers in (0, 1, 2):
        loader = ArchiveLoader(path, batch_size=BATCH, shuffle=True, seed=9, num_workers=workers)
        exhaust(loader)
        loader.set_epoch(0)
        wall, _ = clocked(
            lambda loader=loader: exhaust(batch for batch, _ in zip(loader, range(n_batches), strict=False))
        )
        rates[str(workers)] = min(n_batches, len(loader)) * BATCH / wall
    return rates


def processes_round(store: Any, order: np.ndarray) -> float:
    """Graphs per second of a rival through torch's DataLoader with two forked processes."""
    from torch.utils.data import DataLoader
    from torch_geometric.data import Batch

    class Graphs:
        def __len__(self) -> int:
            return len(order)

        def __getitem__(self, number: int) -> Any:
            if not hasattr(store, "_process") or store._process != os.getpid():
                store.open()
                store._process = os.getpid()
            return store.get(int(order[number]))

    loader = DataLoader(Graphs(), BATCH, num_workers=2, collate_fn=Batch.from_data_list, multiprocessing_context="fork")
    wall, _ = clocked(lambda: exhaust(loader))
    return len(order) / wall


def profile(archive: Any, order: np.ndarray) -> list[dict[str, Any]]:
    """Where the time of batches goes: own time of the functions that take most of it."""
    import cProfile
    import pstats

    archive.open()
    exhaust(archive.batches(order, BATCH))
    profiler = cProfile.Profile()
    profiler.runcall(lambda: exhaust(archive.batches(order, BATCH)))
    rows = sorted(pstats.Stats(profiler).stats.items(), key=lambda item: -item[1][2])
    total = sum(row[2] for _, row in rows)
    return [
        {"function": f"{Path(file).name}:{name}" if line else name, "calls": row[0], "percent": 100 * row[2] / total}
        for (file, line, name), row in rows[:16]
    ]


def main() -> None:
    """Measure and write the results."""
    warnings.simplefilter("ignore")
    import torch

    from bench.loaders.data import LABELS, statistics, studies
    from bench.loaders.direct import DIRECT
    from bench.loaders.ours import OURS
    from bench.loaders.stores import STORES
    from neuralgraph.adapters.pyg import to_data

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batches", type=int, default=12, help="batches per store and round")
    parser.add_argument("--folder", type=Path, default=None, help="where to put the stores; deleted afterwards")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="*", default=None, help="measure stores whose names contain one of these")
    parser.add_argument("--output", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    folder = Path(tempfile.mkdtemp(prefix="ngr-loaders-", dir=arguments.folder))
    try:
        made = list(studies(arguments.studies, arguments.seed))
        graphs = [to_data(study, labels=LABELS) for study in made]
        stores, writing = [], {}
        for number, kind in enumerate([*STORES, *DIRECT, *OURS]):
            if arguments.only is not None and not any(part in kind.name for part in arguments.only):
                continue
            place = folder / str(number)
            place.mkdir()
            store: Any = kind(place)
            store.slow = kind.name.startswith(("Parquet", "Zarr"))
            store.can_get = not kind.name.startswith("WebDataset")
            content = made if kind in OURS else graphs
            wall, cpu = clocked(lambda store=store, content=content: store.write(content))
            writing[kind.name] = {
                "per_second": len(made) / wall,
                "cpu_seconds": cpu,
                "bytes_per_study": store.bytes() / len(made),
            }
            print(f"{kind.name}: {writing[kind.name]}", file=sys.stderr)
            stores.append(store)
        sample = statistics(made[:64])
        for store in stores:
            store.open()
            if store.can_get:
                check(store, graphs, lossy="int8" in store.name or "bfloat16" in store.name)
        del graphs, made
        results = measure(stores, arguments)
        results |= {
            "command": "python -m bench.loaders " + " ".join(sys.argv[1:]),
            "studies": arguments.studies,
            "rounds": arguments.rounds,
            "seed": arguments.seed,
            "cores": os.cpu_count(),
            "load_average": os.getloadavg()[0],
            "python": platform.python_version(),
            "versions": {name: metadata.version(name) for name in PACKAGES},
            "data": sample,
            "writing": writing,
        }
        arguments.output.write_text(json.dumps(rounded(results), indent=1) + "\n")
        print(arguments.output)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def check(store: Any, graphs: list[Any], *, lossy: bool) -> None:
    """Every attribute of a few graphs is what was written."""
    import torch

    for position in (0, 7, len(graphs) - 1):
        data = store.get(position)
        for name, value in graphs[position].to_dict().items():
            if isinstance(value, torch.Tensor) and not (lossy and name == "x"):
                assert torch.equal(data[name], value), (store.name, name)
            elif not isinstance(value, torch.Tensor):
                assert data[name] == value, (store.name, name)


def measure(stores: list[Any], arguments: argparse.Namespace) -> dict[str, Any]:
    """All rounds."""
    random = np.random.default_rng([arguments.seed, 3])
    count = min(arguments.batches * BATCH, arguments.studies)
    rounds: list[dict[str, Any]] = []
    extra: dict[str, list[Any]] = {"memcpy": [], "cold": [], "checksum": [], "threads": []}
    train = next((store for store in stores if store.name == "ngr train, float32"), None)
    opening = {
        store.name: {"warm_ms": 1e3 * first_graph(store, cold=False), "cold_ms": 1e3 * first_graph(store, cold=True)}
        for store in stores
    }
    for number in range(arguments.rounds):
        print(f"round {number + 1}, load {os.getloadavg()[0]:.1f}", file=sys.stderr)
        order = random.permutation(arguments.studies)[:count]
        rounds.append(measure_round(stores, order, random))
        if train is not None:
            extra["memcpy"].append(memcpy_round(train, order))
            extra["cold"].append(cold_round(train, random.permutation(arguments.studies)[:41]))
            extra["checksum"].append(checksum_round())
            extra["threads"].append(threads_round(train.path, 2 * arguments.batches))
    order = random.permutation(arguments.studies)[:count]
    memory = {store.name: private_growth(store, order[: BATCH * 2] if store.slow else order) for store in stores}
    names = ("torch.save per file", "safetensors per file", "LMDB (safetensors values)", "ngr compact, exact (default)")
    two = {store.name: processes_round(store, order) for store in stores if store.name in names}
    return {
        "opening": opening,
        "rounds_of_stores": rounds,
        "extra": extra,
        "private_growth_bytes": memory,
        "two_processes": two,
        "profile": {s.name: profile(s, order) for s in stores if s.name.startswith("ngr")},
    }


if __name__ == "__main__":
    main()
