"""``ngr pack``: many files into one archive."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from neuralgraph.cli.conversion_choices import Profile
from neuralgraph.cli.output import write_line
from neuralgraph.cli.overwriting import Force, check_output
from neuralgraph.cli.progress import meter
from neuralgraph.cli.remote_choices import Timeout
from neuralgraph.storage.pack import pack as pack_files

__all__ = ["pack"]


def pack(
    files: Annotated[list[str], typer.Argument(help="Files, URLs and folders of .ngr files, in this order.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The archive to write.")],
    profile: Annotated[
        Profile,
        typer.Option(help="compact: copy the records. train: store graphs and embeddings uncompressed, for loaders."),
    ] = Profile.compact,
    skip_equal: Annotated[
        bool, typer.Option("--skip-equal", help="Take a study that is given twice once, when both are equal.")
    ] = False,
    force: Force = False,
    timeout: Timeout = None,
) -> None:
    """Pack studies into one archive. Records are copied byte for byte; their digests stay the same.

    With --profile train every value and content digest stays, but records are written anew, their embeddings
    uncompressed.

    Example: ngr pack studies/ -o archive.ngr
    """
    check_output(output, force=force)
    with meter("pack", unit="files") as show:

        def told(done: int, total: int, studies: int) -> None:
            show.at(done, total, f"{studies:,} studies")

        count = pack_files(files, output, profile=profile.value, skip_equal=skip_equal, told=told, timeout=timeout)
    write_line(f"{output}: {count} {'study' if count == 1 else 'studies'}, {output.stat().st_size:,} bytes")
