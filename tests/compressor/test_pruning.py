from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from neuralgraph.compressor.pruning import (
    DEFAULT_POLICY,
    AbsoluteThreshold,
    AttentionMass,
    TopFraction,
    TopK,
    ranking,
)
from neuralgraph.errors import StudyError

scores = arrays(np.float32, st.integers(1, 60), elements=st.floats(0, 8, width=16))


@pytest.mark.parametrize(
    ("fraction", "patches", "kept"),
    [
        (0.023, 144, 4),
        (0.023, 900, 21),
        (0.05, 900, 45),
        (0.07, 100, 7),
        (0.29, 100, 29),
        (np.float32(0.05), 900, 45),
        (Decimal("0.05"), 900, 45),
        (Fraction(1, 3), 9, 3),
        (1, 5, 5),
        (1e-9, 900, 1),
    ],
)
def test_the_fraction_is_the_decimal_that_was_written(fraction, patches, kept):
    score = np.random.default_rng(1).random(patches)
    assert len(TopFraction(fraction).select(score)) == kept


def test_a_strict_percentile_threshold_keeps_as_many():
    score = np.random.default_rng(0).permutation(900).astype(np.float32)
    assert np.count_nonzero(score > np.percentile(score, 97.7)) == len(DEFAULT_POLICY.select(score)) == 21


def test_ties_go_to_the_lower_index():
    score = np.float32([0.5, 0.9, 0.5, 0.9, 0.1])
    assert ranking(score).tolist() == [1, 3, 0, 2, 4]
    assert TopK(3).select(score).tolist() == [1, 3, 0]
    assert TopK(3).select(score).dtype == np.int64


def test_more_than_there_are_gives_all():
    assert TopK(10).select([1.0, 3.0, 2.0]).tolist() == [1, 2, 0]


def test_the_threshold_is_strict_and_keeps_at_least_one():
    score = np.float32([0.25, 0.5, 0.75, 0.5])
    assert AbsoluteThreshold(0.5).select(score).tolist() == [2]
    assert AbsoluteThreshold(0.2).select(score).tolist() == [2, 1, 3, 0]
    assert AbsoluteThreshold(9).select(score).tolist() == [2]
    assert AbsoluteThreshold(-1).select(score).tolist() == [2, 1, 3, 0]


def test_the_threshold_is_not_rounded_to_the_precision_of_the_scores():
    score = np.float32([0.1, 0.05])  # float32 0.1 is a little more than 0.1
    assert AbsoluteThreshold(0.1).select(score).tolist() == [0]
    assert AbsoluteThreshold(float(score[1])).select(score).tolist() == [0]


@pytest.mark.parametrize(
    ("share", "kept"), [(0.1, [1]), (0.4, [1]), (0.41, [1, 0]), (0.7, [1, 0]), (0.9, [1, 0, 2]), (1.0, [1, 0, 2, 4])]
)
def test_the_smallest_set_that_holds_the_share(share, kept):
    assert AttentionMass(share).select([3.0, 4.0, 2.0, 0.0, 1.0]).tolist() == kept


def test_equal_scores_hold_their_share_exactly():
    score = np.full(10, 0.1, np.float32)
    for tenths in range(1, 11):
        assert len(AttentionMass(tenths / 10).select(score)) == tenths


def test_no_attention_at_all_keeps_one():
    assert AttentionMass(0.5).select(np.zeros(4)).tolist() == [0]


@given(scores, st.integers(1, 70))
def test_fewer_is_a_prefix_of_more(score, count):
    fewer, more = TopK(count).select(score), TopK(count + 1).select(score)
    assert np.array_equal(fewer, more[: len(fewer)])
    assert len(np.unique(more)) == len(more) == min(count + 1, len(score))
    assert (np.diff(score[more]) <= 0).all()


@given(scores, st.integers(1, 100), st.integers(1, 100))
def test_every_policy_keeps_prefixes_of_one_ranking(score, first, second):
    low, high = sorted((first / 100, second / 100))
    order = ranking(score)
    for harder, softer in (
        (TopFraction(low), TopFraction(high)),
        (AttentionMass(low), AttentionMass(high)),
        (AbsoluteThreshold(high), AbsoluteThreshold(low)),
    ):
        few, many = harder.select(score), softer.select(score)
        assert 1 <= len(few) <= len(many) <= len(score)
        assert np.array_equal(few, order[: len(few)])
        assert np.array_equal(many, order[: len(many)])


@given(scores, st.integers(1, 100))
def test_the_share_is_held_and_one_patch_less_would_not_hold_it(score, percent):
    values = score.astype(np.float64)  # multiples of 2^-24 up to 8: sums are exact
    kept = AttentionMass(percent / 100).select(score)
    wanted = Fraction(percent, 100) * Fraction(float(values.sum()))
    assert Fraction(float(values[kept].sum())) >= wanted
    if len(kept) > 1:
        assert Fraction(float(values[kept[:-1]].sum())) < wanted


@given(st.integers(1, 5000), st.integers(1, 1000))
def test_the_count_is_the_ceiling(patches, thousandths):
    kept = TopFraction(thousandths / 1000).select(np.zeros(patches))
    assert len(kept) == math.ceil(Fraction(thousandths, 1000) * patches)


@pytest.mark.parametrize("value", [0, -0.1, 1.01, math.nan, math.inf, "0.5", None, True])
def test_fractions_and_shares_out_of_range_are_refused(value):
    for kind in (TopFraction, AttentionMass):
        with pytest.raises(StudyError) as caught:
            kind(value)
        assert caught.value.code == "E_NUM"


@pytest.mark.parametrize("value", [0, -1, 2.0, "3", True, None])
def test_counts_out_of_range_are_refused(value):
    with pytest.raises(StudyError, match="at least 1"):
        TopK(value)


@pytest.mark.parametrize("value", [math.nan, math.inf, "1", None, True])
def test_thresholds_that_are_no_numbers_are_refused(value):
    with pytest.raises(StudyError, match="finite"):
        AbsoluteThreshold(value)


@pytest.mark.parametrize("score", [[], [[1.0]], [1.0, math.nan], [math.inf]])
def test_scores_that_are_no_row_of_numbers_are_refused(score):
    with pytest.raises(StudyError) as caught:
        TopK(1).select(score)
    assert caught.value.code == "E_NUM"


def test_negative_scores_have_no_share():
    with pytest.raises(StudyError, match="not negative"):
        AttentionMass(0.5).select([-1.0, 2.0])


def test_records():
    assert TopFraction().record == {"policy": "fraction", "value": 0.023}
    assert TopFraction(np.float32(0.05)).record == {"policy": "fraction", "value": 0.05}
    assert TopK(np.int64(20)).record == {"policy": "top_k", "value": 20}
    assert AbsoluteThreshold(1).record == {"policy": "threshold", "value": 1.0}
    assert AttentionMass(0.9).record == {"policy": "mass", "value": 0.9}
