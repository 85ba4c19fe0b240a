"""Documents from results: writes docs/measurements.md from the files of bench/results.

    python -m bench.documents [--check]

Every figure of the document stands in a results file; ``--check`` fails when the document is not what they give.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "measurements.md"


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A Markdown table."""
    lines = [" | ".join(head), " | ".join("---" for _ in head)]
    lines += [" | ".join(_text(cell) for cell in row) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def _text(cell: Any) -> str:
    if isinstance(cell, float):
        return f"{cell:,.1f}" if abs(cell) >= 10 else f"{cell:.3g}"
    return f"{cell:,}" if isinstance(cell, int) else str(cell)


def layout(results: dict[str, Any]) -> str:
    """The choices that were frozen with the layout."""
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
    return f"""## The layout of a file

Command: `{results["command"]}`. {results["studies"]} studies of {results["patches"]} patches; {results["data"]}; {results["encoders"]}.

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


def report_graph(results: dict[str, Any]) -> str:
    """The report graph against the tags of Open-i."""
    rows = [
        [
            finding,
            asserted["tagged"],
            asserted["precision"],
            asserted["recall"],
            results["asserted_without_uncertain"][finding]["precision"],
            results["asserted_without_uncertain"][finding]["recall"],
        ]
        for finding, asserted in results["asserted"].items()
    ]
    return f"""## The report graph

Command: `python -m bench.report_graph`. {results["data"]["collection"]}; {results["data"]["reports_with_text"]} reports with text.
Note: {results["data"]["note"]}.

{table(["finding", "tagged reports", "precision", "recall", "precision without uncertain", "recall without uncertain"], rows)}
"""


CHAPTERS = {"layout.json": layout, "report_graph.json": report_graph}


def document() -> str:
    """The whole document."""
    parts = [
        "# Measurements\n",
        "Written by `python -m bench.documents` from the files in `bench/results`; do not edit. Each chapter names the command "
        "that measures it again.\n",
    ]
    parts += [chapter(json.loads((RESULTS / name).read_text())) for name, chapter in CHAPTERS.items()]
    return "\n".join(parts)


def main() -> int:
    """Write the document, or compare it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    text = document()
    if parser.parse_args().check:
        return 0 if DOCUMENT.read_text() == text else 1
    DOCUMENT.parent.mkdir(exist_ok=True)
    DOCUMENT.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
