"""Byte codec 0 and the dispatch by encoding id."""

from __future__ import annotations

import pytest

from neuralgraph.codecs.registry import STORE, ZSTD, decode_bytes
from neuralgraph.codecs.zstd import encode
from neuralgraph.errors import CodecError


def test_store_is_the_identity_without_a_copy():
    data = memoryview(b"abc")
    assert decode_bytes(STORE, data, 3, where="x") is data


@pytest.mark.parametrize("required", [0, 2, 4])
def test_store_refuses_another_size(required):
    with pytest.raises(CodecError) as caught:
        decode_bytes(STORE, memoryview(b"abc"), required, where="here")
    assert (caught.value.code, caught.value.where) == ("E_SIZE", "here")


def test_dispatch_by_id():
    assert bytes(decode_bytes(STORE, memoryview(b"abc"), 3, where="x")) == b"abc"
    assert bytes(decode_bytes(ZSTD, memoryview(encode(b"abc")), 3, where="x")) == b"abc"


@pytest.mark.parametrize("encoding", [4, 0x7FFF, 0x8000, 0xFFFF])
def test_an_unknown_encoding_is_refused(encoding):
    with pytest.raises(CodecError, match=f"encoding {encoding} is not known") as caught:
        decode_bytes(encoding, memoryview(b""), 0, where="here")
    assert (caught.value.code, caught.value.where) == ("E_STREAM", "here")
