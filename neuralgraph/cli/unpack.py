"""``ngr unpack``: an archive into one file per study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from neuralgraph.cli.output import write_line
from neuralgraph.cli.remote_choices import Timeout
from neuralgraph.storage.pack import unpack as unpack_archive

__all__ = ["unpack"]


def unpack(
    archive: Annotated[str, typer.Argument(help="The archive, or its URL.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write to; made when absent.")],
    timeout: Timeout = None,
) -> None:
    """Write every study of ARCHIVE to a file of its own, named by its id. Existing files are never replaced.

    Example: ngr unpack archive.ngr -o studies/
    """
    paths = unpack_archive(archive, output, timeout=timeout)
    write_line(f"{output}: {len(paths)} {'study' if len(paths) == 1 else 'studies'}")
