"""Run one target: ``python -m fuzz TARGET CORPUS_FOLDER [folders of seeds] [options of libFuzzer]``. Needs atheris."""

from __future__ import annotations

import sys
import warnings

import atheris

with atheris.instrument_imports(include=["neuralgraph"]):
    from fuzz.targets import TARGETS


def main() -> None:
    """Fuzz until the engine stops; warnings are findings too."""
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        sys.exit(f"usage: python -m fuzz TARGET CORPUS_FOLDER [...]; targets: {', '.join(TARGETS)}")
    target = TARGETS[sys.argv[1]]
    warnings.simplefilter("error")
    options = {}
    if target.mutator is not None:
        mutator = target.mutator
        options["custom_mutator"] = lambda data, most, seed: mutator(data, most, seed, engine=atheris.Mutate)
    atheris.Setup([sys.argv[0], f"-max_len={target.most_bytes}", *sys.argv[2:]], target.check, **options)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
