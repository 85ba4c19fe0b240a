"""Why version 1.0 has neither dictionaries nor numbers of variable length."""

from __future__ import annotations

from typing import Any

from bench.documents.tables import table

TITLE = "What would make the light columns smaller"
RESULTS = "graph_stream.json"


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
    shorter = [
        [
            name,
            found["graph_stream"]["decoded"],
            found["graph_stream"]["compressed"],
            found["numbers"]["decoded"],
            found["numbers"]["compressed"],
            f"{found['numbers']['saved_percent_of_study']:.1f} %",
        ]
        for name, found in kinds.items()
    ]
    short_head = ["studies", "graph stream", "compressed", "with short numbers", "compressed", "saved of a study"]
    return f"""Command: `{results["command"]}`. Bytes are means over {tested:,} studies. Only the graph stream is looked at, which holds the light
columns and the texts.

## Dictionaries

Trained (ZDICT) on as many other studies:

{table(head, rows)}

Phantoms have reports made of templates and six small patches, which flatters a dictionary more than any archive of real
reports would. Version 1.0 has none: feature bit 0 is reserved for them. A study must be whole when it is copied out of its
archive, byte for byte, and would have to take the dictionary with it; and a decoder with dictionaries is not to be had in
every language a reader is written in.

## Numbers of variable length

The columns of indices, places and lengths as differences, zig-zag, seven bits to a byte, before the same compression:

{table(short_head, shorter)}

Columns stay arrays of fixed width, the narrowest that the counts allow: a reader takes them as they stand, knows the size of
each before it is decoded, and has no loop over bytes that a hostile file could lead astray.
"""
