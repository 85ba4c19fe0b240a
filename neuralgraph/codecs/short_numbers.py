"""Byte codec 2, ``short_numbers``: the graph stream with its numbers in few bytes (codecs/short_numbers/SPEC.md).

Differences down a column, zig-zag, seven bits to a byte, then one zstd frame. Every graph stream has exactly one short
form, and the counts of the record say where each column of it begins.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuralgraph.codecs import zstd
from neuralgraph.errors import CodecError
from neuralgraph.wire.columns import GRAPH_COLUMNS, Column, Counts, split_graph

__all__ = ["decode", "encode", "lengthened", "shortened"]

_MOST_BYTES = 5
"""Bytes of a number: a difference of two u32 has 33 bits."""


def encode(stream: bytes, counts: Counts, *, level: int = zstd.LEVEL) -> bytes | None:
    """The frame of a graph stream with these counts; None when the short form is no shorter."""
    short = shortened(stream, counts)
    return zstd.encode(short, level=level) if len(short) <= len(stream) else None


def decode(stored: memoryview, decoded_bytes: int, counts: Counts, *, where: str) -> bytes:
    """The graph stream of a frame.

    Raises
    ------
    CodecError (E_ZSTD) : the frame breaks a rule, or libzstd refuses it.
    CodecError (E_SIZE) : the frame states no content size, or one above ``decoded_bytes``.
    CodecError (E_FILTER) : its content is not the short form of a graph stream with these counts.
    """
    return lengthened(zstd.decode_up_to(stored, decoded_bytes, where=where), counts, where=where)


def shortened(stream: bytes, counts: Counts) -> bytes:
    """The short form of a graph stream with these counts."""
    columns = split_graph(counts, stream)
    return b"".join(
        _short(columns[column.name].reshape(-1, column.width)) if _is_short(column) else columns[column.name].tobytes()
        for column in GRAPH_COLUMNS
    )


def lengthened(short: bytes, counts: Counts, *, where: str) -> bytes:
    """The graph stream of a short form; errors (E_FILTER) as ``decode``."""
    pieces = list(_columns(np.frombuffer(short, np.uint8), counts, where))
    return b"".join(pieces)


def _is_short(column: Column) -> bool:
    return column.dtype.startswith("index:") or column.dtype in ("<u2", "<u4")


def _columns(short: NDArray[np.uint8], counts: Counts, where: str) -> Iterator[bytes]:
    position = 0
    for column in GRAPH_COLUMNS:
        dtype, rows = column.numpy_dtype(counts), getattr(counts, column.rows)
        if not rows:
            continue
        if _is_short(column):
            numbers, position = _numbers(short, position, rows * column.width, where)
            # Odd numbers are the negative differences: 1 is -1, 3 is -2.
            values = ((numbers >> 1) ^ -(numbers & 1)).reshape(rows, column.width).cumsum(axis=0)
            if values.min() < 0 or values.max() > np.iinfo(dtype).max:
                raise _error(f"a value of {column.name} does not fit its type", where)
            yield values.astype(dtype).tobytes()
        else:
            end = position + rows * column.width * dtype.itemsize
            if end > len(short):
                raise _error("the short graph stream ends early", where)
            yield short[position:end].tobytes()
            position = end
    if position != len(short):
        raise _error("bytes follow the short graph stream", where)


def _numbers(short: NDArray[np.uint8], position: int, count: int, where: str) -> tuple[NDArray[np.int64], int]:
    """``count`` numbers from ``position`` on, and the position behind them."""
    ahead = short[position : position + _MOST_BYTES * count]
    ends = np.flatnonzero(ahead < 0x80)[:count]
    if len(ends) < count:
        raise _error("a number is longer than 5 bytes, or the short graph stream ends early", where)
    starts = np.concatenate(([0], ends[:-1] + 1))
    lengths = ends - starts + 1
    if (lengths > _MOST_BYTES).any() or ((ahead[ends] == 0) & (lengths > 1)).any():
        raise _error("a number has more bytes than it needs, or more than 5", where)
    used = ahead[: ends[-1] + 1].astype(np.int64)
    places = np.arange(len(used)) - np.repeat(starts, lengths)
    return np.add.reduceat((used & 0x7F) << (7 * places), starts), position + len(used)


def _short(values: NDArray[Any]) -> bytes:
    """Numbers of variable length for unsigned integers [rows, width]."""
    rows = values.astype(np.int64)
    differences = rows.copy()
    differences[1:] -= rows[:-1]
    numbers = ((differences << 1) ^ (differences >> 63)).ravel()
    places = 7 * np.arange(_MOST_BYTES)
    groups = numbers[:, None] >> places
    more = groups >> 7 > 0
    kept = np.concatenate((np.ones((len(numbers), 1), bool), more[:, :-1]), axis=1)
    marked = ((groups & 0x7F) | (more << 7)).astype(np.uint8)
    return bytes(marked[kept])


def _error(reason: str, where: str) -> CodecError:
    return CodecError(reason, code="E_FILTER", where=where)
