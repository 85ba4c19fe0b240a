"""``python -m bench COMMAND``: measurements that are commands of their own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import import_module

__all__ = ["COMMANDS", "main"]

COMMANDS = {"tables": "bench.tables.command"}
"""Module of every command; it has ``main(arguments)``, which returns the exit status."""


def main(arguments: Sequence[str]) -> int:
    """Run one command."""
    if not arguments or arguments[0] not in COMMANDS:
        sys.stderr.write(f"python -m bench COMMAND; COMMAND is one of {', '.join(COMMANDS)}\n")
        return 2
    run: Callable[[Sequence[str]], int] = import_module(COMMANDS[arguments[0]]).main
    return run(arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
