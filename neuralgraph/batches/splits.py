"""Which studies of an archive a list of ids means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from neuralgraph.errors import StudyError, StudyNotFoundError
from neuralgraph.storage.archive import Archive

__all__ = ["split_positions"]


def split_positions(archive: Archive, split: Iterable[str]) -> NDArray[np.int64]:
    """Positions of the studies that ``split`` names, in its order.

    Returns
    -------
    int64 [n].

    Raises
    ------
    StudyNotFoundError (E_NOT_FOUND) : it names a study that is not there.
    StudyError (E_DUP) : it names one twice.
    StudyError (E_STUDY) : it is one text instead of several.
    FormatError (E_DUP) : two files hold a study of the same id.
    """
    if isinstance(split, str):
        raise StudyError(f"split must be a list of study ids; write [{split!r}]", code="E_STUDY", where="split")
    names = list(split)
    try:
        positions = archive.ids.positions(names)
    except StudyNotFoundError as error:
        raise StudyNotFoundError(f"split: {error.message}", where="split") from error
    if len(set(names)) != len(names):
        ((name, _),) = Counter(names).most_common(1)
        raise StudyError(f"split names {name!r} twice", code="E_DUP", where="split")
    return positions
