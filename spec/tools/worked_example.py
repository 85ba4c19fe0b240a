"""The worked example beside FORMAT.md: the smallest valid file, every byte explained."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from spec.tools.vectors.draft import COUNTS, INDEXED_COUNTS

__all__ = ["PAGE", "VECTOR", "example", "pieces"]

ROOT = Path(__file__).parents[2]
VECTOR = ROOT / "spec" / "vectors" / "valid" / "smallest.ngr"
PAGE = ROOT / "spec" / "worked-example.md"
HEX_BYTES = 16


class Piece(NamedTuple):
    """A run of bytes with one meaning."""

    size: int
    meaning: str


def pieces(data: bytes) -> Iterator[Piece | str]:  # noqa: PLR0915 - one piece after another
    """The pieces of the file in order, headings as text; a file of one record with one stream is understood."""

    def number(kind: str, at: int) -> int:
        return int(struct.unpack_from("<" + kind, data, at)[0])

    toc_offset, toc_bytes = number("Q", len(data) - 96), number("I", len(data) - 88)
    record_bytes, stored = number("I", 40), number("I", 32 + 108)
    index = 32 + record_bytes
    yield "Prologue (3.1)"
    yield Piece(8, "`magic`")
    yield Piece(8, "`required_features`: none")
    yield Piece(8, "`optional_features`: none")
    yield Piece(4, "`major` 1, `minor` 0, `reserved`")
    yield Piece(4, "`crc32` of bytes 0 to 27")
    yield "Record 0: header (5.1)"
    yield Piece(8, "`sync`")
    yield Piece(4, f"`record_bytes`: {record_bytes}")
    yield Piece(2, "`n_streams`: 1")
    yield Piece(2, "`flags`")
    for place, name in enumerate(COUNTS):
        yield Piece(4, f"`{name}`: {number('I', 48 + 4 * place)}")
    yield Piece(4, "`method_tag`: first four bytes of SHA-256(`80`), `80` being the empty map")
    yield Piece(32, "`content_digest` (4.2)")
    yield "Record 0: stream table (5.2)"
    yield Piece(2, "`stream_id` 0x01: the graph stream")
    yield Piece(2, "`encoding` 0: `store`")
    yield Piece(4, f"`stored_bytes`: {stored}")
    yield Piece(4, f"`decoded_bytes`: {number('I', 32 + 112)}")
    yield Piece(4, "`crc32` of the stored bytes")
    yield Piece(4, "`header_crc32` of record bytes 0 to 119")
    yield Piece(4, "`reserved`")
    yield "Record 0: graph stream (5.3); every other column has no rows"
    yield Piece(2, "`string_bytes`: 1 byte of study id, 1 byte of source map")
    yield Piece(1, "`text`: study id `a`")
    yield Piece(1, "`text`: source map, empty")
    yield Piece(-stored % 8, "padding")
    yield "Section `index` (6.4)"
    yield Piece(8, "`offset` of record 0: 32")
    yield Piece(4, f"`length` of record 0: {record_bytes}")
    for name in INDEXED_COUNTS:
        yield Piece(4, f"`{name}`")
    yield Piece(32, "`leaf` (4.3)")
    yield Piece(4, "page table: CRC-32 of the 64 bytes")
    yield Piece(toc_offset - index - 68, "padding")
    yield "Contents (6.2)"
    yield from _contents(data[toc_offset : toc_offset + toc_bytes])
    yield Piece(-toc_bytes % 8, "padding")
    yield "Trailer (3.2)"
    yield Piece(8, f"`toc_offset`: {toc_offset}")
    yield Piece(4, f"`toc_bytes`: {toc_bytes}")
    yield Piece(4, "`toc_crc32`")
    yield Piece(8, f"`file_bytes`: {len(data)}")
    yield Piece(4, "`n_records`: 1")
    yield Piece(4, "`reserved_1`")
    yield Piece(8, "`total_decoded_bytes`: 4")
    yield Piece(4, "`max_record_decoded_bytes`: 4")
    yield Piece(4, "`max_streams`: 1")
    yield Piece(32, "`root` (4.3)")
    yield Piece(4, "`reserved_2`")
    yield Piece(4, "`crc32` of trailer bytes 0 to 83")
    yield Piece(8, "`end_magic`")


def _contents(toc: bytes) -> Iterator[Piece]:
    """The map in its tokens; the words are looked for in the order in which they stand."""
    words = {"layout": "key", "sections": "key", "index": "name", "meta": "key", "methods": "key"}
    position = 0
    for word, kind in words.items():
        at = toc.index(word.encode(), position) - 1
        if at > position:
            yield Piece(at - position, _between(toc[position:at]))
        yield Piece(1 + len(word), f"{kind} `{word}`")
        position = at + 1 + len(word)
    yield Piece(len(toc) - position, "array of 1: the method map, empty")


def _between(tokens: bytes) -> str:
    if tokens == b"\x91\x95":
        return "array of 1 section, which is an array of 5"
    return f"map of {tokens[0] - 0x80}" if len(tokens) == 1 else "flags, offset, length, CRC-32 of the page table"


def example(data: bytes) -> str:
    """The page as Markdown."""
    lines = [
        "# A whole file, byte by byte",
        "",
        "Written by `python -m spec.tools` from `spec/vectors/valid/smallest.ngr`; do not edit.",
        "",
        f"{len(data)} bytes: one study without film, concept or label, in the smallest file there is. Numbers",
        "in brackets are sections of [FORMAT.md](../FORMAT.md). Columns with rows look like `string_bytes` and `text`.",
        "",
        "```",
    ]
    position = 0
    for piece in pieces(data):
        if isinstance(piece, str):
            lines += ["", piece] if position else [piece]
            continue
        for start in range(0, piece.size, HEX_BYTES):
            chunk = data[position + start : position + min(start + HEX_BYTES, piece.size)]
            meaning = piece.meaning.replace("`", "") if start == 0 else ""
            lines.append(f"{position + start:5}  {chunk.hex(' '):47}  {meaning}".rstrip())
        position += piece.size
    if position != len(data):
        raise ValueError(f"{position} of {len(data)} bytes are explained")
    return "\n".join([*lines, "```", ""])
