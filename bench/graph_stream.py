"""What would make the light columns of a study smaller: ``python -m bench.graph_stream [--studies 1200]``.

Dictionaries: half of the studies train some of several sizes (ZDICT), and the graph streams of the other half are
compressed without one and with each. Numbers: the columns of indices and lengths as differences, zig-zag and
variable-length (LEB128) before compression. Two kinds of studies: phantoms as the demo model compresses them, whose
reports come from templates and so flatter a dictionary, and those of the loaders' benchmark, with maps of 900 cells.
"""

from __future__ import annotations

import argparse
import json
import platform
from importlib import metadata
from itertools import islice
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import zstandard
from numpy.typing import NDArray

from bench.loaders.data import studies as made_studies
from neuralgraph import Study
from neuralgraph.codecs import zstd
from neuralgraph.compressor import Compressor
from neuralgraph.container.reader import BytesSource, Container
from neuralgraph.container.streams import GRAPH_STREAM
from neuralgraph.sources.phantom import phantom_cohort
from neuralgraph.storage.save import to_bytes
from neuralgraph.wire.columns import split_graph

RESULTS = Path(__file__).parent / "results" / "graph_stream.json"
SIZES = (2048, 8192, 32768)
NUMBERS = (
    "patch_cell", "edge", "concept_start", "concept_end", "triple_head", "triple_relation", "triple_tail",
    "string_bytes",
)  # fmt: skip
"""Columns of indices, places and lengths."""
SEED = 77


def phantoms(count: int) -> list[Study]:
    """Phantoms with their reports, compressed by the demo model."""
    compressor = Compressor.from_pretrained()
    return [compressor(study.pixels, study.report) for study in islice(phantom_cohort(SEED, count), count)]


def graph_streams(studies: list[Study]) -> tuple[list[bytes], list[bytes]]:
    """What the light columns of each study are before compression: as they are, and with their numbers shortened."""
    container = Container(BytesSource(to_bytes(studies)))
    plain, short = [], []
    for number in range(len(studies)):
        record = container.record(number)
        plain.append(bytes(record.read(GRAPH_STREAM)))
        columns = split_graph(record.counts, plain[-1])
        short.append(
            b"".join(shortened(values) if name in NUMBERS else values.tobytes() for name, values in columns.items())
        )
    return plain, short


def shortened(values: NDArray[Any]) -> bytes:
    """Differences down a column, zig-zag, seven bits to a byte."""
    rows = values.astype(np.int64).reshape(len(values), values[0].size if len(values) else 1)
    differences = np.diff(rows, axis=0, prepend=0).ravel()
    out = bytearray()
    for number in np.where(differences < 0, -2 * differences - 1, 2 * differences).tolist():
        while number > 0x7F:
            out.append(number & 0x7F | 0x80)
            number >>= 7
        out.append(number)
    return bytes(out)


def measure(studies: list[Study]) -> dict[str, Any]:
    """Mean bytes of a graph stream and of a study, and what each dictionary changes."""
    half = len(studies) // 2
    streams, short = graph_streams(studies)
    samples, tested = streams[:half], streams[half:]
    plain = mean(len(zstd.encode(stream)) for stream in tested)
    whole = len(to_bytes(studies[half:])) / len(tested)
    found: dict[str, Any] = {
        "tested": len(tested),
        "bytes_per_study": round(whole, 1),
        "graph_stream": {"decoded": round(mean(map(len, tested)), 1), "compressed": round(plain, 1)},
        "numbers": {
            "decoded": round(mean(map(len, short[half:])), 1),
            "compressed": round(shortest := mean(len(zstd.encode(stream)) for stream in short[half:]), 1),
            "saved_percent_of_study": round(100 * (plain - shortest) / whole, 2),
        },
        "dictionaries": {},
    }
    for size in SIZES:
        dictionary = zstandard.train_dictionary(size, samples, level=zstd.LEVEL)
        compressor = zstandard.ZstdCompressor(level=zstd.LEVEL, dict_data=dictionary)
        compressed = mean(len(compressor.compress(stream)) for stream in tested)
        own = len(dictionary.as_bytes()) / len(tested)
        found["dictionaries"][str(size)] = {
            "compressed": round(compressed, 1),
            "saved_percent_of_study": round(100 * (plain - compressed) / whole, 2),
            "saved_percent_with_the_dictionary_itself": round(100 * (plain - compressed - own) / whole, 2),
        }
    return found


def main() -> None:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=1200)
    arguments = parser.parse_args()
    record = {
        "command": f"python -m bench.graph_stream --studies {arguments.studies}",
        "versions": {"python": platform.python_version(), "zstandard": metadata.version("zstandard")},
        "phantoms": measure(phantoms(arguments.studies)),
        "twenty patches of 1,024 values": measure(list(made_studies(arguments.studies, SEED))),
    }
    RESULTS.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()
