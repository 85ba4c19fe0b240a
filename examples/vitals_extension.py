"""Add a column for another modality: vital signs over time, beside the film of the same study.

    python examples/vitals_extension.py OUT

An extension has a name below a domain you own, and bytes that only you need to understand (FORMAT.md 12.2). Readers
that do not know it check its checksum and leave it alone; the content digest does not change: it is the same study.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
from synthetic import study

import neuralgraph as ng

NAME = "x.org.example.vitals"
CHANNELS = ("heart rate 1/min", "oxygen saturation %", "respiratory rate 1/min")


def encode(minutes: np.ndarray, values: np.ndarray) -> bytes:
    """Minutes before the film float32 [t] and values float32 [t, 3], in the order of CHANNELS, as two .npy arrays.

    .npy is a documented format without code in it, as long as ``allow_pickle`` stays False.
    """
    stream = BytesIO()
    np.save(stream, minutes.astype("<f4"), allow_pickle=False)
    np.save(stream, values.astype("<f4"), allow_pickle=False)
    return stream.getvalue()


def decode(payload: bytes) -> tuple[np.ndarray, np.ndarray]:
    """What ``encode`` was given; ValueError when the payload is something else."""
    stream = BytesIO(payload)
    minutes, values = np.load(stream, allow_pickle=False), np.load(stream, allow_pickle=False)
    if minutes.ndim != 1 or values.shape != (len(minutes), len(CHANNELS)) or stream.read(1):
        raise ValueError("these are no vital signs")
    return minutes, values


def main(folder: Path) -> ng.Study:
    """Write a study with vital signs, read it with and without knowing them."""
    folder.mkdir(parents=True, exist_ok=True)
    minutes = np.arange(-60, 0, 5)
    values = np.stack([80 + minutes / 10, 95 + 0 * minutes, 18 - minutes / 20], axis=1)
    plain = study(1)
    ng.save(replace(plain, extensions={NAME: encode(minutes, values)}), folder / "vitals.ngr", embedding="float16")

    # A reader that knows the name:
    read = ng.load(folder / "vitals.ngr")
    times, signs = decode(read.extensions[NAME])
    print(f"{len(times)} times, {CHANNELS[0]} from {signs[:, 0].min():.0f} to {signs[:, 0].max():.0f}")

    # A reader that does not: everything else is there, and the digest is that of the study without vital signs.
    print(f"the same study: {read.digest == plain.digest}")
    return read


if __name__ == "__main__":
    main(Path(sys.argv[1]))
