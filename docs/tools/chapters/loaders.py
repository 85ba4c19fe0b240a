"""Loaders against their rivals."""

from __future__ import annotations

from statistics import median
from typing import Any

from bench.loaders.steps import STEPS
from docs.tools.tables import table

TITLE = "Loaders"
RESULTS = "loaders.json"

_PER_FILE = "torch.save per file"
_DIRECT = "safetensors, ragged, direct reader"
_TRAIN = "ngr train, float32"
_COMPACT = "ngr compact, exact (default)"
_AGAINST = (
    ("float32 archive, against the direct reader, which verifies nothing", 1.0, _TRAIN, _DIRECT),
    ("float32 archive, against torch.load per file", 20, _TRAIN, _PER_FILE),
    ("bfloat16 archive, against torch.load per file", 24, "ngr train, bfloat16", _PER_FILE),
    ("int8 archive, against torch.load per file", 24, "ngr train, int8", _PER_FILE),
    ("compact archive (the default), against torch.load per file", 14, _COMPACT, _PER_FILE),
)
"""Least ratios of graphs per second."""


def _ratio(rounds: list[dict[str, Any]], one: str, other: str, key: str) -> float:
    """Median over the rounds of the ratio within a round."""
    return median(each[one][key] / each[other][key] for each in rounds)


def _of(rounds: list[dict[str, Any]], key: str, other: str) -> float:
    return median(each[key] / each[other] for each in rounds)


def _targets(results: dict[str, Any]) -> list[list[Any]]:
    """Each target, and what was reached, by CPU time and by wall clock."""
    rounds = results["rounds_of_stores"]
    rows = [
        [
            what,
            f"at least {least}",
            f"{_ratio(rounds, one, other, 'later_cpu'):.2f}",
            f"{_ratio(rounds, one, other, 'later_wall'):.2f}",
        ]
        for what, least, one, other in _AGAINST
    ]
    for name in (_TRAIN, _COMPACT):
        epochs = results["epochs"][name]
        shares = [_of(epochs, f"first_{clock}", f"later_{clock}") for clock in ("cpu", "wall")]
        rows.append([f"first epoch over the second, {name}", "at least 0.9", *(f"{share:.2f}" for share in shares)])
    for name in (_TRAIN, _COMPACT):
        rows.append(
            [f"two threads over none, {name}", "at least 1.3", "", f"{_of(results['threads'][name], '2', '0'):.2f}"]
        )
    opening = results["extra"]["opening"]
    for key, most in (("learnt", 150), ("given", 15)):
        what = "opening and first graph, compact archive, names of labels " + (
            "to be learnt" if key == "learnt" else "given"
        )
        rows.append([what, f"at most {most} ms", "", f"{median(each[key] for each in opening):.1f} ms"])
    single = median(each[_TRAIN]["get_p50_us"] / each[_PER_FILE]["get_p50_us"] for each in rounds)
    rows.append(["one graph, over torch.load per file", "at most 0.2", "", f"{single:.2f}"])
    above = max(results["memory"][name]["above"] for name in results["memory"] if name.startswith("ngr"))
    rows.append(["anonymous memory above the batches", "at most 30 MiB", "", f"{above / 2**20:.0f} MiB"])
    split = results["split"]
    rows.append(
        [f"opening a loader with a list of {split['ids']:,} ids", "at most 1 s", "", f"{split['seconds']:.2f} s"]
    )
    return rows


def _steps(results: dict[str, Any]) -> str:
    names = list(results["steps"])
    middle = {
        name: {key: median(each[key] for each in results["steps"][name]) for key in results["steps"][name][0]}
        for name in names
    }
    rows = [[what, *(f"{middle[name].get(step, 0):.1f}" for name in names)] for step, what in STEPS.items()]
    rest = {name: parts["whole"] - sum(parts.get(step, 0) for step in STEPS) for name, parts in middle.items()}
    rows.append(["the rest: Python, tensors, the `Batch`", *(f"{rest[name]:.1f}" for name in names)])
    rows.append(["**all of it**", *(f"**{middle[name]['whole']:.1f}**" for name in names)])
    for key, what in (
        ("bare read", "*to compare:* the records read into one buffer"),
        ("bare write of x", "*to compare:* `x` filled with zeros"),
    ):
        rows.append([what, *(f"{middle[name][key]:.1f}" for name in names)])
    return table(["CPU microseconds a study", *names], rows)


def _stores(results: dict[str, Any]) -> list[list[Any]]:
    rounds, rows = results["rounds_of_stores"], []
    for name, written in results["writing"].items():

        def middle(key: str, name: str = name) -> Any:
            values = [each[name][key] for each in rounds if key in each[name]]
            return round(median(values)) if values else "-"

        opening = results["opening"][name]
        rows.append(
            [
                name,
                round(written["bytes_per_study"]),
                round(results["studies"] / written["cpu_seconds"]),
                *("-" if cell is None or cell != cell else cell for cell in (opening["warm_ms"], opening["cold_ms"])),
                middle("get_p50_us"),
                middle("get_p95_us"),
                middle("later_cpu"),
                middle("later_wall"),
                f"{_ratio(rounds, name, _PER_FILE, 'later_cpu'):.2f}",
                round(results["two_processes"][name]) if name in results["two_processes"] else "-",
                round(results["memory"][name]["private"] / 2**20),
            ]
        )
    return rows


def write(results: dict[str, Any]) -> str:
    """Text of the chapter."""
    data = results["data"]
    threads = [
        [name, *(round(median(each[n] for each in results["threads"][name])) for n in ("0", "1", "2"))]
        for name in results["threads"]
    ]
    memcpy = median(each["cpu"] for each in results["extra"]["memcpy"])
    cold = median(each["ratio"] for each in results["extra"]["cold"])
    header = ["store", "bytes per study", "written per CPU second", "first graph, warm, ms", "cold, ms", "one graph, p50, µs", "p95",
              "graphs per CPU second", "by wall clock", "ratio to per file", "two processes, wall clock", "private memory, MiB"]  # fmt: skip
    return f"""Command: `{results["command"]}`. {results["studies"]:,} studies of 20 patches with 1,024 values each,
{data["nodes"]:.1f} nodes and {data["edges"]:.1f} edges; {results["rounds"]} rounds; {results["cores"]} cores, of which one
worked (load average {results["load_average"]:.1f} at the end; where it is higher, compare CPU time before wall clock). Embeddings are made, not those of a trained encoder:
low-rank study and patch latents, noise of full rank, log-normal channel scales with six outlier channels, layer norm and a random
affine (kurtosis {data["kurtosis"]:.0f}, per channel {data["kurtosis_per_channel"]:.1f}, cosine of two patches of a study
{data["cosine_within_a_study"]:.2f}, {data["rank_for_90_percent_of_variance"]} components for 90 % of the variance).

Batches of 64 in random order from the page cache, all attributes, one process, one torch thread. An archive is read with positioned
reads and verifies every checksum at every access; rivals verify nothing. Rivals but
the *direct* ones give a `Data` per study to PyG's collate. Rivals store the features of concepts as dense rows of `x`; an archive
stores the concepts, and makes the rows. Private memory is that of a process of its own, with the batch it makes and the one
before; pages of mapped files count, as the system counts them.

{table(header, _stores(results))}

The command takes all stores (also InMemoryDataset, safetensors per file, Arrow, Parquet, Lance, WebDataset and Zarr) and 10,000
studies when nothing is left out.

Targets, as medians of the ratios within each round:

{table(["what", "target", "CPU time", "wall clock"], _targets(results))}

Where the time of a batch goes:

{_steps(results)}

What bounds what is missed. Reading copies the bytes of a record out of the page cache, which alone takes what the last rows but
one say; the direct reader copies from a map of its file, whose pages count as the process's own and which ends the process when
the file is cut short meanwhile. `x` is larger than the caches and is written past them. Checksums are part of the first and
the fifth row. An archive in the default form spends most of its time on zstd, which undoes the exponents of the embedding;
`profile="train"` keeps them as they are. A batch of float32 takes {memcpy:.1f} times a plain copy of `x`. A study that is in no
cache takes {cold:.2f} times a bare read of its record.

`ArchiveLoader` with threads, graphs per second by wall clock. The kernel works without the interpreter's lock, and the memory of `x`
is used again as soon as nobody refers to it: a thread's own share of the heap would give it back to the system after each batch,
and the next would fetch it again page by page.

{table(["archive", "no thread", "one", "two"], threads)}
"""
