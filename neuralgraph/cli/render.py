"""``ngr render``: a picture of a study."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neuralgraph.cli.contact_sheet import SheetOptions, draw_contact_sheet
from neuralgraph.cli.films import FilmOptions
from neuralgraph.cli.option_groups import grouped
from neuralgraph.cli.output import note, write_line
from neuralgraph.cli.overwriting import Force, check_output
from neuralgraph.errors import SourceError
from neuralgraph.storage.archive import Archive
from neuralgraph.storage.opening import open_archive

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from neuralgraph.graph.study import Study

__all__ = ["render"]

_MOST_VALUE_BYTES = 1 << 30


@dataclass(frozen=True)
class DrawnFilmOptions(FilmOptions):
    """The film that one picture is drawn over, or where films lie."""

    image: Annotated[Path | None, typer.Option(help="The film the study was made of.")] = None


@grouped
def render(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="An .ngr file, several, a folder or a URL.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The picture to write, .png or .svg.")],
    sheet: SheetOptions,
    films: DrawnFilmOptions,
    study: Annotated[str | None, typer.Option(help="Id of the study, in an archive of several.")] = None,
    view: Annotated[int, typer.Option(min=0, help="Which film, in a study of several.")] = 0,
    word: Annotated[str | None, typer.Option(help="Draw where the model looked for this text of the report.")] = None,
    sentences: Annotated[
        bool, typer.Option("--sentences", help="Below, the sentences that concepts come from, where they are stored.")
    ] = False,
    words: Annotated[bool, typer.Option("--words", help="Draw where it looked for every word.")] = False,
    values: Annotated[
        Path | None,
        typer.Option(help="Numbers of your own in place of the attention: .npy of one study, or .npz by study id."),
    ] = None,
    label: Annotated[str, typer.Option(help="What the numbers of --values are.")] = "values",
    force: Force = False,
) -> None:
    """Draw kept patches and attention over the film, or over the bare grid, beside the graph of the report.

    With --word or --words, of a study that was compressed with --words, draw a film for each word instead. Words have
    their letters when the report is stored; otherwise concepts of the report take their place.

    Of several studies without --study: a contact sheet, with films where --images has them, sorted and by pages.

    Examples: ngr render film.ngr --image film.dcm -o film.png; ngr render film.ngr --values importance.npy -o film.png
    """
    if output.suffix.lower() not in (".png", ".svg"):
        raise typer.BadParameter(f"the picture ends in .png or .svg, not {output.suffix!r}", param_hint="--output")
    check_output(output, force=force)
    by_word = words or word is not None
    if by_word and values is not None:
        raise typer.BadParameter("words have an attention of their own", param_hint="--values")
    if films.image is not None and films.images is not None:
        raise typer.BadParameter("name the film, or where films lie", param_hint="--images")
    own = None if values is None else _own(values)
    with open_archive(files[0] if len(files) == 1 else files) as archive:
        if study is None and len(archive) > 1:
            _only_one(archive, {"--image": films.image, "--word": by_word, "--view": view > 0, "--values": values})
            draw_contact_sheet(archive, output, sheet, films.of(Path(files[0])))
            return
        if sheet.given:
            raise typer.BadParameter("only a contact sheet of several studies has it", param_hint=sheet.given[0])
        position = 0 if study is None else archive.position(study)
        found = archive[position]
        sizes = {"this .ngr" if len(archive) == 1 else "its record": _stored_bytes(archive, position)}
    pixels = _film(films, Path(files[0]), found, view)
    if films.image is not None:
        sizes["its film"] = films.image.stat().st_size
    from neuralgraph.adapters.picture import save_picture, save_words

    if by_word:
        save_words(found, output, word=word, image=pixels, view=view)
    else:
        save_picture(found, output, image=pixels, view=view, sizes=sizes, sentences=sentences, values=own, label=label)
    write_line(f"{output}: {len(found.patches)} of {found.n_cells} patches of {found.study_id}")


def _film(films: DrawnFilmOptions, file: Path, study: Study, view: int) -> NDArray[np.float32] | None:
    """The film of a view of a study, None where none was named or the folder has none."""
    if view > 0 and view >= len(study.views):
        count = len(study.views)
        reason = f"the study has {count} {'film' if count == 1 else 'films'}, counted from 0"
        raise typer.BadParameter(reason, param_hint="--view")
    at_hand = films.of(file)
    if at_hand is not None:
        pixels = at_hand.pixels(study.study_id, view)
        if pixels is None:
            note(f"{films.images} holds no film of this study")
        return pixels
    if films.image is None:
        return None
    from neuralgraph.sources import read_film

    try:
        return read_film(films.image).pixels
    except SourceError as error:
        error.where = f"{films.image}: {error.where}" if error.where else str(films.image)
        raise


def _own(path: Path) -> Any:
    """The numbers of a file: an array, or arrays by study id.

    Raises
    ------
    SourceError (E_SOURCE_READ, E_SOURCE_EMPTY, E_SOURCE_SIZE, E_SOURCE_CONTENT) : it cannot be read, or holds
        something else.
    """
    import zipfile

    import numpy as np

    from neuralgraph.sources.files import read_whole_file

    data = BytesIO(read_whole_file(path, max_bytes=_MOST_VALUE_BYTES))
    try:
        held = np.load(data, allow_pickle=False)
        return {name: held[name] for name in held.files} if isinstance(held, np.lib.npyio.NpzFile) else held
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        reason = "not an array, or arrays by study id, as numpy.save and numpy.savez write them"
        raise SourceError(reason, code="E_SOURCE_CONTENT", where=str(path)) from error


def _stored_bytes(archive: Archive, position: int) -> int:
    """Bytes of a file that holds nothing else, or of the record of one study among several."""
    for _, source, container in archive.files:
        if position < len(container):
            return source.size if len(archive) == 1 else len(container.record_bytes(position))
        position -= len(container)
    raise AssertionError("the archive has read this study")


def _only_one(archive: Archive, other: dict[str, object]) -> None:
    """Refuse options that only one study can have."""
    for option, given in other.items():
        if given:
            reason = f"there are {len(archive)} studies; name the one that {option} is for"
            raise typer.BadParameter(reason, param_hint="--study")
