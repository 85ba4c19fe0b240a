"""Byte codec 0, ``store``: the bytes as they are (codecs/store/SPEC.md)."""

from __future__ import annotations

from neuralgraph.errors import CodecError

__all__ = ["decode", "encode"]


def encode(data: bytes) -> bytes:
    """The same bytes."""
    return data


def decode(stored: memoryview, decoded_bytes: int, *, where: str) -> memoryview:
    """The same bytes, when there are as many as the counts require.

    Raises
    ------
    CodecError (E_SIZE) : stored and decoded length differ.
    """
    if len(stored) != decoded_bytes:
        raise CodecError(f"{len(stored)} bytes are stored, {decoded_bytes} are required", code="E_SIZE", where=where)
    return stored
