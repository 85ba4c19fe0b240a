"""``ngr decode``: what files say, as JSON that another reader can be compared with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from neuralgraph.cli.output import write_line
from neuralgraph.errors import FormatError, NeuralGraphError
from neuralgraph.storage.decoded import decoded_file

__all__ = ["decode"]


def decode(
    files: Annotated[list[Path] | None, typer.Argument(help="Files, read completely.")] = None,
    list_file: Annotated[Path | None, typer.Option("--list", help="A text file with a path on every line.")] = None,
) -> None:
    """Print the decoded form of every file (spec/decoded-form.md), a line of JSON each.

    Exit code 0 when every file was accepted, 1 when one was refused.

    Example: ngr decode study.ngr
    """
    paths = list(files or [])
    if list_file is not None:
        try:
            paths += [Path(line) for line in list_file.read_text(encoding="utf-8").splitlines() if line]
        except (OSError, UnicodeDecodeError) as error:
            raise FormatError("the list cannot be read as text", code="E_OPEN", where=str(list_file)) from error
    refused = False
    for file in paths:
        try:
            form = decoded_file(file)
        except NeuralGraphError as error:
            form = {"ok": False, "code": error.code, "where": error.where, "message": error.message}
        refused |= not form["ok"]
        write_line(json.dumps(form, separators=(",", ":")))
    if refused:
        raise typer.Exit(1)
