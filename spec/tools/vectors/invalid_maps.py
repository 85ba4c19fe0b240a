"""Encodings that are MessagePack but not canonical (FORMAT.md section 6.1)."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from spec.tools.vectors.draft import Draft
from spec.tools.vectors.studies import basic, draft_of
from spec.tools.vectors.vector import Table

__all__ = ["map_vectors"]

VALUES = {
    "nil: a map holds nil": b"\xc0",
    "never-used: a map holds the byte MessagePack never uses": b"\xc1",
    "float32: a map holds a float32": b"\xca\x3f\x80\x00\x00",
    "nan: a map holds a float64 that is not a number": b"\xcb\x7f\xf8" + bytes(6),
    "infinite: a map holds an infinite float64": b"\xcb\x7f\xf0" + bytes(6),
    "uint8-short: a map holds 127 in two bytes": b"\xcc\x7f",
    "uint16-short: a map holds 255 in three bytes": b"\xcd\x00\xff",
    "uint32-short: a map holds 65,535 in five bytes": b"\xce\x00\x00\xff\xff",
    "uint64-short: a map holds 2^32 - 1 in nine bytes": b"\xcf" + bytes(4) + b"\xff" * 4,
    "uint64-beyond: a map holds the integer 2^53": b"\xcf\x00\x20" + bytes(6),
    "uint64-max: a map holds the integer 2^64 - 1": b"\xcf" + b"\xff" * 8,
    "int8-short: a map holds -32 in two bytes": b"\xd0\xe0",
    "int8-unsigned: a map holds 1 in a signed form": b"\xd0\x01",
    "int16-short: a map holds -128 in three bytes": b"\xd1\xff\x80",
    "int32-short: a map holds -32,768 in five bytes": b"\xd2\xff\xff\x80\x00",
    "int64-short: a map holds -2^31 in nine bytes": b"\xd3" + b"\xff" * 4 + b"\x80\x00\x00\x00",
    "int64-beyond: a map holds the integer -2^53": b"\xd3\xff\xe0" + bytes(6),
    "int64-least: a map holds the integer -2^63": b"\xd3\x80" + bytes(7),
    "str8-short: a map holds a text of 31 bytes with a length byte": b"\xd9\x1f" + b"s" * 31,
    "str16-short: a map holds a text of 255 bytes with two length bytes": b"\xda\x00\xff" + b"s" * 255,
    "str32-short: a map holds a text of one byte with four length bytes": b"\xdb\x00\x00\x00\x01s",
    "bin16-short: a map holds one byte with two length bytes": b"\xc5\x00\x01b",
    "bin32-short: a map holds one byte with four length bytes": b"\xc6\x00\x00\x00\x01b",
    "array16-short: a map holds an array of one with two length bytes": b"\xdc\x00\x01\x01",
    "array32-short: a map holds an array of one with four length bytes": b"\xdd\x00\x00\x00\x01\x01",
    "map16-short: a map holds a map of one with two length bytes": b"\xde\x00\x01\xa1a\x01",
    "map32-short: a map holds a map of one with four length bytes": b"\xdf\x00\x00\x00\x01\xa1a\x01",
    "fixext: a map holds an extension type": b"\xd4\x01\x00",
    "ext8: a map holds an extension type with a length": b"\xc7\x01\x01\x00",
    "timestamp: a map holds a timestamp": b"\xd6\xff\x00\x00\x00\x00",
    "utf8-invalid: a map holds a text that is not UTF-8": b"\xa2\xc3\x28",
    "utf8-surrogate: a map holds a text with a surrogate": b"\xa3\xed\xa0\x80",
    "utf8-overlong: a map holds a text with an overlong encoding": b"\xa2\xc0\x80",
    "utf8-beyond: a map holds a text beyond U+10FFFF": b"\xa4\xf4\x90\x80\x80",
    "key-number: a map holds a key that is a number": b"\x81\x01\x01",
    "key-bytes: a map holds a key that is bytes": b"\x81\xc4\x01a\x01",
    "key-map: a map holds a key that is a map": b"\x81\x80\x01",
    "keys-equal: a map holds the same key twice": b"\x82\xa1a\x01\xa1a\x02",
    "keys-descend: a map holds keys that descend": b"\x82\xa1b\x01\xa1a\x02",
    "keys-by-length: a map holds keys by length instead of bytes": b"\x82\xa1b\x01\xa2aa\x02",
    "keys-utf16-order: a map holds keys in the order of UTF-16": b"\x82\xa4\xf0\x9f\xab\x81\x01\xa3\xef\xbf\xbd\x01",
    "deep-array: a map holds arrays nine deep in all": b"\x91" * 7 + b"\x90",
    "deep-map: a map holds maps nine deep in all": b"\x81\xa1a" * 7 + b"\x80",
    "array-claims: a map holds an array that claims 2^32 - 1 members": b"\xdd\xff\xff\xff\xff",
    "map-claims: a map holds a map that claims 2^32 - 1 members": b"\xdf\xff\xff\xff\xff",
    "text-claims: a map holds a text that claims 2^32 - 1 bytes": b"\xdb\xff\xff\xff\xff",
    "text-too-long: a map holds a text that claims 1,048,577 bytes": b"\xdb\x00\x10\x00\x01",
}
"""Name and what it is -> encoding of a value."""


def map_vectors() -> Table:
    """All of them; encodings of a value are put in place of one in ``ext``."""
    basic_with = partial(replace, draft_of(basic()))

    def ext(encoded: bytes) -> Draft:
        """{"a": value} as ``ext``: its map is valid, so a value of the wrong type is not the first rule broken."""
        return basic_with(
            toc=lambda toc: {**toc, "meta": {**toc["meta"], "ext": {"a": "MARK"}}},
            toc_bytes=lambda toc: toc.replace(b"\xa4MARK", encoded),
        )

    return {
        **{f"E_TOC_FORM F14 map-{title}": ext(encoded) for title, encoded in VALUES.items()},
        "E_TOC_FORM F14 trailing: a byte follows the contents": basic_with(toc_bytes=lambda toc: toc + b"\x80"),
        "E_TOC_FORM F14 cut: the contents end inside a value": basic_with(toc_bytes=lambda toc: toc[:-1]),
        "E_TOC_FORM F14 empty: contents without a byte": basic_with(toc_bytes=lambda _: b""),
        "E_TOC_FORM F14 too-many-values: more than 100,000 values": ext(b"\xdd\x00\x01\x86\xa1" + bytes(100_001)),
    }
