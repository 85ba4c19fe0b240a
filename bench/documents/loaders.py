"""Loaders against their rivals."""

from __future__ import annotations

from statistics import median
from typing import Any

from bench.documents.tables import table

TITLE = "Loaders"
RESULTS = "loaders.json"

_PER_FILE = "torch.save per file"
_LIST = "torch.save list, in RAM"


def _ratio(rounds: list[dict[str, Any]], one: str, other: str, key: str, other_key: str) -> float:
    """Median over the rounds of the ratio within a round."""
    return median(each[one][key] / each[other][other_key] for each in rounds)


def _targets(rounds: list[dict[str, Any]], results: dict[str, Any]) -> list[list[Any]]:
    """Each target, and what was reached, by wall clock and by CPU time."""
    on_disk = [
        n for n in rounds[0] if not n.startswith("ngr") and n != _LIST and "InMemory" not in n and "direct" not in n
    ]
    best = max(on_disk, key=lambda name: median(each[name]["later_cpu"] for each in rounds))
    direct = max((n for n in rounds[0] if "direct" in n), key=lambda n: median(each[n]["later_cpu"] for each in rounds))
    wanted = [
        ("float32 archive, against torch.load per file", "at least 16", "ngr train, float32", _PER_FILE),
        ("bfloat16 archive, against torch.load per file", "at least 22", "ngr train, bfloat16", _PER_FILE),
        ("int8 archive, against torch.load per file", "at least 22", "ngr train, int8", _PER_FILE),
        (f"float32 archive, against {best}", "at least 6", "ngr train, float32", best),
        ("float32 archive, against a list in RAM", "at least 2.5", "ngr train, float32", _LIST),
        ("compressed archive, against torch.load per file", "at least 8", "ngr compact, exact (default)", _PER_FILE),
        (f"float32 archive, against {direct}", "at least 1.2", "ngr train, float32", direct),
    ]
    rows = []
    for what, target, one, other in wanted:
        cells: list[Any] = [what, target]
        for clock in ("cpu", "wall"):
            first = _ratio(rounds, one, other, f"first_{clock}", f"later_{clock}")
            later = _ratio(rounds, one, other, f"later_{clock}", f"later_{clock}")
            cells += [f"{first:.2f}", f"{later:.2f}"]
        rows.append(cells)
    extra = results["extra"]
    memcpy = [median(each[clock] for each in extra["memcpy"]) for clock in ("cpu", "wall")]
    rows.append(
        [
            "time of float32 batches over that of a plain copy",
            "at most 2",
            "",
            f"{memcpy[0]:.2f}",
            "",
            f"{memcpy[1]:.2f}",
        ]
    )
    single = median(e["ngr train, float32"]["get_p50_us"] / e[_PER_FILE]["get_p50_us"] for e in rounds)
    rows.append(["one study as Data, over torch.load per file", "at most 0.25", "", "", "", f"{single:.2f}"])
    cold = median(each["ratio"] for each in extra["cold"])
    rows.append(["one study that is in no cache, over a bare read", "at most 1.3", "", "", "", f"{cold:.2f}"])
    threads = median(each["2"] / each["1"] for each in extra["threads"])
    rows.append(["two threads over one", "at least 1.4", "", "", "", f"{threads:.2f}"])
    return rows


def write(results: dict[str, Any]) -> str:
    """Text of the chapter."""
    rounds = results["rounds_of_stores"]
    stores = []
    for name, written in results["writing"].items():

        def middle(key: str, name: str = name) -> Any:
            values = [each[name][key] for each in rounds if key in each[name]]
            return round(median(values)) if values else "-"

        opening = results["opening"][name]
        stores.append(
            [
                name,
                round(written["bytes_per_study"]),
                round(results["studies"] / written["cpu_seconds"]),
                *("-" if cell != cell else cell for cell in (opening["warm_ms"], opening["cold_ms"])),
                middle("get_p50_us"),
                middle("get_p95_us"),
                middle("first_cpu"),
                middle("later_cpu"),
                middle("later_wall"),
                f"{_ratio(rounds, name, _PER_FILE, 'later_cpu', 'later_cpu'):.2f}",
                round(results["two_processes"][name]) if name in results["two_processes"] else "-",
                round(results["private_growth_bytes"][name] / 2**20),
            ]
        )
    extra, data = results["extra"], results["data"]
    checksums = [[name, median(each[name] for each in extra["checksum"])] for name in extra["checksum"][0]]
    threads = [[name, round(median(each[name] for each in extra["threads"]))] for name in ("0", "1", "2")]
    parts = []
    for name in ("ngr train, float32", "ngr compact, exact (default)"):
        rows = [[row["function"], row["calls"], row["percent"]] for row in results["profile"][name][:10]]
        parts.append(f"{name}:\n\n{table(['function', 'calls', '% of the time'], rows)}")
    return f"""Command: `{results["command"]}`. {results["studies"]:,} studies of 20 patches with 1,024 values each,
{data["nodes"]:.1f} nodes and {data["edges"]:.1f} edges; {results["rounds"]} rounds; {results["cores"]} cores, of which one
worked (load average {results["load_average"]:.1f} at the end; where it is higher, compare CPU time before wall clock). Embeddings are made, not those of a trained encoder:
low-rank study and patch latents, noise of full rank, log-normal channel scales with six outlier channels, layer norm and a random
affine (kurtosis {data["kurtosis"]:.0f}, per channel {data["kurtosis_per_channel"]:.1f}, cosine of two patches of a study
{data["cosine_within_a_study"]:.2f}, {data["rank_for_90_percent_of_variance"]} components for 90 % of the variance).

Batches of 64 in random order from the page cache, all attributes, one process, one torch thread. *First* is the first access to a
study after opening, in which an archive verifies its checksums; *later* is the third. Rivals verify nothing. Rivals but
the *direct* ones give a `Data` per study to PyG's collate. Rivals store the features of concepts as dense rows of `x`; an archive
stores the concepts, and makes the rows. Private memory is that of a process of its own, with the batch it makes and the one
before; pages of mapped files count, as the system counts them.

{table(["store", "bytes per study", "written per CPU second", "first graph, warm, ms", "cold, ms", "one graph, p50, µs", "p95", "graphs per CPU second, first", "later", "by wall clock", "ratio to per file", "two processes, wall clock", "private memory, MiB"], stores)}

The command takes all stores (also InMemoryDataset, safetensors per file, Arrow, Parquet, Lance, WebDataset and Zarr) and 10,000
studies when nothing is left out.

Targets, as medians of the ratios within each round:

{table(["what", "target", "CPU, first access", "CPU, later", "wall, first access", "wall, later"], _targets(rounds, results))}

What bounds what is missed. A batch of float32 is {results["data"]["nodes"] * 4096:,.0f} bytes of `x` per study, of which an archive reads the patches and
makes the rest. Most of the time of later batches is the system's, which copies pages of the file (`preadv` below). The direct reader copies
from a map of its file, at the speed of memory; but the pages of a map count as the process's own, until all of the archive
does, so that a loader of archives larger than memory reads instead. int8
and bfloat16 read less and convert more, and come out the same. The default archive spends its time on undoing byte planes and
zstd. Threads share the interpreter: what they gain by reading at the same time they lose by waiting for each other, so that
one thread, which works while the model does, is as good as two. A study in no cache is measured at its first access, where its
checksums are verified and the section is proven page by page. The first graph of a compact archive waits for the names of
all labels, which every study is read for; with `labels=` it does not.

CRC-32 over pieces of 81,920 bytes, GB per CPU second:

{table(["implementation", "GB/s"], checksums)}

`ArchiveLoader` with threads, graphs per second by wall clock:

{table(["threads", "graphs/s"], threads)}

Where the time of later batches goes, own time of functions (the profiler adds its own to each call):

{chr(10).join(parts)}
"""
