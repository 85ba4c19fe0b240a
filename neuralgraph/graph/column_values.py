"""Values on their way into the columns of a record, refused when they do not fit."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuralgraph.errors import StudyError
from neuralgraph.wire.columns import Column, Counts

__all__ = ["code_of", "exactly"]


def code_of(vocabulary: tuple[str, ...], word: str, what: str) -> int:
    """The code of a word.

    Raises
    ------
    StudyError (E_IDX) : it is not of the vocabulary.
    """
    if word not in vocabulary:
        raise StudyError(f"{word!r} is not a {what}; use one of {', '.join(vocabulary)}", code="E_IDX", where=what)
    return vocabulary.index(word)


def exactly(values: Any, column: Column, counts: Counts) -> NDArray[Any]:
    """``values`` as the column they become, refused when one does not fit or their number is not the counted one."""
    given, dtype = np.asarray(values), column.numpy_dtype(counts)
    if given.size != getattr(counts, column.rows) * column.width:
        reason = f"{given.size} values, expected {getattr(counts, column.rows) * column.width}"
        raise StudyError(reason, code="E_SIZE", where=column.name)
    column_values = np.ascontiguousarray(given, dtype)
    # A value that does not fit comes out as another one.
    if dtype.kind == "u" and given.size and given.dtype != dtype and not (column_values == given).all():
        raise StudyError(f"a value does not fit {dtype.name}", code="E_IDX", where=column.name)
    return column_values
