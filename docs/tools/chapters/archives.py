"""What opening, finding and reading one of many studies costs."""

from __future__ import annotations

from typing import Any

from docs.tools.tables import table

TITLE = "Archives of many studies"
RESULTS = "archives.json"

_OPENING = (
    ("open, ms", "open_ms"),
    ("open, processor ms", "open_processor_ms"),
    ("resident memory that opening takes, MiB", "open_resident_mib"),
    ("open and first study, ms", "open_and_first_study_ms"),
    ("open and first study, processor ms", "open_and_first_study_processor_ms"),
    ("position of an id, µs", "id_to_position_us"),
    ("study at its first access, everything verified, µs", "study_first_time_us"),
    ("the same study again, µs", "study_again_us"),
    ("resident memory after 900 look-ups and studies, pages of the file included, MiB", "resident_after_mib"),
    ("of it pages no other process maps, those of the file included, MiB", "private_after_mib"),
)
_REQUESTS = ("open", "first_study", "study", "study_by_id", "batch_of_64_neighbours", "batch_of_64_at_random")


def write(results: dict[str, Any]) -> str:
    """Text of the chapter."""
    archives = [results["large"], results["realistic"]]
    sizes = [f"{archive['written']['studies']:,} studies" for archive in archives]
    opening = [
        [name, *(archive["opening"][which][key] for archive in archives for which in ("median", "slowest"))]
        for name, key in _OPENING
    ]
    columns = [f"{size}, {which}" for size in sizes for which in ("median", "slowest")]
    requests = [[name.replace("_", " "), *(a["requests"][f"{name}_requests"] for a in archives)] for name in _REQUESTS]
    written = [
        [size, one["bytes"], one["seconds"], one["processor_seconds"], one["peak_resident_of_writer_mib"]]
        for size, one in zip(sizes, (archive["written"] for archive in archives), strict=True)
    ]
    cold = results["realistic"]["cold"]
    reads = [
        [name, cold[f"{key}_us"], cold[f"{key}_processor_us"], cold[f"{key}_us"] / cold["pread_us"]]
        for name, key in (
            ("bare pread of the record", "pread"),
            ("the library's bytes of it", "bytes"),
            ("the record, its header verified", "record"),
            ("the study, everything verified", "study"),
        )
    ]
    machine = results["machine"]
    return f"""Command: `{results["command"]}`. {machine["cores"]} cores with other work on them: the load was {machine["load_before"]:.0f}
before and {machine["load_after"]:.0f} after, so that a process waited most of its time; processor times are what it ran itself. The
large archive holds tiny studies, the other 10,000 of 20 patches with 768 bfloat16 values. Medians of {results["rounds"]} fresh
processes, imports done before.

{table(["", *columns], opening)}

Writing, a record at a time; the memory is that of the whole process, which the index and the ids take:

{table(["", "bytes", "seconds", "processor seconds", "peak resident memory, MiB"], written)}

Requests of byte ranges over HTTP. Opening also asks once for the size (HEAD). Index and keys of up to 16 MiB come with
the second request; of larger archives the pages of the index that hold the rows of a study are requested, all at once,
and kept:

{table(["", *sizes], requests)}

One cold study of the archive of 10,000, medians of {results["cold_reads"]}, the ways taking turns:

{table(["", "µs", "processor µs", "times pread"], reads)}
"""
