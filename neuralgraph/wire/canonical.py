"""Canonical maps: the strict subset of MessagePack used for structured metadata (FORMAT.md section 6.1).

A value is a map with text keys in strictly increasing byte order, an array, text, bytes, a boolean, an integer within
+-(2^53 - 1) in its shortest form, or a finite float64. Nothing else exists, so every value has exactly one encoding.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from typing import Any, TypeAlias

import msgpack

from neuralgraph.errors import FormatError, StudyError
from neuralgraph.wire.limits import MAX_INTEGER

__all__ = ["MAX_DEPTH", "MAX_ITEMS", "MAX_STRING", "Value", "decode", "decode_prefix", "encode"]

Value: TypeAlias = Any
"""bool, int, float, str, bytes, list of values, or dict of str to value."""

MAX_DEPTH = 8
"""Maps and arrays nested deeper are refused."""
MAX_ITEMS = 100_000
"""Values in one document, all levels and the keys of maps together."""
MAX_STRING = 2**20
"""Bytes of one text or byte string."""


def encode(value: Value) -> bytes:
    """The one encoding of ``value``.

    Raises
    ------
    StudyError (E_TOC_FORM) : the value holds something the subset has no form for, or more than a reader accepts.
    """
    return bytes(msgpack.packb(_Canonical().value(value, depth=1), use_bin_type=True))


class _Canonical:
    """Brings one document into the form that has a single encoding, and counts its values as a reader will."""

    def __init__(self) -> None:
        self.items = 0

    @staticmethod
    def error(reason: str) -> StudyError:
        return StudyError(reason, code="E_TOC_FORM", where="metadata")

    def value(self, value: Value, *, depth: int) -> Value:
        self.items += 1
        if self.items > MAX_ITEMS:
            raise self.error(f"more than {MAX_ITEMS} values")
        if isinstance(value, str):
            if not value.isascii() or len(value) > MAX_STRING:
                self.string(self.utf8(value))
            return value
        if depth > MAX_DEPTH and isinstance(value, list | tuple | dict):
            raise self.error(f"nested deeper than {MAX_DEPTH}")
        if isinstance(value, bool):
            return value
        if isinstance(value, bytes):
            return self.string(value)
        if isinstance(value, int | float):
            return self.number(value)
        if isinstance(value, list | tuple):
            return [self.value(item, depth=depth + 1) for item in value]
        if isinstance(value, dict):
            return self.map(value, depth)
        raise self.error(f"a {type(value).__name__} has no form here")

    def map(self, value: dict[Any, Value], depth: int) -> dict[str, Value]:
        if not all(isinstance(key, str) for key in value):
            raise self.error("a key is not text")
        # Code points have the order of their UTF-8; what has none is refused as a value.
        return {self.value(key, depth=depth + 1): self.value(value[key], depth=depth + 1) for key in sorted(value)}

    def number(self, value: float) -> float:
        if isinstance(value, int):
            if abs(value) > MAX_INTEGER:
                raise self.error("an integer exceeds 2^53 - 1")
            return value
        if not math.isfinite(value):
            raise self.error("a number is not finite")
        return float(value)

    def utf8(self, text: str) -> bytes:
        try:
            return text.encode()
        except UnicodeEncodeError as error:
            raise self.error("a text is not valid Unicode") from error

    def string(self, data: bytes) -> bytes:
        if len(data) > MAX_STRING:
            raise self.error(f"a string is longer than {MAX_STRING} bytes")
        return data


def decode(data: bytes | memoryview, *, where: str, depth: int = 1) -> Value:
    """The value of ``data``, refused unless it is exactly its one encoding.

    Parameters
    ----------
    data : one document.
    where : how messages name it.
    depth : the level at which the value stands when it is to be part of a larger document.

    Raises
    ------
    FormatError (E_TOC_FORM) : any deviation from the canonical form.
    """
    decoder = _Decoder(bytes(data), where)
    value = decoder.value(depth=depth)
    if decoder.position != len(decoder.data):
        raise decoder.error("bytes follow the value")
    return value


def decode_prefix(data: bytes | memoryview, *, where: str) -> Value:
    """The value that ``data`` begins with; for salvage only, whatever follows is not looked at.

    Raises
    ------
    FormatError (E_TOC_FORM) : any deviation from the canonical form.
    """
    return _Decoder(bytes(data), where).value(depth=1)


_CONSTANTS = {0xC2: False, 0xC3: True}


class _Decoder:
    """A recursive descent over one document; every length is checked against the bytes that are left."""

    def __init__(self, data: bytes, where: str) -> None:
        self.data, self.where, self.position, self.items = data, where, 0, 0

    def error(self, reason: str) -> FormatError:
        return FormatError(f"{reason} (byte {self.position})", code="E_TOC_FORM", where=self.where)

    def take(self, length: int) -> bytes:
        if length > len(self.data) - self.position:
            raise self.error("the document ends inside a value")
        piece = self.data[self.position : self.position + length]
        self.position += length
        return piece

    def unsigned(self, size: int, *, least: int) -> int:
        """A big-endian length or integer that would not have fitted a shorter form."""
        number = int.from_bytes(self.take(size), "big")
        if number < least:
            raise self.error("a number is not in its shortest form")
        return number

    def value(self, *, depth: int) -> Value:
        self.items += 1
        if self.items > MAX_ITEMS:
            raise self.error(f"more than {MAX_ITEMS} values")
        if self.position >= len(self.data):
            raise self.error("the document ends inside a value")
        tag = self.data[self.position]
        self.position += 1
        if 0xA0 <= tag <= 0xBF:
            return self.text(tag & 0x1F)
        if tag <= 0x7F:
            return tag
        if tag >= 0xE0:
            return tag - 256
        if tag <= 0x8F:
            return self.map(tag & 0x0F, depth)
        if tag <= 0x9F:
            return self.array(tag & 0x0F, depth)
        if tag in _CONSTANTS:
            return _CONSTANTS[tag]
        reader = _READERS.get(tag)
        if reader is None:
            raise self.error(f"type byte 0x{tag:02x} is not allowed")
        return reader(self, depth)

    def map(self, length: int, depth: int) -> dict[str, Value]:
        self.enter(2 * length, depth)
        result: dict[str, Value] = {}
        previous: bytes | None = None
        for _ in range(length):
            key = self.value(depth=MAX_DEPTH + 1)
            if not isinstance(key, str):
                raise self.error("a key is not text")
            encoded = key.encode()
            if previous is not None and encoded <= previous:
                raise self.error("keys are not in strictly increasing order")
            previous = encoded
            result[key] = self.value(depth=depth + 1)
        return result

    def array(self, length: int, depth: int) -> list[Value]:
        self.enter(length, depth)
        return [self.value(depth=depth + 1) for _ in range(length)]

    def enter(self, least_bytes: int, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise self.error(f"nested deeper than {MAX_DEPTH}")
        if least_bytes > len(self.data) - self.position:
            raise self.error("more members than bytes are left")

    def text(self, length: int) -> str:
        try:
            return self.string(length).decode()
        except UnicodeDecodeError as error:
            raise self.error("a text is not valid UTF-8") from error

    def string(self, length: int) -> bytes:
        if length > MAX_STRING:
            raise self.error(f"a string is longer than {MAX_STRING} bytes")
        return self.take(length)

    def integer(self, number: int) -> int:
        if abs(number) > MAX_INTEGER:
            raise self.error("an integer exceeds 2^53 - 1")
        return number

    def negative(self, size: int, *, most: int) -> int:
        number = int.from_bytes(self.take(size), "big", signed=True)
        if number > most:
            raise self.error("a number is not in its shortest form")
        return self.integer(number)

    def float64(self) -> float:
        number: float = struct.unpack(">d", self.take(8))[0]
        if not math.isfinite(number):
            raise self.error("a number is not finite")
        return number


_READERS: dict[int, Callable[[_Decoder, int], Value]] = {
    0xC4: lambda decoder, _: decoder.string(decoder.unsigned(1, least=0)),
    0xC5: lambda decoder, _: decoder.string(decoder.unsigned(2, least=1 << 8)),
    0xC6: lambda decoder, _: decoder.string(decoder.unsigned(4, least=1 << 16)),
    0xCB: lambda decoder, _: decoder.float64(),
    0xCC: lambda decoder, _: decoder.unsigned(1, least=1 << 7),
    0xCD: lambda decoder, _: decoder.unsigned(2, least=1 << 8),
    0xCE: lambda decoder, _: decoder.unsigned(4, least=1 << 16),
    0xCF: lambda decoder, _: decoder.integer(decoder.unsigned(8, least=1 << 32)),
    0xD0: lambda decoder, _: decoder.negative(1, most=-33),
    0xD1: lambda decoder, _: decoder.negative(2, most=-(1 << 7) - 1),
    0xD2: lambda decoder, _: decoder.negative(4, most=-(1 << 15) - 1),
    0xD3: lambda decoder, _: decoder.negative(8, most=-(1 << 31) - 1),
    0xD9: lambda decoder, _: decoder.text(decoder.unsigned(1, least=1 << 5)),
    0xDA: lambda decoder, _: decoder.text(decoder.unsigned(2, least=1 << 8)),
    0xDB: lambda decoder, _: decoder.text(decoder.unsigned(4, least=1 << 16)),
    0xDC: lambda decoder, depth: decoder.array(decoder.unsigned(2, least=1 << 4), depth),
    0xDD: lambda decoder, depth: decoder.array(decoder.unsigned(4, least=1 << 16), depth),
    0xDE: lambda decoder, depth: decoder.map(decoder.unsigned(2, least=1 << 4), depth),
    0xDF: lambda decoder, depth: decoder.map(decoder.unsigned(4, least=1 << 16), depth),
}
