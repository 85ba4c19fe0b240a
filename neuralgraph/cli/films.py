"""Films that a person names the folder of: for ``ngr view``, ``ngr render`` and ``ngr serve``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from neuralgraph.errors import NeuralGraphError

if TYPE_CHECKING:
    from neuralgraph.bulk.films_at_hand import FilmsAtHand

__all__ = ["FilmOptions"]


@dataclass(frozen=True)
class FilmOptions:
    """Where the films of studies lie."""

    PANEL: ClassVar[str] = "Films"

    images: Annotated[
        Path | None, typer.Option(help="Where the films lie: each is shown under the patches of its study.")
    ] = None
    key_file: Annotated[
        Path | None,
        typer.Option(help="Key of the pseudonyms that the ids are [default: the one beside the studies]."),
    ] = None

    def of(self, studies: Path) -> FilmsAtHand | None:
        """The films of the folder, by study id; None where no folder was named.

        Parameters
        ----------
        studies : what the studies lie in; a conversion leaves its key beside it.

        Raises
        ------
        SourceError, OutputError : folder or key cannot be read; what lies inside the folder is not named.
        """
        if self.images is None:
            return None
        from neuralgraph.bulk.films_at_hand import FilmsAtHand, key_beside
        from neuralgraph.bulk.pseudonyms import read_key

        key = key_beside(studies) if self.key_file is None else read_key(self.key_file)
        try:
            return FilmsAtHand(self.images, key)
        except NeuralGraphError as error:
            error.where = str(self.images)
            raise
