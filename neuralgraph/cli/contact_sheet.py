"""Options of a contact sheet, and the sheet that they ask for: part of ``ngr render``."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from neuralgraph.cli.output import write_line
from neuralgraph.errors import SourceError
from neuralgraph.storage.archive import Archive

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from neuralgraph.bulk.films_at_hand import FilmsAtHand

__all__ = ["SheetOptions", "Sort", "draw_contact_sheet"]

_MOST_BYTES = 1 << 28


class Sort(StrEnum):
    """Orders of a sheet; ``adapters.picture.ordered`` says what they mean."""

    id = "id"
    label = "label"
    score = "score"
    disagreement = "disagreement"


@dataclass(frozen=True)
class SheetOptions:
    """What only a contact sheet has."""

    PANEL: ClassVar[str] = "Contact sheets"
    sort: Annotated[
        Sort | None,
        typer.Option(help="Order: a label or finding (--of), a score, how far the score is from what is said."),
    ] = None
    of: Annotated[str | None, typer.Option(help='The label or finding that is meant, such as "pleural effusion".')] = (
        None
    )
    scores: Annotated[
        Path | None, typer.Option(help="A table of study_id and score, CSV: a model's probability that it is present.")
    ] = None
    page: Annotated[int, typer.Option(min=1, help="Which page, where the studies fill several.")] = 1

    @property
    def given(self) -> list[str]:
        """The options that were given, for refusing them."""
        found = {"--sort": self.sort, "--of": self.of, "--scores": self.scores, "--page": self.page > 1 or None}
        return [option for option, value in found.items() if value is not None]


def draw_contact_sheet(archive: Archive, output: Path, options: SheetOptions, films: FilmsAtHand | None) -> None:
    """Draw one page of a sheet.

    Raises
    ------
    typer.BadParameter : there is no such page.
    SourceError (E_SOURCE_READ, E_SOURCE_TEXT, E_SOURCE_CONTENT) : the scores cannot be read.
    StudyError (E_QUERY) : the order needs a label or scores that are not given.
    """
    from neuralgraph.adapters.picture import ordered, save_sheet
    from neuralgraph.adapters.picture.sheet import MOST_STUDIES

    scores = None if options.scores is None else _scores(options.scores)
    pages = math.ceil(len(archive) / MOST_STUDIES)
    if options.page > pages:
        reason = f"there {'is 1 page' if pages == 1 else f'are {pages} pages'} of {MOST_STUDIES} studies"
        raise typer.BadParameter(reason, param_hint="--page")
    order = list(range(len(archive)))
    if options.sort is not None:
        order = ordered(archive, options.sort, label=options.of, scores=scores)
    first = MOST_STUDIES * (options.page - 1)
    studies = archive.read_many(order[first : first + MOST_STUDIES])
    # A film that cannot be read leaves the grid in its place; one bad file must not cost the sheet.
    unread: list[str] = []
    pixels = None if films is None else _reading(films, unread)
    save_sheet(studies, output, total=len(archive), films=pixels, scores=scores, first=first, order=_said(options))
    page = f", page {options.page} of {pages}" if pages > 1 else ""
    films_said = f", {len(unread)} film{'s' * (len(unread) > 1)} unreadable" if unread else ""
    write_line(f"{output}: contact sheet of {len(studies)} of {len(archive)} studies{page}{films_said}")


def _said(options: SheetOptions) -> str:
    """The order in words."""
    if options.sort is None:
        return ""
    of = f" of {options.of}" if options.of else ""
    furthest = ", furthest first" if options.sort is Sort.disagreement else ""
    return f"sorted by {options.sort}{of}{furthest}"


def _reading(films: FilmsAtHand, unread: list[str]) -> Callable[[str, int], NDArray[np.float32] | None]:
    def read(study_id: str, view: int) -> NDArray[np.float32] | None:
        try:
            return films.pixels(study_id, view)
        except SourceError:
            unread.append(study_id)
            return None

    return read


def _scores(path: Path) -> dict[str, float]:
    from neuralgraph.sources.files import read_whole_file

    try:
        text = read_whole_file(path, max_bytes=_MOST_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceError("the scores are not UTF-8", code="E_SOURCE_TEXT", where=str(path)) from error
    rows = csv.DictReader(io.StringIO(text))
    if not {"study_id", "score"} <= set(rows.fieldnames or ()):
        raise SourceError("the table has no columns study_id and score", code="E_SOURCE_CONTENT", where=str(path))
    found = {}
    for number, row in enumerate(rows, 2):
        try:
            value = float(row["score"])
        except (TypeError, ValueError):
            value = math.nan
        if not math.isfinite(value):
            reason = f"line {number}: the score is no finite number"
            raise SourceError(reason, code="E_SOURCE_CONTENT", where=str(path))
        found[row["study_id"]] = value
    return found
