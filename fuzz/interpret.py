"""Fuzz target: the description inside a saved list of graphs. ``python -m fuzz.interpret CORPUS_FOLDER [options]``."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["neuralgraph"]):
    import neuralgraph.sources.reference.interpreter  # noqa: F401  instrumented before anything else imports it

from fuzz.oracles import check_program


def _one_input(data: bytes) -> None:
    check_program(data)


if __name__ == "__main__":
    atheris.Setup(sys.argv, _one_input)
    atheris.Fuzz()
