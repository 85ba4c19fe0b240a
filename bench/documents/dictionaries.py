"""Why version 1.0 has no dictionaries."""

from __future__ import annotations

from typing import Any

from bench.documents.tables import table

TITLE = "Dictionaries for archives"
RESULTS = "dictionaries.json"


def write(results: dict[str, Any]) -> str:
    """Text of the chapter."""
    kinds = {name: found for name, found in results.items() if isinstance(found, dict) and "graph_stream" in found}
    rows = [
        [
            name,
            found["bytes_per_study"],
            found["graph_stream"]["decoded"],
            found["graph_stream"]["compressed"],
            f"{int(size) // 1024} KiB",
            entry["compressed"],
            f"{entry['saved_percent_of_study']:.1f} %",
            f"{entry['saved_percent_with_the_dictionary_itself']:.1f} %",
        ]
        for name, found in kinds.items()
        for size, entry in found["dictionaries"].items()
    ]
    tested = next(iter(kinds.values()))["tested"]
    head = ["studies", "bytes of a study", "graph stream", "compressed", "dictionary", "compressed with it", "saved",
            f"with the dictionary itself, {tested:,} studies"]  # fmt: skip
    return f"""Command: `{results["command"]}`. Trained dictionaries (ZDICT) on one half of the studies, tested on the other; bytes are means.
Only the graph stream, which holds the light columns and the texts, has anything to gain: embeddings do not compress with a
dictionary at all.

{table(head, rows)}

Phantoms have reports made of templates and six small patches, which flatters a dictionary more than any archive of real
reports would. Version 1.0 has none: feature bit 0 is reserved for them. A study must be whole when it is copied out of its
archive, byte for byte, and would have to take the dictionary with it; and a decoder with dictionaries is not to be had in
every language a reader is written in.
"""
