"""Broken contents, maps, sections, index and keys (FORMAT.md section 6)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from bench.vectors.draft import Draft, SectionDraft, put, sha256
from bench.vectors.studies import METHOD, SOURCE, basic, draft_of, record_of, textual
from bench.vectors.vector import Vector
from neuralgraph.wire import canonical

__all__ = ["contents_vectors", "map_vectors", "section_vectors"]

MAX_INTEGER = 2**53 - 1


def _v(code: str, name: str, reason: str, *requirements: str, of: Draft | None = None, **edits: Any) -> Vector:
    return Vector(name, replace(of or draft_of(basic()), **edits).pack(), reason, requirements, code)


def _row(number: int, column: int, value: Any) -> Callable[[Any], Any]:
    """Changes one field of one section row."""

    def edit(toc: Any) -> Any:
        rows = toc["layout"]["sections"]
        row = rows[number][:column] + [value] + rows[number][column + 1 :]
        return {**toc, "layout": {"sections": rows[:number] + [row] + rows[number + 1 :]}}

    return edit


def contents_vectors() -> Iterator[Vector]:
    def member(name: str, edit: Callable[[Any], Any], reason: str) -> Vector:
        return _v("E_TOC_KEY", name, reason, "F15", toc=edit)

    yield member("unknown-member", lambda toc: {**toc, "more": 1}, "a third member beside layout and meta")
    yield member("unknown-in-layout", lambda toc: {**toc, "layout": {**toc["layout"], "a": 1}}, "an unknown member of layout")
    yield member("unknown-in-meta", lambda toc: {**toc, "meta": {**toc["meta"], "a": 1}}, "an unknown member of meta")
    yield member("no-layout", lambda toc: {"meta": toc["meta"]}, "layout is missing")
    yield member("no-meta", lambda toc: {"layout": toc["layout"]}, "meta is missing")
    yield member("no-sections", lambda toc: {**toc, "layout": {}}, "sections are missing")
    yield member("no-methods", lambda toc: {**toc, "meta": {}}, "methods are missing")
    yield member("array", lambda toc: [toc], "the contents are an array")
    yield member("layout-text", lambda toc: {**toc, "layout": "none"}, "layout is text")
    yield member("sections-map", lambda toc: {**toc, "layout": {"sections": {}}}, "sections are a map")
    yield member("methods-map", lambda toc: {**toc, "meta": {"methods": toc["meta"]["methods"][0]}}, "methods are a map")
    yield member("method-text", lambda toc: {**toc, "meta": {"methods": ["m"]}}, "a method is text")
    yield member("ext-array", lambda toc: {**toc, "meta": {**toc["meta"], "ext": []}}, "ext is an array")
    yield member("row-text", lambda toc: {**toc, "layout": {"sections": ["index"]}}, "a section is text")
    yield member("row-short", lambda toc: {**toc, "layout": {"sections": [toc["layout"]["sections"][0][:4]]}}, "a section has four fields")
    yield member("row-long", lambda toc: {**toc, "layout": {"sections": [toc["layout"]["sections"][0] + [0]]}}, "a section has six fields")
    for name, column, value in (
        ("name-number", 0, 1),
        ("flags-text", 1, "1"),
        ("flags-true", 1, True),
        ("flags-negative", 1, -1),
        ("offset-float", 2, 32.0),
        ("offset-negative", 2, -8),
        ("length-negative", 3, -1),
        ("length-bytes", 3, b"\x40"),
        ("crc-negative", 4, -1),
        ("crc-beyond-u32", 4, 2**32),
        ("crc-max", 4, MAX_INTEGER),
    ):
        yield member(f"row-{name}", _row(0, column, value), f"{name.replace('-', ' ')} in a section row")
    yield from _methods()


def _methods() -> Iterator[Vector]:
    for name, method in (
        ("unknown", {**METHOD, "host": "h"}),
        ("model-text", {**METHOD, "model": "m"}),
        ("extension", {"x.org.example.a": {}}),
        ("source-key", {"report": "given"}),
    ):
        columns = replace(basic().columns(), method=canonical.encode(method))
        draft = Draft([record_of(columns)], [columns.method], [b"basic"])
        yield _v("E_TOC_KEY", f"method-{name}", f"a method map with {name.replace('-', ' ')}", "F17", of=draft)
    two = draft_of(basic("a"), basic("b", provenance={**SOURCE, "prune": {"policy": "all"}}))
    yield _v("E_METHOD", "descending", "methods descend", "F18", of=two, toc=lambda toc: _with_methods(toc, toc["meta"]["methods"][::-1]))
    yield _v("E_METHOD", "twice", "a method stands twice", "F18", toc=lambda toc: _with_methods(toc, toc["meta"]["methods"] * 2))
    yield _v("E_METHOD", "absent", "the method of a record is absent", "R8", of=two, toc=lambda toc: _with_methods(toc, toc["meta"]["methods"][:1]))
    one, other = _same_tag()
    yield _v("E_METHOD", "same-tag", "two methods with the same tag", "F18", toc=lambda toc: _with_methods(toc, sorted([one, other], key=lambda m: sha256(canonical.encode(m)))))


def _with_methods(toc: Any, methods: list[Any]) -> Any:
    return {**toc, "meta": {"methods": methods}}


def _same_tag() -> tuple[Any, Any]:
    """Two method maps whose digests begin with the same four bytes; found by a search over 2^17 maps."""
    seen: dict[bytes, int] = {}
    for number in range(2**20):
        tag = sha256(canonical.encode({"prune": {"value": number}}))[:4]
        if tag in seen:
            return {"prune": {"value": seen[tag]}}, {"prune": {"value": number}}
        seen[tag] = number
    raise AssertionError("no two of a million digests share their first four bytes")


def map_vectors() -> Iterator[Vector]:
    """Encodings that are MessagePack but not canonical, put in place of the value of ``ext``."""
    for name, encoded, reason in (
        ("nil", b"\xc0", "nil"),
        ("never-used", b"\xc1", "the byte MessagePack never uses"),
        ("float32", b"\xca\x3f\x80\x00\x00", "a float32"),
        ("nan", b"\xcb\x7f\xf8" + bytes(6), "a float64 that is not a number"),
        ("infinite", b"\xcb\x7f\xf0" + bytes(6), "an infinite float64"),
        ("uint8-short", b"\xcc\x7f", "127 in two bytes"),
        ("uint16-short", b"\xcd\x00\xff", "255 in three bytes"),
        ("uint32-short", b"\xce\x00\x00\xff\xff", "65,535 in five bytes"),
        ("uint64-short", b"\xcf" + bytes(4) + b"\xff" * 4, "2^32 - 1 in nine bytes"),
        ("uint64-beyond", b"\xcf\x00\x20" + bytes(6), "the integer 2^53"),
        ("uint64-max", b"\xcf" + b"\xff" * 8, "the integer 2^64 - 1"),
        ("int8-short", b"\xd0\xe0", "-32 in two bytes"),
        ("int8-unsigned", b"\xd0\x01", "1 in a signed form"),
        ("int16-short", b"\xd1\xff\x80", "-128 in three bytes"),
        ("int32-short", b"\xd2\xff\xff\x80\x00", "-32,768 in five bytes"),
        ("int64-short", b"\xd3" + b"\xff" * 4 + b"\x80\x00\x00\x00", "-2^31 in nine bytes"),
        ("int64-beyond", b"\xd3\xff\xe0" + bytes(6), "the integer -2^53"),
        ("int64-least", b"\xd3\x80" + bytes(7), "the integer -2^63"),
        ("str8-short", b"\xd9\x1f" + b"s" * 31, "a text of 31 bytes with a length byte"),
        ("str16-short", b"\xda\x00\xff" + b"s" * 255, "a text of 255 bytes with two length bytes"),
        ("str32-short", b"\xdb\x00\x00\x00\x01s", "a text of one byte with four length bytes"),
        ("bin16-short", b"\xc5\x00\x01b", "one byte with two length bytes"),
        ("bin32-short", b"\xc6\x00\x00\x00\x01b", "one byte with four length bytes"),
        ("array16-short", b"\xdc\x00\x01\x01", "an array of one with two length bytes"),
        ("array32-short", b"\xdd\x00\x00\x00\x01\x01", "an array of one with four length bytes"),
        ("map16-short", b"\xde\x00\x01\xa1a\x01", "a map of one with two length bytes"),
        ("map32-short", b"\xdf\x00\x00\x00\x01\xa1a\x01", "a map of one with four length bytes"),
        ("fixext", b"\xd4\x01\x00", "an extension type"),
        ("ext8", b"\xc7\x01\x01\x00", "an extension type with a length"),
        ("timestamp", b"\xd6\xff\x00\x00\x00\x00", "a timestamp"),
        ("utf8-invalid", b"\xa2\xc3\x28", "a text that is not UTF-8"),
        ("utf8-surrogate", b"\xa3\xed\xa0\x80", "a text with a surrogate"),
        ("utf8-overlong", b"\xa2\xc0\x80", "a text with an overlong encoding"),
        ("utf8-beyond", b"\xa4\xf4\x90\x80\x80", "a text beyond U+10FFFF"),
        ("key-number", b"\x81\x01\x01", "a key that is a number"),
        ("key-bytes", b"\x81\xc4\x01a\x01", "a key that is bytes"),
        ("key-map", b"\x81\x80\x01", "a key that is a map"),
        ("keys-equal", b"\x82\xa1a\x01\xa1a\x02", "the same key twice"),
        ("keys-descend", b"\x82\xa1b\x01\xa1a\x02", "keys that descend"),
        ("keys-by-length", b"\x82\xa1b\x01\xa2aa\x02", "keys by length instead of bytes"),
        ("keys-utf16-order", b"\x82\xa4\xf0\x9f\xab\x81\x01\xa3\xef\xbf\xbd\x01", "keys in the order of UTF-16"),
        ("deep-array", b"\x91" * 7 + b"\x90", "arrays nine deep in all"),
        ("deep-map", b"\x81\xa1a" * 7 + b"\x80", "maps nine deep in all"),
        ("array-claims", b"\xdd\xff\xff\xff\xff", "an array that claims 2^32 - 1 members"),
        ("map-claims", b"\xdf\xff\xff\xff\xff", "a map that claims 2^32 - 1 members"),
        ("text-claims", b"\xdb\xff\xff\xff\xff", "a text that claims 2^32 - 1 bytes"),
        ("text-too-long", b"\xdb\x00\x10\x00\x01", "a text that claims 1,048,577 bytes"),
    ):
        # In {"a": value}, so that a value of the wrong type is not the first rule broken.
        yield _v("E_TOC_FORM", f"map-{name}", f"a map holds {reason}", "F14", toc=_ext_marker, toc_bytes=_ext(encoded))
    yield _v("E_TOC_FORM", "trailing", "a byte follows the contents", "F14", toc_bytes=lambda toc: toc + b"\x80")
    yield _v("E_TOC_FORM", "cut", "the contents end inside a value", "F14", toc_bytes=lambda toc: toc[:-1])
    yield _v("E_TOC_FORM", "empty", "contents without a byte", "F14", toc_bytes=lambda _: b"")
    many = b"\xdd\x00\x01\x86\xa1" + bytes(100_001)
    yield _v("E_TOC_FORM", "too-many-values", "more than 100,000 values", "F14", toc=_ext_marker, toc_bytes=_ext(many))


def _ext_marker(toc: Any) -> Any:
    return {**toc, "meta": {**toc["meta"], "ext": {"a": "MARK"}}}


def _ext(encoded: bytes) -> Callable[[bytes], bytes]:
    return lambda toc: toc.replace(b"\xa4MARK", encoded)


def section_vectors() -> Iterator[Vector]:
    yield from _section_rows()
    yield from _section_bytes()
    yield from _index()
    yield from _keys()


def _section_rows() -> Iterator[Vector]:
    draft = draft_of(basic())
    size = len(draft.pack())
    for name, bad in (
        ("empty", ""), ("upper", "Index2"), ("digit-first", "1a"), ("space", "a b"), ("slash", "a/b"), ("dots", "a..b"),
        ("nul", "a\x00"), ("non-ascii", "é"), ("33-bytes", "a" * 33), ("x-two-parts", "x.a.b"), ("x-empty-label", "x.a..b.c"),
        ("x-upper", "x.Org.example.a"), ("x-trailing-dot", "x.org.example."), ("x-name-digit", "x.org.example.1a"),
        ("x-hyphen-first", "x.org.-e.a"), ("x-underscore", "x.org.ex_ample.a"), ("newline", "a\n"),
    ):  # fmt: skip
        yield _v("E_NAME", f"section-{name}", f"a section called {bad!r}", "F15", more_sections=[SectionDraft(bad, 0, b"1")])
    later = SectionDraft("later", 0, b"12345678")
    for flags in (1, 3):
        yield _v("E_SECTION", f"critical-{flags}", f"an unknown section with flags {flags}", "F15", more_sections=[replace(later, flags=flags)])
    for flags in (4, 8, 255, MAX_INTEGER):
        yield _v("E_SECTION", f"reserved-flags-{flags}", "reserved flags are set", "F15", toc=_row(1, 1, flags), more_sections=[later])
    for flags in (0, 2, 3):
        yield _v("E_SECTION", f"index-flags-{flags}", f"the index with flags {flags}", "F16", toc=_row(0, 1, flags))
    five = draft_of(*[textual(name) for name in "abcde"])
    yield _v("E_SECTION", "keys-flags", "keys with flags 1", "F16", of=five, toc=_row(1, 1, 1))
    yield _v("E_SECTION", "twice", "two sections of one name", "F15", more_sections=[later, later])
    yield _v("E_SECTION", "no-sections", "no section at all", "F16", toc=lambda toc: {**toc, "layout": {"sections": []}})
    yield _v("E_SECTION", "index-second", "the index is not first", "F16", of=five, sections=lambda sections: sections[::-1])
    yield _v("E_SECTION", "keys-absent", "five studies without keys", "F16", of=five, sections=lambda sections: sections[:1])
    keys = SectionDraft("keys", 0, struct.pack("<IIII", 0, 0, 5, 0) + b"basic")
    yield _v("E_SECTION", "keys-of-one", "keys in a file of one study", "F16", more_sections=[keys])
    sixty_five = [SectionDraft(f"s{number}", 0, b"1") for number in range(64)]
    yield _v("E_LIMIT", "sections-65", "65 sections", "R10", more_sections=sixty_five)
    for name, column, value, code in (
        ("offset-plus-8", 2, None, "E_COVER"), ("offset-0", 2, 0, "E_COVER"), ("offset-end", 2, size, "E_COVER"), ("offset-max", 2, MAX_INTEGER, "E_OVERFLOW"),
        ("length-0", 3, 0, "E_RANGE"), ("length-plus-8", 3, 16, "E_COVER"), ("length-size", 3, size, "E_COVER"), ("length-max", 3, MAX_INTEGER, "E_OVERFLOW"),
    ):  # fmt: skip
        def edit(toc: Any, column: int = column, value: int | None = value) -> Any:
            return _row(1, column, toc["layout"]["sections"][1][2] + 8 if value is None else value)(toc)

        yield _v(code, f"section-{name}", f"a section with {name.replace('-', ' ')}", "F15", "F2", toc=edit, more_sections=[later])
    yield _v("E_COVER", "section-gap", "eight bytes between the last section and the contents", "F4", before_toc=bytes(8))
    yield _v("E_COVER", "section-unlisted", "a section that the contents do not list", "F4", more_sections=[later], toc=lambda toc: {**toc, "layout": {"sections": toc["layout"]["sections"][:1]}})
    yield _v("E_COVER", "toc-padding", "padding of the contents is not zero", "F3", toc_bytes=_odd_length, toc=_odd_toc, toc_padding=None, file=_dirty_toc_padding)


def _odd_toc(toc: Any) -> Any:
    return {**toc, "meta": {**toc["meta"], "ext": {}}}


def _odd_length(toc: bytes) -> bytes:
    if len(toc) % 8 == 0:
        raise AssertionError("these contents need no padding; choose others")
    return toc


def _dirty_toc_padding(data: bytes) -> bytes:
    return data[:-97] + b"\x01" + data[-96:]


def _section_bytes() -> Iterator[Vector]:
    later = SectionDraft("later", 0, b"1234567")
    yield _v("E_CRC", "index-byte", "a flipped bit in the index", "R7", sealed_index=put(9, "B", 0xFF))
    yield _v("E_CRC", "index-table", "another page CRC of the index", "R7", sealed_index=put(64, "I", 0))
    yield _v("E_CRC", "table-crc", "another CRC of the page table", "R7", toc=_row(0, 4, 0))
    yield _v("E_CRC", "section-byte", "a flipped bit in an unknown section", "R7", more_sections=[replace(later, sealed_edit=put(0, "B", 0))])
    pages = SectionDraft("pages", 0, bytes(65_537), sealed_edit=put(65_536, "B", 1))
    yield _v("E_CRC", "second-page", "a flipped bit in the second page of a section", "R7", more_sections=[pages])
    yield _v("E_CRC", "page-crc", "another page CRC under a right CRC of the table", "R7", more_sections=[replace(later, table_edit=put(0, "I", 7))])
    yield _v("E_COVER", "section-padding", "padding of a section is not zero", "F3", more_sections=[replace(later, sealed_edit=put(15, "B", 1))])
    yield _v("E_COVER", "index-padding", "padding of the index is not zero", "F3", sealed_index=put(71, "B", 1))


def _index() -> Iterator[Vector]:
    draft = draft_of(textual("a"), basic("b"), textual("c"))
    first, second, third = (len(record) for record in draft.records)

    def row(code: str, name: str, offset: int, kind: str, value: int, *requirements: str) -> Vector:
        return _v(code, f"index-{name}", f"index: {name.replace('-', ' ')}", *requirements, of=draft, index=put(offset, kind, value))

    for name, number, value, code in (
        ("first-offset-0", 0, 0, "E_INDEX"), ("first-offset-40", 0, 40, "E_INDEX"), ("offset-plus-8", 1, 32 + first + 8, "E_INDEX"), ("offset-minus-8", 1, 32 + first - 8, "E_INDEX"),
        ("offset-equal", 1, 32, "E_INDEX"), ("offset-0", 2, 0, "E_INDEX"), ("offset-max-integer", 1, MAX_INTEGER, "E_INDEX"), ("offset-beyond-integers", 1, 2**53, "E_OVERFLOW"),
        ("offset-max", 2, 2**64 - 1, "E_OVERFLOW"), ("offset-wrap", 1, 2**64 - 8, "E_OVERFLOW"),
    ):  # fmt: skip
        yield row(code, name, 8 * number, "Q", value, "F18", "F2")
    for name, number, value in (("length-0", 0, 0), ("length-minus-8", 0, first - 8), ("length-plus-8", 1, second + 8), ("last-length-plus-8", 2, third + 8), ("length-max", 1, 2**32 - 1)):
        yield row("E_INDEX", name, 24 + 4 * number, "I", value, "F18")
    swapped = replace(draft, index=lambda data: data.__setitem__(slice(24, 32), data[28:32] + data[24:28]))
    yield _v("E_INDEX", "index-lengths-swapped", "index: lengths of two records exchanged", "F18", of=swapped)
    for number, name in enumerate(("n-patches", "n-edges", "n-concepts", "n-triples", "n-fusion")):
        at = 36 + 12 * number + 4
        right = struct.unpack_from("<I", draft.records[1], 16 + 4 * (2, 4, 5, 8, 9)[number])[0]
        for label, value in (("plus-1", right + 1), ("minus-1", right - 1), ("max", 2**32 - 1)):
            yield row("E_RECORD", f"{name}-{label}", at, "I", value, "R8")
    yield row("E_DIGEST", "leaf", 96 + 32, "B", 0x5A, "R5")
    short = SectionDraft("index", 1, b"")
    for name, change in (("short", lambda payload: payload[:-64]), ("long", lambda payload: payload + bytes(64)), ("odd", lambda payload: payload + bytes(1))):

        def resize(sections: list[SectionDraft], change: Callable[[bytes], bytes] = change) -> list[SectionDraft]:
            return [replace(short, payload=change(sections[0].payload)), *sections[1:]]

        yield _v("E_INDEX", f"index-{name}", f"an index that is {name}", "F18", of=draft, sections=resize)


def _keys() -> Iterator[Vector]:
    draft = draft_of(textual("bb"), textual("a"), textual("ccc"))

    def keys(code: str, name: str, reason: str, edit: Any, *requirements: str) -> Vector:
        return _v(code, f"keys-{name}", f"keys: {reason}", *(requirements or ("F19",)), of=draft, keys=edit)

    yield keys("E_INDEX", "order-repeats", "a record stands twice in the order", put(4, "I", 1))
    yield keys("E_INDEX", "order-beyond", "a record that does not exist", put(4, "I", 3))
    yield keys("E_INDEX", "order-max", "record 2^32 - 1", put(4, "I", 2**32 - 1))
    yield keys("E_INDEX", "order-descends", "the order is not that of the ids", put(0, "s", struct.pack("<III", 0, 1, 2)))
    yield keys("E_COVER", "order-padding", "padding is not zero", put(12, "B", 1), "F3")
    yield keys("E_COVER", "end-padding", "padding is not zero", put(28, "B", 1), "F3")
    for name, number, value in (("end-0", 0, 0), ("end-equal", 1, 2), ("end-descends", 1, 1), ("end-beyond", 2, 7), ("end-short", 2, 5), ("end-max", 1, 2**32 - 1)):
        yield keys("E_INDEX", name, name.replace("-", " "), put(16 + 4 * number, "I", value))
    yield keys("E_INDEX", "other-id", "an id that is not the one in the record", put(32, "s", b"bc"))
    yield keys("E_INDEX", "no-utf-8", "an id that is not UTF-8", put(33, "B", 0xFF))

    def payload(change: Callable[[bytes], bytes]) -> Callable[[list[SectionDraft]], list[SectionDraft]]:
        return lambda sections: [sections[0], replace(sections[1], payload=change(sections[1].payload))]

    yield _v("E_INDEX", "keys-short", "keys: shorter than their columns", "F19", of=draft, sections=payload(lambda data: data[:24]))
    yield _v("E_INDEX", "keys-long", "keys: a byte follows the ids", "F19", of=draft, sections=payload(lambda data: data + b"d"))
    same = draft_of(textual("same"), basic("same"))
    yield _v("E_DUP", "two-equal-ids", "two studies have the same id", "F19", of=same)
    more = draft_of(textual("b"), textual("a"), textual("b"), textual("c"))
    yield _v("E_DUP", "equal-ids-apart", "two of four studies have the same id", "F19", of=more)
