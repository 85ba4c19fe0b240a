"""The committed corpus: for each target the inputs that together take every step a long run took, in one zip.

``python -m fuzz.corpus unpack FOLDER`` writes corpus and seeds to ``FOLDER/TARGET``, for a run to start from;
``python -m fuzz.corpus pack FOLDER`` reduces ``FOLDER/TARGET`` to the inputs that add something and writes the zips.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from hashlib import sha256
from os import sep
from pathlib import Path
from types import FrameType
from typing import TypeAlias
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from fuzz.targets import TARGETS

__all__ = ["committed", "unpack"]

FOLDER = Path(__file__).with_name("corpus")
TraceFunction: TypeAlias = Callable[[FrameType, str, object], object]


def committed(target: str) -> list[bytes]:
    """Inputs of a target's committed corpus, in order of their names; empty when there is none."""
    path = FOLDER / f"{target}.zip"
    if not path.exists():
        return []
    with ZipFile(path) as archive:
        return [archive.read(name) for name in sorted(archive.namelist())]


def unpack(target: str, folder: Path) -> int:
    """Write the committed inputs and the seeds of a target to a folder; their number."""
    folder.mkdir(parents=True, exist_ok=True)
    inputs = {*committed(target), *TARGETS[target].seeds()}
    for data in inputs:
        (folder / _name(data)).write_bytes(data)
    return len(inputs)


def _name(data: bytes) -> str:
    return sha256(data).hexdigest()[:16]


def _steps(check: Callable[[bytes], str], data: bytes) -> set[tuple[object, int, int]]:
    """The steps from line to line that the package takes over an input."""
    steps: set[tuple[object, int, int]] = set()
    before = 0

    def inside(frame: FrameType, event: str, _: object) -> TraceFunction | None:
        nonlocal before
        if event == "call" and f"{sep}neuralgraph{sep}" not in frame.f_code.co_filename:
            return None
        steps.add((frame.f_code, before, frame.f_lineno))
        before = frame.f_lineno
        return inside

    sys.settrace(inside)
    try:
        check(data)
    finally:
        sys.settrace(None)
    return steps


def _reduced(target: str, folder: Path) -> list[bytes]:
    """The inputs of a folder, smallest first, that take a step that no seed and no smaller input took."""
    check, seeds = TARGETS[target].check, set(TARGETS[target].seeds())
    check(next(iter(seeds)))  # imports and caches are no steps of an input
    taken = set().union(*(_steps(check, seed) for seed in seeds))
    kept = []
    for data in sorted({path.read_bytes() for path in folder.iterdir()} - seeds, key=lambda data: (len(data), data)):
        steps = _steps(check, data)
        if not steps <= taken:
            taken |= steps
            kept.append(data)
    return kept


def _pack(target: str, folder: Path) -> None:
    inputs = _reduced(target, folder)
    FOLDER.mkdir(exist_ok=True)
    with ZipFile(FOLDER / f"{target}.zip", "w") as archive:
        for data in sorted(inputs, key=_name):
            # A fixed date: the same inputs are the same zip.
            archive.writestr(ZipInfo(_name(data), (1980, 1, 1, 0, 0, 0)), data, ZIP_DEFLATED, 9)
    sys.stdout.write(f"{target}: {len(inputs)} inputs, {sum(map(len, inputs)):,} bytes\n")


def main() -> None:
    """Unpack, or reduce and pack."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=["unpack", "pack"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--target", choices=list(TARGETS), action="append", help="repeatable; default: all")
    given = parser.parse_args()
    for target in given.target or TARGETS:
        if given.action == "unpack":
            unpack(target, given.folder / target)
        elif (given.folder / target).is_dir():
            _pack(target, given.folder / target)


if __name__ == "__main__":
    main()
