"""Mutations that know where the parts of a file are: most inputs get past the checksums and deep into the reader."""

from __future__ import annotations

import random
from collections.abc import Callable

from fuzz.sealing import record_extents, seal

__all__ = ["mutate_file"]

_INTERESTING = (0, 1, 2, 7, 8, 127, 128, 255, 256, 65_535, 65_536, 2**31 - 1, 2**31, 2**32 - 1)


def mutate_file(data: bytes, max_size: int, seed: int, *, engine: Callable[[bytes, int], bytes]) -> bytes:
    """A mutant of ``data``; one in eight is not sealed.

    Parameters
    ----------
    data : the input.
    max_size : most bytes of the mutant.
    seed : the same seed gives the same choice of what is changed.
    engine : the general mutator: (bytes, most bytes) to bytes.
    """
    choose = random.Random(seed)
    kind = choose.randrange(8)
    if kind == 0:
        return engine(data, max_size)
    if kind == 1:
        return seal(engine(data, max_size))[:max_size]
    parts = _parts(data)
    if not parts:
        return engine(data, max_size)
    file = bytearray(data)
    for _ in range(choose.choice((1, 1, 1, 2, 4))):
        start, end = choose.choice(parts)
        if kind < 5:
            changed = engine(bytes(file[start:end]), end - start)
            file[start : start + len(changed)] = changed
        elif kind < 7:
            width = choose.choice((1, 2, 4, 8))
            at = start + choose.randrange(max(1, end - start - width + 1))
            value = choose.choice(_INTERESTING) % 256**width
            file[at : at + width] = value.to_bytes(width, "little")
        else:
            source, stop = choose.choice(parts)
            length = min(end - start, stop - source)
            file[start : start + length] = file[source : source + length]
    return seal(bytes(file[: len(data)]))[:max_size]


def _parts(data: bytes) -> list[tuple[int, int]]:
    """Extents worth changing on their own: counts, stream tables, streams, sections and contents, trailer."""
    if len(data) < 128:
        return []
    parts = [(0, 28), (len(data) - 96, len(data) - 12)]
    end = 32
    for start, end in record_extents(data)[:8]:
        n_streams = min(int.from_bytes(data[start + 12 : start + 14], "little"), 32)
        position = start + 104 + 16 * n_streams
        parts += [(start + 8, start + 16), (start + 16, start + 68), (start + 104, position)]
        position += 8
        for row in range(start + 104, start + 104 + 16 * n_streams, 16):
            stored = int.from_bytes(data[row + 4 : row + 8], "little")
            if position + stored <= end:
                parts.append((position, position + stored))
            position += stored + -stored % 8
    toc = int.from_bytes(data[-96:-88], "little")
    if end <= toc <= len(data) - 96:
        parts += [(end, toc), (toc, len(data) - 96)]
    return [(start, stop) for start, stop in parts if start < stop <= len(data)]
