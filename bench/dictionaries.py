"""What a trained zstd dictionary would save an archive: ``python -m bench.dictionaries [--studies 1200]``.

Half of the studies train dictionaries of several sizes (ZDICT), and the graph streams of the other half are compressed
without one and with each. Two kinds of studies: phantoms as the demo model compresses them, whose reports come from
templates and so flatter a dictionary, and those of the loaders' benchmark, whose attention map has 900 cells.
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

import zstandard

from bench.loaders.data import studies as made_studies
from neuralgraph import Study
from neuralgraph.codecs import zstd
from neuralgraph.compressor import Compressor
from neuralgraph.container.reader import BytesSource, Container
from neuralgraph.container.streams import GRAPH_STREAM
from neuralgraph.sources.phantom import phantom_cohort
from neuralgraph.storage.save import to_bytes

RESULTS = Path(__file__).parent / "results" / "dictionaries.json"
SIZES = (2048, 8192, 32768)
SEED = 77


def phantoms(count: int) -> list[Study]:
    """Phantoms with their reports, compressed by the demo model."""
    compressor = Compressor.from_pretrained()
    return [compressor(study.pixels, study.report) for study in islice(phantom_cohort(SEED, count), count)]


def graph_streams(studies: list[Study]) -> list[bytes]:
    """What the light columns of each study are before compression."""
    container = Container(BytesSource(to_bytes(studies)))
    return [bytes(container.record(number).read(GRAPH_STREAM)) for number in range(len(studies))]


def measure(studies: list[Study]) -> dict[str, Any]:
    """Mean bytes of a graph stream and of a study, and what each dictionary changes."""
    half = len(studies) // 2
    streams = graph_streams(studies)
    samples, tested = streams[:half], streams[half:]
    plain = mean(len(zstd.encode(stream)) for stream in tested)
    whole = len(to_bytes(studies[half:])) / len(tested)
    found: dict[str, Any] = {
        "tested": len(tested),
        "bytes_per_study": round(whole, 1),
        "graph_stream": {"decoded": round(mean(map(len, tested)), 1), "compressed": round(plain, 1)},
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
        "command": f"python -m bench.dictionaries --studies {arguments.studies}",
        "versions": {"python": platform.python_version(), "zstandard": metadata.version("zstandard")},
        "phantoms": measure(phantoms(arguments.studies)),
        "twenty patches of 1,024 values": measure(list(made_studies(arguments.studies, SEED))),
    }
    RESULTS.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()
