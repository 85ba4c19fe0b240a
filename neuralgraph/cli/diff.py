"""``ngr diff``: what differs in meaning."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from neuralgraph.cli.output import write_json, write_line
from neuralgraph.storage.differences import archive_differences
from neuralgraph.storage.opening import open_archive

__all__ = ["diff"]


def diff(
    first: Annotated[Path, typer.Argument(help="A file, an archive or a folder.")],
    second: Annotated[Path, typer.Argument(help="Another one.")],
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compare what two files mean; codec, level and packing do not matter.

    Exit code 0 when they mean the same, 1 when they differ.

    Example: ngr diff before.ngr after.ngr
    """
    with open_archive(first) as a, open_archive(second) as b:
        differences = list(archive_differences(a, b))
    if json:
        write_json([difference._asdict() for difference in differences])
    else:
        for difference in differences:
            write_line(f"{difference.study_id}: {difference.field}: {difference.message}")
    if differences:
        raise typer.Exit(1)
