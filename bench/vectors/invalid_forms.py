"""Broken planes of the forms of FORMAT.md sections 7.3 and 7.4."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Iterator, Sequence

from bench.vectors.draft import Draft, RecordDraft, SectionDraft, StreamDraft, put, record_draft
from bench.vectors.invalid_records import record_vector
from bench.vectors.studies import basic, draft_of, film, grid_study, ramp
from bench.vectors.valid_forms import codebook, codebook_section, int4_planes, klt_draft, klt_planes, svd_planes
from bench.vectors.vector import Vector

__all__ = ["embedding_planes", "lossy_form_vectors"]


def embedding_planes(first: int, planes: Sequence[bytes]) -> Callable[[RecordDraft], None]:
    """Replaces the embedding by planes of another form."""

    def change(record: RecordDraft) -> None:
        record.streams = [stream for stream in record.streams if not 0x20 <= stream.stream_id < 0x60]
        record.streams += [StreamDraft(first + number, 0, plane, len(plane)) for number, plane in enumerate(planes)]
        record.streams.sort(key=lambda stream: stream.stream_id)

    return change


def lossy_form_vectors() -> Iterator[Vector]:
    """All of them."""
    yield from _int4()
    yield from _svd()
    yield from _klt()
    yield from _codebooks()


def _replaced(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


def _int4() -> Iterator[Vector]:
    good = int4_planes([[1, 2, 3, 4]] * 4, [[1.0]] * 4)

    def vector(code: str, name: str, reason: str, planes: Sequence[bytes], *requirements: str) -> Vector:
        change = embedding_planes(0x32, planes)
        return record_vector(code, f"int4-{name}", f"int4: {reason}", change, *requirements, of=basic("f"))

    yield vector(
        "E_FILTER", "code-low", "the code -8 in a lower half", [_replaced(good[0], 3, b"\x18"), good[1]], "F29"
    )
    yield vector(
        "E_FILTER", "code-high", "the code -8 in an upper half", [_replaced(good[0], 7, b"\x81"), good[1]], "F29"
    )
    for name, bits in (("negative", 0xBF80), ("minus-zero", 0x8000), ("infinite", 0x7F80), ("nan", 0x7FC0)):
        scale = _replaced(good[1], 6, struct.pack("<H", bits))
        yield vector("E_FILTER", f"scale-{name}", f"a scale is {name.replace('-', ' ')}", [good[0], scale], "F29")
    huge = _replaced(good[1], 6, struct.pack("<H", 0x7F7F))
    yield vector("E_NUM", "overflow", "code times scale overflows f32", [good[0], huge], "F21")
    yield vector("E_SIZE", "short", "codes a byte short", [good[0][:-1], good[1]], "F11")
    yield vector("E_SIZE", "scales-f32", "scales of four bytes", [good[0], good[1] * 2], "F11")
    yield vector("E_STREAM", "no-scales", "the plane of scales is missing", good[:1], "F10")
    yield record_vector(
        "E_FILTER",
        "int4-odd-half",
        "int4: the half byte behind a row of odd width is 1",
        embedding_planes(0x32, [b"\x21\x13" * 2, good[1][:4]]),
        "F29",
        of=grid_study("odd", [film(2, 2)], 2, ramp(2, 3)),
    )


def _svd() -> Iterator[Vector]:
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


def _klt() -> Iterator[Vector]:
    book = codebook()
    good = klt_planes(book, 2.0**-20, [0, 2, 0, 1], [[1, -2, 3, -4]] * 3 + [[0] * 4])
    used = 12

    def vector(code: str, name: str, reason: str, planes: Sequence[bytes], *requirements: str, **more: bytes) -> Vector:
        draft = klt_draft("f", book, good)
        record = record_draft(draft.records[0])
        embedding_planes(0x38, planes)(record)
        draft = draft.with_records(record.pack())
        draft.more_sections = [codebook_section(more.get("book", book))]
        return Vector(f"klt-{name}", draft.pack(), f"klt: {reason}", requirements, code)

    for name, value in (("negative", -1.0), ("minus-zero", -0.0), ("infinite", float("inf")), ("nan", float("nan"))):
        head = _replaced(good[0], 32, struct.pack("<f", value))
        yield vector("E_FILTER", f"base-{name}", f"the base is {name.replace('-', ' ')}", [head, *good[1:]], "F34")
    for value in (9, 32, 255):
        yield vector(
            "E_FILTER", f"shift-{value}", f"a shift of {value}", [good[0], bytes([0, value, 0, 1]), *good[2:]], "F34"
        )
    for at, bit in ((used // 8, used % 8), (used // 8 + 1, 0), (15, 7)):
        lower = bytearray(good[3])
        lower[at] |= 1 << bit
        yield vector(
            "E_FILTER", f"bits-{at}-{bit}", "bits behind the last lower part", [*good[:3], bytes(lower)], "F34"
        )
    beyond = klt_planes(book, 2.0**-20, [0, 2, 0, 1], [[1, -2, 3, -4]] * 3 + [[0, 0, 0, -1]])
    yield vector("E_FILTER", "component", "a code of a component that the codebook does not have", beyond, "F34")
    other = [hashlib.sha256(b"another").digest() + good[0][32:], *good[1:]]
    yield vector("E_DICT", "no-codebook", "a codebook that is not there", other, "F34", "R14")
    near = [good[0][:31] + bytes([good[0][31] ^ 1]) + good[0][32:], *good[1:]]
    yield vector(
        "E_DICT", "digest", "a digest that agrees with the name of the section and no further", near, "F34", "R14"
    )
    narrow = codebook(3, 5)
    yield vector(
        "E_DICT",
        "width",
        "a codebook of another width",
        klt_planes(narrow, 1.0, [0] * 4, [[0] * 4] * 4),
        "F34",
        book=narrow,
    )
    huge = [_replaced(good[0], 32, struct.pack("<f", 3e38)), *good[1:]]
    yield vector("E_NUM", "overflow", "a value overflows f32", huge, "F21")
    yield vector("E_SIZE", "head", "a digest without a base", [good[0][:32], *good[1:]], "F11")
    yield vector(
        "E_SIZE", "shifts", "as many shifts as the codebook has components", [good[0], good[1][:3], *good[2:]], "F11"
    )
    yield vector("E_STREAM", "no-lower", "the plane of lower parts is missing", good[:3], "F10")
    draft = klt_draft("f", book, good)
    draft.more_sections = []
    yield Vector("klt-alone", draft.pack(), "klt: a file that leaves its codebook with the model", ("R14",), "E_DICT")


def _codebooks() -> Iterator[Vector]:
    good = codebook()

    def section(code: str, name: str, reason: str, payload: bytes, *requirements: str) -> Vector:
        return _file(code, name, reason, codebook_section(payload), *requirements)

    yield section("E_FILTER", "magic", "another magic", b"NGRKLT\x1a\r" + good[8:], "F33")
    yield section("E_FILTER", "short", "15 bytes", good[:15], "F33")
    yield section("E_SIZE", "cut", "a byte is missing", good[:-1], "F33")
    yield section("E_SIZE", "long", "a byte too many", good + b"\0", "F33")
    yield section("E_SIZE", "wide", "a width of 2^32 - 1", _replaced(good, 8, b"\xff" * 4), "F33")
    yield section("E_SIZE", "tall", "2^32 - 1 components", _replaced(good, 12, b"\xff" * 4), "F33")
    empty = good[:12] + bytes(4) + good[16:48]
    yield section("E_FILTER", "no-component", "no component", empty, "F33")
    yield section("E_FILTER", "nothing", "no value and no component", good[:8] + bytes(8), "F33")
    yield section("E_FILTER", "components", "more components than values", codebook(5, 4), "F33")
    for name, value in (("infinite", float("inf")), ("nan", float("nan"))):
        packed = struct.pack("<f", value)
        yield section("E_FILTER", f"mean-{name}", f"a mean is {name}", _replaced(good, 28, packed), "F33")
        yield section("E_FILTER", f"deviation-{name}", f"a deviation is {name}", _replaced(good, 44, packed), "F33")
    for name, value in (("zero", 0.0), ("negative", -1.0)):
        packed = struct.pack("<f", value)
        yield section("E_FILTER", f"deviation-{name}", f"a deviation is {name}", _replaced(good, 32, packed), "F33")
    yield section("E_FILTER", "basis", "the number -32,768", _replaced(good, 48, b"\x00\x80"), "F33")
    name = codebook_section(good).name
    wrong = name[:-1] + ("0" if name[-1] != "0" else "1")
    yield _file("E_DIGEST", "name", "the name of another digest", SectionDraft(wrong, 2, good), "F33")
    for flags in (0, 1, 3):
        yield _file("E_SECTION", f"flags-{flags}", f"flags {flags}", SectionDraft(name, flags, good), "F33")
    for kind, spelt in (
        ("short", name[:-1]),
        ("long", name + "0"),
        ("letters", "codebook_" + "g" * 16),
        ("bare", "codebook_"),
    ):
        yield _file("E_SECTION", f"name-{kind}", f"the name {spelt}", SectionDraft(spelt, 2, good), "F33")
    damaged = codebook_section(good)
    damaged.sealed_edit = put(30, "B", 7)
    yield _file("E_CRC", "damaged", "a byte of a codebook was changed", damaged, "R7")


def _file(code: str, name: str, reason: str, section: SectionDraft, *requirements: str) -> Vector:
    draft: Draft = draft_of(basic("f"))
    draft.more_sections = [section]
    return Vector(f"codebook-{name}", draft.pack(), f"codebook: {reason}", requirements, code)
