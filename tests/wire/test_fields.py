"""Fixed structures."""

from __future__ import annotations

import pytest

from neuralgraph.errors import FormatError
from neuralgraph.wire.fields import Field, Structure

TABLE = Structure(
    Field("magic", "4s", equals=b"abcd"), Field("size", "I"), Field("kind", "H"), Field("zero", "H", equals=0)
)


def test_layout_is_packed_and_little_endian():
    assert TABLE.size == 12
    assert TABLE.pack(size=0x01020304, kind=5) == b"abcd\x04\x03\x02\x01\x05\x00\x00\x00"
    assert [TABLE.offset(name) for name in ("magic", "size", "kind", "zero")] == [0, 4, 8, 10]
    with pytest.raises(KeyError):
        TABLE.offset("nothing")


def test_unknown_names_are_a_programming_error():
    with pytest.raises(TypeError, match="extra"):
        TABLE.pack(size=1, kind=2, extra=3)


def test_fixed_fields_accept_one_value():
    assert TABLE.unpack(TABLE.pack(size=1, kind=2), code="E_RECORD", where="x")["kind"] == 2
    for data in (b"abce\0\0\0\0\0\0\0\0", b"abcd\0\0\0\0\0\0\1\0"):
        with pytest.raises(FormatError) as caught:
            TABLE.unpack(data, code="E_TRAILER", where="place")
        assert (caught.value.code, caught.value.where) == ("E_TRAILER", "place")
