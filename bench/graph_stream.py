"""What makes the light columns of a study smaller: ``python -m bench.graph_stream [--studies 1200]``.

Half of the studies train dictionaries of several sizes (ZDICT), and the graph streams of the other half are stored as
``zstd`` does, with short numbers, and with each dictionary. Then both archives that a user can have of the second half,
profile compact and profile smallest: bytes, and the time to read every study, in turns. Three kinds of studies:
phantoms as the demo model compresses them, whose reports come from templates and so flatter a dictionary; the same with
every patch kept; and those of the loaders' benchmark, with maps of 900 cells.
"""

from __future__ import annotations

import argparse
import json
import platform
import tempfile
import time
from importlib import metadata
from itertools import islice
from pathlib import Path
from statistics import mean, median
from typing import Any

from neuralgraph.codecs.dictionary import train_dictionary

import neuralgraph as ng
from bench.loaders.data import studies as made_studies
from neuralgraph import Study
from neuralgraph.codecs import short_numbers, zstd
from neuralgraph.codecs.registry import (
    BYTE_CODECS,
    SHORT_NUMBERS,
    ZSTD,
    ZSTD_DICTIONARY,
    Surroundings,
    decode_bytes,
)
from neuralgraph.compressor import Compressor, TopFraction
from neuralgraph.sources.phantom import phantom_cohort
from neuralgraph.wire.study_columns import StudyColumns

RESULTS = Path(__file__).parent / "results" / "graph_stream.json"
SIZES = (2048, 8192, 32768)
SEED = 77
ROUNDS = 5


def phantoms(count: int, *, fraction: float = 0.023) -> list[Study]:
    """Phantoms with their reports, compressed by the demo model."""
    compressor = Compressor.from_pretrained(policy=TopFraction(fraction))
    return [compressor(study.pixels, study.report) for study in islice(phantom_cohort(SEED, count), count)]


def measure(studies: list[Study]) -> dict[str, Any]:
    """Mean bytes of a graph stream and of a study in an archive, and milliseconds to read a study."""
    half = len(studies) // 2
    columns = [study.columns() for study in studies]
    streams = [each.graph_stream() for each in columns]
    tested = list(zip(streams, columns, strict=True))[half:]
    plain = mean(len(zstd.encode(stream)) for stream, _ in tested)
    short = mean(len(short_numbers.encode(stream, each.counts) or stream) for stream, each in tested)
    found: dict[str, Any] = {
        "tested": len(tested),
        "graph_stream": {
            "decoded": round(mean(len(stream) for stream, _ in tested), 1),
            "zstd": round(plain, 1),
            "short_numbers": round(short, 1),
        },
        "dictionaries": {},
    }
    for size in SIZES:
        dictionary = train_dictionary(streams[:half], size=size)
        assert dictionary is not None
        compressed = mean(len(dictionary.encode(stream)) for stream, _ in tested)
        found["dictionaries"][str(size)] = {
            "bytes": len(dictionary.data),
            "zstd_dictionary": round(compressed, 1),
            "saved_percent": round(100 * (1 - compressed / plain), 1),
        }
    found["decode_microseconds"] = decoding(tested, streams[:half])
    found["archives"] = {form: archives(studies[half:], form) for form in ("exact", "int4")}
    return found


def decoding(tested: list[tuple[bytes, StudyColumns]], samples: list[bytes]) -> dict[str, float]:
    """Microseconds to decode a graph stream, by encoding; those of 8 KiB dictionaries; in turns, medians."""
    dictionary = train_dictionary(samples, size=8_192)
    assert dictionary is not None
    around = [Surroundings(each.counts, {dictionary.id: dictionary}.get) for _, each in tested]
    stored = {
        ZSTD: [zstd.encode(stream) for stream, _ in tested],
        SHORT_NUMBERS: [zstd.encode(short_numbers.shortened(stream, each.counts)) for stream, each in tested],
        ZSTD_DICTIONARY: [dictionary.encode(stream) for stream, _ in tested],
    }
    seconds: dict[int, list[float]] = {encoding: [] for encoding in stored}
    for _ in range(ROUNDS):
        for encoding, frames in stored.items():
            # Where the short form is longer no writer stores it, and no reader takes it.
            rows = [
                (frame, len(stream), near)
                for frame, (stream, each), near in zip(frames, tested, around, strict=True)
                if encoding != SHORT_NUMBERS or len(short_numbers.shortened(stream, each.counts)) <= len(stream)
            ]
            begin = time.perf_counter()
            for frame, size, near in rows:
                decode_bytes(encoding, memoryview(frame), size, where="stream", surroundings=near)
            if rows:
                seconds[encoding].append((time.perf_counter() - begin) / len(rows))
    return {BYTE_CODECS[encoding].name: round(1e6 * median(times), 1) for encoding, times in seconds.items() if times}


def archives(studies: list[Study], form: str) -> dict[str, Any]:
    """Bytes of a study and milliseconds to read it, by profile; read in turns, the first time apart."""
    with tempfile.TemporaryDirectory() as folder:
        paths = {profile: Path(folder) / f"{profile}.ngr" for profile in ("compact", "smallest")}
        for profile, path in paths.items():
            ng.save(studies, path, embedding=form, profile=profile)
        seconds: dict[str, list[float]] = {profile: [] for profile in paths}
        for _ in range(ROUNDS + 1):
            for profile, path in paths.items():
                begin = time.perf_counter()
                with ng.open(path) as archive:
                    assert sum(1 for _ in archive) == len(studies)
                seconds[profile].append(time.perf_counter() - begin)
        size = {profile: path.stat().st_size / len(studies) for profile, path in paths.items()}
    return {
        **{
            profile: {
                "bytes_per_study": round(size[profile], 1),
                "read_ms_per_study": round(1e3 * median(times[1:]) / len(studies), 3),
            }
            for profile, times in seconds.items()
        },
        "saved_percent": round(100 * (1 - size["smallest"] / size["compact"]), 1),
    }


def main() -> None:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=1200)
    arguments = parser.parse_args()
    count = arguments.studies
    record = {
        "command": f"python -m bench.graph_stream --studies {count}",
        "versions": {"python": platform.python_version(), "zstandard": metadata.version("zstandard")},
        "kinds": {
            "phantoms, 6 patches": measure(phantoms(count)),
            "phantoms, all 256 patches": measure(phantoms(count, fraction=1.0)),
            "20 patches of 1,024 values": measure(list(made_studies(count, SEED))),
        },
    }
    RESULTS.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()
