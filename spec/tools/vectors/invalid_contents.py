"""Broken contents, sections, index and keys (FORMAT.md sections 6, 6.2, 6.4 and 6.5)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from neuralgraph.wire import canonical
from spec.tools.vectors.draft import INDEXED_COUNTS, Draft, SectionDraft, count_at, put, sha256
from spec.tools.vectors.studies import METHOD, SOURCE, basic, draft_of, of_columns, textual
from spec.tools.vectors.vector import Table, each

__all__ = ["contents_vectors", "section_vectors"]

MAX32, MAX_INTEGER = 2**32 - 1, 2**53 - 1
Contents = Any
"""The contents as a value: {"layout": {"sections": rows}, "meta": {"methods": maps}}."""


BASIC = draft_of(basic())


def contents_vectors() -> Table:
    """Broken members, rows and methods."""
    return {**_members(), **_methods()}


def section_vectors() -> Table:
    """Broken section rows, section bytes, index and keys."""
    return {**_section_rows(), **_section_bytes(), **_index(), **_keys()}


def _layout(toc: Contents, sections: Any) -> Contents:
    return {**toc, "layout": {"sections": sections}}


def _meta(toc: Contents, **members: Any) -> Contents:
    return {**toc, "meta": {**toc["meta"], **members}}


def _row(number: int, column: int, value: Any) -> Callable[[Contents], Contents]:
    """Changes one field of one section row; ``value`` may be made of the right one."""

    def change(toc: Contents) -> Contents:
        rows = [list(row) for row in toc["layout"]["sections"]]
        rows[number][column] = value(rows[number][column]) if callable(value) else value
        return _layout(toc, rows)

    return change


def _toc(change: Callable[[Contents], Contents], **edits: Any) -> Draft:
    """The basic file with other contents."""
    return replace(BASIC, toc=change, **edits)


def _members() -> Table:
    return {
        "E_TOC_KEY F15 unknown-member: a third member beside layout and meta": _toc(lambda toc: {**toc, "more": 1}),
        "E_TOC_KEY F15 unknown-in-layout: an unknown member of layout":
            _toc(lambda toc: {**toc, "layout": {**toc["layout"], "a": 1}}),
        "E_TOC_KEY F15 unknown-in-meta: an unknown member of meta": _toc(lambda toc: _meta(toc, a=1)),
        "E_TOC_KEY F15 extension-member: an extension's name beside layout and meta":
            _toc(lambda toc: {**toc, "x.org.example.a": 1}),
        "E_TOC_KEY F15 extension-in-meta: an extension's name in meta, where ext is for extensions":
            _toc(lambda toc: _meta(toc, **{"x.org.example.a": {}})),
        "E_TOC_KEY F15 no-layout: layout is missing": _toc(lambda toc: {"meta": toc["meta"]}),
        "E_TOC_KEY F15 no-meta: meta is missing": _toc(lambda toc: {"layout": toc["layout"]}),
        "E_TOC_KEY F15 no-sections: sections are missing": _toc(lambda toc: {**toc, "layout": {}}),
        "E_TOC_KEY F15 no-methods: methods are missing": _toc(lambda toc: {**toc, "meta": {}}),
        "E_TOC_KEY F15 array: the contents are an array": _toc(lambda toc: [toc]),
        "E_TOC_KEY F15 layout-text: layout is text": _toc(lambda toc: {**toc, "layout": "none"}),
        "E_TOC_KEY F15 sections-map: sections are a map": _toc(lambda toc: _layout(toc, {})),
        "E_TOC_KEY F15 methods-map: methods are a map":
            _toc(lambda toc: _meta(toc, methods=toc["meta"]["methods"][0])),
        "E_TOC_KEY F15 method-text: a method is text": _toc(lambda toc: _meta(toc, methods=["m"])),
        "E_TOC_KEY F15 ext-array: ext is an array": _toc(lambda toc: _meta(toc, ext=[])),
        "E_TOC_KEY F15 row-text: a section is text": _toc(lambda toc: _layout(toc, ["index"])),
        "E_TOC_KEY F15 row-short: a section has four fields":
            _toc(lambda toc: _layout(toc, [toc["layout"]["sections"][0][:4]])),
        "E_TOC_KEY F15 row-long: a section has six fields":
            _toc(lambda toc: _layout(toc, [toc["layout"]["sections"][0] + [0]])),
        **each("E_TOC_KEY F15 row-{name}: {words} in a section row", {
            "name-number": (0, 1),
            "flags-text": (1, "1"),
            "flags-true": (1, True),
            "offset-float": (2, 32.0),
            "length-bytes": (3, b"\x40"),
            "crc-text": (4, "0"),
        }, lambda field: _toc(_row(0, *field))),
        **each("E_TOC_KEY F17 method-{name}: a method map with {words}", {
            "unknown": {**METHOD, "host": "h"},
            "model-text": {**METHOD, "model": "m"},
            "extension": {"x.org.example.a": {}},
            "model-extension": {"model": {"name": "m", "x.org.example.a": 1}},
            "model-member": {**METHOD, "model": {"name": "m", "path": "p"}},
            "extractor-member": {"extractor": {"host": "h"}},
            "prune-member": {"prune": {"layer": 1}},
            "score-member": {"score": {"name": "m"}},
            "source-key": {"report": "given"},
        }, lambda method: of_columns(replace(basic().columns(), method=canonical.encode(method)))),
    }  # fmt: skip


def _methods() -> Table:
    two = draft_of(basic("a"), basic("b", provenance={**SOURCE, "prune": {"policy": "all"}}))

    def methods(of: Draft, change: Callable[[list[Any]], list[Any]]) -> Draft:
        return replace(of, toc=lambda toc: _meta(toc, methods=change(toc["meta"]["methods"])))

    def by_digest(maps: list[Any]) -> list[Any]:
        return sorted(maps, key=lambda method: sha256(canonical.encode(method)))

    return {
        "E_METHOD F39 descending: methods descend": methods(two, lambda both: both[::-1]),
        "E_METHOD R12 descending-unknown: methods descend, and the first has an unknown member: order comes first":
            methods(two, lambda both: by_digest([{**method, "host": "h"} for method in both])[::-1]),
        "E_METHOD F39 twice: a method stands twice": methods(BASIC, lambda one: one * 2),
        "E_METHOD F39 absent: the method of a record is absent": methods(two, lambda both: both[:1]),
        "E_METHOD F39 same-tag: two methods with the same tag": methods(BASIC, lambda _: by_digest(_same_tag())),
    }  # fmt: skip


def _same_tag() -> list[Any]:
    """Two method maps whose digests begin with the same four bytes; found by a search over 2^17 maps."""
    seen: dict[bytes, int] = {}
    for number in range(2**20):
        tag = sha256(canonical.encode({"prune": {"value": number}}))[:4]
        if tag in seen:
            return [{"prune": {"value": seen[tag]}}, {"prune": {"value": number}}]
        seen[tag] = number
    raise AssertionError("no two of a million digests share their first four bytes")


LATER = SectionDraft("later", 0, b"12345678")


def _more(*sections: SectionDraft) -> Draft:
    return replace(BASIC, more_sections=list(sections))


def _section_rows() -> Table:
    five_with = partial(replace, draft_of(*map(textual, "abcde")))
    keys = SectionDraft("keys", 0, struct.pack("<IIII", 0, 0, 5, 0) + b"basic")
    size = len(BASIC.pack())
    names = {
        "empty": "", "upper": "Index2", "digit-first": "1a", "space": "a b", "slash": "a/b", "dots": "a..b",
        "nul": "a\x00", "non-ascii": "é", "33-bytes": "a" * 33, "x-two-parts": "x.a.b", "x-empty-label": "x.a..b.c",
        "x-upper": "x.Org.example.a", "x-trailing-dot": "x.org.example.",
        "x-256-bytes": "x.org.example." + "a" * 242,
        "x-hyphen-first": "x.org.-e.a", "x-underscore": "x.org.ex_ample.a", "newline": "a\n",
    }  # fmt: skip
    return {
        **each("E_NAME F15 section-{name}: a section called {value!r}", names,
            lambda bad: _more(SectionDraft(bad, 0, b"1"))),
        **each("E_SECTION F15 critical-{value}: an unknown section with flags {value}", (1, 3),
            lambda flags: _more(replace(LATER, flags=flags))),
        **each("E_SECTION F15 R15 reserved-flags-{value}: reserved flags are set", (4, 8, 255, MAX_INTEGER),
            lambda flags: _toc(_row(1, 1, flags), more_sections=[LATER])),
        **each("E_SECTION F16 index-flags-{value}: the index with flags {value}", (0, 2, 3),
            lambda flags: _toc(_row(0, 1, flags))),
        "E_SECTION F16 keys-flags: keys with flags 1": five_with(toc=_row(1, 1, 1)),
        **each("E_SECTION F15 critical-{name}: a critical section {value}",
            {name[:8]: name for name in ("graphs", "dictionary_00010000", "codebook_0123456789abcdef")},
            lambda name: _more(replace(LATER, name=name, flags=1))),
        "E_SECTION F15 twice: two sections of one name": _more(LATER, LATER),
        "E_SECTION F16 no-sections: no section at all": _toc(lambda toc: _layout(toc, [])),
        "E_SECTION F16 index-second: the index is not first": five_with(sections=lambda sections: sections[::-1]),
        "E_SECTION F16 keys-absent: five studies without keys": five_with(sections=lambda sections: sections[:1]),
        "E_SECTION F16 keys-of-one: keys in a file of one study": _more(keys),
        "E_LIMIT R10 sections-65: 65 sections": _more(*(SectionDraft(f"s{n}", 0, b"1") for n in range(64))),
        **each("{code} F15 F2 section-{name}: a section with {words}", {
            "E_COVER offset-plus-8": (2, lambda offset: offset + 8),
            "E_COVER offset-0": (2, 0),
            "E_COVER offset-end": (2, size),
            "E_COVER offset-max": (2, MAX_INTEGER),
            "E_RANGE offset-negative": (2, -8),
            "E_RANGE crc-negative": (4, -1),
            "E_RANGE crc-beyond-u32": (4, 2**32),
            "E_RANGE crc-max": (4, MAX_INTEGER),
            "E_RANGE length-0": (3, 0),
            "E_COVER length-plus-8": (3, 16),
            "E_COVER length-size": (3, size),
            "E_COVER length-max": (3, MAX_INTEGER),
            "E_RANGE length-negative": (3, -1),
            "E_SECTION flags-negative": (1, -1),
        }, lambda field: _toc(_row(1, *field), more_sections=[LATER])),
        "E_COVER F4 section-gap: eight bytes between the last section and the contents":
            replace(BASIC, before_toc=bytes(8)),
        "E_COVER F4 section-unlisted: a section that the contents do not list":
            _toc(lambda toc: _layout(toc, toc["layout"]["sections"][:1]), more_sections=[LATER]),
        "E_COVER F3 toc-padding: padding of the contents is not zero": _dirty_padding(),
    }  # fmt: skip


def _dirty_padding() -> bytes:
    data = _toc(lambda toc: _meta(toc, ext={})).pack()
    assert data[-97] == 0, "these contents need no padding; choose others"
    return data[:-97] + b"\x01" + data[-96:]


def _section_bytes() -> Table:
    basic_with = partial(replace, BASIC)
    odd = replace(LATER, payload=b"1234567")
    pages = SectionDraft("pages", 0, bytes(65_537), sealed_edit=put(65_536, "B", 1))
    return {
        "E_CRC R7 index-byte: a flipped bit in the index": basic_with(sealed_index=put(9, "B", 0xFF)),
        "E_CRC R7 index-table: another page CRC of the index": basic_with(sealed_index=put(64, "I", 0)),
        "E_CRC R7 table-crc: another CRC of the page table": _toc(_row(0, 4, 0)),
        "E_CRC R7 section-byte: a flipped bit in an unknown section": _more(replace(odd, sealed_edit=put(0, "B", 0))),
        "E_CRC R7 second-page: a flipped bit in the second page of a section": _more(pages),
        "E_CRC R7 page-crc: another page CRC under a right CRC of the table":
            _more(replace(odd, table_edit=put(0, "I", 7))),
        "E_COVER F3 section-padding: padding of a section is not zero":
            _more(replace(odd, sealed_edit=put(15, "B", 1))),
        "E_COVER F3 index-padding: padding of the index is not zero": basic_with(sealed_index=put(71, "B", 1)),
    }  # fmt: skip


def _payload(draft: Draft, number: int, change: Callable[[bytes], bytes]) -> Draft:
    """Another payload of one section."""

    def sections(before: list[SectionDraft]) -> list[SectionDraft]:
        section = before[number]
        return [*before[:number], replace(section, payload=change(section.payload)), *before[number + 1 :]]

    return replace(draft, sections=sections)


def _index() -> Table:
    draft = draft_of(textual("a"), basic("b"), textual("c"))
    first, second, third = (len(record) for record in draft.records)
    three_with = partial(replace, draft)
    counts: Table = {}
    for number, count in enumerate(INDEXED_COUNTS):
        (right,) = struct.unpack_from("<I", draft.records[1], count_at(count))
        at, name = 36 + 12 * number + 4, count.replace("_", "-")
        counts |= each(
            f"E_RECORD R8 index-{name}-{{name}}: index: {count.replace('_', ' ')} {{words}}",
            {"plus-1": right + 1, "minus-1": right - 1, "max": MAX32},
            lambda value, at=at: three_with(index=put(at, "I", value)),
        )
    return {
        **each("{code} F18 F2 index-{name}: index: {words}", {
            "E_INDEX first-offset-0": (0, 0),
            "E_INDEX first-offset-40": (0, 40),
            "E_INDEX offset-plus-8": (1, 32 + first + 8),
            "E_INDEX offset-minus-8": (1, 32 + first - 8),
            "E_INDEX offset-equal": (1, 32),
            "E_INDEX offset-0": (2, 0),
            "E_INDEX offset-max-integer": (1, MAX_INTEGER),
            "E_OVERFLOW offset-beyond-integers": (1, 2**53),
            "E_OVERFLOW offset-max": (2, 2**64 - 1),
            "E_OVERFLOW offset-wrap": (1, 2**64 - 8),
        }, lambda row: three_with(index=put(8 * row[0], "Q", row[1]))),
        **each("E_INDEX F18 index-{name}: index: {words}", {
            "length-0": (0, 0),
            "length-minus-8": (0, first - 8),
            "length-plus-8": (1, second + 8),
            "last-length-plus-8": (2, third + 8),
            "length-max": (1, MAX32),
        }, lambda row: three_with(index=put(24 + 4 * row[0], "I", row[1]))),
        "E_INDEX F18 index-lengths-swapped: index: lengths of two records exchanged":
            three_with(index=put(24, "s", struct.pack("<II", second, first))),
        **counts,
        "E_DIGEST R5 index-leaf: index: leaf": three_with(index=put(96 + 32, "B", 0x5A)),
        "E_INDEX F18 index-short: an index that is short": _payload(draft, 0, lambda index: index[:-64]),
        "E_INDEX F18 index-long: an index that is long": _payload(draft, 0, lambda index: index + bytes(64)),
        "E_INDEX F18 index-odd: an index that is odd": _payload(draft, 0, lambda index: index + bytes(1)),
    }  # fmt: skip


def _keys() -> Table:
    draft = draft_of(textual("bb"), textual("a"), textual("ccc"))
    three_with = partial(replace, draft)
    ends = {"0": (0, 0), "equal": (1, 2), "descends": (1, 1), "beyond": (2, 7), "short": (2, 5), "max": (1, MAX32)}
    return {
        "E_INDEX F19 keys-order-repeats: keys: a record stands twice in the order": three_with(keys=put(4, "I", 1)),
        "E_INDEX F19 keys-order-beyond: keys: a record that does not exist": three_with(keys=put(4, "I", 3)),
        "E_INDEX F19 keys-order-max: keys: record 2^32 - 1": three_with(keys=put(4, "I", MAX32)),
        "E_INDEX F19 keys-order-descends: keys: the order is not that of the ids":
            three_with(keys=put(0, "s", struct.pack("<III", 0, 1, 2))),
        "E_COVER F3 keys-order-padding: keys: padding is not zero": three_with(keys=put(12, "B", 1)),
        "E_COVER F3 keys-end-padding: keys: padding is not zero": three_with(keys=put(28, "B", 1)),
        **each("E_INDEX F19 keys-end-{name}: keys: end {words}", ends,
            lambda row: three_with(keys=put(16 + 4 * row[0], "I", row[1]))),
        "E_INDEX F19 keys-other-id: keys: an id that is not the one in the record":
            three_with(keys=put(32, "s", b"bc")),
        "E_INDEX F19 keys-no-utf-8: keys: an id that is not UTF-8": three_with(keys=put(33, "B", 0xFF)),
        "E_INDEX F19 keys-short: keys: shorter than their columns": _payload(draft, 1, lambda keys: keys[:24]),
        "E_INDEX F19 keys-long: keys: a byte follows the ids": _payload(draft, 1, lambda keys: keys + b"d"),
        "E_DUP F19 two-equal-ids: two studies have the same id": draft_of(textual("same"), basic("same")),
        "E_DUP F19 equal-ids-apart: two of four studies have the same id": draft_of(*map(textual, "babc")),
    }  # fmt: skip
