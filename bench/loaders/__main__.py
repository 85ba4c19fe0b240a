"""How fast graphs come from disk: ``python -m bench.loaders [--studies 10000] [--rounds 5] [--folder TEMPORARY]``.

Every store holds the same graphs with all attributes of ``to_data`` and gives PyG batches of 64, in random order, from
the page cache, in one process with one torch thread. Stores are measured in turn within each round, ratios are taken
within a round, and the medians over the rounds are reported, by wall clock and by CPU time: the machine may be shared,
and CPU time shows less of that. Archives verify every checksum at every access; rivals verify nothing. Stores are
opened anew in each round, and the third pass over the chosen studies counts: the first two take the pages of stores
that map their files into the address space. A first epoch over all studies is measured on its own. The rivals come
with the extra ``bench``.
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
import warnings
from importlib import metadata, util
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from bench.loaders.clock import clocked, exhaust
from bench.loaders.memory import BATCH
from bench.rounding import rounded

RESULTS = Path(__file__).parents[1] / "results" / "loaders.json"
PACKAGES = (
    "numpy", "torch", "torch-geometric", "zstandard", "safetensors", "h5py", "lmdb", "pyarrow", "pylance",
    "webdataset", "zarr",
)  # fmt: skip
_MODULES = {"torch-geometric": "torch_geometric", "pylance": "lance"}


def drop(folder: Path) -> None:
    """Take the files of a folder out of the page cache."""
    for path in folder.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            os.fdatasync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


def memory_growth(store: Any, order: np.ndarray) -> dict[str, int]:
    """Growth of memory while another process opens a store and iterates (``bench.loaders.memory``)."""
    path = store.folder.parent / "order.npy"
    np.save(path, order)
    command = [sys.executable, "-m", "bench.loaders.memory", store.name, str(store.folder), str(path)]
    found: dict[str, int] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return found


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
        for _ in range(2):
            exhaust(store.batches(few, BATCH))
        later = clocked(lambda store=store, few=few: exhaust(store.batches(few, BATCH)))
        found[store.name] = {
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
    parser.add_argument("--split", type=int, default=100_000, help="ids of the list whose opening is measured")
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
        example = made[0]
        del graphs, made
        results = measure(stores, arguments, example)
        results |= {
            "command": "python -m bench.loaders " + " ".join(sys.argv[1:]),
            "studies": arguments.studies,
            "rounds": arguments.rounds,
            "seed": arguments.seed,
            "cores": os.cpu_count(),
            "load_average": os.getloadavg()[0],
            "python": platform.python_version(),
            "versions": {name: metadata.version(name) for name in PACKAGES if util.find_spec(_MODULES.get(name, name))},
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


def measure(stores: list[Any], arguments: argparse.Namespace, example: Any) -> dict[str, Any]:
    """All rounds; ``example`` is a study to make a large archive of."""
    from bench.loaders.steps import cold_round, epochs_round, opening_round, split_seconds, steps_round, threads_round

    random = np.random.default_rng([arguments.seed, 3])
    count = min(arguments.batches * BATCH, arguments.studies)
    rounds: list[dict[str, Any]] = []
    named = {store.name: store for store in stores}
    train, compact = named.get("ngr train, float32"), named.get("ngr compact, exact (default)")
    archives = [store for store in (train, compact) if store is not None]
    extra: dict[str, list[Any]] = {"memcpy": [], "cold": [], "opening": []}
    epochs: dict[str, list[Any]] = {store.name: [] for store in archives}
    threads: dict[str, list[Any]] = {store.name: [] for store in archives}
    steps: dict[str, list[Any]] = {store.name: [] for store in stores if store.name.startswith("ngr")}
    opening = {
        store.name: {"warm_ms": 1e3 * first_graph(store, cold=False), "cold_ms": 1e3 * first_graph(store, cold=True)}
        for store in stores
    }
    for number in range(arguments.rounds):
        print(f"round {number + 1}, load {os.getloadavg()[0]:.1f}", file=sys.stderr)
        order = random.permutation(arguments.studies)[:count]
        rounds.append(measure_round(stores, order, random))
        for name, found in steps.items():
            found.append(steps_round(named[name].path, order))
        for store in archives:
            epochs[store.name].append(epochs_round(store.path))
            threads[store.name].append(threads_round(store.path, 2 * arguments.batches))
        if train is not None:
            extra["memcpy"].append(memcpy_round(train, order))
            extra["cold"].append(cold_round(train.path, random.permutation(arguments.studies)[:41]))
        if compact is not None:
            extra["opening"].append(opening_round(compact.path))
    order = random.permutation(arguments.studies)[:count]
    names = ("torch.save per file", "safetensors per file", "LMDB (safetensors values)", "ngr compact, exact (default)")
    return {
        "opening": opening,
        "rounds_of_stores": rounds,
        "extra": extra,
        "epochs": epochs,
        "threads": threads,
        "steps": steps,
        "split": {"ids": arguments.split, "seconds": split_seconds(example, arguments.split)},
        "memory": {s.name: memory_growth(s, order[: BATCH * 2] if s.slow else order) for s in stores},
        "two_processes": {store.name: processes_round(store, order) for store in stores if store.name in names},
    }


if __name__ == "__main__":
    main()
