"""Numeric forms: exact bits, rounding to nearest even, refusals, and the choice of the smallest exact form."""

from __future__ import annotations

import math
import struct
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from neuralgraph.codecs.floating import BFLOAT16, FLOAT16, FLOAT32
from neuralgraph.codecs.int8 import INT8
from neuralgraph.codecs.registry import FORM_OF_STREAM, FORMS, exact_form
from neuralgraph.errors import CodecError, StudyError

FINITE = st.floats(width=32, allow_nan=False, allow_infinity=False)
SHAPES = st.tuples(st.integers(0, 5), st.integers(1, 6))
matrices = arrays.arrays(np.float32, SHAPES, elements=FINITE)
ordinary = arrays.arrays(np.float32, SHAPES, elements=st.floats(-1000, 1000, width=32))

ALL = [entry.form for entry in FORMS.values()]

SPECIAL = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    2.0**-149,
    -(2.0**-149),
    2.0**-126,
    2.0**-133,
    2.0**-24,
    2.0**-14,
    65504.0,
    1 + 2.0**-23,
    1 + 2.0**-7,
    1 + 2.0**-8,
    1 + 2.0**-10,
]


def bits(values):
    return np.asarray(values, np.float32).view(np.uint32)


def trip(form, matrix):
    matrix = np.asarray(matrix, np.float32)
    planes = form.encode(matrix)
    assert tuple(map(len, planes)) == form.plane_bytes(*matrix.shape)
    return form.decode(planes, *matrix.shape, where="x")


def nearest_even(value, fraction_bits, least_exponent):
    """``value`` rounded to a binary format by exact rational arithmetic."""
    if value == 0:
        return value
    exact = Fraction(value)
    exponent = max(math.frexp(value)[1] - 1, least_exponent)
    unit = Fraction(2) ** (exponent - fraction_bits)
    return math.copysign(float(round(exact / unit) * unit), value)


def test_float32_planes_are_bytes_from_least_to_most_significant():
    matrix = np.array([[1.5, -2.0], [3.25, 1e-40]], np.float32)
    planes = FLOAT32.encode(matrix)
    for number, value in enumerate(matrix.ravel().tolist()):
        assert bytes(plane[number] for plane in planes) == struct.pack("<f", value)


@given(matrices)
def test_float32_keeps_every_bit(matrix):
    assert trip(FLOAT32, matrix).tobytes() == matrix.tobytes()


def test_float32_keeps_special_values():
    values = np.array([[*SPECIAL, np.finfo(np.float32).max, -np.finfo(np.float32).max]], np.float32)
    assert trip(FLOAT32, values).tobytes() == values.tobytes()


@pytest.mark.parametrize(("form", "fraction_bits", "least"), [(BFLOAT16, 7, -126), (FLOAT16, 10, -14)], ids=["bf", "f"])
def test_16_bit_forms_round_to_nearest_even(form, fraction_bits, least):
    @given(arrays.arrays(np.float32, SHAPES, elements=st.floats(-65000, 65000, width=32)))
    def check(matrix):
        expected = [nearest_even(value, fraction_bits, least) for value in matrix.ravel().tolist()]
        assert bits(trip(form, matrix)).ravel().tolist() == bits(expected).tolist()

    check()


def test_halves_go_to_even_and_everything_else_to_the_nearest():
    # bfloat16 has 7 fraction bits: 1 + 2^-8 lies half way between 1 and 1 + 2^-7, 1 + 3 * 2^-8 half way above.
    step = 2.0**-8
    values = [1 + step, 1 + 3 * step, 1 + step + 2.0**-23, 1 + step - 2.0**-23, -(1 + step)]
    assert trip(BFLOAT16, [values]).tolist() == [[1.0, 1 + 4 * step, 1 + 2 * step, 1.0, -1.0]]
    # binary16 has 10.
    step = 2.0**-11
    assert trip(FLOAT16, [[1 + step, 1 + 3 * step]]).tolist() == [[1.0, 1 + 4 * step]]
    # Subnormals: 2^-134 is half the smallest bfloat16, 2^-25 half the smallest binary16.
    assert trip(BFLOAT16, [[2.0**-134, 1.5 * 2.0**-133]]).tolist() == [[0.0, 2 * 2.0**-133]]
    assert trip(FLOAT16, [[2.0**-25, 3 * 2.0**-25]]).tolist() == [[0.0, 2 * 2.0**-24]]


def test_bfloat16_is_that_of_torch():
    torch = pytest.importorskip("torch")
    random = np.random.default_rng(0)
    values = random.integers(0, 2**32, 200_000, dtype=np.uint64).astype(np.uint32).view(np.float32)
    values = values[np.isfinite(values) & (np.abs(values) < 3e38)]
    theirs = torch.from_numpy(values.copy()).to(torch.bfloat16).to(torch.float32).numpy()
    assert trip(BFLOAT16, values[None]).tobytes() == theirs.tobytes()


@pytest.mark.parametrize("form", [BFLOAT16, FLOAT16], ids=["bfloat16", "float16"])
def test_every_value_of_a_16_bit_form_survives(form):
    words = np.arange(2**16, dtype=np.uint16)
    exponent = 0x7F80 if form is BFLOAT16 else 0x7C00
    words = words[(words & exponent) != exponent]
    planes = [(words & 0xFF).astype(np.uint8).tobytes(), (words >> 8).astype(np.uint8).tobytes()]
    values = form.decode(planes, 1, len(words), where="x")
    assert list(form.encode(values)) == planes
    assert form.holds(values)


@pytest.mark.parametrize(
    ("form", "largest", "first_too_large"),
    [
        (BFLOAT16, (2 - 2.0**-7) * 2.0**127, (2 - 2.0**-8) * 2.0**127),
        (FLOAT16, 65504.0, 65520.0),
    ],
    ids=["bfloat16", "float16"],
)
def test_overflow_is_refused_never_made_infinite(form, largest, first_too_large):
    below = np.nextafter(np.float32(first_too_large), np.float32(0))
    assert trip(form, [[largest, -largest, below]]).tolist() == [[largest, -largest, largest]]
    for value in (first_too_large, -first_too_large, np.finfo(np.float32).max):
        with pytest.raises(StudyError, match="too large") as caught:
            form.encode(np.array([[value]], np.float32))
        assert caught.value.code == "E_NUM"


@pytest.mark.parametrize("form", [FLOAT32, BFLOAT16, FLOAT16], ids=lambda form: form.name)
@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_files_cannot_bring_in_infinity_or_nan(form, value):
    raw = {"float32": np.float32(value).tobytes(), "float16": np.float16(value).tobytes()}
    raw["bfloat16"] = raw["float32"][2:]
    planes = [bytes([byte]) for byte in raw[form.name]]
    with pytest.raises(CodecError, match="not finite") as caught:
        form.decode(planes, 1, 1, where="here")
    assert (caught.value.code, caught.value.where) == ("E_NUM", "here")


@given(ordinary)
def test_int8_stays_within_its_bound(matrix):
    decoded = trip(INT8, matrix)
    scale = np.abs(matrix).max(axis=1, initial=0, keepdims=True).astype(np.float64) / 127
    normal = scale >= 2.0**-126
    error = np.abs(decoded.astype(np.float64) - matrix)
    assert (error <= np.where(normal, scale / 2 * (1 + 2.0**-22), np.inf)).all()


def test_int8_by_hand():
    # Row 0: scale 2, codes 127, -64 (halves to even: -63.5 -> -64), 0 (0.5 -> 0), 2 (1.5 -> 2). Row 1: all zero.
    matrix = np.array([[254, -127, 1, 3], [0, -0.0, 0, 0]], np.float32)
    codes, scales = INT8.encode(matrix)
    assert np.frombuffer(codes, "i1").tolist() == [127, -64, 0, 2, 0, 0, 0, 0]
    assert np.frombuffer(scales, "<f4").tolist() == [2, 0]
    assert INT8.decode((codes, scales), 2, 4, where="x").tolist() == [[254, -128, 0, 4], [0, 0, 0, 0]]


def test_int8_rows_do_not_share_a_scale():
    decoded = trip(INT8, [[1000, 1000], [0.001, -0.001]])
    assert np.allclose(decoded, [[1000, 1000], [0.001, -0.001]], rtol=1e-6)


def test_int8_refuses_what_it_cannot_scale():
    matrix = np.array([[np.finfo(np.float32).max]], np.float32)
    with pytest.raises(StudyError) as caught:
        INT8.encode(matrix)
    assert caught.value.code == "E_NUM"


@pytest.mark.parametrize(
    ("codes", "scale", "code"),
    [
        (b"\x80", 1.0, "E_FILTER"),
        (b"\x01", -1.0, "E_FILTER"),
        (b"\x01", -0.0, "E_FILTER"),
        (b"\x01", math.nan, "E_FILTER"),
        (b"\x01", math.inf, "E_FILTER"),
        (b"\x7f", 3e38, "E_NUM"),
    ],
)
def test_int8_refuses_parameters_out_of_range(codes, scale, code):
    with pytest.raises(CodecError) as caught:
        INT8.decode((codes, np.float32(scale).tobytes()), 1, 1, where="here")
    assert (caught.value.code, caught.value.where) == (code, "here")


@given(
    matrices | arrays.arrays(np.float32, SHAPES, elements=st.floats(width=16, allow_nan=False, allow_infinity=False))
)
def test_the_exact_form_loses_nothing_and_none_smaller_would_do(matrix):
    form = exact_form(matrix)
    assert trip(form, matrix).tobytes() == matrix.tobytes()
    for smaller in (BFLOAT16, FLOAT16):
        if form is FLOAT32:
            try:
                assert trip(smaller, matrix).tobytes() != matrix.tobytes()
            except StudyError as error:
                assert error.code == "E_NUM"  # noqa: PT017  overflow is a loss as well


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ([1.0, -0.0, 2.0**-133, 3.0e38], "bfloat16"),
        ([1 + 2.0**-10], "float16"),
        ([1 + 2.0**-7], "bfloat16"),
        ([2.0**-24, -0.0], "bfloat16"),
        ([2.0**-24 * 1023], "float16"),
        ([2.0**-25 * 1023], "float32"),
        ([65519.0], "float32"),
        ([1 + 2.0**-11], "float32"),
        ([1 + 2.0**-10, 2.0**-100], "float32"),
        ([2.0**-149], "float32"),
    ],
)
def test_the_exact_form_by_hand(values, name):
    matrix = np.array([values], np.float32)
    if name == "bfloat16":
        matrix = (matrix.view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)
    assert exact_form(matrix).name == name


@pytest.mark.parametrize("form", ALL, ids=[form.name for form in ALL])
def test_encoding_does_not_depend_on_memory_layout(form):
    matrix = np.arange(24, dtype=np.float32).reshape(4, 6) - 7
    views = [np.asfortranarray(matrix), np.repeat(matrix, 2, axis=1)[:, ::2], matrix.astype(">f4")]
    assert all(form.encode(view) == form.encode(matrix) for view in views)


@pytest.mark.parametrize("form", ALL, ids=[form.name for form in ALL])
def test_a_matrix_without_rows_has_empty_planes(form):
    assert form.decode(form.encode(np.empty((0, 3), np.float32)), 0, 3, where="x").shape == (0, 3)


def test_stream_offsets_belong_to_one_form_each():
    owners = {offset: FORM_OF_STREAM.get(offset) for offset in range(0x40)}
    assert {offset: entry.form.name for offset, entry in owners.items() if entry} == {
        **dict.fromkeys(range(4), "float32"),
        **dict.fromkeys((0x08, 0x09), "bfloat16"),
        **dict.fromkeys((0x0A, 0x0B), "float16"),
        **dict.fromkeys((0x10, 0x11), "int8"),
        **dict.fromkeys(range(0x14, 0x18), "svd"),
    }
