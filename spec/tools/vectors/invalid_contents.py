"""Broken contents and sections (FORMAT.md sections 6 and 6.2)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from neuralgraph.wire import canonical
from spec.tools.vectors.draft import Draft, SectionDraft, put, sha256
from spec.tools.vectors.studies import METHOD, SOURCE, basic, draft_of, record_of, textual
from spec.tools.vectors.vector import Vector

__all__ = ["MAX_INTEGER", "contents_vector", "contents_vectors", "section_vectors"]

MAX_INTEGER = 2**53 - 1


def contents_vector(
    code: str, name: str, reason: str, *requirements: str, of: Draft | None = None, **edits: Any
) -> Vector:
    """A file, of one basic study unless ``of`` is given, with edits of its draft."""
    return Vector(name, replace(of or draft_of(basic()), **edits).pack(), reason, requirements, code)


def _row(number: int, column: int, value: Any) -> Callable[[Any], Any]:
    """Changes one field of one section row."""

    def edit(toc: Any) -> Any:
        rows = toc["layout"]["sections"]
        row = [*rows[number][:column], value, *rows[number][column + 1 :]]
        return {**toc, "layout": {"sections": [*rows[:number], row, *rows[number + 1 :]]}}

    return edit


def contents_vectors() -> Iterator[Vector]:
    """Broken members, rows and methods."""

    def member(name: str, edit: Callable[[Any], Any], reason: str) -> Vector:
        return contents_vector("E_TOC_KEY", name, reason, "F15", toc=edit)

    yield member("unknown-member", lambda toc: {**toc, "more": 1}, "a third member beside layout and meta")
    yield member(
        "unknown-in-layout", lambda toc: {**toc, "layout": {**toc["layout"], "a": 1}}, "an unknown member of layout"
    )
    yield member("unknown-in-meta", lambda toc: {**toc, "meta": {**toc["meta"], "a": 1}}, "an unknown member of meta")
    yield member(
        "extension-member", lambda toc: {**toc, "x.org.example.a": 1}, "an extension's name beside layout and meta"
    )
    yield member(
        "extension-in-meta",
        lambda toc: {**toc, "meta": {**toc["meta"], "x.org.example.a": {}}},
        "an extension's name in meta, where ext is for extensions",
    )
    yield member("no-layout", lambda toc: {"meta": toc["meta"]}, "layout is missing")
    yield member("no-meta", lambda toc: {"layout": toc["layout"]}, "meta is missing")
    yield member("no-sections", lambda toc: {**toc, "layout": {}}, "sections are missing")
    yield member("no-methods", lambda toc: {**toc, "meta": {}}, "methods are missing")
    yield member("array", lambda toc: [toc], "the contents are an array")
    yield member("layout-text", lambda toc: {**toc, "layout": "none"}, "layout is text")
    yield member("sections-map", lambda toc: {**toc, "layout": {"sections": {}}}, "sections are a map")
    yield member(
        "methods-map", lambda toc: {**toc, "meta": {"methods": toc["meta"]["methods"][0]}}, "methods are a map"
    )
    yield member("method-text", lambda toc: {**toc, "meta": {"methods": ["m"]}}, "a method is text")
    yield member("ext-array", lambda toc: {**toc, "meta": {**toc["meta"], "ext": []}}, "ext is an array")
    yield member("row-text", lambda toc: {**toc, "layout": {"sections": ["index"]}}, "a section is text")
    yield member(
        "row-short",
        lambda toc: {**toc, "layout": {"sections": [toc["layout"]["sections"][0][:4]]}},
        "a section has four fields",
    )
    yield member(
        "row-long",
        lambda toc: {**toc, "layout": {"sections": [toc["layout"]["sections"][0] + [0]]}},
        "a section has six fields",
    )
    for name, column, value in (
        ("name-number", 0, 1),
        ("flags-text", 1, "1"),
        ("flags-true", 1, True),
        ("offset-float", 2, 32.0),
        ("length-bytes", 3, b"\x40"),
        ("crc-text", 4, "0"),
    ):
        yield member(f"row-{name}", _row(0, column, value), f"{name.replace('-', ' ')} in a section row")
    yield from _methods()


def _methods() -> Iterator[Vector]:
    for name, method in (
        ("unknown", {**METHOD, "host": "h"}),
        ("model-text", {**METHOD, "model": "m"}),
        ("extension", {"x.org.example.a": {}}),
        ("model-extension", {"model": {"name": "m", "x.org.example.a": 1}}),
        ("model-member", {**METHOD, "model": {"name": "m", "path": "p"}}),
        ("extractor-member", {"extractor": {"host": "h"}}),
        ("prune-member", {"prune": {"layer": 1}}),
        ("score-member", {"score": {"name": "m"}}),
        ("source-key", {"report": "given"}),
    ):
        columns = replace(basic().columns(), method=canonical.encode(method))
        draft = Draft([record_of(columns)], [columns.method], [b"basic"])
        yield contents_vector(
            "E_TOC_KEY", f"method-{name}", f"a method map with {name.replace('-', ' ')}", "F17", of=draft
        )
    two = draft_of(basic("a"), basic("b", provenance={**SOURCE, "prune": {"policy": "all"}}))
    yield contents_vector(
        "E_METHOD",
        "descending",
        "methods descend",
        "F39",
        of=two,
        toc=lambda toc: _with_methods(toc, toc["meta"]["methods"][::-1]),
    )
    yield contents_vector(
        "E_METHOD",
        "descending-unknown",
        "methods descend, and the first has an unknown member: order comes first",
        "R12",
        of=two,
        toc=lambda toc: _with_methods(
            toc,
            sorted(
                [{**method, "host": "h"} for method in toc["meta"]["methods"]],
                key=lambda method: sha256(canonical.encode(method)),
                reverse=True,
            ),
        ),
    )
    yield contents_vector(
        "E_METHOD",
        "twice",
        "a method stands twice",
        "F39",
        toc=lambda toc: _with_methods(toc, toc["meta"]["methods"] * 2),
    )
    yield contents_vector(
        "E_METHOD",
        "absent",
        "the method of a record is absent",
        "F39",
        of=two,
        toc=lambda toc: _with_methods(toc, toc["meta"]["methods"][:1]),
    )
    one, other = _same_tag()
    yield contents_vector(
        "E_METHOD",
        "same-tag",
        "two methods with the same tag",
        "F39",
        toc=lambda toc: _with_methods(toc, sorted([one, other], key=lambda m: sha256(canonical.encode(m)))),
    )


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


def section_vectors() -> Iterator[Vector]:
    """Broken section rows and section bytes."""
    yield from _section_rows()
    yield from _section_bytes()


def _section_rows() -> Iterator[Vector]:
    draft = draft_of(basic())
    size = len(draft.pack())
    for name, bad in (
        ("empty", ""), ("upper", "Index2"), ("digit-first", "1a"), ("space", "a b"), ("slash", "a/b"), ("dots", "a..b"),
        ("nul", "a\x00"), ("non-ascii", "é"), ("33-bytes", "a" * 33), ("x-two-parts", "x.a.b"),
        ("x-empty-label", "x.a..b.c"),
        ("x-upper", "x.Org.example.a"), ("x-trailing-dot", "x.org.example."),
        ("x-256-bytes", "x.org.example." + "a" * 242),
        ("x-hyphen-first", "x.org.-e.a"), ("x-underscore", "x.org.ex_ample.a"), ("newline", "a\n"),
    ):  # fmt: skip
        yield contents_vector(
            "E_NAME", f"section-{name}", f"a section called {bad!r}", "F15", more_sections=[SectionDraft(bad, 0, b"1")]
        )
    later = SectionDraft("later", 0, b"12345678")
    for flags in (1, 3):
        yield contents_vector(
            "E_SECTION",
            f"critical-{flags}",
            f"an unknown section with flags {flags}",
            "F15",
            more_sections=[replace(later, flags=flags)],
        )
    for flags in (4, 8, 255, MAX_INTEGER):
        yield contents_vector(
            "E_SECTION",
            f"reserved-flags-{flags}",
            "reserved flags are set",
            "F15",
            "R15",
            toc=_row(1, 1, flags),
            more_sections=[later],
        )
    for flags in (0, 2, 3):
        yield contents_vector(
            "E_SECTION", f"index-flags-{flags}", f"the index with flags {flags}", "F16", toc=_row(0, 1, flags)
        )
    five = draft_of(*[textual(name) for name in "abcde"])
    yield contents_vector("E_SECTION", "keys-flags", "keys with flags 1", "F16", of=five, toc=_row(1, 1, 1))
    for name in ("graphs", "dictionary_00010000", "codebook_0123456789abcdef"):
        needed = SectionDraft(name, 1, b"12345678")
        yield contents_vector(
            "E_SECTION", f"critical-{name[:8]}", f"a critical section {name}", "F15", more_sections=[needed]
        )
    yield contents_vector("E_SECTION", "twice", "two sections of one name", "F15", more_sections=[later, later])
    yield contents_vector(
        "E_SECTION", "no-sections", "no section at all", "F16", toc=lambda toc: {**toc, "layout": {"sections": []}}
    )
    yield contents_vector(
        "E_SECTION", "index-second", "the index is not first", "F16", of=five, sections=lambda sections: sections[::-1]
    )
    yield contents_vector(
        "E_SECTION", "keys-absent", "five studies without keys", "F16", of=five, sections=lambda sections: sections[:1]
    )
    keys = SectionDraft("keys", 0, struct.pack("<IIII", 0, 0, 5, 0) + b"basic")
    yield contents_vector("E_SECTION", "keys-of-one", "keys in a file of one study", "F16", more_sections=[keys])
    sixty_five = [SectionDraft(f"s{number}", 0, b"1") for number in range(64)]
    yield contents_vector("E_LIMIT", "sections-65", "65 sections", "R10", more_sections=sixty_five)
    for name, column, value, code in (
        ("offset-plus-8", 2, None, "E_COVER"), ("offset-0", 2, 0, "E_COVER"), ("offset-end", 2, size, "E_COVER"),
        ("offset-max", 2, MAX_INTEGER, "E_COVER"), ("offset-negative", 2, -8, "E_RANGE"),
        ("crc-negative", 4, -1, "E_RANGE"), ("crc-beyond-u32", 4, 2**32, "E_RANGE"),
        ("crc-max", 4, MAX_INTEGER, "E_RANGE"),
        ("length-0", 3, 0, "E_RANGE"), ("length-plus-8", 3, 16, "E_COVER"), ("length-size", 3, size, "E_COVER"),
        ("length-max", 3, MAX_INTEGER, "E_COVER"), ("length-negative", 3, -1, "E_RANGE"),
        ("flags-negative", 1, -1, "E_SECTION"),
    ):  # fmt: skip

        def edit(toc: Any, column: int = column, value: int | None = value) -> Any:
            return _row(1, column, toc["layout"]["sections"][1][2] + 8 if value is None else value)(toc)

        yield contents_vector(
            code,
            f"section-{name}",
            f"a section with {name.replace('-', ' ')}",
            "F15",
            "F2",
            toc=edit,
            more_sections=[later],
        )
    yield contents_vector(
        "E_COVER", "section-gap", "eight bytes between the last section and the contents", "F4", before_toc=bytes(8)
    )
    yield contents_vector(
        "E_COVER",
        "section-unlisted",
        "a section that the contents do not list",
        "F4",
        more_sections=[later],
        toc=lambda toc: {**toc, "layout": {"sections": toc["layout"]["sections"][:1]}},
    )
    yield contents_vector(
        "E_COVER",
        "toc-padding",
        "padding of the contents is not zero",
        "F3",
        toc_bytes=_odd_length,
        toc=_odd_toc,
        toc_padding=None,
        file=_dirty_toc_padding,
    )


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
    yield contents_vector("E_CRC", "index-byte", "a flipped bit in the index", "R7", sealed_index=put(9, "B", 0xFF))
    yield contents_vector("E_CRC", "index-table", "another page CRC of the index", "R7", sealed_index=put(64, "I", 0))
    yield contents_vector("E_CRC", "table-crc", "another CRC of the page table", "R7", toc=_row(0, 4, 0))
    yield contents_vector(
        "E_CRC",
        "section-byte",
        "a flipped bit in an unknown section",
        "R7",
        more_sections=[replace(later, sealed_edit=put(0, "B", 0))],
    )
    pages = SectionDraft("pages", 0, bytes(65_537), sealed_edit=put(65_536, "B", 1))
    yield contents_vector(
        "E_CRC", "second-page", "a flipped bit in the second page of a section", "R7", more_sections=[pages]
    )
    yield contents_vector(
        "E_CRC",
        "page-crc",
        "another page CRC under a right CRC of the table",
        "R7",
        more_sections=[replace(later, table_edit=put(0, "I", 7))],
    )
    yield contents_vector(
        "E_COVER",
        "section-padding",
        "padding of a section is not zero",
        "F3",
        more_sections=[replace(later, sealed_edit=put(15, "B", 1))],
    )
    yield contents_vector(
        "E_COVER", "index-padding", "padding of the index is not zero", "F3", sealed_index=put(71, "B", 1)
    )
