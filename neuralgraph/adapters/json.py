"""A study as JSON that any program can read.

The document holds the facts and, under ``arrays``, the arrays of ``neuralgraph.graph.plain`` (its tables say what each
is). An array is a map of ``dtype`` (a NumPy name), ``shape`` (list of lengths) and ``values`` (nested lists, C order).
A float32 is written with the fewest digits that read back as the same float32.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuralgraph.errors import StudyError
from neuralgraph.graph.plain import study_arrays, study_facts, study_of
from neuralgraph.graph.study import Study
from neuralgraph.wire.escapes import escaped_json

__all__ = ["from_dict", "to_dict", "to_json"]

_DTYPES = ("float32", "int32", "uint32", "uint16", "uint8")


def to_dict(study: Study) -> dict[str, Any]:
    """The document as maps, lists, text, numbers, booleans and None.

    Raises
    ------
    StudyError (E_TOC_KEY) : see ``neuralgraph.graph.plain.study_facts``.
    """
    arrays = {name: _array_map(array) for name, array in study_arrays(study).items()}
    return {**study_facts(study), "arrays": arrays}


def to_json(study: Study) -> bytes:
    """The document as UTF-8 text without line breaks; equal studies give equal bytes.

    Raises
    ------
    StudyError (E_TOC_KEY) : see ``to_dict``.
    """
    text = escaped_json(to_dict(study), allow_nan=False, sort_keys=True, separators=(",", ":"))
    return text.encode() + b"\n"


def from_dict(document: Mapping[str, Any]) -> Study:
    """The study of a document, for example of one that ``json.loads`` read.

    Raises
    ------
    StudyError : the document does not describe a study, or one that breaks its rules.
    ChecksumError (E_DIGEST) : the document was changed and still has its old digest.
    """
    if not isinstance(document, Mapping) or not isinstance(document.get("arrays"), Mapping):
        raise StudyError("not a study: a map with a map 'arrays' is expected", code="E_STUDY")
    arrays = {str(name): _array_of(name, array) for name, array in document["arrays"].items()}
    return study_of(document, arrays)


def _array_map(array: NDArray[Any]) -> dict[str, Any]:
    values = array
    if array.dtype == np.float32:
        # A double of the shortest decimal text; the double of the exact value where rounding twice would not lead back.
        shortest = array.astype("U32").astype(np.float64)
        values = np.where(shortest.astype(np.float32) == array, shortest, array)
    return {"dtype": array.dtype.name, "shape": list(array.shape), "values": values.tolist()}


def _array_of(name: str, array: Any) -> NDArray[Any]:
    try:
        if array["dtype"] not in _DTYPES:
            raise ValueError(f"a dtype other than {', '.join(_DTYPES)}")
        values = np.array(array["values"])
        if values.dtype.kind not in "iuf":
            raise ValueError("values that are not numbers")
        with np.errstate(invalid="ignore", over="ignore"):
            converted = values.astype(array["dtype"])
        if converted.dtype.kind != "f" and not np.array_equal(converted, values):
            raise ValueError("a value that does not fit the dtype")
        return converted.reshape([int(length) for length in array["shape"]])
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        reason = f"not an array of dtype, shape and values ({type(error).__name__}: {error})"
        raise StudyError(" ".join(reason.split())[:200], code="E_STUDY", where=f"arrays.{name}") from error
