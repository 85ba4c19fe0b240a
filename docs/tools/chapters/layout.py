"""The choices that were frozen with the layout."""

from __future__ import annotations

from typing import Any

from docs.tools.tables import table

TITLE = "The layout of a file"
RESULTS = "layout.json"


def write(results: dict[str, Any]) -> str:
    """Text of the chapter."""
    measured = results["measured"]
    widths = list(measured)
    embedding = [
        [
            form,
            width,
            sizes["raw"],
            sizes["one_frame_interleaved"],
            sizes["one_frame_planes"],
            sizes["stream_per_plane"],
            f"{measured[width]['gain_of_stream_per_plane_percent'][form]:.1f} %",
        ]
        for form in ("float32", "bfloat16", "float16")
        for width in widths
        for sizes in [measured[width]["embedding"][form]]
    ]
    graph = [
        [name, *(measured[width]["graph"][key] for width in widths)]
        for name, key in (
            ("columns, not compressed", "raw"),
            ("of these the attention map", "attention_map"),
            ("one frame (chosen)", "one_frame"),
            ("one frame, columns in byte planes", "one_frame_planar"),
            ("a stream per column", "one_frame_per_column"),
            ("one frame for 64 studies", "one_frame_of_64_studies"),
        )
    ]
    files = [
        [
            form,
            width,
            sizes["single_file"],
            sizes["single_file_overhead"],
            sizes["archive_per_study"],
            sizes["archive_overhead_per_study"],
        ]
        for form in ("float32", "bfloat16", "int8")
        for width in widths
        for sizes in [measured[width]["files"][form]]
    ]
    chunks = ", ".join(f"{measured[width]['gain_of_chunks_of_64_percent']:.1f} % at {width}" for width in widths)
    return f"""Command: `{results["command"]}`. {results["studies"]} studies of {results["patches"]} patches; {results["data"]}; {results["encoders"]}.

Bytes of the embeddings of a study, mean. A stream per byte plane, each compressed only where that saves 3 %, against both
planes in one frame:

{table(["form", "embedding", "raw", "one frame, interleaved", "one frame, planes", "stream per plane (chosen)", "gain"], embedding)}

The light columns of a study (grid, attention map, patches, concepts, triples, labels, text), bytes, mean:

{table(["organisation", *widths], graph)}

Studies compressed together in chunks of 64, instead of a record each, would save {chunks} (bfloat16, all streams; below zero: they would cost). Records are
kept: a chunk makes one patient's data depend on another's, costs a whole chunk for one random study, and a damaged sector
takes 64 studies with it. Splitting the light columns into byte planes saves too little to be worth a rule in the format.

Whole files, bytes:

{table(["form", "embedding", "single file", "around its streams", "archive, per study", "around its streams"], files)}
"""
