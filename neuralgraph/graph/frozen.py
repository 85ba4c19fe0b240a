"""Immutable values: arrays that cannot be written to, maps that cannot be changed."""

from __future__ import annotations

from collections.abc import Mapping
from operator import index
from typing import Any, NoReturn, Self

import numpy as np
from numpy.typing import NDArray

from neuralgraph.errors import StudyError
from neuralgraph.wire.canonical import MAX_DEPTH

__all__ = ["FrozenMap", "Immutable", "float32", "freeze", "frozen_array", "thaw", "whole"]


def frozen_array(values: Any, dtype: str, shape: tuple[int, ...], *, where: str) -> NDArray[Any]:
    """A read-only C-contiguous copy; -1 in ``shape`` accepts any length.

    Raises
    ------
    StudyError (E_NUM) : no numbers, or a number that an integer ``dtype`` does not hold exactly.
    StudyError (E_SIZE) : another shape.
    """
    try:
        given = np.asarray(values)
    except (TypeError, ValueError) as error:
        raise StudyError(f"not an array of numbers ({error})", code="E_NUM", where=where) from error
    if given.dtype.kind not in "biuf":
        raise StudyError(f"an array of {given.dtype}, not of numbers", code="E_NUM", where=where)
    if given.dtype == dtype:
        result = np.array(given, order="C", copy=True)
    else:
        with np.errstate(over="ignore", invalid="ignore"):
            result = np.array(given, dtype, order="C", copy=True)
        if result.dtype.kind in "iu" and not np.array_equal(result, given):
            raise StudyError(f"a value is no {result.dtype}", code="E_NUM", where=where)
    if result.size == 0 and result.ndim < len(shape):
        result = result.reshape([0 if length < 0 else length for length in shape])
    if result.ndim != len(shape) or any(want not in (-1, got) for want, got in zip(shape, result.shape, strict=True)):
        expected = "x".join("n" if length < 0 else str(length) for length in shape)
        raise StudyError(f"an array has shape {list(result.shape)}, expected {expected}", code="E_SIZE", where=where)
    result.flags.writeable = False
    return result


def whole(value: Any, where: str) -> int:
    """``value`` as an int.

    Raises
    ------
    StudyError (E_NUM) : not a whole number.
    """
    try:
        return index(value)
    except TypeError as error:
        raise StudyError(f"{value!r} is not a whole number", code="E_NUM", where=where) from error


def float32(value: Any) -> float:
    """``value`` rounded to float32, the precision in which a file keeps it; infinite where it overflows."""
    with np.errstate(over="ignore", under="ignore"):
        return float(np.float32(value))


class Immutable:
    """A value that is its own copy, and whose arrays arrive read-only in another process."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """The value itself: there is nothing in it to change."""
        return self

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take the fields, as another process sent them."""
        for value in state.values():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
        self.__dict__.update(state)


class FrozenMap(dict[str, Any]):
    """A dict that refuses every change."""

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("a study is immutable; make a changed one with dataclasses.replace")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        """What copy and processes need to make an equal map."""
        return FrozenMap, (dict(self),)


def freeze(value: Any, *, depth: int = 1) -> Any:
    """``value`` with maps that cannot be changed and tuples for lists.

    Raises
    ------
    StudyError (E_TOC_FORM) : nested deeper than metadata may be.
    """
    # What a frozen map holds was frozen when it was made.
    if isinstance(value, FrozenMap) or not isinstance(value, Mapping | list | tuple):
        return value
    if depth > MAX_DEPTH:
        raise StudyError(f"nested deeper than {MAX_DEPTH}", code="E_TOC_FORM", where="metadata")
    if isinstance(value, Mapping):
        return FrozenMap({key: freeze(member, depth=depth + 1) for key, member in value.items()})
    return tuple(freeze(member, depth=depth + 1) for member in value)


def thaw(value: Any) -> Any:
    """A copy of a frozen value in plain dicts and lists, to be changed at will."""
    if isinstance(value, Mapping):
        return {key: thaw(member) for key, member in value.items()}
    return [thaw(member) for member in value] if isinstance(value, list | tuple) else value
