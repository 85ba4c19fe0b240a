"""Films that a person names the folder of: for ``ngr view``, ``ngr render`` and ``ngr serve``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from neuralgraph.errors import NeuralGraphError

if TYPE_CHECKING:
    from neuralgraph.bulk.films_at_hand import FilmsAtHand

__all__ = ["films_of"]


def films_of(images: Path, archive: Path, key_file: Path | None) -> FilmsAtHand:
    """The films of a folder, by study id.

    Parameters
    ----------
    images : the folder.
    archive : what the studies lie in; a conversion leaves its key beside it.
    key_file : another key.

    Raises
    ------
    SourceError, OutputError : folder or key cannot be read; what lies inside the folder is not named.
    """
    from neuralgraph.bulk.films_at_hand import FilmsAtHand, key_beside
    from neuralgraph.bulk.pseudonyms import read_key

    key = key_beside(archive) if key_file is None else read_key(key_file)
    try:
        return FilmsAtHand(images, key)
    except NeuralGraphError as error:
        error.where = str(images)
        raise
