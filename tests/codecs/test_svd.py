"""The svd form: decoding by hand, the promised loss, and what stands in the bytes."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from neuralgraph.codecs.loss import channel_deviation, normalised_rmse
from neuralgraph.codecs.svd import MAX_CODE, MAX_SHIFT, SVD, Svd, join, shifts_of, split
from neuralgraph.errors import CodecError, StudyError

SHAPES = st.tuples(st.integers(0, 35), st.integers(1, 6))
matrices = arrays(np.float32, SHAPES, elements=st.floats(-1000, 1000, width=32))
codes_of_a_group = arrays(
    np.int64, st.tuples(st.integers(0, 4), st.integers(1, 9)), elements=st.integers(-MAX_CODE, MAX_CODE)
)


def correlated(rows, width, seed=0):
    """Rows that share most of what they are, channels of very different scale."""
    random = np.random.default_rng(seed)
    scales = np.exp(random.normal(0, 1, width))
    matrix = random.normal(0, 1, width) * 2 + random.normal(0, 1, (rows, 3)) @ random.normal(0, 1, (3, width))
    return ((matrix + random.normal(0, 0.3, (rows, width))) * scales).astype(np.float32)


def trip(form, matrix):
    planes = form.encode(matrix)
    assert tuple(map(len, planes)) == form.plane_bytes(*matrix.shape)
    return SVD.decode(planes, *matrix.shape, where="x")


def test_decoding_by_hand():
    # Two rows, two channels. Component 0 is in both rows, component 1 in the first with 2, in the second with -1.
    head = struct.pack("<f2B4b", 0.5, 1, 0, 1, 1, 2, -1)
    # Codes 3, -2 are u = 6, 3: with shift 1 upper 3, 1 and lower bits 0, 1. Codes 1, -1 are u = 2, 1.
    planes = (head, struct.pack("2b", 1, -2), bytes([3, 1, 2, 1]), bytes([0b10, 0, 0, 0]))
    expected = [[(3 + 2 * 1) * 0.5 * 2, (-2 - 2) * 0.5 / 4], [(3 - 1) * 0.5 * 2, (-2 + 1) * 0.5 / 4]]
    assert SVD.decode(planes, 2, 2, where="x").tolist() == expected


@settings(max_examples=40, deadline=None)
@given(matrices, st.sampled_from([0.003, 0.011, 0.06, 0.4]))
def test_the_measured_loss_is_within_the_promised_one(matrix, loss):
    decoded = trip(Svd(loss), matrix)
    assert normalised_rmse(matrix, decoded, channel_deviation(matrix)) <= loss


@pytest.mark.parametrize("loss", [0.011, 0.06, 0.3])
def test_the_loss_asked_for_is_used_up(loss):
    matrix = correlated(20, 256)
    error = normalised_rmse(matrix, trip(Svd(loss), matrix), channel_deviation(matrix))
    assert 0.9 * loss < error <= loss


@pytest.mark.parametrize("rows", [1, 2, 31, 32, 33, 64, 70])
def test_any_number_of_rows(rows):
    matrix = correlated(rows, 40)
    assert normalised_rmse(matrix, trip(SVD, matrix), channel_deviation(matrix)) <= 0.011


def test_the_same_matrix_gives_the_same_bytes():
    matrix = correlated(20, 100)
    assert Svd(0.06).encode(matrix) == Svd(0.06).encode(matrix.copy())


def test_zeros_and_equal_rows():
    assert not trip(SVD, np.zeros((3, 4), np.float32)).any()
    equal = np.tile(np.array([[1, -2, 300, 0.001]], np.float32), (5, 1))
    assert normalised_rmse(equal, trip(SVD, equal), channel_deviation(equal)) <= 0.011


def test_a_channel_far_from_zero_fits():
    matrix = correlated(20, 30)
    deviation = channel_deviation(matrix)
    matrix[:, 3] += 200 * deviation[3]
    assert (np.abs(trip(SVD, matrix) - matrix)[:, 3] < 0.1 * deviation[3]).all()


def test_a_channel_too_far_from_zero_for_16_bits_is_refused():
    matrix = correlated(20, 30)
    matrix[:, 3] += 1e6
    with pytest.raises(StudyError, match="use bfloat16") as caught:
        SVD.encode(matrix)
    assert caught.value.code == "E_NUM"


def test_no_component_is_stored_for_what_is_below_the_loss():
    matrix = (np.ones((20, 1)) * np.arange(1, 65) + np.random.default_rng(0).normal(0, 1e-4, (20, 64))).astype(
        np.float32
    )
    matrix += np.linspace(-8, 8, 20, dtype=np.float32)[:, None]
    head = Svd(0.3).encode(matrix)[0]
    mixing = np.frombuffer(head, "i1", offset=24).reshape(20, 20)
    assert mixing.any(axis=1).sum() <= 2


@pytest.mark.parametrize("loss", [0, -1, 1, 1e-5, float("nan"), float("inf")])
def test_a_loss_that_cannot_be_is_refused(loss):
    with pytest.raises(StudyError) as caught:
        Svd(loss)
    assert caught.value.code == "E_FILTER"


def test_values_beyond_16_bit_codes_are_refused():
    matrix = np.array([[1e30, 1.0], [1e30, 2.0], [-1e30, 1.5]], np.float32)
    try:
        decoded = trip(Svd(1e-4), matrix)
    except StudyError as error:
        assert error.code == "E_NUM"  # noqa: PT017  refusing is as good as keeping the promise
    else:
        assert normalised_rmse(matrix, decoded, channel_deviation(matrix)) <= 1e-4


@pytest.mark.parametrize(("plane", "at", "byte"), [(0, 3, 0x80), (0, 3, 0xFF), (0, 4, 9), (0, 5, 0x80), (3, 0, 2)])
def test_parameters_out_of_range_are_refused(plane, at, byte):
    good = [struct.pack("<fBb", 1.0, 1, 127), b"\0", b"\1", b"\1"]
    changed = bytearray(good[plane])
    changed[at] = byte
    planes = [bytes(changed) if number == plane else each for number, each in enumerate(good)]
    with pytest.raises(CodecError) as caught:
        SVD.decode(planes, 1, 1, where="here")
    assert (caught.value.code, caught.value.where) == ("E_FILTER", "here")


def test_parts_by_hand():
    # 0, -1, 1, 5 are 0, 1, 2, 10; with a shift of 2 the upper parts are 0, 0, 0, 2, the lower ones 00, 01, 10, 10.
    upper, lower = split(np.array([[0, -1, 1, 5]]), np.array([2], np.uint8))
    assert list(upper) == [0, 0, 0, 2]
    assert list(lower) == [0b10100100, 0, 0, 0]


@given(codes_of_a_group)
def test_parts_there_and_back(codes):
    shifts = shifts_of(codes)
    upper, lower = split(codes, shifts)
    assert len(upper) == len(lower) == codes.size
    assert join(upper, lower, shifts, codes.shape[1], where="x").tolist() == codes.tolist()


def test_rows_of_large_codes_are_shifted():
    assert shifts_of(np.array([[0, 1, -1], [100, -100, 50], [MAX_CODE, 0, 0]])).tolist() == [0, 7, 8]


def test_parts_that_are_refused():
    upper, lower = split(np.array([[5, 5]]), np.array([2], np.uint8))
    for broken, shift in ((lower, MAX_SHIFT + 1), (bytes([lower[0] | 0x80, 0]), 2), (bytes([lower[0], 1]), 2)):
        with pytest.raises(CodecError) as caught:
            join(upper, broken, np.array([shift], np.uint8), 2, where="here")
        assert (caught.value.code, caught.value.where) == ("E_FILTER", "here")
