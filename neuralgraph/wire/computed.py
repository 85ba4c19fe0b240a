"""Properties that are computed when they are first asked for, without a lock.

Until Python 3.12 ``functools.cached_property`` holds a lock while it computes. A process that is forked meanwhile
inherits it held by a thread that it does not have, and waits for ever.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

__all__ = ["computed"]

_Value = TypeVar("_Value")


class computed(Generic[_Value]):
    """A method as a property whose value is kept with the object. Threads that ask at once may each compute it."""

    def __init__(self, compute: Callable[[Any], _Value]) -> None:
        self._compute = compute
        self.__doc__ = compute.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        """Keep the value under this name, where it is found before the property is."""
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> computed[_Value]: ...

    @overload
    def __get__(self, instance: object, owner: type) -> _Value: ...

    def __get__(self, instance: object | None, owner: type) -> computed[_Value] | _Value:
        """The value, computed now; of the class, the property itself."""
        if instance is None:
            return self
        value: _Value = self._compute(instance)
        return instance.__dict__.setdefault(self._name, value)  # type: ignore[no-any-return]
