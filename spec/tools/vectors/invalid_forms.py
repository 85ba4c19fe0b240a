"""Broken planes of the form of FORMAT.md section 7.3."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence

from spec.tools.vectors.draft import RecordDraft, StreamDraft
from spec.tools.vectors.invalid_records import record_vector
from spec.tools.vectors.studies import basic
from spec.tools.vectors.valid_forms import svd_planes
from spec.tools.vectors.vector import Vector

__all__ = ["broken_svd_vectors", "embedding_planes"]


def embedding_planes(first: int, planes: Sequence[bytes]) -> Callable[[RecordDraft], None]:
    """Replaces the embedding by planes of another form."""

    def change(record: RecordDraft) -> None:
        record.streams = [stream for stream in record.streams if not 0x20 <= stream.stream_id < 0x60]
        record.streams += [StreamDraft(first + number, 0, plane, len(plane)) for number, plane in enumerate(planes)]
        record.streams.sort(key=lambda stream: stream.stream_id)

    return change


def _replaced(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


def broken_svd_vectors() -> Iterator[Vector]:
    """All of them."""
    unit = [[127 * (a == b) for b in range(4)] for a in range(4)]
    good = svd_planes(1.0, [([0, 2, 0, 1], unit)], [0] * 4, [[1, -2, 3, -4]] * 4)
    used = 12

    def vector(code: str, name: str, reason: str, planes: Sequence[bytes], *requirements: str) -> Vector:
        change = embedding_planes(0x34, planes)
        return record_vector(code, f"svd-{name}", f"svd: {reason}", change, *requirements, of=basic("f"))

    def head(at: int, new: bytes) -> list[bytes]:
        return [_replaced(good[0], at, new), *good[1:]]

    for name, value in (("negative", -1.0), ("minus-zero", -0.0), ("infinite", float("inf")), ("nan", float("nan"))):
        changed = head(0, struct.pack("<f", value))
        yield vector("E_FILTER", f"base-{name}", f"the base is {name.replace('-', ' ')}", changed, "F30")
    for value in (9, 16, 32, 255):
        yield vector("E_FILTER", f"shift-{value}", f"a shift of {value}", head(6, bytes([value])), "F30")
    yield vector("E_FILTER", "mixing", "the mixing -128", head(23, b"\x80"), "F30")
    for at, bit in ((used // 8, used % 8), (used // 8, 7), (used // 8 + 1, 0), (15, 7)):
        lower = bytearray(good[3])
        lower[at] |= 1 << bit
        reason = f"bit {bit} of byte {at} behind the last lower part is set"
        yield vector("E_FILTER", f"bits-{at}-{bit}", reason, [*good[:3], bytes(lower)], "F30")
    large = [struct.pack("<f", 3e38) + good[0][4:], *good[1:]]
    yield vector("E_NUM", "overflow", "a value overflows f32", large, "F21")
    yield vector("E_NUM", "exponent", "an exponent that overflows f32", [good[0], b"\x7f" * 4, *good[2:]], "F21")
    yield vector("E_SIZE", "basis-short", "a basis a byte short", [good[0][:-1], *good[1:]], "F11")
    yield vector("E_SIZE", "basis-long", "a basis a byte long", [good[0] + b"\0", *good[1:]], "F11")
    yield vector("E_SIZE", "exponents", "an exponent per row and channel", [good[0], bytes(16), *good[2:]], "F11")
    yield vector(
        "E_SIZE", "lower-cut", "lower parts without the zero bits behind them", [*good[:3], good[3][:2]], "F11"
    )
    yield vector("E_STREAM", "no-lower", "the plane of lower parts is missing", good[:3], "F10")
