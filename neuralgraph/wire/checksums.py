"""Checksums and digests (FORMAT.md section 4): CRC-32 against accidents, SHA-256 for identity.

One algorithm each, never optional, never negotiated. CRC-32 is computed by ISA-L where the extra ``fast`` is installed
and by zlib otherwise: the same numbers, many times faster than a zlib without vector instructions
(docs/measurements/loaders.md).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

try:
    from isal.isal_zlib import crc32 as _crc32
except ImportError:
    from zlib import crc32 as _crc32

__all__ = ["PAGE_BYTES", "content_digest", "crc32", "leaf_digest", "merkle_root", "page_table", "root_digest", "sha256"]

PAGE_BYTES = 65_536
"""Bytes of a section covered by one CRC-32 of its page table."""

Buffer = bytes | bytearray | memoryview


def crc32(data: Buffer) -> int:
    """CRC-32 of ``data`` (polynomial of zlib, PNG and gzip)."""
    return _crc32(data)


def sha256(data: Buffer) -> bytes:
    """SHA-256 of ``data``, 32 bytes."""
    return hashlib.sha256(data).digest()


def page_table(payload: Buffer) -> bytes:
    """CRC-32 of every ``PAGE_BYTES`` of a section's payload, as little-endian u32."""
    view = memoryview(payload)
    return b"".join(
        crc32(view[start : start + PAGE_BYTES]).to_bytes(4, "little") for start in range(0, len(view), PAGE_BYTES)
    )


def leaf_digest(record: Buffer) -> bytes:
    """Leaf of the Merkle tree: SHA-256(0x00 || record), after RFC 6962."""
    digest = hashlib.sha256(b"\x00")
    digest.update(record)
    return digest.digest()


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """Merkle tree hash of one or more 32-byte leaves, after RFC 6962 section 2.1.

    Splitting at the largest power of two below n equals pairing neighbours level by level
    and carrying an odd last node up unchanged, which needs no recursion.
    """
    level = list(leaves)
    if not level:
        raise ValueError("a Merkle tree has at least one leaf")
    while len(level) > 1:
        paired = [sha256(b"\x01" + level[i] + level[i + 1]) for i in range(0, len(level) - 1, 2)]
        if len(level) % 2:
            paired.append(level[-1])
        level = paired
    return level[0]


def root_digest(prologue: bytes, merkle: bytes, meta: bytes) -> bytes:
    """Digest of a whole file: SHA-256("NGR1-ROOT\\0" || prologue || Merkle root || SHA-256(meta))."""
    return sha256(b"NGR1-ROOT\x00" + prologue + merkle + sha256(meta))


def content_digest(method: bytes, counts: bytes, parts: Iterable[Buffer]) -> bytes:
    """Digest of what a study says, whatever codec or packing stores it.

    SHA-256("NGR1-STUDY\\0" || SHA-256(method) || counts || for each part: u64 length || bytes).

    Parameters
    ----------
    method : the canonical method map.
    counts : the counts block of the record header.
    parts : graph columns, embedding as float32, concept vectors as float32, report, pixels; empty where absent.
    """
    digest = hashlib.sha256(b"NGR1-STUDY\x00" + sha256(method) + counts)
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.digest()
