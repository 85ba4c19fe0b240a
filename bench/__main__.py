"""``python -m bench COMMAND``: all measurements by name; ``python -m bench.NAME`` is the same."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

__all__ = ["COMMANDS", "MEASUREMENTS", "main"]

COMMANDS = {"real": "bench.real.command", "tables": "bench.tables.command"}
"""Module of every command; it has ``main(arguments)``, which returns the exit status."""
MEASUREMENTS = (
    "archives", "baselines", "burned_text", "demo_model", "fuzzing", "house", "layout", "living", "loaders",
    "rate_distortion", "remote", "report_graph", "score_rules", "scoring", "sizes", "sizing", "stages", "training_cost",
)  # fmt: skip
"""Modules that are programs; each writes the results of its name."""


def main(arguments: Sequence[str]) -> int:
    """Run one command."""
    known = sorted((*COMMANDS, *MEASUREMENTS))
    if not arguments or arguments[0] not in known:
        sys.stderr.write(f"python -m bench COMMAND; COMMAND is one of {', '.join(known)}\n")
        return 2
    name, *rest = arguments
    if name in COMMANDS:
        run: Callable[[Sequence[str]], int] = import_module(COMMANDS[name]).main
        return run(rest)
    sys.argv = [f"python -m bench {name}", *rest]
    runpy.run_module(f"bench.{name}", run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
