"""Fixed binary structures as tables: a name, a format, and the only value allowed where there is one."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from neuralgraph.errors import FormatError

__all__ = ["Field", "Structure"]


@dataclass(frozen=True)
class Field:
    """One field of a structure."""

    name: str
    """Name in FORMAT.md, in snake case."""
    format: str
    """``struct`` format of one little-endian item: "8s", "Q", "I", "H", "B"."""
    equals: int | bytes | None = None
    """The only value a reader accepts, or None."""


class Structure:
    """A packed little-endian structure.

    Parameters
    ----------
    fields : in file order, without gaps.
    """

    def __init__(self, *fields: Field) -> None:
        self.fields = fields
        self._packer = struct.Struct("<" + "".join(field.format for field in fields))
        self.size: int = self._packer.size
        """Size in bytes."""
        self._offsets: dict[str, int] = {}
        before = "<"
        for field in fields:
            self._offsets[field.name] = struct.calcsize(before)
            before += field.format

    def offset(self, name: str) -> int:
        """Byte offset of the field ``name`` inside the structure."""
        return self._offsets[name]

    def pack(self, **values: int | bytes) -> bytes:
        """Bytes of the structure; fields with a fixed value need not be given."""
        items = [values.pop(field.name) if field.equals is None else field.equals for field in self.fields]
        if values:
            raise TypeError(f"not fields of this structure: {sorted(values)}")
        return self._packer.pack(*items)

    def rows(self, data: bytes | memoryview) -> Iterator[tuple[Any, ...]]:
        """Values of one structure after another, in the order of the fields; for structures without fixed fields."""
        return self._packer.iter_unpack(data)

    def unpack(self, data: bytes | memoryview, *, code: str, where: str) -> dict[str, Any]:
        """Values of ``data``, which holds exactly this structure.

        Raises
        ------
        FormatError (``code``) : a fixed field has another value.
        """
        values = dict(zip((field.name for field in self.fields), self._packer.unpack(data), strict=True))
        for field in self.fields:
            if field.equals is not None and values[field.name] != field.equals:
                raise FormatError(f"{field.name} must be {field.equals!r}", code=code, where=where)
        return values
