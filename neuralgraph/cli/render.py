"""``ngr render``: a picture of a study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from neuralgraph.cli.output import write_line
from neuralgraph.errors import SourceError
from neuralgraph.storage.archive import Archive
from neuralgraph.storage.atomic import check_writable
from neuralgraph.storage.opening import open_archive

__all__ = ["render"]


def render(
    file: Annotated[Path, typer.Argument(help="An .ngr file.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The picture to write, .png or .svg.")],
    image: Annotated[Path | None, typer.Option(help="The film the study was made of.")] = None,
    study: Annotated[str | None, typer.Option(help="Id of the study, in an archive of several.")] = None,
    view: Annotated[int, typer.Option(min=0, help="Which film, in a study of several.")] = 0,
    word: Annotated[str | None, typer.Option(help="Draw where the model looked for this text of the report.")] = None,
    words: Annotated[bool, typer.Option("--words", help="Draw where it looked for every word.")] = False,
) -> None:
    """Draw kept patches and attention over the film, or over the bare grid, beside the graph of the report.

    With --word or --words, of a study that was compressed with --words, draw a film for each word instead. Words have
    their letters when the report is stored; otherwise concepts of the report take their place.

    Of an archive without --study: a contact sheet of its first studies.

    Example: ngr render film.ngr --image film.dcm -o film.png
    """
    if output.suffix.lower() not in (".png", ".svg"):
        raise typer.BadParameter(f"the picture ends in .png or .svg, not {output.suffix!r}", param_hint="--output")
    check_writable(output)
    with open_archive(file) as archive:
        if study is None and len(archive) > 1:
            _sheet(archive, output, image)
            return
        found = archive[0] if study is None else archive[study]
    if view >= len(found.views):
        raise typer.BadParameter(f"the study has {len(found.views)} views", param_hint="--view")
    pixels = None
    if image is not None:
        from neuralgraph.sources import read_film

        try:
            pixels = read_film(image).pixels
        except SourceError as error:
            error.where = f"{image}: {error.where}" if error.where else str(image)
            raise
    from neuralgraph.adapters.picture import save_picture, save_words

    if words or word is not None:
        save_words(found, output, word=word, image=pixels, view=view)
    else:
        save_picture(found, output, image=pixels, view=view)
    write_line(f"{output}: {len(found.patches)} of {found.n_cells} patches of {found.study_id}")


def _sheet(archive: Archive, output: Path, image: Path | None) -> None:
    from neuralgraph.adapters.picture import save_sheet
    from neuralgraph.adapters.picture.sheet import MOST_STUDIES

    if image is not None:
        reason = f"the file holds {len(archive)} studies; name the one of the image"
        raise typer.BadParameter(reason, param_hint="--study")
    studies = archive[:MOST_STUDIES]
    save_sheet(studies, output, total=len(archive))
    write_line(f"{output}: contact sheet of {len(studies)} of {len(archive)} studies")
