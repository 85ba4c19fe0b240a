"""Fuzz target: a file of unknown origin. ``python -m fuzz.read CORPUS_FOLDER [options of libFuzzer]``."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["neuralgraph"]):
    import neuralgraph  # noqa: F401  instrumented before anything else imports it

from fuzz.mutator import mutate_file
from fuzz.oracles import check_reading


def _one_input(data: bytes) -> None:
    check_reading(data)


def _mutate(data: bytes, max_size: int, seed: int) -> bytes:
    return mutate_file(data, max_size, seed, engine=atheris.Mutate)


if __name__ == "__main__":
    atheris.Setup(sys.argv, _one_input, custom_mutator=_mutate)
    atheris.Fuzz()
