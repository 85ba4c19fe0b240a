"""Encodings that are MessagePack but not canonical (FORMAT.md section 6.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from spec.tools.vectors.invalid_contents import contents_vector
from spec.tools.vectors.vector import Vector

__all__ = ["map_vectors"]


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
        yield contents_vector(
            "E_TOC_FORM", f"map-{name}", f"a map holds {reason}", "F14", toc=_ext_marker, toc_bytes=_ext(encoded)
        )
    yield contents_vector(
        "E_TOC_FORM", "trailing", "a byte follows the contents", "F14", toc_bytes=lambda toc: toc + b"\x80"
    )
    yield contents_vector("E_TOC_FORM", "cut", "the contents end inside a value", "F14", toc_bytes=lambda toc: toc[:-1])
    yield contents_vector("E_TOC_FORM", "empty", "contents without a byte", "F14", toc_bytes=lambda _: b"")
    many = b"\xdd\x00\x01\x86\xa1" + bytes(100_001)
    yield contents_vector(
        "E_TOC_FORM", "too-many-values", "more than 100,000 values", "F14", toc=_ext_marker, toc_bytes=_ext(many)
    )


def _ext_marker(toc: Any) -> Any:
    return {**toc, "meta": {**toc["meta"], "ext": {"a": "MARK"}}}


def _ext(encoded: bytes) -> Callable[[bytes], bytes]:
    return lambda toc: toc.replace(b"\xa4MARK", encoded)
