"""``ngr view``: look at a file in a browser."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from neuralgraph.cli.output import note, write_line
from neuralgraph.errors import OutputError
from neuralgraph.storage.atomic import atomic_file, check_writable

__all__ = ["view"]


def view(
    file: Annotated[Path, typer.Argument(help="An .ngr file or archive.")],
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open a browser, or print the address only.")
    ] = True,
    export: Annotated[
        Path | None, typer.Option(help="Write a page with the file inside (.html), and serve nothing.")
    ] = None,
) -> None:
    """Look at FILE in a browser: film grid, attention, pruning, report graph, and whether the file is sound.

    Serves the page and this one file to this machine only, at an address nobody can guess, until interrupted. Nothing
    is sent elsewhere. A page written with --export holds the study itself: treat it as you treat the file.

    Example: ngr view study.ngr
    """
    from neuralgraph.adapters.viewer import Serving, page_with

    if export is not None:
        if export.suffix.lower() not in (".html", ".htm"):
            raise typer.BadParameter(f"the page ends in .html, not {export.suffix!r}", param_hint="--export")
        check_writable(export)
        page = page_with(file).encode()
        with atomic_file(export) as stream:
            stream.write(page)
        write_line(f"{export}: {len(page):,} bytes, holds {file.name}")
        return
    try:
        serving = Serving(file)
    except OSError as error:
        reason = f"no address on this machine can be listened on ({error.strerror}); use --export"
        raise OutputError(reason, code="E_OUTPUT", where="127.0.0.1") from error
    with serving:
        write_line(serving.url)
        sys.stdout.flush()
        note("serving this file to this machine; press Ctrl-C to stop")
        if browser:
            import webbrowser

            if not webbrowser.open(serving.url):
                note("no browser was found; open the address above")
        try:
            serving.wait()
        except KeyboardInterrupt:
            note("stopped")
