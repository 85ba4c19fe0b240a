"""A broken index, broken keys (FORMAT.md sections 6.4 and 6.5)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from spec.tools.vectors.draft import INDEXED_COUNTS, SectionDraft, put
from spec.tools.vectors.invalid_contents import MAX_INTEGER, contents_vector
from spec.tools.vectors.studies import basic, draft_of, textual
from spec.tools.vectors.vector import Vector

__all__ = ["index_vectors"]


def index_vectors() -> Iterator[Vector]:
    """All of them."""
    yield from _index()
    yield from _keys()


def _index() -> Iterator[Vector]:
    draft = draft_of(textual("a"), basic("b"), textual("c"))
    first, second, third = (len(record) for record in draft.records)

    def row(code: str, name: str, offset: int, kind: str, value: int, *requirements: str) -> Vector:
        return contents_vector(
            code,
            f"index-{name}",
            f"index: {name.replace('-', ' ')}",
            *requirements,
            of=draft,
            index=put(offset, kind, value),
        )

    for name, number, value, code in (
        ("first-offset-0", 0, 0, "E_INDEX"), ("first-offset-40", 0, 40, "E_INDEX"),
        ("offset-plus-8", 1, 32 + first + 8, "E_INDEX"), ("offset-minus-8", 1, 32 + first - 8, "E_INDEX"),
        ("offset-equal", 1, 32, "E_INDEX"), ("offset-0", 2, 0, "E_INDEX"),
        ("offset-max-integer", 1, MAX_INTEGER, "E_INDEX"), ("offset-beyond-integers", 1, 2**53, "E_OVERFLOW"),
        ("offset-max", 2, 2**64 - 1, "E_OVERFLOW"), ("offset-wrap", 1, 2**64 - 8, "E_OVERFLOW"),
    ):  # fmt: skip
        yield row(code, name, 8 * number, "Q", value, "F18", "F2")
    for name, number, value in (
        ("length-0", 0, 0),
        ("length-minus-8", 0, first - 8),
        ("length-plus-8", 1, second + 8),
        ("last-length-plus-8", 2, third + 8),
        ("length-max", 1, 2**32 - 1),
    ):
        yield row("E_INDEX", name, 24 + 4 * number, "I", value, "F18")
    swapped = replace(draft, index=lambda data: data.__setitem__(slice(24, 32), data[28:32] + data[24:28]))
    yield contents_vector(
        "E_INDEX", "index-lengths-swapped", "index: lengths of two records exchanged", "F18", of=swapped
    )
    for number, name in enumerate(("n-patches", "n-edges", "n-concepts", "n-triples", "n-fusion")):
        at = 36 + 12 * number + 4
        right = struct.unpack_from("<I", draft.records[1], 16 + 4 * INDEXED_COUNTS[number])[0]
        for label, value in (("plus-1", right + 1), ("minus-1", right - 1), ("max", 2**32 - 1)):
            yield row("E_RECORD", f"{name}-{label}", at, "I", value, "R8")
    yield row("E_DIGEST", "leaf", 96 + 32, "B", 0x5A, "R5")
    short = SectionDraft("index", 1, b"")
    for name, change in (
        ("short", lambda payload: payload[:-64]),
        ("long", lambda payload: payload + bytes(64)),
        ("odd", lambda payload: payload + bytes(1)),
    ):

        def resize(sections: list[SectionDraft], change: Callable[[bytes], bytes] = change) -> list[SectionDraft]:
            return [replace(short, payload=change(sections[0].payload)), *sections[1:]]

        yield contents_vector("E_INDEX", f"index-{name}", f"an index that is {name}", "F18", of=draft, sections=resize)


def _keys() -> Iterator[Vector]:
    draft = draft_of(textual("bb"), textual("a"), textual("ccc"))

    def keys(code: str, name: str, reason: str, edit: Any, *requirements: str) -> Vector:
        return contents_vector(
            code, f"keys-{name}", f"keys: {reason}", *(requirements or ("F19",)), of=draft, keys=edit
        )

    yield keys("E_INDEX", "order-repeats", "a record stands twice in the order", put(4, "I", 1))
    yield keys("E_INDEX", "order-beyond", "a record that does not exist", put(4, "I", 3))
    yield keys("E_INDEX", "order-max", "record 2^32 - 1", put(4, "I", 2**32 - 1))
    yield keys(
        "E_INDEX", "order-descends", "the order is not that of the ids", put(0, "s", struct.pack("<III", 0, 1, 2))
    )
    yield keys("E_COVER", "order-padding", "padding is not zero", put(12, "B", 1), "F3")
    yield keys("E_COVER", "end-padding", "padding is not zero", put(28, "B", 1), "F3")
    for name, number, value in (
        ("end-0", 0, 0),
        ("end-equal", 1, 2),
        ("end-descends", 1, 1),
        ("end-beyond", 2, 7),
        ("end-short", 2, 5),
        ("end-max", 1, 2**32 - 1),
    ):
        yield keys("E_INDEX", name, name.replace("-", " "), put(16 + 4 * number, "I", value))
    yield keys("E_INDEX", "other-id", "an id that is not the one in the record", put(32, "s", b"bc"))
    yield keys("E_INDEX", "no-utf-8", "an id that is not UTF-8", put(33, "B", 0xFF))

    def payload(change: Callable[[bytes], bytes]) -> Callable[[list[SectionDraft]], list[SectionDraft]]:
        return lambda sections: [sections[0], replace(sections[1], payload=change(sections[1].payload))]

    yield contents_vector(
        "E_INDEX",
        "keys-short",
        "keys: shorter than their columns",
        "F19",
        of=draft,
        sections=payload(lambda data: data[:24]),
    )
    yield contents_vector(
        "E_INDEX",
        "keys-long",
        "keys: a byte follows the ids",
        "F19",
        of=draft,
        sections=payload(lambda data: data + b"d"),
    )
    same = draft_of(textual("same"), basic("same"))
    yield contents_vector("E_DUP", "two-equal-ids", "two studies have the same id", "F19", of=same)
    more = draft_of(textual("b"), textual("a"), textual("b"), textual("c"))
    yield contents_vector("E_DUP", "equal-ids-apart", "two of four studies have the same id", "F19", of=more)
