"""``ngr view``: look at a file in a browser."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from neuralgraph.cli.films import FilmOptions
from neuralgraph.cli.option_groups import grouped
from neuralgraph.cli.output import note, write_line
from neuralgraph.cli.overwriting import Force, check_output
from neuralgraph.errors import FormatError, OutputError
from neuralgraph.storage.archive import ngr_files
from neuralgraph.storage.atomic import atomic_file

__all__ = ["view"]


def _files(path: Path) -> list[Path]:
    """The files that a path stands for."""
    if not path.is_dir():
        return [path]
    found = ngr_files(path)
    if not found:
        raise FormatError("the folder holds no .ngr file", code="E_OPEN", where=str(path))
    return found


@grouped
def view(
    file: Annotated[Path, typer.Argument(help="An .ngr file, an archive, a folder of them or a collection.")],
    films: FilmOptions,
    against: Annotated[
        Path | None, typer.Option(help="Another file, archive or collection, shown beside this one: study by study.")
    ] = None,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open a browser, or print the address only.")
    ] = True,
    export: Annotated[
        Path | None, typer.Option(help="Write a page with the file inside (.html), and serve nothing.")
    ] = None,
    force: Force = False,
) -> None:
    """Look at FILE in a browser: film grid, attention, pruning, report graph, and whether the file is sound.

    Search by finding, polarity, side, label and id. Films of --images belong to the study whose id they are called by,
    or under whose pseudonym they were converted.

    Serves the page and these files to this machine only, at an address nobody can guess, until interrupted. Nothing
    is sent elsewhere. A page written with --export holds the study itself: treat it as you treat the file.

    Examples: ngr view study.ngr; ngr view archive.ngr --images films/; ngr view first.ngr --against second.ngr
    """
    from neuralgraph.adapters.viewer import Serving, page_with

    if export is not None:
        for option, given in (("--images", films.images), ("--against", against)):
            if given is not None:
                reason = "a page with a file inside holds that file alone; leave --export out"
                raise typer.BadParameter(reason, param_hint=option)
        if export.suffix.lower() not in (".html", ".htm"):
            raise typer.BadParameter(f"the page ends in .html, not {export.suffix!r}", param_hint="--export")
        check_output(export, force=force)
        page = page_with(file).encode()
        with atomic_file(export) as stream:
            stream.write(page)
        write_line(f"{export}: {len(page):,} bytes, holds {file.name}")
        return
    try:
        files, others = _files(file), [] if against is None else _files(against)
        shown = films.of(file)
        title = file.name if len(files) > 1 else None
        serving = Serving(files, against=others, films=None if shown is None else shown.pixels, title=title)
    except OSError as error:
        reason = f"no address on this machine can be listened on ({error.strerror}); use --export"
        raise OutputError(reason, code="E_OUTPUT", where="127.0.0.1") from error
    what = "this file" if len(files) + len(others) == 1 else "these files"
    with serving:
        # From here on Ctrl-C is the way to end it, however soon it comes.
        try:
            write_line(serving.url)
            sys.stdout.flush()
            note(f"serving {what} to this machine; press Ctrl-C to stop")
            if browser:
                import webbrowser

                if not webbrowser.open(serving.url):
                    note("no browser was found; open the address above")
            serving.wait()
        except KeyboardInterrupt:
            note("stopped")
