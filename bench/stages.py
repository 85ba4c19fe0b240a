"""Where the time of one study goes: ``python -m bench.stages``; writes bench/results/stages.json.

Synthetic films of 1024 x 1024 pixels as JPEG DICOM, their synthetic reports, the demo model. Processor milliseconds on
one thread, medians over studies and rounds, the stages and Pillow's decoding of the same JPEG taken in turn.
``--workers`` adds the rate of one and of two worker processes, taken in turn; ``--memory N`` the memory of parent and
worker over N studies, with block means in the place of the model. ``--only-memory N`` measures that alone.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import re
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from neuralgraph.bulk import ConversionSettings, convert, make_plan
from neuralgraph.bulk.converter import Converter, default_maker
from neuralgraph.bulk.destination import Destination
from neuralgraph.bulk.pseudonyms import Pseudonyms
from neuralgraph.bulk.report_text import described
from neuralgraph.bulk.run import RunOptions
from neuralgraph.bulk.task import Task
from neuralgraph.compressor.compressor import _Said
from neuralgraph.compressor.model.files import model_digest
from neuralgraph.compressor.scorer import DEMO, DEMO_DIRECTORY
from neuralgraph.phantoms import phantom
from neuralgraph.sources.files import read_whole_file
from neuralgraph.sources.films.dicom import read_dicom_film
from neuralgraph.sources.films.dicom_header import read_dicom_header
from neuralgraph.sources.films.dicom_pixels import PixelFormat, read_stored_values
from neuralgraph.sources.layouts import Roots, resolve_manifest
from neuralgraph.storage.atomic import atomic_file
from neuralgraph.storage.save import to_bytes

RESULT = Path(__file__).parent / "results" / "stages.json"
_JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
_QUALITY = 90
_KEY = b"0123456789abcdef"
_LIMIT = 256 * 1024 * 1024
_STUDIES_FOR_RATES = 300


def jpeg_dicom(seed: int, side: int) -> tuple[bytes, bytes, str]:
    """A synthetic film as DICOM, its JPEG stream, and its report."""
    from PIL import Image
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.encaps import encapsulate
    from pydicom.filewriter import dcmwrite
    from pydicom.uid import UID

    study = phantom(seed, height=side, width=side)
    stream = BytesIO()
    Image.fromarray(np.rint(study.pixels * 255).astype(np.uint8)).save(stream, "JPEG", quality=_QUALITY)
    jpeg = stream.getvalue()
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.1", f"2.25.{seed + 1}"
    dataset.StudyInstanceUID, dataset.PatientID = f"2.25.{seed + 1}.1", f"{seed:06d}"
    dataset.Modality, dataset.ViewPosition, dataset.BodyPartExamined = "CR", "PA", "CHEST"
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows = dataset.Columns = side
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 8, 8, 7, 0
    dataset.WindowCenter, dataset.WindowWidth = 128, 256
    dataset.LossyImageCompression = "01"
    dataset.add_new("PixelData", "OB", encapsulate([jpeg]))
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(_JPEG_BASELINE)
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    out = BytesIO()
    dcmwrite(out, dataset, enforce_file_format=True)
    return out.getvalue(), jpeg, study.report


def fill(folder: Path, count: int, side: int) -> list[bytes]:
    """Write films and reports; gives the JPEG streams."""
    folder.mkdir()
    streams = []
    for seed in range(count):
        data, jpeg, report = jpeg_dicom(seed, side)
        (folder / f"{seed:04d}.dcm").write_bytes(data)
        (folder / f"{seed:04d}.txt").write_text(report)
        streams.append(jpeg)
    return streams


def _pillow(jpeg: bytes) -> None:
    from PIL import Image

    with Image.open(BytesIO(jpeg)) as picture:
        np.asarray(picture)


def stages(source: Path, streams: list[bytes], scratch: Path, rounds: int) -> dict[str, Any]:
    """Processor milliseconds of each stage, Pillow's decoding, and the whole study."""
    settings = ConversionSettings()
    maker, _ = default_maker(settings)
    compressor: Any = maker
    converter = Converter(settings, maker)
    clock: defaultdict[str, list[float]] = defaultdict(list)
    packed_bytes: list[int] = []

    def timed(name: str, action: Callable[[], Any]) -> Any:
        began = time.process_time()
        result = action()
        clock[name].append(1000 * (time.process_time() - began))
        return result

    for number in [0, 0, *[n for _ in range(rounds) for n in range(len(streams))]]:
        path = source / f"{number:04d}.dcm"
        jpeg, text = streams[number], (source / f"{number:04d}.txt").read_text()
        timed("pillow", lambda: _pillow(jpeg))  # noqa: B023  called at once
        data = timed("read", lambda: read_whole_file(path, max_bytes=_LIMIT))  # noqa: B023
        header = timed("header", lambda: read_dicom_header(data))  # noqa: B023
        layout = PixelFormat(header.integer("Rows"), header.integer("Columns"), 8, 8, is_signed=False)
        timed("decode", lambda: read_stored_values(data, header, layout))  # noqa: B023
        film = timed("film", lambda: read_dicom_film(data))  # noqa: B023
        scorer = compressor.scorer
        timed("preprocess", lambda: scorer._preprocessor(film.pixels))  # noqa: B023
        impression = timed("sections", lambda: described(text, settings.sections))  # noqa: B023
        scored = timed("model", lambda: scorer([film.pixels], [impression]))  # noqa: B023
        timed("report_graph", lambda: compressor._read(impression, None))  # noqa: B023
        study = timed("study", lambda: compressor._study([film], scored, _Said(study_id="0" * 32)))  # noqa: B023
        packed = timed("encode", lambda: to_bytes(study, embedding=settings.embedding))  # noqa: B023
        timed("write", lambda: _write(scratch / "study.ngr", packed))  # noqa: B023
        task = Task("0" * 32, [(str(path), "PA")], str(scratch / "whole.ngr"), text)
        answer = timed("whole", lambda: converter(task))  # noqa: B023
        packed_bytes.append(len(packed))
        if answer.reason:
            raise RuntimeError(answer.message)
    median = {name: statistics.median(times[2:]) for name, times in clock.items()}
    shown = {
        "read": median["read"] + median["header"],
        "decode": median["decode"],
        "grey levels": median["film"] - median["header"] - median["decode"],
        "preprocess": median["preprocess"],
        "report graph": median["sections"] + median["report_graph"],
        "fuse": median["study"] - median["report_graph"],
        "encode": median["encode"],
        "write": median["write"],
    }
    ours = sum(value for name, value in shown.items() if name != "decode")
    return {
        "milliseconds": {name: round(value, 3) for name, value in shown.items()},
        "model_forward_ms": round(median["model"] - median["preprocess"], 2),
        "whole_ms": round(median["whole"], 2),
        "file_bytes": int(statistics.median(packed_bytes)),
        "pillow_decode_ms": round(median["pillow"], 3),
        "ours_without_decode_ms": round(ours, 3),
        "ours_over_pillow": round(ours / median["pillow"], 3),
    }


def _write(path: Path, data: bytes) -> None:
    with atomic_file(path) as stream:
        stream.write(data)


def list_studies(source: Path, films: int, count: int) -> None:
    """A manifest of ``count`` studies, each one of the ``films`` of the folder."""
    lines = ["study_id,image,report"]
    lines += [f"{number:06d},{number % films:04d}.dcm,{number % films:04d}.txt" for number in range(count)]
    (source / "manifest.csv").write_text("\n".join(lines))


def rates(source: Path, scratch: Path, rounds: int, films: int) -> dict[str, Any]:
    """Studies per second of one and of two workers, between the first answer and the last, taken in turn."""
    list_studies(source, films, _STUDIES_FOR_RATES)
    found: dict[int, list[float]] = {1: [], 2: []}
    for number in range(rounds):
        for workers, measured in found.items():
            times: list[float] = []
            convert(
                make_plan(resolve_manifest(Roots(source)), Pseudonyms(_KEY)),
                Destination(scratch / f"w{workers}-{number}"),
                ConversionSettings(),
                RunOptions(workers=workers),
                progress=lambda **_: times.append(time.perf_counter()),  # noqa: B023  called within the loop
            )
            # Two workers begin a moment apart; the first answers of both are left out.
            measured.append((len(times) - 4) / (times[-1] - times[3]))
    one, two = (statistics.median(measured) for measured in found.values())
    return {
        "studies": _STUDIES_FOR_RATES,
        "one": round(one, 2),
        "two": round(two, 2),
        "two_over_one": round(two / one, 3),
        "rounds": rounds,
    }


def memory(scratch: Path, count: int) -> dict[str, Any]:
    """Resident mebibytes of parent and worker while ``count`` studies pass: small films, everything but the model."""
    source = scratch / "small"
    fill(source, 20, 256)
    list_studies(source, 20, count)
    samples: list[list[float]] = []
    seen = itertools.count(1)

    def sample(**_: int) -> None:
        number = next(seen)
        if number % max(1, count // 20) == 0 or number == 20:
            samples.append([number, _resident(os.getpid()), *map(_resident, _children())])

    began = time.perf_counter()
    outcome = convert(
        make_plan(resolve_manifest(Roots(source)), Pseudonyms(_KEY)),
        Destination(scratch / "many"),
        ConversionSettings(),
        RunOptions(workers=1, command=(sys.executable, "-m", "bench.modelless_worker")),
        progress=sample,
    )
    middle = samples[len(samples) // 2]
    return {
        "studies": outcome.converted,
        "failed": outcome.failed,
        "side": 256,
        "worker": "bench.modelless_worker",
        "seconds": round(time.perf_counter() - began, 1),
        "columns": ["studies", "parent_mib", "worker_mib"],
        "samples": samples,
        "worker_growth_second_half_mib": round(samples[-1][2] - middle[2], 1),
        "parent_growth_second_half_mib": round(samples[-1][1] - middle[1], 1),
    }


def _children() -> Iterator[int]:
    for task in Path("/proc/self/task").iterdir():
        yield from (int(word) for word in (task / "children").read_text().split())


def _resident(process: int) -> float:
    found = re.search(r"^VmRSS:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text(), re.MULTILINE)
    return round(int(found[1]) / 1024, 1) if found else 0.0


def main() -> None:
    """Measure and write; what is not asked for stays as it was measured before."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=12)
    parser.add_argument("--side", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", action="store_true")
    parser.add_argument("--memory", type=int, default=0)
    parser.add_argument("--only-memory", type=int, default=0)
    arguments = parser.parse_args()
    result: dict[str, Any] = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        if arguments.only_memory:
            result["memory"] = memory(root, arguments.only_memory)
            result["memory"]["command"] = f"python -m bench.stages --only-memory {arguments.only_memory}"
            RESULT.write_text(json.dumps(result, indent=1) + "\n")
            return
        streams = fill(root / "source", arguments.studies, arguments.side)
        result.update(
            command=" ".join(["python -m bench.stages", *sys.argv[1:]]),
            machine={"cores": len(os.sched_getaffinity(0)), "system": platform.system(), "arch": platform.machine()},
            versions={
                "python": platform.python_version(),
                **{package: version(package) for package in ("numpy", "torch", "pillow", "pydicom")},
            },
            films={
                "count": arguments.studies,
                "side": arguments.side,
                "seeds": f"0 to {arguments.studies - 1}",
                "jpeg_quality": _QUALITY,
                "jpeg_bytes_median": int(statistics.median(map(len, streams))),
            },
            model={"name": DEMO, "digest": model_digest(DEMO_DIRECTORY)},
            rounds=arguments.rounds,
            **stages(root / "source", streams, root, arguments.rounds),
        )
        if arguments.workers:
            result["workers"] = rates(root / "source", root, 3, arguments.studies)
        if arguments.memory:
            result["memory"] = memory(root, arguments.memory)
            result["memory"]["command"] = f"python -m bench.stages --only-memory {arguments.memory}"
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
