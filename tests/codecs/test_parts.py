"""Codes in two parts: by hand, and there and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from neuralgraph.codecs.parts import MAX_CODE, MAX_SHIFT, join, shifts_of, split
from neuralgraph.errors import CodecError

codes_of_a_group = arrays.arrays(
    np.int64, st.tuples(st.integers(0, 4), st.integers(1, 9)), elements=st.integers(-MAX_CODE, MAX_CODE)
)


def test_parts_by_hand():
    # 0, -1, 1, 5 are 0, 1, 2, 10; with a shift of 2 the upper parts are 0, 0, 0, 2, the lower ones 00, 01, 10, 10.
    upper, lower = split(np.array([[0, -1, 1, 5]]), np.array([2], np.uint8))
    assert list(upper) == [0, 0, 0, 2]
    assert list(lower) == [0b10100100, 0, 0, 0]


@given(codes_of_a_group)
def test_there_and_back(codes):
    shifts = shifts_of(codes)
    upper, lower = split(codes, shifts)
    assert len(upper) == len(lower) == codes.size
    assert join(upper, lower, shifts, codes.shape[1], where="x").tolist() == codes.tolist()


def test_rows_of_large_codes_are_shifted():
    assert shifts_of(np.array([[0, 1, -1], [100, -100, 50], [MAX_CODE, 0, 0]])).tolist() == [0, 7, 8]


def test_what_is_refused():
    upper, lower = split(np.array([[5, 5]]), np.array([2], np.uint8))
    for broken, shift in ((lower, MAX_SHIFT + 1), (bytes([lower[0] | 0x80, 0]), 2), (bytes([lower[0], 1]), 2)):
        with pytest.raises(CodecError) as caught:
            join(upper, broken, np.array([shift], np.uint8), 2, where="here")
        assert (caught.value.code, caught.value.where) == ("E_FILTER", "here")
