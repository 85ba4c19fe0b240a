"""Outputs that exist: no verb replaces one unless it is told to."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from neuralgraph.errors import OutputError
from neuralgraph.storage.atomic import check_writable

__all__ = ["Force", "check_output"]

Force = Annotated[bool, typer.Option("--force", help="Replace the output when it exists.")]
"""The option ``--force``."""


def check_output(path: Path, *, force: bool) -> None:
    """Refuse an output that cannot be created, or that exists and is not to be replaced, before any work is spent.

    Raises
    ------
    OutputError (E_OUTPUT) : it exists and ``force`` is not given, or there is no place for it.
    """
    check_writable(path)
    if not force and os.path.lexists(path) and not _is_device(path):
        raise OutputError(
            "the output exists already; give another name, or --force to replace it", code="E_OUTPUT", where=str(path)
        )


def _is_device(path: Path) -> bool:
    """Whether it is something like /dev/stdout, that writing does not replace."""
    return path.exists() and not path.is_file() and not path.is_dir()
