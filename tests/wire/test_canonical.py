"""Canonical maps: one encoding for every value, every other one refused."""

from __future__ import annotations

import struct
import tracemalloc

import msgpack
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from neuralgraph.errors import FormatError, StudyError
from neuralgraph.wire import canonical
from neuralgraph.wire.canonical import MAX_DEPTH, MAX_ITEMS, MAX_STRING, decode, encode

LARGEST = 2**53 - 1

scalars = (
    st.booleans()
    | st.integers(-LARGEST, LARGEST)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=40)
    | st.binary(max_size=40)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=20,
).filter(lambda value: depth(value) <= MAX_DEPTH)


def depth(value):
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


def same(a, b):
    """Equal, types and sign of zero included."""
    if isinstance(a, dict):
        return isinstance(b, dict) and list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float):
        return isinstance(b, float) and struct.pack(">d", a) == struct.pack(">d", b)
    return type(a) is type(b) and a == b


def ordered(value):
    if isinstance(value, dict):
        return {key: ordered(value[key]) for key in sorted(value, key=str.encode)}
    return [ordered(item) for item in value] if isinstance(value, list) else value


@given(values)
@example({"b": 1, "a": [-0.0, 1.0, 1, True, b"\x00", ""]})
@example([LARGEST, -LARGEST, 2**32, -(2**31), -(2**31) - 1, -32, -33, 127, 128, 255, 256, 65535, 65536])
def test_what_is_encoded_is_decoded_and_general_readers_agree(value):
    data = encode(value)
    assert same(decode(data, where="x"), ordered(value))
    assert same(msgpack.unpackb(data, strict_map_key=True), ordered(value))


@given(st.binary(max_size=60))
def test_any_bytes_are_refused_with_one_error_or_are_the_one_encoding(data):
    try:
        value = decode(data, where="x")
    except FormatError as error:
        assert error.problem[:2] == ("E_TOC_FORM", "x")  # noqa: PT017  most bytes are refused, some are not
    else:
        assert encode(value) == data
        assert same(msgpack.unpackb(data, strict_map_key=False), value)


@given(values, st.data())
def test_a_changed_byte_never_decodes_to_something_with_another_encoding(value, data):
    document = bytearray(encode(value))
    place = data.draw(st.integers(0, len(document) - 1))
    document[place] = data.draw(st.integers(0, 255))
    try:
        changed = decode(bytes(document), where="x")
    except FormatError:
        return
    assert encode(changed) == bytes(document)


NOT_CANONICAL = {
    "nothing": b"",
    "nil": b"\xc0",
    "never used": b"\xc1",
    "float32": b"\xca\x00\x00\x00\x00",
    "nan": b"\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00",
    "signalling nan": b"\xcb\x7f\xf0\x00\x00\x00\x00\x00\x01",
    "infinity": b"\xcb\x7f\xf0\x00\x00\x00\x00\x00\x00",
    "minus infinity": b"\xcb\xff\xf0\x00\x00\x00\x00\x00\x00",
    "fixext 1": b"\xd4\x01\x00",
    "fixext 4 timestamp": b"\xd6\xff\x00\x00\x00\x00",
    "fixext 16": b"\xd8\x01" + bytes(16),
    "ext 8": b"\xc7\x01\x01\x00",
    "ext 32": b"\xc9\x00\x00\x00\x01\x01\x00",
    "127 as u8": b"\xcc\x7f",
    "255 as u16": b"\xcd\x00\xff",
    "65535 as u32": b"\xce\x00\x00\xff\xff",
    "2^32 - 1 as u64": b"\xcf\x00\x00\x00\x00\xff\xff\xff\xff",
    "-32 as i8": b"\xd0\xe0",
    "positive i8": b"\xd0\x7f",
    "-128 as i16": b"\xd1\xff\x80",
    "positive i16": b"\xd1\x7f\xff",
    "-32768 as i32": b"\xd2\xff\xff\x80\x00",
    "-2^31 as i64": b"\xd3\xff\xff\xff\xff\x80\x00\x00\x00",
    "positive i64": b"\xd3\x00\x00\x00\x01\x00\x00\x00\x00",
    "2^53": b"\xcf\x00\x20\x00\x00\x00\x00\x00\x00",
    "-2^53": b"\xd3\xff\xe0\x00\x00\x00\x00\x00\x00",
    "2^64 - 1": b"\xcf" + b"\xff" * 8,
    "31 letters as str 8": b"\xd9\x1f" + b"a" * 31,
    "255 letters as str 16": b"\xda\x00\xff" + b"a" * 255,
    "255 letters as str 32": b"\xdb\x00\x00\x00\xff" + b"a" * 255,
    "255 bytes as bin 16": b"\xc5\x00\xff" + b"a" * 255,
    "255 bytes as bin 32": b"\xc6\x00\x00\x00\xff" + b"a" * 255,
    "15 items as array 16": b"\xdc\x00\x0f" + b"\x01" * 15,
    "15 items as array 32": b"\xdd\x00\x00\x00\x0f" + b"\x01" * 15,
    "1 member as map 16": b"\xde\x00\x01\xa1a\x01",
    "1 member as map 32": b"\xdf\x00\x00\x00\x01\xa1a\x01",
    "unsorted keys": b"\x82\xa1b\x01\xa1a\x02",
    "duplicate key": b"\x82\xa1a\x01\xa1a\x02",
    "shorter key after longer": b"\x82\xa2aa\x01\xa1a\x02",
    "integer key": b"\x81\x01\x01",
    "bytes key": b"\x81\xc4\x01a\x01",
    "boolean key": b"\x81\xc3\x01",
    "array key": b"\x81\x90\x01",
    "invalid utf-8": b"\xa1\xff",
    "overlong utf-8": b"\xa2\xc0\x80",
    "surrogate in utf-8": b"\xa3\xed\xa0\x80",
    "cut utf-8": b"\xa1\xc3",
    "trailing byte": b"\x01\x01",
    "two documents": b"\x80\x80",
    "text cut": b"\xa5abc",
    "array cut": b"\x93\x01\x02",
    "map cut": b"\x82\xa1a\x01",
    "map without value": b"\x81\xa1a",
    "integer cut": b"\xcd\x01",
    "float cut": b"\xcb\x00",
    "array of 2^32 - 1": b"\xdd\xff\xff\xff\xff" + b"\x01" * 20,
    "map of 2^32 - 1": b"\xdf\xff\xff\xff\xff" + b"\xa1a\x01",
    "text of 2^32 - 1": b"\xdb\xff\xff\xff\xff" + b"a" * 20,
    "bytes of 2^32 - 1": b"\xc6\xff\xff\xff\xff" + b"a" * 20,
    "nested 9 deep": b"\x91" * 9 + b"\x01",
    "nested 100000 deep": b"\x91" * 100_000,
    "maps nested 9 deep": b"\x81\xa1a" * 9 + b"\x01",
}


@pytest.mark.parametrize("name", NOT_CANONICAL)
def test_other_forms_are_refused(name):
    with pytest.raises(FormatError) as caught:
        decode(NOT_CANONICAL[name], where="place")
    assert caught.value.code == "E_TOC_FORM"
    assert caught.value.where == "place"
    assert "\n" not in str(caught.value)


def test_the_list_above_is_about_form_and_not_about_general_errors():
    # A general decoder takes these: they are refused here for having another encoding already.
    for name in ("127 as u8", "unsorted keys", "duplicate key", "float32", "nil", "nan", "31 letters as str 8"):
        msgpack.unpackb(NOT_CANONICAL[name], strict_map_key=False)


@pytest.mark.parametrize("name", [name for name in NOT_CANONICAL if "2^32 - 1" in name or "deep" in name])
def test_stated_lengths_take_no_memory(name):
    tracemalloc.start()
    try:
        with pytest.raises(FormatError):
            decode(NOT_CANONICAL[name], where="x")
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_the_deepest_nesting_is_accepted_on_both_sides():
    value = 1
    for _ in range(MAX_DEPTH):
        value = {"a": value}
    assert decode(encode(value), where="x") == value
    with pytest.raises(StudyError) as caught:
        encode([value])
    assert caught.value.code == "E_TOC_FORM"


def test_a_writer_refuses_what_a_reader_would():
    # The item counts of writer and reader agree to the last one, keys included.
    assert len(decode(encode([0] * (MAX_ITEMS - 1)), where="x")) == MAX_ITEMS - 1
    half = {f"{number:06}": 0 for number in range((MAX_ITEMS - 1) // 2)}
    assert decode(encode(half), where="x") == half
    assert decode(encode("a" * MAX_STRING), where="x") == "a" * MAX_STRING
    for value in ([0] * MAX_ITEMS, {**half, "x": 0}, "a" * (MAX_STRING + 1), b"a" * (MAX_STRING + 1)):
        data = msgpack.packb(value, use_bin_type=True)
        with pytest.raises(FormatError):
            decode(data, where="x")
        with pytest.raises(StudyError) as caught:
            encode(value)
        assert caught.value.code == "E_TOC_FORM"


@pytest.mark.parametrize(
    "value",
    [None, 1j, {1}, Ellipsis, 2**53, -(2**53), float("nan"), float("inf"), "\ud800", {"\ud800": 1}, {1: 1}, {b"a": 1}],
    ids=repr,
)
def test_values_without_a_form_are_refused(value):
    with pytest.raises(StudyError) as caught:
        encode({"a": [value]})
    assert caught.value.code == "E_TOC_FORM"


def test_a_value_that_holds_itself_is_refused():
    loop: list = []
    loop.append(loop)
    with pytest.raises(StudyError, match="nested"):
        encode(loop)


def test_keys_are_in_byte_order_not_in_order_of_utf_16():
    # U+FF5E sorts before U+10000 by bytes and code points, after it by UTF-16 units.
    assert encode({"\U00010000": 1, "\uff5e": 2}) == b"\x82" + b"\xa3\xef\xbd\x9e\x02" + b"\xa4\xf0\x90\x80\x80\x01"


def test_known_bytes():
    value = {"report": "given", "films": [{"bits": 8, "spacing": 0.5}], "lossy": False}
    assert encode(value) == (
        b"\x83\xa5films\x91\x82\xa4bits\x08\xa7spacing\xcb\x3f\xe0\x00\x00\x00\x00\x00\x00"
        b"\xa5lossy\xc2\xa6report\xa5given"
    )
    assert canonical.decode(memoryview(encode(value)), where="x") == value
