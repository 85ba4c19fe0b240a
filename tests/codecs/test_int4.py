"""The int4 form against numbers worked out by hand, and its bound."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from neuralgraph.codecs.int4 import GROUP, INT4
from neuralgraph.errors import CodecError, StudyError

SHAPES = st.tuples(st.integers(0, 4), st.integers(1, 70))
matrices = arrays(np.float32, SHAPES, elements=st.floats(-(2.0**100), 2.0**100, width=32, allow_subnormal=False))


def trip(matrix):
    planes = INT4.encode(matrix)
    assert tuple(map(len, planes)) == INT4.plane_bytes(*matrix.shape)
    return INT4.decode(planes, *matrix.shape, where="x")


def test_codes_and_scales_by_hand():
    # The least bfloat16 above 7 / 7 is 1 + 2^-7; 7 / (1 + 2^-7) = 6.95, -3.5 / 1.0078 = -3.47, 1 / 1.0078 = 0.99.
    codes, scales = INT4.encode(np.array([[7, -3.5, 1]], np.float32))
    assert codes == bytes([7 | (-3 & 15) << 4, 1])
    assert scales == b"\x81\x3f"
    assert INT4.decode((codes, scales), 1, 3, where="x").tolist() == [[7.0546875, -3.0234375, 1.0078125]]


@given(matrices)
def test_the_error_stays_within_half_a_scale(matrix):
    decoded = trip(matrix)
    bits = np.frombuffer(INT4.encode(matrix)[1], "<u2").astype("<u4") << 16
    scale = bits.view("<f4").reshape(matrix.shape[0], -(-matrix.shape[1] // GROUP))
    bound = np.repeat(scale, GROUP, axis=1)[:, : matrix.shape[1]].astype(np.float64) / 2 * (1 + 2.0**-22)
    assert (np.abs(decoded.astype(np.float64) - matrix) <= bound).all()
    assert (np.abs(decoded.astype(np.float64) - matrix) <= INT4.bound(matrix)).all()


def test_a_group_has_a_scale_of_its_own():
    row = np.zeros((1, 2 * GROUP), np.float32)
    row[0, 0], row[0, GROUP] = 1000, 0.001
    decoded = trip(row)
    assert decoded[0, GROUP] == pytest.approx(0.001, rel=0.01)


def test_values_that_overflow_are_refused():
    with pytest.raises(StudyError) as caught:
        INT4.encode(np.full((1, 2), 3.4e38, np.float32))
    assert caught.value.code == "E_NUM"


@pytest.mark.parametrize(
    ("codes", "scale"), [(b"\x08", 0x3F80), (b"\x10", 0x3F80), (b"\x01", 0xBF80), (b"\x01", 0x8000)]
)
def test_parameters_out_of_range_are_refused(codes, scale):
    with pytest.raises(CodecError) as caught:
        INT4.decode((codes, np.uint16(scale).tobytes()), 1, 1, where="here")
    assert (caught.value.code, caught.value.where) == ("E_FILTER", "here")
