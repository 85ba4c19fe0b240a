"""Completion of study ids in the shell, where it is cheap: of local archives, a few at a time."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import typer

from neuralgraph.errors import NeuralGraphError

__all__ = ["study_ids"]

_MOST_LISTED = 50
_MOST_SEARCHED = 200_000


def study_ids(context: typer.Context, incomplete: str) -> list[str]:
    """Ids that begin so, of the archive that the command line names; none when it cannot be read."""
    from neuralgraph.storage.opening import open_archive

    place = context.params.get("place") or context.params.get("path")
    if not place or not Path(place).exists():
        return []
    try:
        with open_archive(place) as archive:
            searched = islice(archive.ids, _MOST_SEARCHED)
            return list(islice((each for each in searched if each.startswith(incomplete)), _MOST_LISTED))
    except NeuralGraphError:
        return []
