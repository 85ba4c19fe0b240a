"""Bytes of films in every coding, with fidelity: what ``ngr bench`` measures, on films everybody has or can make.

    python -m bench.sizes [--model demo] [--films 8]

Phantoms of 2,048 x 1,664 pixels: the same films with 8 bits (source: PNG) and with 12 (source: DICOM, not compressed,
as detectors write it). They are synthetic and smoother or noisier than a detector; so where the folder of public films
is there (bench.layout.SHARED), its 25 films and 2 DICOM files are measured too. Totals only; no film is kept.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from bench.layout import SHARED
from bench.rounding import rounded
from neuralgraph.compressor import Compressor
from neuralgraph.errors import SourceError
from neuralgraph.phantoms import PhantomStudy, phantom
from neuralgraph.sizes import RATES, measure_film, total
from neuralgraph.sources.films.samples import read_samples

RESULTS = Path(__file__).parent / "results" / "sizes.json"
SEED, HEIGHT, WIDTH = 300, 2048, 1664
LIBRARIES = ("imagecodecs", "numpy", "pillow", "pyjpegls", "pylibjpeg-openjpeg", "torch", "zstandard")


def write_png(study: PhantomStudy, path: Path) -> None:
    """The film with 8 bits, as Pillow writes it."""
    Image.fromarray(np.rint(study.pixels * 255).astype(np.uint8)).save(path)


def write_dicom(study: PhantomStudy, path: Path) -> None:
    """The film with 12 bits in words of 16, not compressed."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"
    meta.MediaStorageSOPInstanceUID = "2.25.1"
    dicom = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    dicom.SOPClassUID, dicom.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    dicom.Modality, dicom.PresentationIntentType = "DX", "FOR PRESENTATION"
    dicom.Rows, dicom.Columns = study.pixels.shape
    dicom.SamplesPerPixel, dicom.PhotometricInterpretation = 1, "MONOCHROME2"
    dicom.BitsAllocated, dicom.BitsStored, dicom.HighBit, dicom.PixelRepresentation = 16, 12, 11, 0
    dicom.PixelData = np.rint(study.pixels * 4095).astype("<u2").tobytes()
    dicom.save_as(path, enforce_file_format=True)


def measured(compressor: Compressor, films: Iterable[tuple[Path, str | None]]) -> dict[str, Any]:
    """The total of films with their reports; None has the model write one."""
    sizes, refused = [], 0
    for path, report in films:
        try:
            samples = read_samples(path)
        except SourceError:
            refused += 1
            continue
        sizes.append(measure_film(samples, compressor(samples.film, report)))
        print(len(sizes), sizes[-1].source, flush=True)
    return {**total(sizes).record(), "refused": refused}


def phantoms(compressor: Compressor, count: int) -> dict[str, Any]:
    """The same phantoms with 8 bits and with 12."""
    with tempfile.TemporaryDirectory() as scratch:
        eight, twelve = [], []
        for number in range(count):
            study = phantom(SEED + number, height=HEIGHT, width=WIDTH)
            stem = Path(scratch) / str(number)
            write_png(study, stem.with_suffix(".png"))
            write_dicom(study, stem.with_suffix(".dcm"))
            eight.append((stem.with_suffix(".png"), study.report))
            twelve.append((stem.with_suffix(".dcm"), study.report))
        return {
            "phantoms, 8 bits, PNG": measured(compressor, eight),
            "phantoms, 12 bits, DICOM not compressed": measured(compressor, twelve),
        }


def public(compressor: Compressor) -> dict[str, Any]:
    """The public films, where they are; all their reports are the model's, so that none of their text is needed."""
    pictures = sorted((SHARED / "cxr" / "images").iterdir())
    dicom = sorted((SHARED / "dicom").glob("*.dcm"))
    return {
        "public films, PNG and JPEG": measured(compressor, [(path, None) for path in pictures]),
        "public films, DICOM in lossy JPEG and JPEG 2000": measured(compressor, [(path, None) for path in dicom]),
    }


def main() -> None:
    """Measure, and write the results."""
    parser = argparse.ArgumentParser(prog="python -m bench.sizes", description=__doc__)
    parser.add_argument("--model", default="demo", help="'demo', or the folder of a model")
    parser.add_argument("--films", type=int, default=8, help="phantoms")
    arguments = parser.parse_args()
    compressor = Compressor.from_pretrained(arguments.model)
    groups = phantoms(compressor, arguments.films)
    if SHARED.is_dir():
        groups |= public(compressor)
    results = {
        "command": f"python -m bench.sizes --films {arguments.films}",
        "seeds": list(range(SEED, SEED + arguments.films)),
        "phantom_film": [HEIGHT, WIDTH],
        "model": {
            "digest": compressor.scorer.digest,
            "trained": compressor.scorer.trained,
        },
        "rates_bits_per_second": RATES,
        "machine": {"cores": os.cpu_count(), "platform": platform.machine()},
        "versions": {"python": platform.python_version(), **{name: metadata.version(name) for name in LIBRARIES}},
        "groups": groups,
    }
    RESULTS.write_text(json.dumps(rounded(results, digits=4), indent=1) + "\n", encoding="utf-8")
    print(RESULTS)


if __name__ == "__main__":
    main()
