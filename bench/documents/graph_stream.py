"""What short numbers and dictionaries save, and why the default profile does without."""

from __future__ import annotations

from typing import Any

from bench.documents.tables import table

TITLE = "What makes the light columns smaller"
RESULTS = "graph_stream.json"


def write(results: dict[str, Any]) -> str:
    """Text of the chapter."""
    kinds = results["kinds"]
    streams = [
        [
            name,
            found["graph_stream"]["decoded"],
            found["graph_stream"]["zstd"],
            found["graph_stream"]["short_numbers"],
            *(
                f"{entry['zstd_dictionary']} ({entry['saved_percent']:.1f} %)"
                for entry in found["dictionaries"].values()
            ),
        ]
        for name, found in kinds.items()
    ]
    sizes = next(iter(kinds.values()))["dictionaries"]
    head = [
        "studies",
        "graph stream",
        "`zstd`",
        "`short_numbers`",
        *(f"dictionary of {int(size) // 1024} KiB" for size in sizes),
    ]
    files = [
        [
            name,
            form,
            found["compact"]["bytes_per_study"],
            found["smallest"]["bytes_per_study"],
            f"{found['saved_percent']:.1f} %",
            found["compact"]["read_ms_per_study"],
            found["smallest"]["read_ms_per_study"],
        ]
        for name, kind in kinds.items()
        for form, found in kind["archives"].items()
    ]
    files_head = [
        "studies",
        "embedding",
        "compact, bytes",
        "smallest, bytes",
        "saved",
        "compact, ms to read",
        "smallest, ms to read",
    ]
    encodings = ("zstd", "short_numbers", "zstd_dictionary")
    times = [
        [name, *(found["decode_microseconds"].get(each, "not stored") for each in encodings)]
        for name, found in kinds.items()
    ]
    times_head = ["studies", *(f"`{name}`" for name in encodings)]
    tested = next(iter(kinds.values()))["tested"]
    return f"""Command: `{results["command"]}`. Means over {tested:,} studies; dictionaries of the first table are trained on as many others.
Phantoms have reports made of templates, which flatters a dictionary more than an archive of real reports would.

## The graph stream

Light columns and texts, bytes; in brackets what a dictionary saves over `zstd`:

{table(head, streams)}

Decoding one, microseconds (a short form that is longer than the stream is not stored):

{table(times_head, times)}

## Archives

Everything, per study, as `profile="compact"` and `profile="smallest"` write it. The latter takes for every stream whatever is
smallest, and its dictionary of 8 KiB is in the figures:

{table(files_head, files)}

## Why the default does without

A record of the default profile is the same bytes in every file, is copied as it stands, and is whole when the end of its
archive is lost; one that leans on a dictionary is none of this. Short numbers take a pass over the numbers at every reading,
and save next to nothing beside an embedding. Both are for small studies that are kept in great number.
"""
