"""``ngr render``: a picture of a study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from neuralgraph.cli.output import write_line
from neuralgraph.cli.overwriting import Force, check_output
from neuralgraph.errors import SourceError
from neuralgraph.storage.archive import Archive
from neuralgraph.storage.opening import open_archive

__all__ = ["render"]


def render(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="An .ngr file, several, a folder or a URL.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The picture to write, .png or .svg.")],
    image: Annotated[Path | None, typer.Option(help="The film the study was made of.")] = None,
    study: Annotated[str | None, typer.Option(help="Id of the study, in an archive of several.")] = None,
    view: Annotated[int, typer.Option(min=0, help="Which film, in a study of several.")] = 0,
    word: Annotated[str | None, typer.Option(help="Draw where the model looked for this text of the report.")] = None,
    sentences: Annotated[
        bool, typer.Option("--sentences", help="Below, the sentences that concepts come from, where they are stored.")
    ] = False,
    words: Annotated[bool, typer.Option("--words", help="Draw where it looked for every word.")] = False,
    force: Force = False,
) -> None:
    """Draw kept patches and attention over the film, or over the bare grid, beside the graph of the report.

    With --word or --words, of a study that was compressed with --words, draw a film for each word instead. Words have
    their letters when the report is stored; otherwise concepts of the report take their place.

    Of several studies without --study: a contact sheet of the first.

    Example: ngr render film.ngr --image film.dcm -o film.png
    """
    if output.suffix.lower() not in (".png", ".svg"):
        raise typer.BadParameter(f"the picture ends in .png or .svg, not {output.suffix!r}", param_hint="--output")
    check_output(output, force=force)
    by_word = words or word is not None
    with open_archive(files[0] if len(files) == 1 else files) as archive:
        if study is None and len(archive) > 1:
            _sheet(archive, output, other={"--image": image is not None, "--word": by_word, "--view": view > 0})
            return
        position = 0 if study is None else archive.position(study)
        found = archive[position]
        sizes = {"this .ngr" if len(archive) == 1 else "its record": _stored_bytes(archive, position)}
    if view > 0 and view >= len(found.views):
        count = len(found.views)
        reason = f"the study has {count} {'film' if count == 1 else 'films'}, counted from 0"
        raise typer.BadParameter(reason, param_hint="--view")
    pixels = None
    if image is not None:
        from neuralgraph.sources import read_film

        try:
            pixels = read_film(image).pixels
        except SourceError as error:
            error.where = f"{image}: {error.where}" if error.where else str(image)
            raise
        sizes["its film"] = image.stat().st_size
    from neuralgraph.adapters.picture import save_picture, save_words

    if by_word:
        save_words(found, output, word=word, image=pixels, view=view)
    else:
        save_picture(found, output, image=pixels, view=view, sizes=sizes, sentences=sentences)
    write_line(f"{output}: {len(found.patches)} of {found.n_cells} patches of {found.study_id}")


def _stored_bytes(archive: Archive, position: int) -> int:
    """Bytes of a file that holds nothing else, or of the record of one study among several."""
    for _, source, container in archive.files:
        if position < len(container):
            return source.size if len(archive) == 1 else len(container.record_bytes(position))
        position -= len(container)
    raise AssertionError("the archive has read this study")


def _sheet(archive: Archive, output: Path, *, other: dict[str, bool]) -> None:
    """A contact sheet; `other` says which options were given that only one study can have."""
    from neuralgraph.adapters.picture import save_sheet
    from neuralgraph.adapters.picture.sheet import MOST_STUDIES

    for option, given in other.items():
        if given:
            reason = f"there are {len(archive)} studies; name the one that {option} is for"
            raise typer.BadParameter(reason, param_hint="--study")
    studies = archive[:MOST_STUDIES]
    save_sheet(studies, output, total=len(archive))
    write_line(f"{output}: contact sheet of {len(studies)} of {len(archive)} studies")
