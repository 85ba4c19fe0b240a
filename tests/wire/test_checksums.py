"""Checksums and digests against published answers and independent re-implementations."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuralgraph.wire.checksums import (
    PAGE_BYTES,
    content_digest,
    crc32,
    leaf_digest,
    merkle_root,
    page_table,
    root_digest,
    sha256,
)


def bitwise_crc32(data):
    """CRC-32/ISO-HDLC, one bit at a time."""
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0xEDB88320 if register & 1 else 0)
    return register ^ 0xFFFFFFFF


def tree_hash(leaves):
    """RFC 6962 section 2.1: split at the largest power of two below n."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while 2 * split < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + tree_hash(leaves[:split]) + tree_hash(leaves[split:])).digest()


def test_crc32_has_the_published_check_value():
    assert crc32(b"123456789") == 0xCBF43926
    assert crc32(b"") == 0


@given(st.binary(max_size=64))
def test_crc32_is_the_polynomial_of_the_specification(data):
    assert crc32(data) == bitwise_crc32(data)
    assert crc32(memoryview(data)) == crc32(data)


def test_sha256_has_the_published_value():
    assert sha256(b"abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


# The test vectors of certificate-transparency for inputs of RFC 6962 trees with 1 to 8 leaves.
CT_INPUTS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


@pytest.mark.parametrize("n", range(1, 9))
def test_merkle_roots_are_those_of_certificate_transparency(n):
    leaves = [leaf_digest(bytes.fromhex(text)) for text in CT_INPUTS[:n]]
    assert merkle_root(leaves).hex() == CT_ROOTS[n - 1]


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=70))
def test_merkle_root_equals_the_recursive_definition(leaves):
    assert merkle_root(leaves) == tree_hash(leaves)


def test_a_tree_needs_a_leaf():
    with pytest.raises(ValueError, match="at least one leaf"):
        merkle_root([])


def test_leaves_and_nodes_cannot_be_taken_for_each_other():
    left, right = leaf_digest(b"l"), leaf_digest(b"r")
    assert merkle_root([left, right]) != leaf_digest(left + right)


@pytest.mark.parametrize("length", [1, PAGE_BYTES - 1, PAGE_BYTES, PAGE_BYTES + 1, 2 * PAGE_BYTES])
def test_page_table_covers_every_page(length):
    payload = bytes(number % 251 for number in range(length))
    pages = [payload[start : start + PAGE_BYTES] for start in range(0, length, PAGE_BYTES)]
    assert page_table(payload) == b"".join(crc32(page).to_bytes(4, "little") for page in pages)


def test_an_empty_section_has_no_page():
    assert page_table(b"") == b""


def test_root_digest_is_the_documented_hash():
    meta = b"\x81\xa7methods\x91\x80"
    expected = hashlib.sha256(b"NGR1-ROOT\0" + b"p" * 32 + b"m" * 32 + hashlib.sha256(meta).digest()).digest()
    assert root_digest(b"p" * 32, b"m" * 32, meta) == expected


def test_content_digest_is_the_documented_hash():
    parts = [b"graph", b"", b"xy", b"report", b""]
    document = b"NGR1-STUDY\0" + hashlib.sha256(b"\x80").digest() + bytes(48)
    for part in parts:
        document += len(part).to_bytes(8, "little") + part
    assert content_digest(b"\x80", bytes(48), parts) == hashlib.sha256(document).digest()


def test_content_digest_tells_where_one_part_ends():
    assert content_digest(b"", b"", [b"ab", b"c"]) != content_digest(b"", b"", [b"a", b"bc"])
