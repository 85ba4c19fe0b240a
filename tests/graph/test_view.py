"""Views: the square-root quantisation of attention, and boxes in source pixels."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from neuralgraph import Patches, Study, StudyError, View
from neuralgraph.graph.view import attention_of_codes, codes_of_attention


def view_of(scores, **fields):
    rows, cols = np.shape(scores)
    return View.from_scores(
        scores, **{"height": 10 * rows, "width": 10 * cols, "patch_height": 10, "patch_width": 10, **fields}
    )


maps = arrays.arrays(
    np.float32,
    st.tuples(st.integers(1, 5), st.integers(1, 5)),
    elements=st.floats(0, 2.0**100, width=32) | st.floats(0, 2.0**-120, width=32) | st.floats(0, 1, width=32),
)


def test_codes_by_hand():
    # The largest score is 4 * 65025, so the step is 4 and the code of s is the nearest whole sqrt(s / 4).
    view = view_of([[260100, 4, 16], [0, 9, 8.99]])
    assert view.score_step == 4
    assert view.score_code.tolist() == [[255, 1, 2], [0, 2, 1]]  # sqrt(9 / 4) = 1.5 goes to even
    assert view.attention.tolist() == [[260100, 4, 16], [0, 16, 4]]
    assert view.attention.dtype == np.float32


def test_a_map_of_zeros_has_step_zero():
    view = view_of(np.zeros((2, 3)))
    assert (view.score_step, view.score_code.any(), view.attention.any()) == (0, False, False)


@given(maps)
def test_codes_are_within_half_a_step_of_the_square_root(scores):
    view = view_of(scores)
    exact = codes_of_attention(scores, view.score_step)
    assert (np.abs(exact - view.score_code) <= 0.5 + 1e-6).all()
    if scores.any():
        assert view.score_code.flat[np.argmax(scores)] == view.score_code.max() > 0


@given(maps)
def test_every_map_makes_a_study(scores):
    order = np.argsort(-scores.ravel(), kind="stable")
    row, col = np.divmod(order, scores.shape[1])
    study = Study("s", (view_of(scores),), Patches(row, col, scores.ravel()[order], np.zeros((scores.size, 1))))
    assert study.patches.score.tobytes() == scores.ravel()[order].tobytes()


@pytest.mark.parametrize("largest", [2.0**-149, 2.0**-149 * 100_000, 2.1e-40, 1e-41, 6.6e-40])
def test_the_smallest_scores_keep_their_order(largest):
    # With a step rounded down to the smallest number, 2.1e-40 would need a code above 255.
    view = view_of([[largest, largest / 4, 0]])
    assert view.score_code[0, 0] > 0
    assert codes_of_attention(np.float32([largest]), view.score_step)[0] <= 255.5


def test_attention_is_one_rounding_of_an_exact_product():
    step = float(np.float32(0.1))
    codes = np.arange(256, dtype=np.uint8)
    assert attention_of_codes(codes, step).tolist() == [float(np.float32(step * code * code)) for code in range(256)]


@pytest.mark.parametrize("value", [-1e-9, math.nan, math.inf])
def test_scores_must_be_finite_and_not_negative(value):
    with pytest.raises(StudyError) as caught:
        view_of([[1, value]])
    assert caught.value.code == "E_NUM"


@pytest.mark.parametrize(
    ("scores", "code"),
    [
        ([], "E_COORD"),
        ([[]], "E_COORD"),
        ([1.0, 2.0], "E_SIZE"),
        ([[[1.0]]], "E_SIZE"),
        ([["1"]], "E_NUM"),
        ([[1], [1, 2]], "E_NUM"),
    ],
)
def test_scores_must_be_a_grid_of_numbers(scores, code):
    with pytest.raises(StudyError) as caught:
        View.from_scores(scores, height=1, width=1, patch_height=1, patch_width=1)
    assert caught.value.code == code


@pytest.mark.parametrize("code", [[[256]], [[-1]], [[0.5]], np.array([[300]], np.int64)])
def test_codes_that_do_not_fit_a_byte_are_refused_not_wrapped(code):
    with pytest.raises(StudyError) as caught:
        View(10, 10, 10, 10, code, 1.0)
    assert caught.value.code == "E_NUM"


@pytest.mark.parametrize("size", [12.5, "12", None])
def test_the_size_of_a_film_is_a_whole_number(size):
    with pytest.raises(StudyError) as caught:
        View(size, 10, 10, 10, [[1]], 1.0)
    assert (caught.value.code, caught.value.where) == ("E_NUM", "view.height")


def test_a_view_cannot_be_changed():
    view = view_of([[1.0, 2.0]])
    with pytest.raises(ValueError, match="read-only"):
        view.score_code[0, 0] = 1
    with pytest.raises(AttributeError):
        view.height = 3


def test_a_view_does_not_follow_the_array_it_was_made_from():
    code = np.array([[1, 2]], np.uint8)
    view = View(10, 20, 10, 10, code, 1.0)
    code[:] = 9
    assert view.score_code.tolist() == [[1, 2]]


def test_boxes_are_clipped_to_the_film():
    view = View(25, 30, 10, 10, np.ones((3, 3), np.uint8), 1.0)
    assert view.box(0, 0) == (0, 0, 10, 10)
    assert view.box(2, 1) == (20, 10, 25, 20)
    assert (view.rows, view.cols) == (3, 3)


def test_fields_have_the_precision_of_the_file():
    view = View(10, 10, 10.0, 10.0, [[1]], 0.1)
    assert view.score_step == float(np.float32(0.1)) != 0.1
