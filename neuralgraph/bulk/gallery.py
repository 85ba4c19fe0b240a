"""From a place to a gallery: studies opened and asked, films found; ``neuralgraph.show`` is this."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from neuralgraph.access.places import is_url
from neuralgraph.adapters.picture.gallery import Films, Gallery
from neuralgraph.bulk.films_at_hand import FilmsAtHand, key_beside
from neuralgraph.collection.asking import answering
from neuralgraph.errors import StudyError
from neuralgraph.graph.study import Study
from neuralgraph.storage.archive import Archive
from neuralgraph.storage.opening import open_archive

__all__ = ["gallery_of"]


def gallery_of(what: Any, *, where: str | None, images: Any, size: int, page: int, generated: bool) -> Gallery:
    """The gallery; parameters and errors as ``neuralgraph.show``.

    A place is opened for every page and closed again; an archive that is given must stay open to turn pages.
    """
    films = _films(what, images)
    shown: dict[str, Any] = {"films": films, "question": where or "", "number": page, "size": size}
    if isinstance(what, Archive):
        ids = what.ids if where is None else answering(what, "", where, generated=generated)
        return Gallery(ids, lambda names: _studies(what, names), **shown)
    if not isinstance(what, str | os.PathLike | list | tuple):
        kind = type(what).__name__
        raise StudyError(f"give an open archive or a place, not a {kind}", code="E_STUDY", where="what")

    def read(names: Sequence[str]) -> list[Study]:
        with open_archive(what) as archive:
            return _studies(archive, names)

    with open_archive(what) as archive:
        ids = list(archive.ids) if where is None else answering(archive, _place(what), where, generated=generated)
    return Gallery(ids, read, **shown)


def _studies(archive: Archive, names: Sequence[str]) -> list[Study]:
    return archive.read_many(archive.ids.positions(list(names)).tolist())


def _place(what: Any) -> Any:
    return os.fspath(what) if isinstance(what, os.PathLike) else what


def _films(what: Any, images: Any) -> Films | None:
    if images is None or callable(images):
        return images  # type: ignore[no-any-return]
    # Only a place of this machine can have the key of its pseudonyms beside it.
    beside = isinstance(what, str | os.PathLike) and not is_url(str(what))
    return FilmsAtHand(Path(images), key_beside(Path(what)) if beside else None).pixels
